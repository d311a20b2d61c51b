package io.tailrace.sql.postgres;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.ssl.DefaultJavaSSLFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to PostgreSQL that is opened when it is first used and replaced when it breaks. It
 * runs transactions, and while the server can't take them, runs them again for {@code retryFor}.
 * Not thread-safe.
 */
public final class PostgresSession implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PostgresSession.class);

  /** How much longer than a statement may take the client waits for its answer. */
  private static final Duration ANSWER_GRACE = Duration.ofSeconds(10);

  /** What a transaction does; may be run several times. */
  public interface Work<T> {
    /** Does it. */
    T run(Connection connection) throws SQLException;
  }

  /** The server refuses a transaction, however often it is run. */
  public static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;
    private final SQLException refusal;

    RefusedException(SQLException refusal) {
      super(refusal);
      this.refusal = refusal;
    }

    /** Returns the server's answer. */
    public SQLException refusal() {
      return refusal;
    }
  }

  /** A transaction whose commit was not answered, and how many rows it inserted. */
  private record Unanswered(long transaction, long inserted) {}

  private final PostgresServer server;
  private @Nullable Connection connection;

  /** Creates one that is not connected yet. */
  public PostgresSession(PostgresServer server) {
    this.server = server;
  }

  /**
   * Opens a connection to the server that can be written to, once; the caller closes it. It commits
   * nothing by itself.
   *
   * @throws UnavailableException if the password is not where it should be
   */
  public static Connection open(PostgresServer server) throws SQLException, UnavailableException {
    Properties properties = new Properties();
    server.login().user().ifPresent(user -> PGProperty.USER.set(properties, user));
    try {
      server
          .login()
          .password()
          .ifPresent(password -> PGProperty.PASSWORD.set(properties, password.read()));
    } catch (IllegalStateException e) {
      throw new UnavailableException(server.text() + ": " + e.getMessage(), e);
    }
    server.sslMode().ifPresent(mode -> PGProperty.SSL_MODE.set(properties, mode));
    server
        .caFile()
        .ifPresentOrElse(
            file -> PGProperty.SSL_ROOT_CERT.set(properties, file),
            () -> {
              if (server.sslMode().orElse("").startsWith("verify-")) {
                PGProperty.SSL_FACTORY.set(properties, DefaultJavaSSLFactory.class.getName());
              }
            });
    PGProperty.TARGET_SERVER_TYPE.set(properties, "primary");
    // After a failover, what is remembered of the hosts is wrong.
    PGProperty.HOST_RECHECK_SECONDS.set(properties, 1);
    PGProperty.CONNECT_TIMEOUT.set(properties, seconds(server.timeouts().connect()));
    PGProperty.LOGIN_TIMEOUT.set(
        properties, 2 * seconds(server.timeouts().connect()) * server.hosts().size());
    PGProperty.SOCKET_TIMEOUT.set(
        properties, seconds(server.timeouts().reply().plus(ANSWER_GRACE)));
    PGProperty.TCP_KEEP_ALIVE.set(properties, true);
    PGProperty.APPLICATION_NAME.set(properties, "tailrace");
    // Statements on the server would not be found again behind a pooler.
    PGProperty.PREPARE_THRESHOLD.set(properties, 0);
    // The detail of a refusal is the row.
    PGProperty.LOG_SERVER_ERROR_DETAIL.set(properties, false);
    Connection connection = new Driver().connect(server.jdbcUrl(), properties);
    if (connection == null) {
      throw new UnavailableException(server.text() + " is not understood by the JDBC driver");
    }
    try {
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      connection.setAutoCommit(false);
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
    return connection;
  }

  private static int seconds(Duration duration) {
    return (int)
        Math.min(Integer.MAX_VALUE / 1_000, Math.max(1, duration.plusMillis(999).toSeconds()));
  }

  /** Runs a transaction that changes nothing. */
  public <T> T read(Work<T> work) throws UnavailableException, RefusedException {
    Retry retry = Retry.of(server.text(), server.timeouts().retryFor());
    while (true) {
      try {
        Connection open = connected();
        T result = work.run(open);
        open.rollback();
        return result;
      } catch (SQLException e) {
        settle(e, retry);
      }
    }
  }

  /**
   * Runs a transaction, which is durable when this returns.
   *
   * @param work returns how many rows it inserted, and inserts none that is there
   * @return how many rows were inserted. If the answer to a commit was lost and it had succeeded,
   *     those of that attempt count, too
   */
  public long write(Work<Long> work) throws UnavailableException, RefusedException {
    Retry retry = Retry.of(server.text(), server.timeouts().retryFor());
    List<Unanswered> unanswered = new ArrayList<>();
    while (true) {
      Unanswered attempt = new Unanswered(0, 0);
      try {
        Connection open = connected();
        long transaction = begin(open);
        long inserted = work.run(open);
        attempt = new Unanswered(transaction, inserted);
        open.commit();
        for (Unanswered before : unanswered) {
          inserted += wasCommitted(open, before) ? before.inserted : 0;
        }
        return inserted;
      } catch (SQLException e) {
        if (attempt.inserted > 0) {
          unanswered.add(attempt);
        }
        settle(e, retry);
      }
    }
  }

  /**
   * Sets what a role or a database may have otherwise: for one transaction only, as poolers share
   * connections.
   */
  private long begin(Connection open) throws SQLException {
    String sql =
        "SELECT txid_current(), set_config('statement_timeout', '"
            + server.timeoutMillis()
            + "', true), set_config('client_min_messages', 'warning', true),"
            + " set_config('synchronous_commit',"
            + " CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
            + " ELSE current_setting('synchronous_commit') END, true)";
    try (Statement statement = open.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  /**
   * Looks a transaction up that has ended: what was run after it would have waited for it. It
   * decides a number only, never whether rows are inserted, as after a failover that lost it the
   * answer can be wrong.
   */
  private boolean wasCommitted(Connection open, Unanswered before) {
    try (Statement statement = open.createStatement();
        ResultSet row = statement.executeQuery("SELECT txid_status(" + before.transaction + ")")) {
      row.next();
      boolean committed = "committed".equals(row.getString(1));
      open.rollback();
      return committed;
    } catch (SQLException e) {
      LOG.info("{}: what became of a transaction is not known", server.text(), e);
      disconnect();
      return false;
    }
  }

  private Connection connected() throws SQLException, UnavailableException {
    Connection open = connection;
    if (open == null) {
      try {
        open = open(server);
      } catch (SQLException e) {
        if (mayWork(SqlState.meaning(e))) {
          throw e;
        }
        // Whatever was to be done, it is not refused: nobody was asked.
        throw new UnavailableException(SqlState.sentence(server, e), e);
      }
      connection = open;
    }
    return open;
  }

  private static boolean mayWork(SqlState.Meaning meaning) {
    return meaning == SqlState.Meaning.CONNECTION || meaning == SqlState.Meaning.LATER;
  }

  /** Ends a transaction that failed, and returns if it is to be run again. */
  private void settle(SQLException e, Retry retry) throws UnavailableException, RefusedException {
    SqlState.Meaning meaning = SqlState.meaning(e);
    if (meaning == SqlState.Meaning.CONNECTION || !rolledBack()) {
      disconnect();
    }
    if (!mayWork(meaning)) {
      throw new RefusedException(e);
    }
    try {
      retry.pause(SqlState.message(e), e);
    } catch (UnavailableException unavailable) {
      if (meaning == SqlState.Meaning.LATER && !Thread.currentThread().isInterrupted()) {
        // The server works: it is what was to be done that waits for somebody for so long.
        throw new RefusedException(e);
      }
      throw unavailable;
    }
  }

  private boolean rolledBack() {
    try {
      if (connection != null) {
        connection.rollback();
      }
      return true;
    } catch (SQLException e) {
      return false;
    }
  }

  private void disconnect() {
    Connection open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        LOG.debug("{}: closing a broken connection: {}", server.text(), e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    disconnect();
  }
}
