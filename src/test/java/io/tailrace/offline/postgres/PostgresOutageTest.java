package io.tailrace.offline.postgres;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.OfflineStore;
import io.tailrace.parquet.ObservationIds;
import io.tailrace.result.ValueType;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
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

/** What an outage of PostgreSQL at any moment costs: nothing but time. */
@RunWith(JUnit4.class)
public class PostgresOutageTest {
  private static final long TIME = 1_795_379_400_123_456L;

  @Rule public final TestDatabase database = new TestDatabase();

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @Before
  public void createTables() throws Exception {
    try (BatchConnection connection = OfflineConnections.to(database.store(""))) {
      connection.insert(RowFile.of(ValueType.STRING).row("user.a", "first", TIME, "v").batch());
    }
  }

  @After
  public void startServer() {
    threads.shutdownNow();
    if (!database.server().isRunning()) {
      database.server().restart();
    }
  }

  /** More than one transaction's worth of rows. */
  private static FileBatch large() {
    RowFile rows = RowFile.of(ValueType.STRING);
    for (int key = 0; key < 200; key++) {
      rows.row("user.a", "u" + key, TIME, "x".repeat(100_000));
    }
    return rows.batch();
  }

  /** The id of the row that {@link #large} inserts last. */
  private static String greatestId() {
    return IntStream.range(0, 200)
        .mapToObj(key -> ObservationIds.of("op", "user.a", "u" + key, TIME))
        .map(HexFormat.of()::formatHex)
        .max(Comparator.naturalOrder())
        .orElseThrow();
  }

  private List<String> rows() throws SQLException {
    return database.rows("SELECT count(*), count(DISTINCT pkey) FROM tailrace.user__a");
  }

  @Test
  public void aServerThatStopsInTheMiddleOfInsertingIsWaitedFor() throws Exception {
    OfflineStore store = database.store("retryFor=2m");
    Future<BatchInserted> inserting;
    List<String> committed;
    try (Connection other = database.connect();
        Statement statement = other.createStatement()) {
      // The last transaction of the batch waits for this one.
      other.setAutoCommit(false);
      statement.execute(
          "INSERT INTO tailrace.user__a (observation_id, pkey, observed_at, operation_id, deleted)"
              + " VALUES ('"
              + greatestId()
              + "', 'other', now(), 'other', false)");
      inserting =
          threads.submit(
              () -> {
                try (BatchConnection connection = OfflineConnections.to(store)) {
                  return connection.insert(large());
                }
              });
      database.awaitWaiting();
      committed = rows();
      database.server().stop();
    }
    database.server().restart();

    assertThat(committed).isNotEqualTo(List.of("1|1"));
    assertThat(inserting.get()).isEqualTo(new BatchInserted(200, 0, List.of()));
    assertThat(rows()).containsExactly("201|201");
  }

  @Test
  public void aConnectionThatBrokeBetweenTwoBatchesIsReplaced() throws Exception {
    FileBatch batch = large();
    try (BatchConnection connection = OfflineConnections.to(database.store(""))) {
      BatchInserted first = connection.insert(batch);
      database.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              + " WHERE application_name = 'tailrace' AND datname = '"
              + database.name()
              + "'");
      BatchInserted second = connection.insert(batch);

      assertThat(first).isEqualTo(new BatchInserted(200, 0, List.of()));
      assertThat(second).isEqualTo(new BatchInserted(0, 200, List.of()));
    }
  }

  @Test
  public void aServerThatStaysAwayIsNamedInTheEnd() {
    OfflineStore store = database.store("retryFor=100ms&connectTimeout=1s");
    database.server().stop();
    try (BatchConnection connection = OfflineConnections.to(store)) {
      UnavailableException refused =
          assertThrows(UnavailableException.class, () -> connection.insert(large()));

      assertThat(refused)
          .hasMessageThat()
          .startsWith(store.uri() + " can't be used for 100 ms: Connection to 127.0.0.1:");
    }
  }

  @Test
  public void aCommitWhoseAnswerIsLostIsCountedOnce() throws Exception {
    try (CommitCutter cutter = new CommitCutter(database.server().port())) {
      String uri =
          database
              .uri("retryFor=1m")
              .replace(":" + database.server().port() + "/", ":" + cutter.port() + "/");
      OfflineStore store = PostgresOfflineStore.at(EndpointUri.parse(uri));
      FileBatch batch =
          RowFile.of(ValueType.STRING)
              .row("user.a", "u1", TIME, "v")
              .row("user.a", "first", TIME, "v")
              .batch();
      try (BatchConnection connection = OfflineConnections.to(store)) {
        cutter.cutNextCommit();
        BatchInserted inserted = connection.insert(batch);

        assertThat(cutter.hasCut()).isTrue();
        assertThat(inserted).isEqualTo(new BatchInserted(1, 1, List.of()));
      }
    }
    assertThat(rows()).containsExactly("2|2");
  }

  @Test
  public void aDeadlockIsTriedAgain() throws Exception {
    FileBatch batch =
        RowFile.of(ValueType.STRING)
            .row("user.a", "u1", TIME, "v")
            .row("user.b", "u1", TIME, "v")
            .batch();
    try (BatchConnection connection = OfflineConnections.to(database.store(""));
        Connection other = database.connect();
        Statement statement = other.createStatement()) {
      connection.insert(batch);
      database.execute("TRUNCATE tailrace.user__a, tailrace.user__b");
      other.setAutoCommit(false);
      statement.execute("SET deadlock_timeout = '1h'");
      statement.execute("LOCK TABLE tailrace.user__b IN SHARE MODE");
      Future<BatchInserted> inserting = threads.submit(() -> connection.insert(batch));
      database.awaitWaiting();
      // In the other order: the other one is the one that finds out, and gives way.
      statement.execute("LOCK TABLE tailrace.user__a IN SHARE MODE");
      other.rollback();

      assertThat(inserting.get()).isEqualTo(new BatchInserted(2, 0, List.of()));
    }
  }
}
