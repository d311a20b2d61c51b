package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Catalog.Difference;
import io.tailrace.parquet.FileRows;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationIds;
import io.tailrace.result.ValueType;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSettings;
import io.tailrace.testing.Features;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Which tables DuckDB gets, and how a value of each type reads back. */
public class DuckDbTablesTest {
  private static final long T = RandomResults.START;
  private static final String TIME = "TIMESTAMPTZ '2026-01-01 00:00:00.123456+00'";

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private OfflineStore store;
  private BatchConnection connection;

  @Before
  public void connect() {
    store = OfflineStores.at("duckdb://" + folder.getRoot() + "/offline.db?schema={environment}");
    connection = OfflineConnections.to(store);
  }

  @After
  public void close() {
    connection.close();
  }

  @Test
  public void aFeaturesTableHasTheColumnsOfTheContract() throws Exception {
    connection.create("production", List.of(table("user.age", ValueType.INT64)));

    assertThat(
            rows(
                "SELECT column_name, data_type, NOT is_nullable FROM duckdb_columns()"
                    + " WHERE schema_name = 'production' AND table_name = 'user__age'"
                    + " ORDER BY column_index"))
        .containsExactly(
            "[observation_id, UUID, true]",
            "[pkey, VARCHAR, true]",
            "[value, BIGINT, false]",
            "[observed_at, TIMESTAMP WITH TIME ZONE, true]",
            "[inserted_at, TIMESTAMP WITH TIME ZONE, true]",
            "[resolver_fqn, VARCHAR, false]",
            "[deployment_id, VARCHAR, false]",
            "[operation_id, VARCHAR, true]",
            "[deleted, BOOLEAN, true]")
        .inOrder();
  }

  @Test
  public void aTableThatWasReplacedIsWhoseItIsNow() throws Exception {
    FeatureTable age = table("user.age", ValueType.INT64);
    FeatureTable other =
        new FeatureTable(Features.of("user.Age"), true, Optional.of(ValueType.INT64), age.table());
    connection.create("production", List.of(age));
    assertThat(connection.create("production", List.of(other))).hasSize(1);
    // As another writer in this process does it.
    DuckDbFile open =
        DuckDbFile.open(
            folder.getRoot().toPath().resolve("offline.db"),
            new DuckDbSettings("1GB", 1, false, 1 << 28));
    try (Connection beside = open.duplicate();
        Statement statement = beside.createStatement()) {
      statement.execute("DROP TABLE production.user__age");
    } finally {
      open.release();
    }
    try (BatchConnection another = OfflineConnections.to(store)) {
      assertThat(another.create("production", List.of(other))).isEmpty();
    }

    assertThat(connection.create("production", List.of(other))).isEmpty();
  }

  @Test
  public void theLogOfQueriesHasTheColumnsOfTheContract() throws Exception {
    connection.create("production", List.of());

    assertThat(
            rows(
                "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'production'"
                    + " AND table_name = 'query_log' AND data_type <> 'VARCHAR'"))
        .containsExactly(
            "[query_timestamp]",
            "[execution_started_at]",
            "[execution_finished_at]",
            "[value_tables]");
    assertThat(
            rows(
                "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'production'"
                    + " AND table_name = 'query_log' AND data_type = 'VARCHAR'"))
        .containsExactly(
            "[operation_id]",
            "[environment_id]",
            "[deployment_id]",
            "[operation_kind]",
            "[query_status]",
            "[query_name]",
            "[query_name_version]",
            "[branch_name]",
            "[correlation_id]",
            "[trace_id]",
            "[agent_id]",
            "[query_plan_id]",
            "[meta_query_hash]");
  }

  @Test
  public void aNewFileHasSmallBlocksAndAFormatOfWhichEachTableCostsLess() throws Exception {
    connection.create("production", List.of(table("user.age", ValueType.INT64)));

    assertThat(format()).containsExactly("[65536, v1.3.0+]");
  }

  @Test
  public void aFileOfOtherBlocksAndAnOlderFormatKeepsBothAndIsInsertedInto() throws Exception {
    Properties older = new Properties();
    older.setProperty("default_block_size", "262144");
    older.setProperty("storage_compatibility_version", "v1.0.0");
    try (Connection found =
            DriverManager.getConnection("jdbc:duckdb:" + folder.getRoot() + "/offline.db", older);
        Statement statement = found.createStatement()) {
      statement.execute("CREATE TABLE somebodys AS SELECT 1 AS number");
    }
    ObservationFile file =
        ForeignFile.of(ValueType.INT64, "('user.age', 'ann', 41::BIGINT, " + TIME + ", 'op')")
            .file();

    assertThat(Batches.insert(connection, List.of(file)).rows()).isEqualTo(1);

    assertThat(format()).containsExactly("[262144, v1.0.0+]");
    assertThat(rows("SELECT value FROM production.user__age")).containsExactly("[41]");
  }

  private List<String> format() throws UnavailableException {
    return rows(
        "SELECT block_size, tags['storage_version'] FROM pragma_database_size()"
            + " JOIN duckdb_databases() USING (database_name)"
            + " WHERE database_name = current_database()");
  }

  @Test
  public void aRowHasEverythingBesideItsValue() throws Exception {
    ObservationFile file =
        ForeignFile.of(ValueType.INT64, "('item.stock', 7::BIGINT, 3::BIGINT, " + TIME + ", 'op')")
            .file();
    Batches.insert(connection, List.of(file));

    assertThat(
            rows(
                "SELECT observation_id, pkey, value, epoch_us(observed_at), resolver_fqn,"
                    + " deployment_id, operation_id, deleted, inserted_at > observed_at"
                    + " FROM production.item__stock"))
        .containsExactly(
            "["
                + uuid(ObservationIds.of("op", "item.stock", "7", T + 123_456))
                + ", 7, 3, 1767225600123456, resolvers.get, null, op, false, true]");
  }

  @Test
  public void environmentsAreSchemas() throws Exception {
    Batches.insert(
        connection,
        BundleEncoder.files(
            Results.of(Results.user("ann", Results.int64("age", T, 1))),
            Results.of(Results.user("ann", Results.int64("age", T, 2))).toBuilder()
                .setEnvironmentId("staging")
                .build()));

    assertThat(rows("SELECT value FROM production.user__age")).containsExactly("[1]");
    assertThat(rows("SELECT value FROM staging.user__age")).containsExactly("[2]");
    assertThat(store.separatesEnvironments()).isTrue();
  }

  @Test
  public void aTableOfAnotherTypeIsNamedWithBothTypesAndLeftAsItIs() throws Exception {
    FeatureTable age = table("user.age", ValueType.INT64);
    assertThat(connection.create("production", List.of(age))).isEmpty();

    FeatureTable text = table("user.age", ValueType.STRING);
    FeatureTable number =
        new FeatureTable(Features.of("user.age"), false, Optional.of(ValueType.INT64));
    FeatureTable other = table("user.zip", ValueType.STRING);
    assertThat(connection.create("production", List.of(text, number, other, age)))
        .containsExactly(
            Conflict.ofTypes(text, List.of(new Difference("value", "BIGINT", "VARCHAR"))),
            Conflict.ofTypes(number, List.of(new Difference("pkey", "VARCHAR", "BIGINT"))));
    assertThat(rows("SELECT count(*) FROM production.user__zip")).containsExactly("[0]");
  }

  @Test
  public void everyTypeFitsTheTableThatItMade() throws Exception {
    for (ValueType type : ValueType.values()) {
      FeatureTable table = table("user.v" + type.code(), type);
      assertThat(connection.create("production", List.of(table))).isEmpty();
      assertThat(connection.create("production", List.of(table))).isEmpty();
    }
  }

  private static String uuid(byte[] id) {
    return FileRows.hex(id).replaceFirst("(.{8})(.{4})(.{4})(.{4})(.*)", "$1-$2-$3-$4-$5");
  }

  private static FeatureTable table(String feature, ValueType type) {
    return new FeatureTable(Features.of(feature), true, Optional.of(type));
  }

  private List<String> rows(String sql) throws UnavailableException {
    return store.reader().query(sql, 1_000).rows().stream().map(Object::toString).toList();
  }
}
