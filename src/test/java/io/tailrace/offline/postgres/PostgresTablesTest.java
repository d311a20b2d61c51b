package io.tailrace.offline.postgres;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.OfflineStore;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.testing.Features;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Which schemas, tables and partitions are created, by how many at once, and which are kept. */
@RunWith(JUnit4.class)
public class PostgresTablesTest {
  private static final String ENVIRONMENT = RowFile.ENVIRONMENT;

  /** 2026-11-30T23:59:59.999999Z. */
  private static final long END_OF_NOVEMBER = 1_796_083_199_999_999L;

  @Rule public final TestDatabase database = new TestDatabase();

  private Map<FeatureTable, String> create(String parameters, FeatureTable... tables)
      throws ContentRejectedException, UnavailableException {
    return create(parameters, ENVIRONMENT, tables);
  }

  private Map<FeatureTable, String> create(
      String parameters, String environment, FeatureTable... tables)
      throws ContentRejectedException, UnavailableException {
    try (BatchConnection connection = OfflineConnections.to(database.store(parameters))) {
      return connection.create(environment, List.of(tables)).stream()
          .collect(Collectors.toMap(Conflict::table, Conflict::words));
    }
  }

  private static FeatureTable table(String feature, ValueType type) {
    return new FeatureTable(Features.of(feature), true, Optional.of(type));
  }

  private static FeatureTable valueless(String feature) {
    return new FeatureTable(Features.of(feature), true, Optional.empty());
  }

  private List<String> tables() throws Exception {
    return database.rows(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE '%tailrace%'"
            + " ORDER BY 1, 2");
  }

  private List<String> columns(String table) throws Exception {
    return database.rows(
        "SELECT column_name, data_type, is_nullable, column_default"
            + " FROM information_schema.columns WHERE table_schema = 'tailrace'"
            + " AND table_name = '"
            + table
            + "' ORDER BY ordinal_position");
  }

  private List<String> indexes(String table) throws Exception {
    return database.rows(
        "SELECT indexname, regexp_replace(indexdef, '.* USING ', '') FROM pg_indexes"
            + " WHERE tablename = '"
            + table
            + "' ORDER BY 1");
  }

  @Test
  public void aFeatureHasATableAndTheEnvironmentALogOfQueries() throws Exception {
    Map<FeatureTable, String> conflicts = create("", table("user.age", ValueType.INT64));

    assertThat(conflicts).isEmpty();
    assertThat(tables())
        .containsExactly("tailrace|feature_tables", "tailrace|query_log", "tailrace|user__age");
    assertThat(columns("user__age"))
        .containsExactly(
            "observation_id|uuid|NO|null",
            "pkey|text|NO|null",
            "value|bigint|YES|null",
            "observed_at|timestamp with time zone|NO|null",
            "inserted_at|timestamp with time zone|NO|clock_timestamp()",
            "resolver_fqn|text|YES|null",
            "deployment_id|text|YES|null",
            "operation_id|text|NO|null",
            "deleted|boolean|NO|null")
        .inOrder();
    assertThat(indexes("user__age"))
        .containsExactly(
            "user__age#id|btree (observation_id)", "user__age#pkey|btree (pkey, observed_at)");
    assertThat(columns("query_log"))
        .containsExactly(
            "operation_id|text|NO|null",
            "environment_id|text|NO|null",
            "deployment_id|text|YES|null",
            "operation_kind|text|NO|null",
            "query_timestamp|timestamp with time zone|NO|null",
            "execution_started_at|timestamp with time zone|YES|null",
            "execution_finished_at|timestamp with time zone|YES|null",
            "query_status|text|NO|null",
            "query_name|text|YES|null",
            "query_name_version|text|YES|null",
            "branch_name|text|YES|null",
            "correlation_id|text|YES|null",
            "trace_id|text|YES|null",
            "agent_id|text|YES|null",
            "query_plan_id|text|YES|null",
            "meta_query_hash|text|YES|null",
            "value_tables|ARRAY|NO|null")
        .inOrder();
    assertThat(indexes("query_log")).containsExactly("query_log#id|btree (operation_id)");
  }

  @Test
  public void everyTypeHasItsColumn() throws Exception {
    List<FeatureTable> wanted = new ArrayList<>();
    for (ValueType type : ValueType.values()) {
      wanted.add(new FeatureTable(Features.of("user." + type), false, Optional.of(type)));
    }
    Map<FeatureTable, String> first = create("", wanted.toArray(FeatureTable[]::new));
    Map<FeatureTable, String> again = create("", wanted.toArray(FeatureTable[]::new));

    assertThat(first).isEmpty();
    assertThat(again).isEmpty();
    assertThat(
            database.rows(
                "SELECT DISTINCT column_name, udt_name FROM information_schema.columns WHERE"
                    + " table_schema = 'tailrace' AND column_name IN ('pkey', 'value') ORDER BY 2"))
        .containsExactly(
            "value|_float4",
            "value|bool",
            "value|bytea",
            "value|date",
            "value|float8",
            "pkey|int8",
            "value|int8",
            "value|json",
            "value|text",
            "value|timestamptz");
  }

  @Test
  public void textsThatAreInAnIndexAreComparedAsBytes() throws Exception {
    create("", table("user.age", ValueType.STRING));

    assertThat(
            database.rows(
                "SELECT table_name, column_name FROM information_schema.columns"
                    + " WHERE table_schema = 'tailrace' AND collation_name = 'C' ORDER BY 1, 2"))
        .containsExactly("feature_tables|table_name", "query_log|operation_id", "user__age|pkey");
  }

  @Test
  public void withoutTheIndexOnlyThePrimaryKeyHasOne() throws Exception {
    create("index=none", table("user.age", ValueType.INT64));

    assertThat(indexes("user__age")).containsExactly("user__age#id|btree (observation_id)");
  }

  @Test
  public void namesOfPartsOfATableAreNoNamesOfOtherTables() throws Exception {
    String longName = "user." + "x".repeat(57);
    create(
        "partitions=monthly",
        table("user.age", ValueType.INT64),
        table("user.age_pkey", ValueType.INT64),
        table("user.age_id", ValueType.INT64),
        table(longName, ValueType.INT64),
        table(longName.replaceFirst("x$", "y"), ValueType.INT64));

    assertThat(database.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'tailrace'"))
        .containsExactly("17");
    assertThat(
            database.rows(
                "SELECT DISTINCT indexname FROM pg_indexes WHERE schemaname = 'tailrace'"
                    + " AND indexname NOT LIKE '%#%'"))
        .isEmpty();
  }

  @Test
  public void eachEnvironmentHasASchemaOfItsOwn() throws Exception {
    String parameters = "schema=tailrace_{environment}";
    OfflineStore store = database.store(parameters);
    for (String environment : new String[] {"prod", "Prod"}) {
      FileBatch batch =
          RowFile.of(environment, ValueType.STRING).row("user.name", "u1", 0, environment).batch();
      try (BatchConnection connection = OfflineConnections.to(store)) {
        connection.create(environment, List.of(table("user.name", ValueType.STRING)));
        connection.insert(batch);
      }
    }

    assertThat(store.separatesEnvironments()).isTrue();
    assertThat(database.store("schema=other").separatesEnvironments()).isFalse();
    assertThat(database.rows("SELECT value FROM tailrace_prod.user__name")).containsExactly("prod");
    assertThat(
            database.rows(
                "SELECT value FROM tailrace_" + TableNames.ofEnvironment("Prod") + ".user__name"))
        .containsExactly("Prod");
  }

  @Test
  public void aTableThatDiffersIsAConflictAndIsLeftAsItIs() throws Exception {
    FeatureTable integers = table("user.age", ValueType.INT64);
    create("", integers);
    List<String> before = columns("user__age");
    FeatureTable numbers = table("user.age", ValueType.FLOAT64);
    FeatureTable integerKeys =
        new FeatureTable(Features.of("user.age"), false, Optional.of(ValueType.STRING));
    FeatureTable integerKeysOnly =
        new FeatureTable(Features.of("user.age"), false, Optional.empty());
    Map<FeatureTable, String> conflicts =
        create("", integers, numbers, integerKeys, integerKeysOnly, valueless("user.age"));

    assertThat(conflicts)
        .containsExactly(
            numbers,
            "has value bigint, not double precision",
            integerKeys,
            "has pkey text, not bigint and has value bigint, not text",
            integerKeysOnly,
            "has pkey text, not bigint");
    assertThat(columns("user__age")).isEqualTo(before);
  }

  @Test
  public void ofTwoTypesThatAreWantedAtOnceOneIsAConflict() throws Exception {
    FeatureTable first = table("user.age", ValueType.INT64);
    FeatureTable second = table("user.age", ValueType.BOOL);

    assertThat(create("", valueless("user.age"), first, second))
        .containsExactly(second, "has value bigint, not boolean");
  }

  @Test
  public void whatIsNoTableForObservationsIsAConflict() throws Exception {
    database.execute(
        "CREATE SCHEMA tailrace",
        "CREATE VIEW tailrace.user__a AS SELECT 1",
        "CREATE TABLE tailrace.user__b (LIKE pg_class)",
        "CREATE TABLE tailrace.user__c (observation_id uuid, pkey text, value bigint, observed_at"
            + " timestamptz, inserted_at timestamptz, resolver_fqn text, deployment_id text,"
            + " operation_id text, deleted boolean)");
    FeatureTable a = table("user.a", ValueType.INT64);
    FeatureTable b = valueless("user.b");
    FeatureTable c = table("user.c", ValueType.INT64);
    Map<FeatureTable, String> conflicts = create("", a, b, c);

    assertThat(conflicts.keySet()).containsExactly(a, b, c);
    assertThat(conflicts).containsEntry(a, "is no table");
    assertThat(conflicts.get(b))
        .startsWith("lacks the column observation_id and lacks the column pkey and");
    assertThat(conflicts).containsEntry(c, "has no primary key on observation_id");
  }

  @Test
  public void aLogOfQueriesThatDiffersIsNamed() throws Exception {
    database.execute(
        "CREATE SCHEMA tailrace",
        "CREATE TABLE tailrace.query_log (operation_id text PRIMARY KEY)");

    Map<FeatureTable, String> conflicts = create("", table("user.age", ValueType.INT64));

    assertThat(conflicts.keySet()).containsExactly(FeatureTable.LOG);
    assertThat(conflicts.get(FeatureTable.LOG)).startsWith("lacks the column environment_id and ");
    assertThat(tables()).contains("tailrace|user__age");
  }

  @Test
  public void aTableOfDeletionsGetsValuesWhenTheyAreWanted() throws Exception {
    Map<FeatureTable, String> first = create("", valueless("user.age"));
    List<String> before = columns("user__age");
    Map<FeatureTable, String> second = create("", table("user.age", ValueType.VECTOR));
    FeatureTable other = table("user.age", ValueType.INT64);
    Map<FeatureTable, String> third = create("", valueless("user.age"), other);

    assertThat(first).isEmpty();
    assertThat(before).doesNotContain("value|ARRAY|YES|null");
    assertThat(second).isEmpty();
    assertThat(columns("user__age")).contains("value|ARRAY|YES|null");
    assertThat(third).containsExactly(other, "has value real[], not bigint");
  }

  @Test
  public void manyMayCreateTheSameTablesAtOnce() throws Exception {
    List<FeatureTable> wanted = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      wanted.add(table("wide.f" + i, ValueType.INT64));
    }
    List<FeatureTable> reversed = new ArrayList<>(wanted);
    Collections.reverse(reversed);
    ExecutorService threads = Executors.newFixedThreadPool(3);
    List<Future<Map<FeatureTable, String>>> all = new ArrayList<>();
    for (List<FeatureTable> each : List.of(wanted, reversed, wanted)) {
      all.add(threads.submit(() -> create("", each.toArray(FeatureTable[]::new))));
    }
    for (Future<Map<FeatureTable, String>> one : all) {
      assertThat(one.get()).isEmpty();
    }
    threads.shutdown();

    assertThat(database.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'tailrace'"))
        .containsExactly("302");
  }

  @Test
  public void aTableThatSomebodyElseCreatesAtTheSameTimeIsTaken() throws Exception {
    create("");
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (Connection other = database.connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute(
          "CREATE TABLE tailrace.user__age (observation_id uuid PRIMARY KEY, pkey text, value text,"
              + " observed_at timestamptz, inserted_at timestamptz, resolver_fqn text,"
              + " deployment_id text, operation_id text, deleted boolean)");
      FeatureTable wanted = table("user.age", ValueType.STRING);
      Future<Map<FeatureTable, String>> creating = thread.submit(() -> create("", wanted));
      database.awaitWaiting();
      other.commit();

      assertThat(creating.get()).isEmpty();
    }
    thread.shutdown();
    assertThat(indexes("user__age")).containsExactly("user__age_pkey|btree (observation_id)");
  }

  @Test
  public void tablesThatAreThereAreSeenWithoutALock() throws Exception {
    create("", table("user.age", ValueType.INT64));
    try (Connection other = database.connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("LOCK TABLE tailrace.user__age, tailrace.query_log");
      statement.execute(
          "SELECT pg_advisory_xact_lock(" + 0x7461696c + ", " + "tailrace".hashCode() + ")");

      assertThat(create("timeout=20s&retryFor=1ms", table("user.age", ValueType.INT64))).isEmpty();
    }
  }

  @Test
  public void monthsHavePartitionsOfTheirOwn() throws Exception {
    FileBatch batch =
        RowFile.of(ValueType.INT64)
            .row("user.age", "u1", END_OF_NOVEMBER, 1L)
            .row("user.age", "u2", END_OF_NOVEMBER + 1, 2L)
            .row("user.age", "u3", -62_135_596_800_000_000L, 3L)
            .row("user.age", "u4", 253_402_300_799_999_999L, 4L)
            .row("user.size", "u5", END_OF_NOVEMBER, 5L)
            .batch();
    BatchInserted first;
    BatchInserted again;
    try (BatchConnection connection = OfflineConnections.to(database.store("partitions=monthly"))) {
      first = connection.insert(batch);
      again = connection.insert(batch);
    }

    assertThat(first).isEqualTo(new BatchInserted(5, 0, List.of()));
    assertThat(again).isEqualTo(new BatchInserted(0, 5, List.of()));
    assertThat(database.rows("SELECT tableoid::regclass, pkey FROM tailrace.user__age ORDER BY 2"))
        .containsExactly(
            "\"user__age#2026_11\"|u1",
            "\"user__age#2026_12\"|u2",
            "\"user__age#before_2000\"|u3",
            "\"user__age#from_2100\"|u4");
    assertThat(tables())
        .containsExactly(
            "tailrace|feature_tables",
            "tailrace|query_log",
            "tailrace|user__age",
            "tailrace|user__age#2026_11",
            "tailrace|user__age#2026_12",
            "tailrace|user__age#before_2000",
            "tailrace|user__age#from_2100",
            "tailrace|user__size",
            "tailrace|user__size#2026_11",
            "tailrace|user__size#before_2000",
            "tailrace|user__size#from_2100");
    assertThat(indexes("user__age#2026_11").stream().map(it -> it.replaceFirst(".*\\|", "")))
        .containsExactly("btree (observation_id, observed_at)", "btree (pkey, observed_at)");
  }

  @Test
  public void tablesThatArePartitionedStaySoWhateverTheUriSaysLater() throws Exception {
    FileBatch november =
        RowFile.of(ValueType.INT64).row("user.age", "u1", END_OF_NOVEMBER, 1L).batch();
    FileBatch december =
        RowFile.of(ValueType.INT64).row("user.age", "u1", END_OF_NOVEMBER + 1, 2L).batch();
    try (BatchConnection monthly = OfflineConnections.to(database.store("partitions=monthly"));
        BatchConnection plain = OfflineConnections.to(database.store(""))) {
      monthly.insert(november);

      assertThat(plain.insert(december)).isEqualTo(new BatchInserted(1, 0, List.of()));
      assertThat(plain.insert(november)).isEqualTo(new BatchInserted(0, 1, List.of()));
    }
  }

  @Test
  public void aPartitionThatWasDroppedIsCreatedForLaterRows() throws Exception {
    FileBatch batch =
        RowFile.of(ValueType.INT64).row("user.age", "u1", END_OF_NOVEMBER, 1L).batch();
    try (BatchConnection connection = OfflineConnections.to(database.store("partitions=monthly"))) {
      connection.insert(batch);
      database.execute("DROP TABLE tailrace.\"user__age#2026_11\"");

      assertThat(connection.insert(batch)).isEqualTo(new BatchInserted(1, 0, List.of()));

      database.execute(
          "ALTER TABLE tailrace.user__age DETACH PARTITION tailrace.\"user__age#2026_11\"");
      BatchInserted refused = connection.insert(batch);

      assertThat(refused.rows()).isEqualTo(0);
      assertThat(refused.sick()).hasSize(1);
      assertThat(refused.sick().get(0).table()).isEqualTo("user__age");
      assertThat(refused.sick().get(0).why())
          .isEqualTo(
              "the table \"tailrace\".\"user__age#2026_11\" is there, and is no longer a"
                  + " partition: rename or drop it");
    }
  }

  @Test
  public void aPartitionIsMadeWhileSomebodyReadsTheTable() throws Exception {
    try (BatchConnection connection =
            OfflineConnections.to(database.store("partitions=monthly&timeout=20s&retryFor=1ms"));
        Connection reader = database.connect();
        Statement statement = reader.createStatement()) {
      connection.insert(
          RowFile.of(ValueType.INT64).row("user.age", "u1", END_OF_NOVEMBER, 1L).batch());
      reader.setAutoCommit(false);
      statement.execute("SELECT * FROM tailrace.user__age");

      assertThat(
              connection.insert(
                  RowFile.of(ValueType.INT64)
                      .row("user.age", "u1", END_OF_NOVEMBER, 1L)
                      .row("user.age", "u1", END_OF_NOVEMBER + 1, 1L)
                      .batch()))
          .isEqualTo(new BatchInserted(1, 1, List.of()));
    }
  }

  @Test
  public void whoAltersATableDoesNotKeepOthersWaitingForLong() throws Exception {
    create("", valueless("user.age"));
    try (Connection reader = database.connect();
        Statement statement = reader.createStatement()) {
      reader.setAutoCommit(false);
      statement.execute("SELECT * FROM tailrace.user__age");
      FeatureTable wanted = table("user.age", ValueType.INT64);

      assertThat(create("timeout=20s&retryFor=1ms", wanted))
          .containsExactly(
              wanted, "can't be created or changed: canceling statement due to lock timeout");
    }
    assertThat(create("", table("user.age", ValueType.INT64))).isEmpty();
  }

  @Test
  public void aRoleThatMayNotCreateIsTold() throws Exception {
    database.execute("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN PASSWORD 'reader'");
    OfflineStore store =
        PostgresOfflineStore.at(EndpointUri.parse(database.uriOf("reader", "reader")));
    UnavailableException refused =
        assertThrows(
            UnavailableException.class,
            () -> {
              try (BatchConnection connection = OfflineConnections.to(store)) {
                connection.create(ENVIRONMENT, List.of());
              }
            });

    assertThat(refused)
        .hasMessageThat()
        .endsWith(
            ": the user lacks a permission: permission denied for database " + database.name());
  }
}
