package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session with a warehouse that is opened when it is first used, kept, and replaced when it is
 * over. It runs work, and runs it again from its beginning for {@code retryFor} while the warehouse
 * can't do it. Not thread-safe.
 */
public final class WarehouseSession implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WarehouseSession.class);

  /** What is done in a session; may be run several times, each time perhaps in another one. */
  @FunctionalInterface
  public interface Work<T> {
    /** Does it. */
    T run(Statements statements) throws SQLException, UnavailableException;
  }

  /** The warehouse refuses something, however often it is asked. */
  public static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;
    private final SQLException refusal;

    RefusedException(SQLException refusal) {
      super(refusal);
      this.refusal = refusal;
    }

    /** Returns the warehouse's answer. */
    public SQLException refusal() {
      return refusal;
    }
  }

  private final WarehouseServer server;
  private @Nullable Connection connection;

  /** Creates one that is not connected yet. */
  public WarehouseSession(WarehouseServer server) {
    this.server = server;
  }

  /** Returns the warehouse. */
  public WarehouseServer server() {
    return server;
  }

  /**
   * Runs work.
   *
   * @throws UnavailableException if the warehouse can't do it now
   * @throws RefusedException if it will not, however often it is asked
   */
  public <T> T run(Work<T> work) throws UnavailableException, RefusedException {
    Retry retry = Retry.of(server.text(), server.timeouts().retryFor());
    while (true) {
      Statements statements = null;
      boolean done = false;
      try {
        statements = new Statements(connected());
        T result = work.run(statements);
        done = true;
        return result;
      } catch (SQLException e) {
        Meaning meaning = server.meaning(e);
        if (meaning == Meaning.SESSION) {
          disconnect();
          statements = null;
        }
        if (!meaning.mayWork()) {
          throw new RefusedException(e);
        }
        retry.pause(server.message(e), e);
      } finally {
        if (!done && statements != null && !statements.rolledBack()) {
          disconnect();
        }
      }
    }
  }

  /**
   * Runs work that is nobody's content: a refusal is the store's, too.
   *
   * @throws UnavailableException if the warehouse can't or won't do it
   */
  public <T> T require(Work<T> work) throws UnavailableException {
    try {
      return run(work);
    } catch (RefusedException e) {
      throw new UnavailableException(server.sentence(e.refusal()), e);
    }
  }

  private Connection connected() throws SQLException, UnavailableException {
    Connection open = connection;
    if (open == null) {
      try {
        open = server.open();
      } catch (SQLException e) {
        if (server.meaning(e).mayWork()) {
          throw e;
        }
        // Whatever was to be done, it is not refused: nobody was asked.
        throw new UnavailableException(server.sentence(e), e);
      }
      connection = open;
    }
    return open;
  }

  private void disconnect() {
    Connection open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        LOG.debug("{}: closing a broken session: {}", server.text(), e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    disconnect();
  }
}
