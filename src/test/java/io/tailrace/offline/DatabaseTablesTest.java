package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationEncoder;
import io.tailrace.parquet.ObservationEncoder.Query;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.Result;
import io.tailrace.result.ResultDecoder;
import io.tailrace.result.ValueType;
import io.tailrace.testing.Features;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Frame;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;

/** Whose the tables of every database are, and how a later version's columns come into them. */
@RunWith(Parameterized.class)
public class DatabaseTablesTest {
  private static final String ENVIRONMENT = "production";

  /** The list of a later version: a column of each type more. */
  private static final QueryLog LATER =
      QueryLog.CURRENT
          .with(QueryLog.Column.text("run_id", query -> "run of " + query.result().operationId()))
          .with(QueryLog.Column.time("planned_at", query -> OptionalLong.of(1_000_000)))
          .with(QueryLog.Column.texts("tags", query -> List.of("a", "b")));

  private static final FeatureTable AGE =
      new FeatureTable(Features.of("user.age"), true, Optional.of(ValueType.INT64));

  @Rule public final OfflineDatabase database;

  public DatabaseTablesTest(OfflineDatabase.Kind kind) {
    database = new OfflineDatabase(kind);
  }

  @Parameters(name = "{0}")
  public static OfflineDatabase.Kind[] kinds() {
    return OfflineDatabase.Kind.values();
  }

  private List<Conflict> create(FeatureTable... tables) throws Exception {
    try (BatchConnection connection = database.connect()) {
      return connection.create(ENVIRONMENT, List.of(tables));
    }
  }

  private static FileBatch queries(QueryLog log, String... ids) throws Exception {
    List<Query> queries = new ArrayList<>();
    for (String id : ids) {
      byte[] result = Results.named(id).build().toByteArray();
      Result decoded = new ResultDecoder().decode(BundleEncoder.message(result));
      queries.add(new Query(decoded, List.of()));
    }
    try (ObservationEncoder encoder = new ObservationEncoder(log)) {
      BusMessage message =
          BundleEncoder.message(encoder.queries(ENVIRONMENT, queries, BundleEncoder.PUBLISHED_AT));
      return Batches.of(List.of(FileDecoder.decode(message, log)));
    }
  }

  private static BatchInserted insert(BatchConnection connection, FileBatch batch)
      throws Exception {
    connection.create(ENVIRONMENT, List.of());
    return connection.insert(batch);
  }

  private List<String> log() throws Exception {
    return database.rows(
        "SELECT operation_id, run_id, CAST(extract(epoch FROM planned_at) AS integer), tags[2]"
            + " FROM tailrace.query_log ORDER BY operation_id");
  }

  private static FileBatch ages(String feature, String... rows) throws Exception {
    String[] texts = new String[rows.length];
    for (int i = 0; i < rows.length; i++) {
      texts[i] = "('" + feature + "', " + rows[i] + ", TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')";
    }
    return Batches.of(List.of(ForeignFile.of(ValueType.INT64, texts).file()));
  }

  @Test
  public void rowsOfReservedNamespacesGoAfterADayAndNoOthers() throws Exception {
    String reserved = TableNames.ofFeature("tailrace.probe", "age");
    List<String> tables = List.of(reserved, "user__age");
    insertAges("before", "today");
    for (String table : tables) {
      database.execute(
          "UPDATE tailrace." + table + " SET inserted_at = inserted_at - INTERVAL '23 hours'",
          "UPDATE tailrace."
              + table
              + " SET inserted_at = inserted_at - INTERVAL '2 hours' WHERE pkey = 'before'");
    }

    insertAges("now");

    assertThat(database.rows("SELECT pkey FROM tailrace." + reserved + " ORDER BY 1"))
        .containsExactly("now", "today");
    assertThat(database.rows("SELECT pkey FROM tailrace.user__age ORDER BY 1"))
        .containsExactly("before", "now", "today");
  }

  private void insertAges(String... keys) throws Exception {
    List<Frame> frames = new ArrayList<>();
    for (String namespace : List.of("tailrace.probe", "user")) {
      long[] ages = new long[keys.length];
      frames.add(
          Results.users(
                  List.of(keys),
                  Results.int64("age", RandomResults.START, ages).toBuilder()
                      .setFeature(namespace + ".age")
                      .build())
              .toBuilder()
              .setNamespace(namespace)
              .build());
    }
    try (InsertSession session = GroupedInserts.over(database.connect())) {
      Inserted inserted =
          session.insert(BundleEncoder.files(List.of(Results.of(frames.toArray(Frame[]::new)))));
      assertThat(inserted.rejected()).isEmpty();
    }
  }

  @Test
  public void aLogWithoutALaterColumnGetsIt() throws Exception {
    try (BatchConnection older = database.connect()) {
      insert(older, queries(QueryLog.CURRENT, "op-1"));
    }
    try (BatchConnection newer = database.connect(LATER)) {
      insert(newer, queries(LATER, "op-2"));
      // What an older encoder has written.
      insert(newer, queries(QueryLog.CURRENT, "op-3"));
    }

    assertThat(log())
        .containsExactly("op-1|null|null|null", "op-2|run of op-2|1|b", "op-3|null|null|null")
        .inOrder();
  }

  @Test
  public void writersOfBothVersionsInsertAtOnce() throws Exception {
    try (BatchConnection older = database.connect();
        BatchConnection newer = database.connect(LATER)) {
      insert(older, queries(QueryLog.CURRENT, "op-1"));
      insert(newer, queries(LATER, "op-2"));
      // What a newer encoder has written.
      assertThat(older.insert(queries(LATER, "op-3", "op-2")).rows()).isEqualTo(1);
      assertThat(newer.insert(queries(LATER, "op-1", "op-4")).rows()).isEqualTo(1);
    }
    // One that starts when the columns are there.
    try (BatchConnection older = database.connect()) {
      assertThat(insert(older, queries(QueryLog.CURRENT, "op-4", "op-5")).rows()).isEqualTo(1);
    }

    assertThat(log())
        .containsExactly(
            "op-1|null|null|null",
            "op-2|run of op-2|1|b",
            "op-3|null|null|null",
            "op-4|run of op-4|1|b",
            "op-5|null|null|null")
        .inOrder();
  }

  @Test
  public void manyWritersOfBothVersionsMayStartAtOnce() throws Exception {
    try (BatchConnection first = database.connect()) {
      insert(first, queries(QueryLog.CURRENT, "first"));
    }
    List<Callable<Long>> writers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      QueryLog log = i % 2 == 0 ? LATER : QueryLog.CURRENT;
      FileBatch batch = queries(log, "op-" + i);
      writers.add(
          () -> {
            try (BatchConnection connection = database.connect(log)) {
              return insert(connection, batch).rows();
            }
          });
    }

    assertThat(together(writers)).containsExactly(1L, 1L, 1L, 1L, 1L, 1L);
    assertThat(database.rows("SELECT count(*), count(run_id) FROM tailrace.query_log"))
        .containsExactly("7|3");
  }

  private static <T> List<T> together(List<Callable<T>> calls) throws Exception {
    CountDownLatch start = new CountDownLatch(calls.size());
    ExecutorService threads = Executors.newFixedThreadPool(calls.size());
    List<Future<T>> all = new ArrayList<>();
    for (Callable<T> call : calls) {
      all.add(
          threads.submit(
              () -> {
                start.countDown();
                start.await();
                return call.call();
              }));
    }
    List<T> results = new ArrayList<>();
    for (Future<T> each : all) {
      results.add(each.get());
    }
    threads.shutdown();
    return results;
  }

  @Test
  public void anOptionalColumnThatAFeaturesTableLacksIsAdded() throws Exception {
    create(AGE);
    database.execute("ALTER TABLE tailrace.user__age DROP COLUMN resolver_fqn");

    assertThat(create(AGE)).isEmpty();
    try (BatchConnection connection = database.connect()) {
      connection.insert(ages("user.age", "'ann', 7::BIGINT"));
    }

    assertThat(database.rows("SELECT pkey, value, resolver_fqn FROM tailrace.user__age"))
        .containsExactly("ann|7|resolvers.get");
  }

  @Test
  public void aTableSaysWhoseItIsAndIsListed() throws Exception {
    FeatureTable deletions = new FeatureTable(Features.of("user."), true, Optional.empty());
    FeatureTable odd =
        new FeatureTable(Features.of("us'er.A\"g\\e"), false, Optional.of(ValueType.VECTOR));
    create(AGE, deletions, odd);

    assertThat(database.comment("user__age"))
        .isEqualTo(
            "{\"tailrace\":\"feature\",\"namespace\":\"user\",\"name\":\"age\","
                + "\"key\":\"string\",\"value\":\"int64\"}");
    assertThat(database.comment("user__"))
        .isEqualTo(
            "{\"tailrace\":\"feature\",\"namespace\":\"user\",\"name\":\"\",\"key\":\"string\"}");
    assertThat(
            database.rows(
                "SELECT table_name, namespace, name, key_type, value_type"
                    + " FROM tailrace.feature_tables ORDER BY table_name"))
        .containsExactly(
            odd.table() + "|us'er|A\"g\\e|int64|vector",
            "user__|user||string|null",
            "user__age|user|age|string|int64");
  }

  @Test
  public void whatATableSaysGrowsWithIt() throws Exception {
    create(new FeatureTable(Features.of("user.age"), true, Optional.empty()));
    create(AGE);
    create(new FeatureTable(Features.of("user.age"), true, Optional.empty()));

    assertThat(database.comment("user__age")).endsWith("\"key\":\"string\",\"value\":\"int64\"}");
    assertThat(database.rows("SELECT value_type FROM tailrace.feature_tables"))
        .containsExactly("int64");
  }

  @Test
  public void aTableOfAnotherFeatureIsTaken() throws Exception {
    FeatureTable other =
        new FeatureTable(Features.of("user.Age"), true, Optional.of(ValueType.INT64), AGE.table());
    create(AGE);

    List<Conflict> conflicts = create(other, AGE);

    assertThat(conflicts).hasSize(1);
    assertThat(conflicts.get(0).table()).isEqualTo(other);
    assertThat(conflicts.get(0).reason()).isEqualTo(Reason.NAME_TAKEN);
    assertThat(conflicts.get(0).words()).isEqualTo("belongs to the feature user.age");
    assertThat(database.rows("SELECT name FROM tailrace.feature_tables")).containsExactly("age");
  }

  @Test
  public void ofTwoFeaturesThatWantOneTableAtOnceOneGetsIt() throws Exception {
    FeatureTable other =
        new FeatureTable(Features.of("user.Age"), true, Optional.of(ValueType.INT64), AGE.table());

    List<List<Conflict>> conflicts =
        together(List.of(() -> create(AGE), () -> create(other), () -> create(AGE, other)));

    String owner = database.rows("SELECT name FROM tailrace.feature_tables").get(0);
    FeatureTable loser = owner.equals("age") ? other : AGE;
    assertThat(database.comment("user__age")).contains("\"name\":\"" + owner + "\"");
    assertThat(conflicts.get(owner.equals("age") ? 0 : 1)).isEmpty();
    for (int i : new int[] {owner.equals("age") ? 1 : 0, 2}) {
      assertThat(conflicts.get(i).stream().map(Conflict::table)).containsExactly(loser);
      assertThat(conflicts.get(i).get(0).reason()).isEqualTo(Reason.NAME_TAKEN);
    }
  }

  @Test
  public void aTableOfTheFirstVersionIsWhoseTheListSaysOrElseOfWhoeverAsks() throws Exception {
    FeatureTable other =
        new FeatureTable(Features.of("user.Age"), true, Optional.of(ValueType.INT64), AGE.table());
    create(AGE);
    database.execute("COMMENT ON TABLE tailrace.user__age IS NULL");

    assertThat(create(other).get(0).reason()).isEqualTo(Reason.NAME_TAKEN);
    assertThat(database.comment("user__age")).isEqualTo("null");

    assertThat(create(AGE)).isEmpty();
    assertThat(database.comment("user__age")).contains("\"name\":\"age\"");

    database.execute(
        "COMMENT ON TABLE tailrace.user__age IS 'Ages.'", "DELETE FROM tailrace.feature_tables");
    assertThat(create(other)).isEmpty();
    assertThat(database.comment("user__age").lines().findFirst()).hasValue("Ages.");
    assertThat(create(AGE).get(0).words()).isEqualTo("belongs to the feature user.Age");
  }

  @Test
  public void theListIsCorrectedFromTheTables() throws Exception {
    create(AGE);
    database.execute("UPDATE tailrace.feature_tables SET name = 'wrong', value_type = NULL");

    assertThat(create(AGE)).isEmpty();

    assertThat(database.rows("SELECT name, value_type FROM tailrace.feature_tables"))
        .containsExactly("age|int64");
    database.execute("DROP TABLE tailrace.feature_tables");
    assertThat(create(AGE)).isEmpty();
    assertThat(database.rows("SELECT name, value_type FROM tailrace.feature_tables"))
        .containsExactly("age|int64");
  }

  @Test
  public void aListOfSomebodysOwnIsLeftAlone() throws Exception {
    database.execute(
        "CREATE SCHEMA tailrace", "CREATE TABLE tailrace.feature_tables(note integer)");

    assertThat(create(AGE)).isEmpty();
    assertThat(create(AGE)).isEmpty();

    assertThat(database.rows("SELECT * FROM tailrace.feature_tables")).isEmpty();
    assertThat(database.comment("user__age")).contains("\"name\":\"age\"");
  }

  @Test
  public void whenTheTypeChangesTheOldTableCanBeRenamed() throws Exception {
    create(AGE);
    try (BatchConnection connection = database.connect()) {
      connection.insert(ages("user.age", "'ann', 7::BIGINT"));
    }
    FeatureTable text =
        new FeatureTable(Features.of("user.age"), true, Optional.of(ValueType.STRING));
    Conflict conflict = create(text).get(0);
    assertThat(conflict.reason()).isEqualTo(Reason.TYPE_CHANGED);

    for (int i = 1; i <= 2; i++) {
      database.execute("ALTER TABLE tailrace.user__age RENAME TO old_age" + i);
      FeatureTable wanted = i == 1 ? text : AGE;
      assertThat(create(wanted)).isEmpty();
    }
    try (BatchConnection connection = database.connect()) {
      assertThat(connection.insert(ages("user.age", "'bob', 8::BIGINT")).rows()).isEqualTo(1);
      assertThat(connection.insert(ages("user.age", "'bob', 8::BIGINT")).rows()).isEqualTo(0);
    }

    assertThat(database.rows("SELECT pkey, value FROM tailrace.old_age1")).containsExactly("ann|7");
    assertThat(database.rows("SELECT pkey, value FROM tailrace.user__age"))
        .containsExactly("bob|8");
  }
}
