package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.testing.DocumentedSql;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.Results;
import io.tailrace.testing.TestDatabase;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Every statement in the documentation of the offline store runs as it stands. */
public class OfflineSqlTest {
  private static final String KEY = "u42";

  /** When the documented read asks, and the time of the observation that it finds. */
  private static final long ASKED = micros("2025-11-01T12:00:00Z");

  private static final long FOUND = ASKED - 60_000_000;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestDatabase database = new TestDatabase();

  @Test
  public void everyStatementIsOfOneOfTheStores() throws Exception {
    assertThat(documented("SELECT")).hasSize(6);
    assertThat(documented("md5(concat(strlen")).hasSize(1);
    assertThat(documented("")).hasSize(7);
  }

  @Test
  public void inDuckDbAReadTellsWhatWasKnown() throws Exception {
    assertPointInTime(
        OfflineStores.at("duckdb://" + folder.getRoot() + "/offline.db?schema={environment}"),
        documented("ASOF").get(0));
  }

  @Test
  public void inPostgresAReadTellsWhatWasKnown() throws Exception {
    assertPointInTime(
        database.store("schema={environment}"), documented("CROSS JOIN LATERAL").get(0));
  }

  @Test
  public void inPostgresTheIdsAreThoseThatSqlComputes() throws Exception {
    OfflineStore store = database.store("schema={environment}");
    insert(
        store,
        value("a", KEY, FOUND, 7),
        value("größe", "größe 😀", -1, 8),
        value("c", "x", 0, 9),
        deletion("d", FOUND, "user.age"));
    String sql = documented("is_right").get(0);

    assertAllRight(store, sql, 4);
  }

  @Test
  public void inPostgresTheIdsOfIntegerKeysAreThoseThatSqlComputes() throws Exception {
    OfflineStore store = database.store("schema={environment}");
    Frame numbered =
        Results.user("1", Results.int64("age", FOUND, 1)).toBuilder()
            .clearStringKeys()
            .addInt64Keys(-42)
            .build();
    insert(store, Results.named("a").setEnvironmentId("prod").addFrames(numbered).build());

    assertAllRight(store, documented("is_right").get(0), 1);
  }

  @Test
  public void inPostgresWhatIsNewIsReadOnceHoweverLateItsTransactionCommits() throws Exception {
    OfflineStore store = database.store("schema={environment}");
    insert(store, value("a", KEY, FOUND, 7));
    String before = completeUntil();
    try (Connection slow = database.connect();
        Statement statement = slow.createStatement()) {
      slow.setAutoCommit(false);
      statement.execute(
          "INSERT INTO prod.user__age SELECT gen_random_uuid(), 'slow', value, observed_at,"
              + " clock_timestamp(), resolver_fqn, deployment_id, operation_id, deleted"
              + " FROM prod.user__age");
      insert(store, value("b", "quick", FOUND, 8));
      String meanwhile = completeUntil();
      assertThat(newKeys("2000-01-01 00:00:00+00", before)).containsExactly(KEY);
      assertThat(newKeys(before, meanwhile)).isEmpty();
      slow.commit();

      assertThat(newKeys(meanwhile, completeUntil())).containsExactly("slow", "quick");
    }
  }

  /** Locks and their catalog are PostgreSQL's in Redshift, too. */
  @Test
  public void inRedshiftWhoeverHoldsTheLockIsEnded() throws Exception {
    database.execute(
        "CREATE SCHEMA tailrace_prod", "CREATE TABLE tailrace_prod.load_lock (session TEXT)");
    try (Connection holder = database.connect();
        Statement statement = holder.createStatement()) {
      holder.setAutoCommit(false);
      statement.execute("LOCK TABLE tailrace_prod.load_lock");

      assertThat(database.rows(documented("pg_terminate_backend").get(0))).hasSize(1);

      assertThrows(SQLException.class, () -> statement.execute("SELECT 1"));
    }
  }

  private String completeUntil() throws Exception {
    return database.rows(documented("complete_until").get(0)).get(0);
  }

  private List<String> newKeys(String from, String to) throws Exception {
    return database.rows(
        documented("inserted_at <")
            .get(0)
            .replace("SELECT *", "SELECT pkey")
            .replace("2025-11-01 12:00:00+00", from)
            .replace("2025-11-01 12:01:00+00", to));
  }

  private static void assertAllRight(OfflineStore store, String sql, int rows) throws Exception {
    List<? extends List<String>> found = store.reader().query(sql, 100).rows();
    assertThat(found).hasSize(rows);
    for (List<String> row : found) {
      assertWithMessage("%s", row).that(row.get(2)).isAnyOf("t", "true");
    }
  }

  private void assertPointInTime(OfflineStore store, String sql) throws Exception {
    insert(
        store,
        value("earlier", KEY, FOUND - 1, 1),
        value("last", KEY, FOUND, 2),
        value("later", KEY, ASKED + 1, 3),
        value("other", "u43", FOUND, 4),
        deletion("before", FOUND - 1),
        deletion("after", ASKED + 1));
    assertThat(store.reader().query(sql, 10).rows().stream().map(row -> row.get(2)).toList())
        .containsExactly("2");

    insert(store, deletion("same moment", FOUND, "user.age"));
    assertThat(store.reader().query(sql, 10).rows()).isEmpty();

    insert(store, value("newer", KEY, FOUND + 1, 5));
    assertThat(store.reader().query(sql, 10).rows()).hasSize(1);
    insert(store, deletion("entity", FOUND + 1));
    assertThat(store.reader().query(sql, 10).rows()).isEmpty();
  }

  private static void insert(OfflineStore store, QueryResult... results) throws Exception {
    try (BatchConnection connection = OfflineConnections.to(store)) {
      Batches.insert(connection, BundleEncoder.files(results));
    }
  }

  private static QueryResult value(String operation, String key, long observedAt, long value) {
    return Results.named(operation)
        .setEnvironmentId("prod")
        .addFrames(Results.user(key, Results.int64("age", observedAt, value)))
        .build();
  }

  private static QueryResult deletion(String operation, long observedAt, String... features) {
    return Results.named(operation)
        .setEnvironmentId("prod")
        .addDeletions(
            Deletion.newBuilder()
                .setNamespace("user")
                .addStringKeys(KEY)
                .addAllFeatures(List.of(features))
                .setObservedAt(observedAt))
        .build();
  }

  private static long micros(String time) {
    return Instant.parse(time).getEpochSecond() * 1_000_000;
  }

  /** Returns the statements of the page that contain a text. */
  /** Rights in warehouses can't be granted here: no server on this machine has them. */
  private static List<String> documented(String text) throws Exception {
    return DocumentedSql.blocks("offline-store").stream()
        .filter(it -> it.contains(text))
        // What nothing here can run: rights, and the catalog of a warehouse.
        .filter(it -> !it.contains("GRANT ") && !it.contains("features.information_schema"))
        .toList();
  }
}
