package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.offline.Inserted.Count;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What becomes of the rows of a table that DuckDB refuses, or can't take, and of all others. */
public class DuckDbSickTablesTest {
  private static final long T = RandomResults.START;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private OfflineStore store(String parameters) {
    return OfflineStores.at("duckdb://" + folder.getRoot() + "/offline.db" + parameters);
  }

  private Inserted insert(String parameters, ObservationFile... files) throws Exception {
    try (InsertSession session = GroupedInserts.over(OfflineConnections.to(store(parameters)))) {
      return session.insert(List.of(files));
    }
  }

  private void execute(String... statements) throws Exception {
    try (Connection connection =
            DriverManager.getConnection("jdbc:duckdb:" + folder.getRoot() + "/offline.db");
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private List<List<String>> rows(String sql) throws Exception {
    return store("").reader().query(sql, 1_000).rows();
  }

  private static ObservationFile numbers(String feature, String... keys) throws Exception {
    String[] rows = new String[keys.length];
    for (int i = 0; i < keys.length; i++) {
      rows[i] =
          "('"
              + feature
              + "', '"
              + keys[i]
              + "', "
              + i
              + "::BIGINT, TIMESTAMPTZ '2026-01-01 00:00:0"
              + i
              + "+00', 'op')";
    }
    return ForeignFile.of(ValueType.INT64, rows).file();
  }

  @Test
  public void whateverBecameOfATableTheOthersGetTheirRows() throws Exception {
    String columns =
        "observation_id UUID, pkey VARCHAR, observed_at TIMESTAMPTZ, inserted_at TIMESTAMPTZ,"
            + " resolver_fqn VARCHAR, deployment_id VARCHAR, deleted BOOLEAN";
    Map<String, String> changes =
        Map.of(
            "CREATE VIEW tailrace.user__age AS FROM tailrace.aside",
            "is no table",
            "CREATE TABLE tailrace.user__age(" + columns + ", value BIGINT)",
            "lacks the column operation_id",
            "CREATE TABLE tailrace.user__age(" + columns + ", operation_id VARCHAR, value DOUBLE)",
            "has value DOUBLE, not BIGINT",
            "CREATE TABLE tailrace.user__age("
                + columns
                + ", operation_id VARCHAR, value BIGINT GENERATED ALWAYS AS (1::BIGINT))",
            "refuses it: Binder Error",
            "CREATE TABLE tailrace.user__age("
                + columns
                + ", operation_id VARCHAR, value BIGINT, cost INTEGER NOT NULL)",
            "refuses it: Constraint Error: NOT NULL constraint failed",
            "CREATE TABLE tailrace.user__age("
                + columns
                + ", operation_id VARCHAR, value BIGINT, PRIMARY KEY (pkey))",
            "refuses it: Constraint Error: ");
    for (Map.Entry<String, String> change : changes.entrySet()) {
      execute("DROP SCHEMA IF EXISTS tailrace CASCADE");
      assertThat(insert("", numbers("user.age", "a"), numbers("user.size", "a")).rejected())
          .isEmpty();
      execute("ALTER TABLE tailrace.user__age RENAME TO aside", change.getKey());

      Inserted inserted = insert("", numbers("user.age", "b", "b"), numbers("user.size", "b"));

      assertThat(inserted.rejected()).isNotEmpty();
      inserted.rejected().forEach(each -> assertThat(each.message()).contains(change.getValue()));
      assertThat(rows("SELECT pkey FROM tailrace.user__size ORDER BY 1").toString())
          .isEqualTo("[[a], [b]]");
    }
  }

  @Test
  public void whatIsTooLargeForDuckDbsMemoryIsALetterAndTheRestIsInserted() throws Exception {
    List<ObservationFile> large =
        BundleEncoder.files(
            Results.of(Results.user("large", Results.string("text", T, "x".repeat(60 << 20)))));
    ObservationFile file =
        large.stream()
            .filter(each -> each.kind() == ObservationFile.Kind.OBSERVATIONS)
            .findFirst()
            .orElseThrow();
    ObservationFile small =
        ForeignFile.of(
                ValueType.STRING,
                "('user.text', 'small', 'x', TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')")
            .file();

    Inserted inserted = insert("?memoryLimit=40MB", small, file, numbers("user.age", "a"));

    assertThat(inserted.refused().keySet()).containsExactly(1);
    assertThat(inserted.refused().get(1)).contains("more memory than memoryLimit=40MB");
    assertThat(inserted.rows()).isEqualTo(new Count(2, 0));
    assertThat(rows("SELECT pkey FROM tailrace.user__text").toString()).isEqualTo("[[small]]");
  }

  @Test
  public void aLogOfQueriesThatRefusesItsRowsKeepsNoFeatureFromItsOwn() throws Exception {
    ObservationFile[] first =
        BundleEncoder.files(Results.of(Results.user("a", Results.int64("age", T, 1))))
            .toArray(ObservationFile[]::new);
    assertThat(insert("", first).rejected()).isEmpty();
    execute(
        "ALTER TABLE tailrace.query_log ADD COLUMN cost INTEGER DEFAULT 1",
        "ALTER TABLE tailrace.query_log ALTER COLUMN cost SET NOT NULL",
        "ALTER TABLE tailrace.query_log ALTER COLUMN cost DROP DEFAULT");

    ObservationFile[] second =
        BundleEncoder.files(
                Results.named("op-2")
                    .addFrames(Results.user("b", Results.int64("age", T, 2)))
                    .build())
            .toArray(ObservationFile[]::new);
    Inserted inserted = insert("", second);

    assertThat(inserted.rejected()).hasSize(1);
    assertThat(inserted.rejected().get(0).reason()).isEqualTo(Reason.TABLE_REFUSES);
    assertThat(inserted.rejected().get(0).message())
        .contains("its table query_log refuses it: Constraint Error: NOT NULL");
    assertThat(rows("SELECT pkey FROM tailrace.user__age ORDER BY 1").toString())
        .isEqualTo("[[a], [b]]");
  }
}
