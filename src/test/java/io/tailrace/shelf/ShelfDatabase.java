package io.tailrace.shelf;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.ValueType;
import java.io.Serializable;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The shelf's database, and its dialect. Work is done by one at a time, whoever comes first, in a
 * transaction of its own. Immutable.
 */
record ShelfDatabase(String path) implements Serializable {
  private static final long serialVersionUID = 1;
  private static final Map<String, ReentrantLock> OWNERS = new ConcurrentHashMap<>();

  interface Work<T> {
    T in(Statement statement) throws SQLException, UnavailableException;
  }

  <T> T transaction(Work<T> work) throws UnavailableException {
    ReentrantLock owner = OWNERS.computeIfAbsent(path, unused -> new ReentrantLock());
    owner.lock();
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + path);
        Statement statement = connection.createStatement()) {
      statement.execute("SET TimeZone='UTC'");
      statement.execute("BEGIN");
      T result = work.in(statement);
      statement.execute("COMMIT");
      return result;
    } catch (SQLException e) {
      throw new UnavailableException(path + ": " + e.getMessage(), e);
    } finally {
      owner.unlock();
    }
  }

  static String type(ValueType type) {
    return switch (type) {
      case INT64 -> "BIGINT";
      case FLOAT64 -> "DOUBLE";
      case BOOL -> "BOOLEAN";
      case STRING -> "VARCHAR";
      case BYTES -> "BLOB";
      case TIMESTAMP -> "TIMESTAMP WITH TIME ZONE";
      case DATE -> "DATE";
      case VECTOR -> "FLOAT[]";
      case JSON -> "JSON";
    };
  }

  /** Sorts values as the bytes of a cell compare, the greatest first. */
  static String greatestFirst(ValueType type) {
    return switch (type) {
      case INT64, DATE, TIMESTAMP ->
          "value < " + (type == ValueType.INT64 ? "0" : "'epoch'") + " DESC, value DESC";
      case FLOAT64 -> "signbit(value) DESC, abs(value) DESC";
      case VECTOR, BOOL, BYTES -> "value DESC";
      case STRING, JSON -> "encode(value::VARCHAR) DESC";
    };
  }

  static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
