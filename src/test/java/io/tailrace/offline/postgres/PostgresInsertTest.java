package io.tailrace.offline.postgres;

import static com.google.common.truth.Truth.assertThat;
import static java.util.stream.Collectors.joining;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.result.ValueType;
import io.tailrace.testing.Features;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.TestDatabase;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What rows become in PostgreSQL, which of them stand, and which can't be stored. */
@RunWith(JUnit4.class)
public class PostgresInsertTest {
  /** 2026-11-22T20:30:00.123456Z. */
  private static final long TIME = 1_795_379_400_123_456L;

  private static final String NUL = " has a NUL character, which PostgreSQL's text can't hold";
  private static final String BEFORE = " is before 4714 BC, where PostgreSQL's calendar begins";

  @Rule public final TestDatabase database = new TestDatabase();

  private BatchConnection connection;

  @Before
  public void connect() {
    connection = OfflineConnections.to(database.store(""));
  }

  @After
  public void close() {
    connection.close();
  }

  private BatchInserted insert(FileBatch batch)
      throws ContentRejectedException, UnavailableException {
    connection.create(
        batch.environment(),
        batch.tables().keySet().stream()
            .map(feature -> new FeatureTable(feature, batch.stringKeys(), batch.valueType()))
            .toList());
    return connection.insert(batch);
  }

  private List<String> rows(String columns, String table) throws Exception {
    return database.rows("SELECT " + columns + " FROM tailrace." + table + " ORDER BY 1");
  }

  private static BatchInserted inserted(long rows, long duplicates, Rejected... rejected) {
    return new BatchInserted(rows, duplicates, List.of(rejected));
  }

  /** A row that was rejected, by its file, feature and key. */
  private static Rejected rejected(
      FileBatch batch, int file, String feature, String key, String message) throws IOException {
    ObservationRows rows = batch.files().get(file).rows();
    for (int row = 0; row < rows.count(); row++) {
      if (rows.feature(row).equals(feature)
          && new String(rows.stringKey(row), StandardCharsets.UTF_8).equals(key)) {
        return rejected(file, row, message);
      }
    }
    throw new AssertionError("no row of " + feature + " and " + key);
  }

  private static Rejected rejected(int file, int row, String message) {
    return new Rejected(file, Reason.REJECTED_BY_STORE, RowNumbers.of(row), message);
  }

  @Test
  public void aRowHasAllThatIsKnownOfAnObservation() throws Exception {
    BatchInserted inserted =
        insert(
            RowFile.of(ValueType.INT64)
                .operation("0b9c")
                .row("user.age", "u1", TIME, 42L, "resolvers.get_age", "dep-7")
                .batch());

    assertThat(inserted).isEqualTo(inserted(1, 0));
    assertThat(
            rows(
                "pkey, value, observed_at, resolver_fqn, deployment_id, operation_id,"
                    + " deleted, observation_id ="
                    + " md5('4:0b9c8:user.age2:u116:1795379400123456')::uuid",
                "user__age"))
        .containsExactly("u1|42|2026-11-22 20:30:00.123456+00|resolvers.get_age|dep-7|0b9c|f|t");
  }

  @Test
  public void whatIsNotKnownIsNull() throws Exception {
    insert(
        RowFile.withIntegerKeys(ValueType.STRING)
            .row("user.name", -7L, TIME, null, null, null)
            .row("user.name", 8L, TIME, "", "", "")
            .batch());

    assertThat(rows("pkey, value, resolver_fqn, deployment_id, deleted", "user__name"))
        .containsExactly("-7|null|null|null|f", "8||null|null|f")
        .inOrder();
  }

  @Test
  public void theStoreSaysWhenItInserted() throws Exception {
    String before = database.rows("SELECT clock_timestamp()").get(0);
    insert(RowFile.of(ValueType.INT64).row("user.age", "u1", TIME, 1L).batch());

    assertThat(
            rows("inserted_at BETWEEN '" + before + "' AND clock_timestamp(), pkey", "user__age"))
        .containsExactly("t|u1");
  }

  @Test
  public void aReplayChangesNothing() throws Exception {
    FileBatch batch =
        RowFile.batch(
            RowFile.of(ValueType.INT64)
                .row("user.age", "u1", TIME, 1L)
                .row("user.age", "u2", TIME, 2L)
                .row("user.size", "u1", TIME, 3L)
                .file(),
            RowFile.of(ValueType.INT64).row("user.size", "u2", TIME, 4L).file());
    BatchInserted first = insert(batch);
    List<String> before = rows("pkey, xmin, ctid", "user__age");
    BatchInserted second = insert(batch);
    BatchInserted third =
        insert(
            RowFile.of(ValueType.INT64)
                .row("user.age", "u1", TIME, 1L)
                .row("user.age", "u3", TIME, 1L)
                .batch());

    assertThat(first).isEqualTo(inserted(4, 0));
    assertThat(second).isEqualTo(inserted(0, 4));
    assertThat(third).isEqualTo(inserted(1, 1));
    assertThat(rows("pkey, xmin, ctid", "user__age")).containsAtLeastElementsIn(before);
    assertThat(rows("pkey, value", "user__age")).containsExactly("u1|1", "u2|2", "u3|1");
  }

  @Test
  public void ofRowsWithTheSameIdTheGreatestStands() throws Exception {
    BatchInserted integers =
        insert(
            RowFile.batch(
                RowFile.of(ValueType.INT64)
                    .row("user.a", "u1", TIME, 5L)
                    .row("user.a", "u2", TIME, 5L)
                    .row("user.a", "u3", TIME, 7L)
                    .file(),
                RowFile.of(ValueType.INT64)
                    .row("user.a", "u1", TIME, -5L)
                    .row("user.a", "u2", TIME, null)
                    .row("user.a", "u3", TIME, 6L)
                    .row("user.a", "u3", TIME, 7L)
                    .file()));
    insert(
        RowFile.of(ValueType.FLOAT64)
            .row("user.b", "u1", TIME, 1.0)
            .row("user.b", "u1", TIME, -1.0)
            .row("user.b", "u2", TIME, 2.0)
            .row("user.b", "u2", TIME, 1.0)
            .batch());
    insert(
        RowFile.of(ValueType.STRING)
            .row("user.c", "u1", TIME, "a")
            .row("user.c", "u1", TIME, "ä")
            .row("user.c", "u1", TIME, "ab")
            .batch());
    insert(
        RowFile.of(ValueType.DATE)
            .row("user.d", "u1", TIME, 3)
            .row("user.d", "u1", TIME, -3)
            .batch());

    assertThat(integers).isEqualTo(inserted(3, 4));
    assertThat(rows("pkey, value", "user__a")).containsExactly("u1|-5", "u2|null", "u3|7");
    assertThat(rows("pkey, value", "user__b")).containsExactly("u1|-1", "u2|2");
    assertThat(rows("pkey, value", "user__c")).containsExactly("u1|ä");
    assertThat(rows("pkey, value", "user__d")).containsExactly("u1|1969-12-29");
  }

  @Test
  public void rowsOfFeaturesWithoutATableAreLeftOut() throws Exception {
    ObservationFile file =
        RowFile.of(ValueType.INT64)
            .row("user.age", "u1", TIME, 1L)
            .row("user.size", "u\0", TIME, 2L)
            .row("user.age", "u2", TIME, 3L)
            .file();
    FileBatch all = RowFile.batch(file);
    BatchInserted inserted =
        insert(
            new FileBatch(
                all.environment(),
                all.kind(),
                all.stringKeys(),
                all.valueType(),
                all.files(),
                new TreeMap<>(Map.of(Features.of("user.age"), "user__age"))));

    assertThat(inserted).isEqualTo(inserted(2, 0));
    assertThat(rows("pkey, value", "user__age")).containsExactly("u1|1", "u2|3");
  }

  @Test
  public void whatPostgresCantHoldIsRejectedAndTheRestInserted() throws Exception {
    FileBatch texts =
        RowFile.batch(
            RowFile.of(ValueType.STRING).row("user.name", "good", TIME, "x").file(),
            RowFile.of(ValueType.STRING)
                .row("user.name", "a\0b", TIME, "x")
                .row("user.name", "u2", TIME, "x\0")
                .row("user.name", "u3", TIME, "x", "r\0", "d")
                .row("user.name", "u4", TIME, "x", "r", "d\0")
                .row("user.name", "fine", TIME, "x")
                .operation("o\0")
                .row("user.name", "u6", TIME, "x")
                .file());
    BatchInserted strings = insert(texts);
    BatchInserted json =
        insert(RowFile.of(ValueType.JSON).row("user.list", "fine", TIME, "[\"\\u0000\"]").batch());
    FileBatch days =
        RowFile.of(ValueType.DATE)
            .row("user.born", "u1", TIME, Integer.MIN_VALUE)
            .row("user.born", "fine", TIME, 0)
            .batch();
    BatchInserted dates = insert(days);
    FileBatch moments =
        RowFile.of(ValueType.TIMESTAMP)
            .row("user.seen", "u1", TIME, Long.MIN_VALUE)
            .row("user.seen", "last", TIME, Long.MAX_VALUE)
            .batch();
    BatchInserted times = insert(moments);

    assertThat(strings.rows()).isEqualTo(2);
    assertThat(strings.rejected())
        .containsExactly(
            rejected(texts, 1, "user.name", "a\0b", "pkey" + NUL),
            rejected(texts, 1, "user.name", "u2", "value" + NUL),
            rejected(texts, 1, "user.name", "u3", "resolver_fqn" + NUL),
            rejected(texts, 1, "user.name", "u4", "deployment_id" + NUL),
            rejected(texts, 1, "user.name", "u6", "operation_id" + NUL));
    assertThat(rows("pkey, value", "user__name")).containsExactly("good|x", "fine|x");
    assertThat(json.rows()).isEqualTo(1);
    assertThat(json.rejected()).isEmpty();
    assertThat(dates)
        .isEqualTo(
            inserted(
                1,
                0,
                rejected(
                    days,
                    0,
                    "user.born",
                    "u1",
                    "value is outside of PostgreSQL's calendar, from 4714 BC to the year"
                        + " 5874897")));
    assertThat(times)
        .isEqualTo(inserted(1, 0, rejected(moments, 0, "user.seen", "u1", "value" + BEFORE)));
    assertThat(rows("pkey, value", "user__seen"))
        .containsExactly("last|294247-01-10 04:00:54.775807+00");
  }

  @Test
  public void aKeyThatIsTooLongForAnIndexIsRejectedUnlessThereIsNone() throws Exception {
    Random random = new Random(1);
    String longest = random.ints(2_600, 33, 127).mapToObj(Character::toString).collect(joining());
    String longer = longest + "x";
    FileBatch batch =
        RowFile.of(ValueType.INT64)
            .row("user.age", longest, TIME, 1L)
            .row("user.age", longer, TIME, 2L)
            .batch();
    BatchInserted indexed = insert(batch);
    connection.close();
    connection = OfflineConnections.to(database.store("index=none&schema=without"));
    BatchInserted notIndexed = insert(batch);

    assertThat(indexed)
        .isEqualTo(
            inserted(
                1,
                0,
                rejected(
                    batch,
                    0,
                    "user.age",
                    longer,
                    "pkey has 2601 bytes; an index of PostgreSQL holds keys of up to 2600")));
    assertThat(notIndexed).isEqualTo(inserted(2, 0));
  }

  @Test
  public void aBatchMayTakeSeveralTransactions() throws Exception {
    RowFile tables = RowFile.of(ValueType.STRING);
    for (int feature = 0; feature < 110; feature++) {
      for (int key = 0; key < 3; key++) {
        tables.row("wide.f" + feature, "u" + key, TIME, "v" + feature);
      }
    }
    // More than twice what goes into one; each more than the buffer holds.
    RowFile bytes = RowFile.of(ValueType.STRING);
    for (int key = 0; key < 200; key++) {
      bytes.row("user.text", "u" + key, TIME, "x".repeat(100_000 + key));
    }
    FileBatch batch = RowFile.batch(tables.file(), bytes.file());
    BatchInserted first = insert(batch);
    BatchInserted second = insert(batch);

    assertThat(first).isEqualTo(inserted(530, 0));
    assertThat(second).isEqualTo(inserted(0, 530));
    assertThat(rows("count(*), sum(length(value))", "user__text"))
        .containsExactly("200|" + (200 * 100_000 + 199 * 100));
    // Which transaction a row comes from.
    assertThat(rows("DISTINCT xmin::text", "wide__f0"))
        .isNotEqualTo(rows("DISTINCT xmin::text", "wide__f99"));
    assertThat(rows("DISTINCT xmin::text", "user__text")).hasSize(3);
    for (int feature : new int[] {0, 1, 89, 90, 99}) {
      assertThat(rows("pkey, value", "wide__f" + feature))
          .containsExactly("u0|v" + feature, "u1|v" + feature, "u2|v" + feature);
    }
  }

  @Test
  public void tablesThatWereDroppedAreCreatedAnew() throws Exception {
    FileBatch batch =
        RowFile.of(ValueType.INT64)
            .row("user.age", "u1", TIME, 1L)
            .row("user.size", "u1", TIME, 1L)
            .batch();
    insert(batch);
    database.execute("DROP TABLE tailrace.user__size");
    BatchInserted afterTable = connection.insert(batch);
    database.execute("DROP SCHEMA tailrace CASCADE");
    BatchInserted afterSchema = connection.insert(batch);

    assertThat(afterTable).isEqualTo(inserted(1, 1));
    assertThat(afterSchema).isEqualTo(inserted(2, 0));
  }

  @Test
  public void aTableOfAnotherTypeIsNamed() throws Exception {
    insert(RowFile.of(ValueType.STRING).row("user.age", "u1", TIME, "1").batch());
    FileBatch other = RowFile.of(ValueType.BOOL).row("user.age", "u1", TIME, true).batch();

    BatchInserted refused = connection.insert(other);

    assertThat(refused.rows()).isEqualTo(0);
    assertThat(refused.conflicts().stream().map(Conflict::words))
        .containsExactly("has value text, not boolean");
  }

  @Test
  public void contentThatBreaksATablesOwnRuleIsRejected() throws Exception {
    FileBatch good = RowFile.of(ValueType.INT64).row("user.age", "u1", TIME, 1L).batch();
    insert(good);
    database.execute("ALTER TABLE tailrace.user__age ADD CHECK (value > 0)");
    FileBatch bad = RowFile.of(ValueType.INT64).row("user.age", "u2", TIME, 0L).batch();

    BatchInserted refused = connection.insert(bad);

    assertThat(refused.rejected()).hasSize(1);
    assertThat(refused.rejected().get(0).reason()).isEqualTo(Reason.TABLE_REFUSES);
    assertThat(refused.rejected().get(0).message())
        .contains("its table user__age refuses it: new row for relation");
    assertThat(refused.rejected().get(0).message()).doesNotContain("Failing row");
    assertThat(connection.insert(good)).isEqualTo(inserted(0, 1));
  }

  @Test
  public void commitsAreDurableWhateverTheDatabaseSays() throws Exception {
    FileBatch batch = RowFile.of(ValueType.INT64).row("user.age", "u1", TIME, 1L).batch();
    connection.create(
        RowFile.ENVIRONMENT,
        List.of(new FeatureTable(Features.of("user.age"), true, Optional.of(ValueType.INT64))));
    database.execute(
        "ALTER DATABASE " + database.name() + " SET synchronous_commit = off",
        "CREATE TABLE public.seen (setting text)",
        "CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            + " INSERT INTO public.seen VALUES (current_setting('synchronous_commit'));"
            + " RETURN NEW; END $$",
        "CREATE TRIGGER look BEFORE INSERT ON tailrace.user__age"
            + " FOR EACH ROW EXECUTE FUNCTION public.look()");
    try (BatchConnection later = OfflineConnections.to(database.store(""))) {
      later.insert(batch);
    }

    assertThat(database.rows("SELECT setting FROM public.seen")).containsExactly("on");
  }

  @Test
  public void manyMayInsertTheSameFilesAtOnce() throws Exception {
    List<FileBatch> batches = new ArrayList<>();
    for (int batch = 0; batch < 4; batch++) {
      RowFile rows = RowFile.of(ValueType.INT64);
      for (int i = 0; i < 400; i++) {
        // Overlapping, and in opposite directions.
        int key = batch % 2 == 0 ? i : 400 - i;
        rows.row("user.f" + key % 7, "u" + key, TIME, (long) key);
      }
      batches.add(rows.batch());
    }
    connection.insert(batches.get(0));
    database.execute("TRUNCATE " + String.join(", ", tables("user__f", 7)));
    ExecutorService threads = Executors.newFixedThreadPool(4);
    List<Future<BatchInserted>> all = new ArrayList<>();
    for (FileBatch batch : batches) {
      all.add(
          threads.submit(
              () -> {
                try (BatchConnection own = OfflineConnections.to(database.store(""))) {
                  return own.insert(batch);
                }
              }));
    }
    long rows = 0;
    long duplicates = 0;
    for (Future<BatchInserted> one : all) {
      rows += one.get().rows();
      duplicates += one.get().duplicates();
    }
    threads.shutdown();

    assertThat(rows).isEqualTo(401);
    assertThat(duplicates).isEqualTo(4 * 400 - 401);
    long found = 0;
    for (String table : tables("user__f", 7)) {
      found += Long.parseLong(database.rows("SELECT count(*) FROM " + table).get(0));
    }
    assertThat(found).isEqualTo(401);
  }

  private static List<String> tables(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> "tailrace." + prefix + i).toList();
  }

  @Test
  public void aQueryHasARowOfItsOwn() throws Exception {
    BatchInserted inserted =
        insert(
            RowFile.ofQueries()
                .query(
                    "op-1",
                    TIME,
                    Optional.of(TIME + 1),
                    Map.of("query_name", "features", "deployment_id", "dep", "agent_id", "me"),
                    "user__b",
                    "user__a")
                .query("op-2", TIME, Optional.empty(), Map.of())
                .batch());

    assertThat(inserted).isEqualTo(inserted(2, 0));
    assertThat(rows("*", "query_log"))
        .containsExactly(
            "op-1|prod|dep|ONLINE_QUERY|2026-11-22 20:30:00.123456+00"
                + "|2026-11-22 20:30:00.123457+00|null|SUCCEEDED|features|null|null|null|null|me"
                + "|null|null|{user__a,user__b}",
            "op-2|prod|null|ONLINE_QUERY|2026-11-22 20:30:00.123456+00|null|null|SUCCEEDED"
                + "|null|null|null|null|null|null|null|null|{}");
  }

  @Test
  public void aReplayedQueryIsNotWrittenAgain() throws Exception {
    FileBatch batch =
        RowFile.ofQueries().query("op", TIME, Optional.empty(), Map.of(), "a", "b").batch();
    insert(batch);
    List<String> before = rows("operation_id, xmin, xmax, ctid", "query_log");
    BatchInserted again = insert(batch);
    insert(RowFile.ofQueries().query("op", TIME, Optional.empty(), Map.of(), "b").batch());

    assertThat(again).isEqualTo(inserted(0, 1));
    assertThat(rows("operation_id, xmin, xmax, ctid", "query_log")).isEqualTo(before);
  }

  @Test
  public void aQueryThatPostgresCantHoldIsRejected() throws Exception {
    String tooLong = "x".repeat(2_601);
    BatchInserted inserted =
        insert(
            RowFile.ofQueries()
                .query("fine", TIME, Optional.empty(), Map.of(), "a")
                .query("u1", TIME, Optional.empty(), Map.of("trace_id", "\0"), "a")
                .query("u2", TIME, Optional.empty(), Map.of(), "\0")
                .query(tooLong, TIME, Optional.empty(), Map.of(), "a")
                .batch());

    assertThat(inserted)
        .isEqualTo(
            inserted(
                1,
                0,
                rejected(0, 1, "trace_id" + NUL),
                rejected(0, 2, "value_tables" + NUL),
                rejected(
                    0,
                    3,
                    "operation_id has 2601 bytes; an index of PostgreSQL holds keys of up to"
                        + " 2600")));
  }
}
