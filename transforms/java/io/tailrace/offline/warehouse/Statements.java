package io.tailrace.offline.warehouse;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs statements in one session of a warehouse, each in a round trip, and knows whether a
 * transaction is open. Not thread-safe.
 */
public final class Statements {
  private final Connection connection;
  private boolean inTransaction;

  /** Runs them over a connection, which the caller closes. */
  public Statements(Connection connection) {
    this.connection = connection;
  }

  /** Makes something of a row. */
  @FunctionalInterface
  public interface Row<T> {
    /** Makes it of the row that is the present one. */
    T of(ResultSet row) throws SQLException;
  }

  /** What is done in a transaction. */
  @FunctionalInterface
  public interface Work {
    /** Does it. */
    void run() throws SQLException;
  }

  /** Returns the connection, for what only a driver of its own kind can do. */
  public Connection connection() {
    return connection;
  }

  /** Runs a statement whose answer does not matter. */
  public void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      boolean unused = statement.execute(sql);
    }
  }

  /** Runs a statement that changes rows, and returns how many. */
  public long update(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return statement.executeUpdate(sql);
    }
  }

  /** Runs a query and returns all of its rows. */
  public <T> List<T> query(String sql, Row<T> row) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      List<T> rows = new ArrayList<>();
      while (found.next()) {
        rows.add(row.of(found));
      }
      return rows;
    }
  }

  /** Does something in one transaction, which is durable when this returns. */
  public void transaction(Work work) throws SQLException {
    inTransaction = true;
    execute("BEGIN");
    work.run();
    execute("COMMIT");
    inTransaction = false;
  }

  /** Ends a transaction that did not come to its end. Returns whether the session can go on. */
  boolean rolledBack() {
    if (!inTransaction) {
      return true;
    }
    try {
      inTransaction = false;
      execute("ROLLBACK");
      return true;
    } catch (SQLException e) {
      return false;
    }
  }
}
