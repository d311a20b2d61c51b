package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.result.ValueType;
import io.tailrace.testing.DocumentedSql;
import io.tailrace.testing.TestDatabase;
import io.tailrace.v1.BulkUpload;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;

public class PostgresResultFilesTest extends ResultFilesRules {
  @Rule public final TestDatabase database = new TestDatabase();

  @Override
  protected OfflineStore store() {
    return database.store("schema={environment}&retryFor=200ms");
  }

  @Override
  protected boolean loadsByItself(ValueType type) {
    return false;
  }

  @Override
  protected void dropTable(String table) throws Exception {
    database.execute("DROP TABLE prod." + table);
  }

  /** What a warehouse is told is compared with what it asks for: see {@link WideFilesContract}. */
  @Test
  public void everyStatementOfTheDocumentationIsLookedAtByATest() throws Exception {
    assertThat(DocumentedSql.statements("bulk-loads", "GRANT")).hasSize(4);
    assertThat(DocumentedSql.blocks("bulk-loads")).hasSize(5);
    assertThat(DocumentedSql.statements("bulk-loads", "CREATE TABLE")).hasSize(1);
    assertThat(DocumentedSql.statements("bulk-loads", "SELECT")).hasSize(1);
  }

  @Test
  public void whoMayNotCreateTablesLoadsIntoTheLedgerOfTheDocumentation() throws Exception {
    String schema = "schema=tailrace_{environment}&retryFor=200ms";
    assertThat(load(named("r40"), database.store(schema)).rows()).isEqualTo(1);
    database.execute(
        "DROP TABLE tailrace_prod.bulk_files",
        "DROP ROLE IF EXISTS writer",
        "CREATE ROLE writer LOGIN PASSWORD 'w'",
        "GRANT TEMPORARY ON DATABASE " + database.name() + " TO writer",
        "GRANT USAGE ON SCHEMA tailrace_prod TO writer",
        "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA tailrace_prod TO writer");
    OfflineStore writers = OfflineStores.at(database.uriOf("writer", "w") + "&" + schema);
    BulkUpload upload = named("r41");
    assertThrows(UnavailableException.class, () -> load(upload, writers));

    database.execute(DocumentedSql.statements("bulk-loads", "CREATE TABLE").get(0));
    database.execute(
        DocumentedSql.statements("bulk-loads", "GRANT").stream()
            .filter(it -> it.contains("bulk_files"))
            .toArray(String[]::new));

    assertThat(load(upload, writers).rows()).isEqualTo(1);
    assertThat(load(upload, writers).rows()).isEqualTo(0);
    assertThat(database.rows("SELECT count(*) FROM tailrace_prod.bulk_files")).containsExactly("1");
    assertThat(database.rows(DocumentedSql.statements("bulk-loads", "SELECT").get(0))).isEmpty();
    assertThat(load(ofAnotherType("r42"), writers).rows()).isEqualTo(0);
    assertThat(database.rows(DocumentedSql.statements("bulk-loads", "SELECT").get(0))).hasSize(1);
    database.execute("DROP OWNED BY writer", "DROP ROLE writer");
  }

  private BulkUpload named(String operation) throws Exception {
    try (OfflineResults files =
        writing(contents(operation, feature("age", ValueType.INT64)), operation)) {
      files.add("a", T, List.of(1L));
      return files.finish();
    }
  }

  private BulkUpload ofAnotherType(String operation) throws Exception {
    try (OfflineResults files =
        writing(contents(operation, feature("age", ValueType.STRING)), operation)) {
      files.add("a", T, List.of("one"));
      return files.finish();
    }
  }

  private Outcome load(BulkUpload upload, OfflineStore into) throws Exception {
    return load(
        NotificationFormat.decode(
            message().withPayload(NotificationFormat.json(upload).getBytes(UTF_8))),
        into.bulkLoads().orElseThrow().open());
  }
}
