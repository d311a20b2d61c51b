package io.tailrace.sql.duckdb;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the log of a DuckDB file back into its tables: when it has grown large, while others go on
 * inserting, or when changed tables would hold too much memory. Thread-safe.
 */
final class WriteBack {
  private static final Logger LOG = LoggerFactory.getLogger(WriteBack.class);

  /** How often the log is tried to be written back between inserts, before they have to wait. */
  private static final int ATTEMPTS_BESIDE_INSERTS = 100;

  private static final long ATTEMPT_PAUSE_MILLIS = 10;

  /**
   * A table that was inserted into takes about so many blocks until the log is written back,
   * whatever it got: one for each column and one for which of its values are null.
   */
  private static final long BLOCKS_OF_CHANGED_TABLE = 18;

  /** The part of DuckDB's memory that tables may take in this way. */
  private static final int CHANGED_PART = 5;

  /** How many merges of groups of rows DuckDB may make in a table: its own default. */
  private static final int MERGES = 100;

  private static final int NO_MERGES = 0;

  /**
   * What may be inserted while the log is written back; more waits, as it would fill the memory.
   */
  private static final long ROWS_BESIDE_CHECKPOINT = 200_000;

  /** By file: one that fails may close the instance, and another one opens the file again. */
  private static final Map<Path, AtomicLong> FAILED = new ConcurrentHashMap<>();

  private final DuckDbFile file;
  private final AtomicLong failed;
  private final Path log;
  private final DuckDbSettings settings;
  private final int maxChangedTables;
  private final RowGroups rowGroups = new RowGroups();

  /** Writes the log back at the moment. */
  @GuardedBy("this")
  private @Nullable Thread checkpoint;

  /** Rows that were inserted meanwhile, which stay in memory. */
  @GuardedBy("this")
  private long rowsBesideCheckpoint;

  /** Creates one, and sees to it that DuckDB merges nothing by itself. */
  WriteBack(DuckDbFile file, DuckDbSettings settings, Statement statement) throws SQLException {
    this.file = file;
    this.failed = FAILED.computeIfAbsent(file.path(), unused -> new AtomicLong());
    this.settings = settings;
    this.log = file.path().resolveSibling(file.path().getFileName() + ".wal");
    // Merging is for the moments that RowGroups chooses, and not for closing.
    statement.execute("SET GLOBAL max_vacuum_tasks=" + NO_MERGES);
    long blockBytes =
        number(
            statement,
            "SELECT block_size FROM pragma_database_size()"
                + " WHERE database_name = current_database()");
    long most = settings.memoryBytes() / CHANGED_PART / (BLOCKS_OF_CHANGED_TABLE * blockBytes);
    maxChangedTables = (int) Math.max(1, Math.min(most, Integer.MAX_VALUE));
  }

  private static long number(Statement statement, String query) throws SQLException {
    try (ResultSet found = statement.executeQuery(query)) {
      found.next();
      return found.getLong(1);
    }
  }

  /** See {@link DuckDbFile#inserted}. */
  void inserted(String table, long rows) {
    if (rows > 0) {
      rowGroups.inserted(table, rows);
    }
  }

  /** See {@link DuckDbFile#limitChangedTables}. */
  void limitChangedTables(Statement statement) throws SQLException {
    if (rowGroups.changedTables() >= maxChangedTables) {
      boolean unused = checkpoint(statement, false);
    }
  }

  /** See {@link DuckDbFile#changed}. */
  void changed() throws UnavailableException {
    try {
      if (!Files.exists(log) || Files.size(log) < settings.logBytes()) {
        return;
      }
    } catch (IOException e) {
      throw new UnavailableException(log + " can't be looked at: " + e, e);
    }
    synchronized (this) {
      if (checkpoint == null) {
        rowsBesideCheckpoint = 0;
        checkpoint = new Thread(this::checkpoint, "duckdb-checkpoint");
        checkpoint.setDaemon(true);
        checkpoint.start();
      }
    }
  }

  /** See {@link DuckDbFile#awaitRoom}. */
  void awaitRoom(long rows) throws UnavailableException {
    Thread running;
    synchronized (this) {
      rowsBesideCheckpoint += rows;
      if (checkpoint == null || rowsBesideCheckpoint <= ROWS_BESIDE_CHECKPOINT) {
        return;
      }
      running = checkpoint;
    }
    join(running);
  }

  /** See {@link DuckDbFile#takeFailedWriteBacks}. */
  long takeFailed() {
    return failed.getAndSet(0);
  }

  /** Returns the thread that writes the log back at the moment. */
  synchronized Optional<Thread> running() {
    return Optional.ofNullable(checkpoint);
  }

  /** Waits until the log is written back. */
  void join(Thread running) throws UnavailableException {
    try {
      running.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "interrupted while the log of " + file.path() + " is written", e);
    }
  }

  private void checkpoint() {
    try (Connection connection = file.duplicate()) {
      int attempt = 0;
      while (!checkpoint(connection, ++attempt > ATTEMPTS_BESIDE_INSERTS)) {
        Thread.sleep(ATTEMPT_PAUSE_MILLIS);
      }
    } catch (SQLException e) {
      failed.incrementAndGet();
      LOG.warn("The log can't be written back: {}", file.failure(e).getMessage());
    } catch (UnavailableException | InterruptedException e) {
      failed.incrementAndGet();
      LOG.warn("The log of {} can't be written back: {}", file.path(), e.getMessage());
    } finally {
      synchronized (this) {
        checkpoint = null;
      }
    }
  }

  /** With a statement of its own: DuckDB closes one that fails. */
  private boolean checkpoint(Connection connection, boolean mustWait) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return checkpoint(statement, mustWait);
    }
  }

  /**
   * Writes the log back at once. For whoever holds the lock of writers: nobody is in the way then
   * but one who writes back without it, who is soon done.
   */
  static void now(Connection connection) throws SQLException {
    while (true) {
      // DuckDB closes a statement that fails.
      try (Statement statement = connection.createStatement()) {
        statement.execute("CHECKPOINT");
        return;
      } catch (SQLException e) {
        if (!isInTheWay(e)) {
          throw e;
        }
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ATTEMPT_PAUSE_MILLIS));
    }
  }

  /** Returns whether DuckDB refuses as somebody else writes, or writes back, at this moment. */
  private static boolean isInTheWay(SQLException refusal) {
    return String.valueOf(refusal.getMessage()).contains("write transactions active");
  }

  /** Begins between two inserts, which DuckDB insists on, and returns whether it could. */
  private boolean checkpoint(Statement statement, boolean mustWait) throws SQLException {
    if (mustWait) {
      file.writing().lock();
    }
    boolean merges = rowGroups.wantMerge();
    try {
      statement.execute("SET GLOBAL max_vacuum_tasks=" + (merges ? MERGES : NO_MERGES));
      statement.execute("CHECKPOINT");
      rowGroups.writtenBack(merges);
      return true;
    } catch (SQLException e) {
      if (mustWait || !isInTheWay(e)) {
        throw e;
      }
      return false;
    } finally {
      if (mustWait) {
        file.writing().unlock();
      }
    }
  }
}
