package io.tailrace.sql.duckdb;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import java.io.File;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** When the log of a DuckDB file is written back into the tables, and what becomes of them. */
public class DuckDbWriteBackTest {
  /** What 100 MB leave room for: a fifth of them in 18 blocks of 64 kB each. */
  private static final int MOST_TABLES = 16;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private File path;
  private DuckDbFile file;
  private Connection connection;
  private Statement statement;

  @Before
  public void open() throws UnavailableException, SQLException {
    path = new File(folder.getRoot(), "a.db");
    file =
        DuckDbFile.open(
            path.toPath(),
            DuckDbSettings.of(EndpointUri.parse("duckdb://" + path + "?memoryLimit=100MB")));
    connection = file.duplicate();
    statement = connection.createStatement();
  }

  @After
  public void close() throws UnavailableException, SQLException {
    connection.close();
    file.release();
  }

  private void insert(int tables, int rows) throws SQLException {
    for (int i = 0; i < tables; i++) {
      statement.execute("CREATE TABLE IF NOT EXISTS t" + i + "(n BIGINT)");
      file.inserted(
          "t" + i, statement.executeLargeUpdate("INSERT INTO t" + i + " FROM range(" + rows + ")"));
    }
    file.limitChangedTables(statement);
  }

  private boolean logIsEmpty() {
    return new File(path + ".wal").length() == 0;
  }

  private int groups() throws SQLException {
    try (ResultSet found =
        statement.executeQuery(
            "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('t0')")) {
      found.next();
      return found.getInt(1);
    }
  }

  @Test
  public void theLogIsWrittenBackBeforeChangedTablesTakeTooMuchMemory() throws SQLException {
    insert(MOST_TABLES - 1, 1);
    assertThat(logIsEmpty()).isFalse();

    insert(MOST_TABLES, 1);
    assertThat(logIsEmpty()).isTrue();

    insert(MOST_TABLES - 1, 1);
    assertThat(logIsEmpty()).isFalse();
  }

  @Test
  public void whoWritesBackAtOnceWaitsForWhoIsInTheWay() throws Exception {
    statement.execute("CREATE TABLE t(n BIGINT)");
    AtomicBoolean ends = new AtomicBoolean();
    AtomicInteger refused = new AtomicInteger();
    Thread other =
        new Thread(
            () -> {
              while (!ends.get()) {
                try (Connection another = file.duplicate();
                    Statement its = another.createStatement()) {
                  its.execute("CHECKPOINT");
                } catch (SQLException | UnavailableException e) {
                  refused.incrementAndGet();
                }
              }
            });
    other.start();

    try (Connection another = file.duplicate()) {
      for (int i = 0; i < 50 || (refused.get() == 0 && i < 20_000); i++) {
        statement.execute("INSERT INTO t VALUES (" + i + ")");
        WriteBack.now(another);
      }
    } finally {
      ends.set(true);
      other.join();
    }

    assertThat(logIsEmpty()).isTrue();
    assertThat(refused.get()).isGreaterThan(0);
  }

  @Test
  public void insertsIntoTheSameTablesCountOnce() throws SQLException {
    for (int i = 0; i < MOST_TABLES; i++) {
      insert(2, 1);
    }

    assertThat(logIsEmpty()).isFalse();
  }

  @Test
  public void groupsOfRowsAreMergedTheNinthTime() throws SQLException {
    for (int i = 1; i <= RowGroups.MAX_SMALL_GROUPS; i++) {
      insert(MOST_TABLES, 3_000);
      assertThat(groups()).isEqualTo(i);
    }

    insert(MOST_TABLES, 3_000);

    assertThat(groups()).isEqualTo(1);
    try (ResultSet found = statement.executeQuery("SELECT count(*), sum(n) FROM t0")) {
      found.next();
      assertThat(found.getLong(1)).isEqualTo(9 * 3_000L);
      assertThat(found.getLong(2)).isEqualTo(9 * 3_000L * 2_999 / 2);
    }
  }
}
