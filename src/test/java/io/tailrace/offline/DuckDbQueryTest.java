package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What a query of the DuckDB file may do, and who may open the file. */
public class DuckDbQueryTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private Path file;
  private OfflineStore store;

  @Before
  public void insert() throws Exception {
    file = folder.getRoot().toPath().resolve("offline.db");
    store = OfflineStores.at("duckdb://" + file);
    try (BatchConnection connection = OfflineConnections.to(store)) {
      Batches.insert(
          connection,
          BundleEncoder.files(
              Results.of(
                  Results.users(
                      List.of("ann", "bob", "eve"),
                      Results.int64("age", RandomResults.START, 1, 2, 3)))));
    }
  }

  /** Holds a DuckDB file until its input ends. */
  public static final class Holder {
    private Holder() {}

    /** Opens the file, says so and waits. */
    public static void main(String[] args) throws Exception {
      try (Connection held = DriverManager.getConnection("jdbc:duckdb:" + args[0])) {
        System.out.println("holds " + held.isValid(1));
        int unused = System.in.read();
      }
    }
  }

  @Test
  public void whatReadsIsRunWhetherTheFileIsOpenOrNot() throws Exception {
    assertReads();
    try (BatchConnection open = OfflineConnections.to(store)) {
      open.create("production", List.of());
      assertReads();
    }
  }

  private void assertReads() throws Exception {
    assertThat(store.reader().query("SELECT pkey, value FROM tailrace.user__age ORDER BY 1", 9))
        .isEqualTo(
            new OfflineReader.Table(
                List.of("pkey", "value"),
                List.of(List.of("ann", "1"), List.of("bob", "2"), List.of("eve", "3")),
                true));
    assertThat(store.reader().query("FROM tailrace.user__age;", 9).rows()).hasSize(3);
    assertThat(store.reader().query("WITH a AS (SELECT 1 AS n) FROM a", 9).rows()).hasSize(1);
    assertThat(store.reader().query("SHOW ALL TABLES", 9).rows()).hasSize(3);
    assertThat(store.reader().query("SHOW TABLES", 9).columns()).containsExactly("name");
    assertThat(store.reader().query("DESCRIBE tailrace.user__age", 99).rows()).hasSize(9);
    assertThat(store.reader().query("EXPLAIN SELECT 1", 9).rows()).isNotEmpty();
  }

  @Test
  public void whoeverOpensTheFileWaitsForTheQueriesThatHaveItOpen() throws Exception {
    // Another memory limit: DuckDB refuses a second instance with other settings.
    OfflineStore other = OfflineStores.at("duckdb://" + file + "?memoryLimit=256MB");
    ExecutorService looker = Executors.newSingleThreadExecutor();
    try {
      Future<?> looking =
          looker.submit(
              () -> {
                for (int i = 0; i < 50; i++) {
                  OfflineReader.Table unused = other.reader().query("FROM tailrace.user__age", 10);
                }
                return null;
              });
      while (!looking.isDone()) {
        store.check();
        OfflineReader.Table unused = store.reader().query("FROM tailrace.user__age", 10);
      }
      looking.get();
    } finally {
      looker.shutdownNow();
    }
  }

  @Test
  public void whatChangesSomethingIsRefusedWhetherTheFileIsOpenOrNot() throws Exception {
    assertReadsOnly();
    try (BatchConnection open = OfflineConnections.to(store)) {
      open.create("production", List.of());
      assertReadsOnly();
    }
  }

  private void assertReadsOnly() throws Exception {
    Path target = folder.getRoot().toPath().resolve("copied.csv");
    for (String sql :
        List.of(
            "SELECT 1; SELECT 2",
            "COMMIT; DROP TABLE tailrace.user__age",
            "SELECT 1; DROP TABLE tailrace.user__age",
            "SHOW TABLES; DROP TABLE tailrace.user__age",
            "DROP TABLE tailrace.user__age",
            "CREATE TABLE t(n INTEGER)",
            "CREATE TEMP TABLE t(n INTEGER)",
            "INSERT INTO tailrace.user__age SELECT * FROM tailrace.user__age",
            "DELETE FROM tailrace.user__age",
            "UPDATE tailrace.user__age SET value = 0",
            "WITH a AS (SELECT 1) INSERT INTO tailrace.user__age FROM tailrace.user__age",
            "COPY tailrace.user__age TO '" + target + "'",
            "EXPLAIN ANALYZE COPY tailrace.user__age TO '" + target + "'",
            "EXPLAIN (ANALYZE) COPY tailrace.user__age TO '" + target + "'",
            "EXPLAIN /**/ ANALYZE COPY tailrace.user__age TO '" + target + "'",
            "EXPLAIN (FORMAT json, ANALYZE) COPY tailrace.user__age TO '" + target + "'",
            "EXPLAIN ANALYZE DELETE FROM tailrace.user__age",
            "ATTACH '" + target + "' AS other",
            "EXPORT DATABASE '" + target + "'",
            "PRAGMA threads=1",
            "SET threads=1",
            "CHECKPOINT",
            "INSTALL httpfs",
            "CALL pragma_version()",
            "")) {
      UnavailableException refused =
          assertThrows(sql, UnavailableException.class, () -> store.reader().query(sql, 9));
      assertWithMessage(sql)
          .that(refused)
          .hasMessageThat()
          .startsWith("DuckDB refuses the query: ");
      assertWithMessage(sql).that(Files.exists(target)).isFalse();
      assertWithMessage(sql)
          .that(store.reader().query("FROM tailrace.user__age", 9).rows())
          .hasSize(3);
    }
  }

  @Test
  public void aLimitIsKeptAndSaysWhetherThereIsMore() throws Exception {
    String sql = "FROM tailrace.user__age";

    assertThat(store.reader().query(sql, 2).rows()).hasSize(2);
    assertThat(store.reader().query(sql, 2).complete()).isFalse();
    assertThat(store.reader().query(sql, 3).rows()).hasSize(3);
    assertThat(store.reader().query(sql, 3).complete()).isTrue();
  }

  @Test
  public void aMistakeIsExplained() {
    UnavailableException mistake =
        assertThrows(
            UnavailableException.class, () -> store.reader().query("FROM tailrace.nobody", 9));

    assertThat(mistake).hasMessageThat().contains("nobody does not exist");
    assertThat(
            assertThrows(
                UnavailableException.class,
                () -> OfflineStores.at("duckdb:///no/such.db").reader().query("SELECT 1", 1)))
        .hasMessageThat()
        .isEqualTo("there is no file /no/such.db");
  }

  @Test
  public void anotherProcessThatHoldsTheFileIsNamedInASentence() throws Exception {
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                file.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (BufferedReader said =
        new BufferedReader(new InputStreamReader(holder.getInputStream(), UTF_8))) {
      assertThat(said.readLine()).isEqualTo("holds true");

      UnavailableException refused = assertThrows(UnavailableException.class, () -> store.check());

      assertThat(refused)
          .hasMessageThat()
          .isEqualTo(
              file.toRealPath()
                  + " is in use by another process ("
                  + holder.pid()
                  + "): DuckDB lets one process open a file; stop that one, or let it do this");
      assertThat(
              assertThrows(UnavailableException.class, () -> store.reader().query("SELECT 1", 1)))
          .hasMessageThat()
          .contains("is in use by another process (" + holder.pid() + ")");
    } finally {
      holder.destroyForcibly().waitFor();
    }
    store.check();
  }

  @Test
  public void aFileOfSomethingElseIsRefused() throws Exception {
    Path other = folder.newFile("text.db").toPath();
    Files.writeString(other, "no database at all. ".repeat(1_000));

    // Whatever it is wanted for.
    for (Role role : Role.values()) {
      assertThat(
              assertThrows(
                  UnavailableException.class,
                  () -> OfflineStores.at("duckdb://" + other).check(Set.of(role))))
          .hasMessageThat()
          .isEqualTo(other.toRealPath() + " is not a file of DuckDB");
    }
  }
}
