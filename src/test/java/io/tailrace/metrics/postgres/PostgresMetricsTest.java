package io.tailrace.metrics.postgres;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsStores;
import io.tailrace.testing.Summaries;
import io.tailrace.testing.TestDatabase;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.QuerySummary;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.After;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Summaries in a real PostgreSQL: partitions, retention, outages, and what is said of mistakes. */
@RunWith(JUnit4.class)
public class PostgresMetricsTest {
  private static final long DAY = Duration.ofDays(1).toNanos() / 1_000;

  private static final String PARTITIONS =
      "SELECT inhrelid::regclass::text FROM pg_inherits"
          + " WHERE inhparent = 'tailrace_metrics.feature_minutes'::regclass ORDER BY 1";

  @Rule public final TestDatabase database = new TestDatabase();

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @After
  public void startServer() {
    threads.shutdownNow();
    if (!database.server().isRunning()) {
      database.server().restart();
    }
  }

  private MetricsStore store(String parameters) {
    return MetricsStores.at(database.uri(parameters));
  }

  private int write(MetricsStore store, MetricsSummary... summaries) throws UnavailableException {
    try (MetricsStore.Connection connection = store.connect()) {
      return connection.write(List.of(summaries));
    }
  }

  private static MetricsSummary at(long micros) {
    return Summaries.computed(Summaries.feature("user.age"), 1, 0).toBuilder()
        .setMinute(micros)
        .build();
  }

  private static MetricsSummary daysAgo(int days) {
    Instant minute = Instant.now().truncatedTo(ChronoUnit.MINUTES).minus(Duration.ofDays(days));
    return at(minute.getEpochSecond() * 1_000_000);
  }

  private static String partition(int daysAgo) {
    return "tailrace_metrics.feature_minutes_"
        + LocalDate.now(ZoneOffset.UTC).minusDays(daysAgo).toString().replace('-', '_');
  }

  private long count() throws Exception {
    return Long.parseLong(
        database.rows("SELECT count(*) FROM tailrace_metrics.feature_minutes").get(0));
  }

  @Test
  public void daysHavePartitionsThatAreMadeWhenTheyAreNeeded() throws Exception {
    write(
        store(""),
        at(Summaries.MINUTE),
        at(Summaries.MINUTE + DAY),
        at(-Summaries.MINUTE),
        at(5 * Summaries.MINUTE));

    assertThat(database.rows(PARTITIONS))
        .containsExactly(
            "tailrace_metrics.feature_minutes_2026_11_24",
            "tailrace_metrics.feature_minutes_2026_11_25",
            "tailrace_metrics.feature_minutes_before_2000",
            "tailrace_metrics.feature_minutes_from_2100");
    assertThat(database.rows("SELECT count(*) FROM tailrace_metrics.feature_minutes_2026_11_24"))
        .containsExactly("1");
    assertThat(count()).isEqualTo(4);
  }

  @Test
  public void writersThatNeedTheSamePartitionsAtOnceMakeThemOnce() throws Exception {
    int writers = 4;
    CountDownLatch together = new CountDownLatch(writers);
    List<Future<Integer>> writing = new ArrayList<>();
    for (int writer = 0; writer < writers; writer++) {
      long epoch = Summaries.EPOCH + writer;
      writing.add(
          threads.submit(
              () -> {
                MetricsSummary[] summaries = new MetricsSummary[30];
                for (int day = 0; day < summaries.length; day++) {
                  summaries[day] =
                      at(Summaries.MINUTE + day * DAY).toBuilder().setEpoch(epoch).build();
                }
                together.countDown();
                together.await();
                return write(store(""), summaries);
              }));
    }
    for (Future<Integer> each : writing) {
      assertThat(each.get()).isEqualTo(30);
    }

    assertThat(database.rows(PARTITIONS)).hasSize(30 + 2);
    assertThat(count()).isEqualTo(30 * writers);
  }

  @Test
  public void aPartitionThatIsDroppedMeanwhileIsMadeAnew() throws Exception {
    try (MetricsStore.Connection connection = store("").connect()) {
      connection.write(List.of(at(Summaries.MINUTE)));
      database.execute("DROP TABLE tailrace_metrics.feature_minutes_2026_11_24");
      assertThat(connection.write(List.of(at(Summaries.MINUTE)))).isEqualTo(1);

      database.execute("DROP SCHEMA tailrace_metrics CASCADE");
      assertThat(connection.write(List.of(at(Summaries.MINUTE)))).isEqualTo(1);
    }
    assertThat(count()).isEqualTo(1);
  }

  @Test
  public void aTableWithPartitionsThatSomebodyReplacesByOneWithoutIsWrittenAsSuch()
      throws Exception {
    try (MetricsStore.Connection connection = store("").connect()) {
      assertThat(connection.write(List.of(at(Summaries.MINUTE)))).isEqualTo(1);
      database.execute("DROP TABLE tailrace_metrics.feature_minutes CASCADE");
      write(store("partitions=none"), at(Summaries.MINUTE));

      assertThat(connection.write(List.of(at(Summaries.MINUTE + DAY)))).isEqualTo(1);
    }
    assertThat(count()).isEqualTo(2);
  }

  @Test
  public void partitionsOlderThanTheRetentionAreDropped() throws Exception {
    write(store(""), daysAgo(0), daysAgo(2), daysAgo(3), daysAgo(10));

    write(store("retention=2d"), daysAgo(0));

    assertThat(database.rows(PARTITIONS))
        .containsExactly(
            partition(2),
            partition(0),
            "tailrace_metrics.feature_minutes_before_2000",
            "tailrace_metrics.feature_minutes_from_2100")
        .inOrder();
    assertThat(count()).isEqualTo(2);
  }

  @Test
  public void aConnectionLooksForOldPartitionsOnlyOnceAnHour() throws Exception {
    try (MetricsStore.Connection connection = store("retention=2d").connect()) {
      connection.write(List.of(daysAgo(0)));
      connection.write(List.of(daysAgo(10)));

      assertThat(count()).isEqualTo(2);
    }
  }

  @Test
  public void ofATableWithoutPartitionsOldRowsAreDeleted() throws Exception {
    write(store("partitions=none"), daysAgo(0), daysAgo(1), daysAgo(3));
    assertThat(database.rows(PARTITIONS)).isEmpty();

    write(store("partitions=none&retention=36h"), daysAgo(0));

    assertThat(count()).isEqualTo(2);
  }

  @Test
  public void rowsThatCanNotBeDroppedNowDoNotKeepOthersFromBeingWritten() throws Exception {
    write(store("partitions=none"), daysAgo(3));
    database.execute(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
            + " 'BEGIN RAISE EXCEPTION ''not now''; END'",
        "CREATE TRIGGER keep BEFORE DELETE ON tailrace_metrics.feature_minutes"
            + " FOR EACH ROW EXECUTE FUNCTION keep()");

    assertThat(write(store("partitions=none&retention=1d"), daysAgo(0))).isEqualTo(1);

    assertThat(count()).isEqualTo(2);
  }

  /**
   * Simulates TimescaleDB, which the server has not: functions and views of its names and
   * signatures that write down how they are called, and its name among the extensions.
   */
  private void simulateTimescale() throws Exception {
    database.execute(
        "CREATE SCHEMA ts",
        "CREATE SCHEMA timescaledb_information",
        "CREATE TABLE timescaledb_information.hypertables(hypertable_schema name,"
            + " hypertable_name name)",
        "CREATE TABLE timescaledb_information.jobs(proc_name name, hypertable_schema name,"
            + " hypertable_name name, config jsonb)",
        "CREATE TABLE ts.calls(call text)",
        "CREATE FUNCTION ts.create_hypertable(relation regclass, time_column_name name,"
            + " partitioning_column name = NULL, number_partitions integer = NULL,"
            + " associated_schema_name name = NULL, associated_table_prefix name = NULL,"
            + " chunk_time_interval anyelement = NULL::bigint,"
            + " create_default_indexes boolean = true, if_not_exists boolean = false,"
            + " partitioning_func regproc = NULL, migrate_data boolean = false) RETURNS void"
            + " LANGUAGE sql AS $$ INSERT INTO ts.calls VALUES ('create ' || relation || ' ' ||"
            + " time_column_name || ' ' || chunk_time_interval::text || ' ' ||"
            + " create_default_indexes || ' ' || if_not_exists || ' ' || migrate_data);"
            + " INSERT INTO timescaledb_information.hypertables SELECT relnamespace::regnamespace,"
            + " relname FROM pg_class WHERE oid = relation $$",
        "CREATE FUNCTION ts.remove_retention_policy(relation regclass, if_exists bool = false)"
            + " RETURNS void LANGUAGE sql AS $$ DELETE FROM timescaledb_information.jobs WHERE"
            + " hypertable_name = (SELECT relname FROM pg_class WHERE oid = relation);"
            + " INSERT INTO ts.calls VALUES ('remove ' || relation || ' ' || if_exists) $$",
        "CREATE FUNCTION ts.add_retention_policy(relation regclass, drop_after interval,"
            + " if_not_exists bool = false) RETURNS integer LANGUAGE sql AS $$"
            + " INSERT INTO timescaledb_information.jobs SELECT 'policy_retention',"
            + " relnamespace::regnamespace, relname, jsonb_build_object('drop_after', drop_after)"
            + " FROM pg_class WHERE oid = relation;"
            + " INSERT INTO ts.calls VALUES ('add ' || relation || ' ' || drop_after);"
            + " SELECT 1 $$",
        "SET allow_system_table_mods = on; INSERT INTO pg_extension(oid, extname, extowner,"
            + " extnamespace, extrelocatable, extversion) SELECT 99999, 'timescaledb', 10,"
            + " 'ts'::regnamespace, false, '2'");
  }

  private List<String> calls() throws Exception {
    List<String> calls = database.rows("SELECT call FROM ts.calls WHERE call LIKE '%feature%'");
    database.execute("TRUNCATE ts.calls");
    return calls;
  }

  @Test
  public void withSimulatedTimescaleTablesAreHypertables() throws Exception {
    simulateTimescale();
    write(store(""), at(Summaries.MINUTE));

    assertThat(calls())
        .containsExactly("create tailrace_metrics.feature_minutes minute 1 day false true true");
    assertThat(database.rows(PARTITIONS)).isEmpty();
    assertThat(count()).isEqualTo(1);
  }

  @Test
  public void withSimulatedTimescaleTheRetentionIsAPolicyThatIsSetWhenItIsAnother()
      throws Exception {
    simulateTimescale();
    write(store(""), at(Summaries.MINUTE));
    assertThat(calls()).hasSize(1);

    write(store("retention=90d"), at(Summaries.MINUTE));
    assertThat(calls())
        .containsExactly(
            "remove tailrace_metrics.feature_minutes true",
            "add tailrace_metrics.feature_minutes 2160:00:00")
        .inOrder();
    write(store("retention=90d"), at(Summaries.MINUTE));
    write(store(""), at(Summaries.MINUTE));
    assertThat(calls()).isEmpty();
    write(store("retention=30d"), at(Summaries.MINUTE));
    assertThat(calls()).hasSize(2);
    // TimescaleDB drops it, in its own time.
    assertThat(count()).isEqualTo(1);
  }

  @Test
  public void withSimulatedTimescaleAPlainTableIsMadeAHypertableAndADailyOneStays()
      throws Exception {
    write(store("partitions=none&schema=tailrace_metrics"), at(Summaries.MINUTE));
    write(store("schema=other"), at(Summaries.MINUTE));
    simulateTimescale();

    write(store("retention=90d"), at(Summaries.MINUTE));
    write(store("retention=36500d&schema=other"), at(Summaries.MINUTE));

    assertThat(calls())
        .containsExactly(
            "create tailrace_metrics.feature_minutes minute 1 day false true true",
            "remove tailrace_metrics.feature_minutes true",
            "add tailrace_metrics.feature_minutes 2160:00:00")
        .inOrder();
  }

  @Test
  public void aServerThatStopsInTheMiddleOfWritingIsWaitedFor() throws Exception {
    MetricsStore store = store("retryFor=2m");
    MetricsSummary[] summaries = new MetricsSummary[2_500];
    for (int i = 0; i < summaries.length; i++) {
      summaries[i] = Summaries.computed(Summaries.feature(String.format("u.f%04d", i)), 5, 0);
    }
    write(store, summaries[2_400]);
    Future<Integer> writing;
    try (Connection other = database.connect();
        Statement statement = other.createStatement()) {
      // The last transaction waits for this one.
      other.setAutoCommit(false);
      statement.execute("UPDATE tailrace_metrics.feature_minutes SET computed = 4");
      writing = threads.submit(() -> write(store, summaries));
      database.awaitWaiting();
      assertThat(count()).isEqualTo(2_001);
      database.server().stop();
    }
    database.server().restart();

    assertThat(writing.get()).isEqualTo(2_499);
    assertThat(
            database.rows("SELECT count(*), sum(computed) FROM tailrace_metrics.feature_minutes"))
        .containsExactly("2500|12500");
  }

  @Test
  public void aServerThatStaysAwayIsNamedInTheEnd() {
    MetricsStore store = store("retryFor=100ms&connectTimeout=1s");
    database.server().stop();

    UnavailableException refused =
        assertThrows(UnavailableException.class, () -> write(store, at(Summaries.MINUTE)));

    assertThat(refused)
        .hasMessageThat()
        .startsWith(store.uri() + " can't be used for 100 ms: Connection to 127.0.0.1:");
  }

  @Test
  public void aDeadlockWithSomebodyElseIsTriedAgain() throws Exception {
    MetricsSummary feature = Summaries.computed(Summaries.feature("user.age"), 5, 0);
    MetricsSummary query = Summaries.of(QuerySummary.newBuilder().setExecutions(5));
    MetricsSummary more = Summaries.of(QuerySummary.newBuilder().setExecutions(6));
    write(store(""), feature, query);
    try (MetricsStore.Connection connection = store("").connect();
        Connection other = database.connect();
        Statement statement = other.createStatement()) {
      connection.write(List.of(feature));
      other.setAutoCommit(false);
      statement.execute("SET deadlock_timeout = '1h'");
      statement.execute("UPDATE tailrace_metrics.query_minutes SET pane = pane");
      Future<Integer> writing =
          threads.submit(() -> connection.write(List.of(Summaries.computed(feature, 6, 0), more)));
      database.awaitWaiting();
      // In the other order: the writer is the one that finds out, and gives way.
      statement.execute("UPDATE tailrace_metrics.feature_minutes SET pane = pane");
      other.commit();

      assertThat(writing.get()).isEqualTo(2);
    }
  }

  @Test
  public void writersOfTheSameRowsInAnyOrderNeverWaitInACircle() throws Exception {
    List<Future<Integer>> writing = new ArrayList<>();
    for (int writer = 0; writer < 3; writer++) {
      int number = writer;
      writing.add(
          threads.submit(
              () -> {
                Random random = new Random(number);
                try (MetricsStore.Connection connection = store("").connect()) {
                  for (int round = 0; round < 20; round++) {
                    List<MetricsSummary> summaries = new ArrayList<>();
                    for (int feature = 0; feature < 200; feature++) {
                      summaries.add(
                          Summaries.computed(
                              Summaries.feature("user.f" + feature), 1 + 3 * round + number, 0));
                    }
                    Collections.shuffle(summaries, random);
                    int unused = connection.write(summaries);
                  }
                }
                return 0;
              }));
    }
    for (Future<Integer> each : writing) {
      assertThat(each.get()).isEqualTo(0);
    }

    assertThat(database.rows("SELECT sum(computed) FROM tailrace_metrics.feature_minutes"))
        .containsExactly("" + 200 * 60);
    assertThat(
            database.rows(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
        .containsExactly("0");
  }

  @Test
  public void whatAProgramWithoutTheLockIsFasterToCreateIsTaken() throws Exception {
    Future<Integer> writing;
    try (Connection other = database.connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("CREATE SCHEMA tailrace_metrics");
      writing = threads.submit(() -> write(store(""), at(Summaries.MINUTE)));
      database.awaitWaiting();
      other.commit();
    }

    assertThat(writing.get()).isEqualTo(1);
  }

  @Test
  public void aTableThatIsNotAsWantedIsNamed() throws Exception {
    database.execute(
        "CREATE SCHEMA tailrace_metrics",
        "CREATE TABLE tailrace_metrics.query_minutes (environment_id bigint)");

    UnavailableException refused =
        assertThrows(UnavailableException.class, () -> write(store(""), at(Summaries.MINUTE)));

    assertThat(refused)
        .hasMessageThat()
        .contains(
            ": the table \"tailrace_metrics\".\"query_minutes\" has environment_id bigint, not text"
                + " and lacks the column query_name and lacks");
    assertThat(refused).hasMessageThat().endsWith("; rename it, and another one is created");
  }

  @Test
  public void aUserWithoutPermissionsIsToldWhichBeforeThePipelineStarts() throws Exception {
    database.execute(
        "DROP ROLE IF EXISTS metrics_writer",
        "CREATE ROLE metrics_writer LOGIN PASSWORD 'w'",
        "REVOKE ALL ON DATABASE " + database.name() + " FROM PUBLIC",
        "GRANT CONNECT ON DATABASE " + database.name() + " TO metrics_writer");
    MetricsStore store = MetricsStores.at(database.uriOf("metrics_writer", "w"));

    assertThat(assertThrows(UnavailableException.class, store::check))
        .hasMessageThat()
        .endsWith(
            ": there is no schema 'tailrace_metrics', and the user may not create it; GRANT CREATE"
                + " ON DATABASE \""
                + database.name()
                + "\" TO \"metrics_writer\"");
    database.execute("CREATE SCHEMA tailrace_metrics");
    assertThat(assertThrows(UnavailableException.class, store::check))
        .hasMessageThat()
        .endsWith("GRANT USAGE, CREATE ON SCHEMA \"tailrace_metrics\" TO \"metrics_writer\"");
    database.execute("GRANT USAGE, CREATE ON SCHEMA tailrace_metrics TO metrics_writer");
    store.check();
    assertThat(write(store, at(Summaries.MINUTE))).isEqualTo(1);

    database.execute("DROP OWNED BY metrics_writer", "DROP ROLE metrics_writer");
  }
}
