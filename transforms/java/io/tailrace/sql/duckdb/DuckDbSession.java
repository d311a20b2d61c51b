package io.tailrace.sql.duckdb;

import io.tailrace.endpoint.UnavailableException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a DuckDB file that is opened when it is first used, and anew after whatever
 * failed. It works beside the others who have the file open, or alone. Not thread-safe.
 */
public final class DuckDbSession implements AutoCloseable {
  /** Opens the file. */
  public interface Opening {
    /** Opens it; see {@link DuckDbFile#open}. */
    DuckDbFile open() throws UnavailableException;
  }

  /**
   * What is done with the file.
   *
   * @param <T> what comes of it
   * @param <E> what else it may throw
   */
  public interface Work<T, E extends Exception> {
    /** Does it. */
    T run(Open open) throws SQLException, UnavailableException, E;
  }

  /** The open file, for one piece of work. */
  public static final class Open implements AutoCloseable {
    private final Connected connected;
    private Statement statement;

    private Open(Connected connected) throws SQLException {
      this.connected = connected;
      this.statement = connected.connection.createStatement();
    }

    /** Returns what all who have the file open share. */
    public DuckDbFile file() {
      return connected.file;
    }

    /** Returns a statement of the connection. DuckDB closes one that fails: then it is another. */
    public Statement statement() throws SQLException {
      if (statement.isClosed()) {
        statement = connected.connection.createStatement();
      }
      return statement;
    }

    /** Returns the catalog of a schema, which lives as long as the connection. */
    public DuckDbCatalog catalog(String schema) throws SQLException {
      String database = connected.connection.getCatalog();
      return connected.catalogs.computeIfAbsent(
          schema, unused -> new DuckDbCatalog(database, schema));
    }

    /**
     * Writes the log back at once. For work that runs {@link DuckDbSession#alone}.
     *
     * @throws SQLException if DuckDB can't
     */
    public void writeBack() throws SQLException {
      WriteBack.now(statement().getConnection());
    }

    @Override
    public void close() throws SQLException {
      statement.close();
    }
  }

  private record Connected(
      DuckDbFile file, Connection connection, Map<String, DuckDbCatalog> catalogs) {}

  private final Opening opening;
  private @Nullable Connected connected;

  /** Creates one that is not connected yet. */
  public DuckDbSession(Opening opening) {
    this.opening = opening;
  }

  /**
   * Works while others work; whatever fails, the connection is made anew for the next.
   *
   * @throws UnavailableException if the file can't be used now
   */
  public <T, E extends Exception> T beside(Work<T, E> work) throws UnavailableException, E {
    Connected now = connect();
    boolean done = false;
    try (Open open = new Open(now)) {
      T result = work.run(open);
      done = true;
      return result;
    } catch (SQLException e) {
      throw now.file.failure(e);
    } finally {
      if (!done) {
        disconnect();
      }
    }
  }

  /** Works alone: nobody else changes the file meanwhile. */
  public <T, E extends Exception> T alone(Work<T, E> work) throws UnavailableException, E {
    // Whoever lets go of the file may wait for one who waits for the lock: not while it is held.
    return beside(
        open -> {
          T result;
          open.file().writing().lock();
          try {
            result = work.run(open);
          } finally {
            open.file().writing().unlock();
          }
          open.file().changed();
          return result;
        });
  }

  /** Runs a transaction alone. */
  public <T, E extends Exception> T transaction(Work<T, E> work) throws UnavailableException, E {
    return alone(
        open -> {
          open.statement().execute("BEGIN");
          T result = work.run(open);
          open.statement().execute("COMMIT");
          return result;
        });
  }

  private Connected connect() throws UnavailableException {
    Connected now = connected;
    if (now == null) {
      DuckDbFile file = opening.open();
      try {
        now = new Connected(file, file.duplicate(), new HashMap<>());
      } catch (UnavailableException e) {
        file.release();
        throw e;
      }
      connected = now;
    }
    return now;
  }

  private void disconnect() throws UnavailableException {
    Connected before = connected;
    connected = null;
    if (before == null) {
      return;
    }
    try {
      before.connection.close();
    } catch (SQLException e) {
      throw before.file.failure(e);
    } finally {
      before.file.release();
    }
  }

  @Override
  public void close() {
    try {
      disconnect();
    } catch (UnavailableException e) {
      throw new IllegalStateException(e);
    }
  }
}
