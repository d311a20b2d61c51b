package io.tailrace.offline.postgres;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore.Table;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.SqlState;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.core.BaseConnection;

/** Runs a query that only reads. Stateless and thread-safe. */
final class PostgresQuery {
  private static final int ROWS_AT_ONCE = 1_000;

  private PostgresQuery() {}

  static Table run(PostgresAddress address, String sql, int limit) throws UnavailableException {
    try (Connection connection = PostgresSession.open(address.server())) {
      connection.setReadOnly(true);
      // A second one could follow a COMMIT.
      if (connection
              .unwrap(BaseConnection.class)
              .createQuery(sql, true, false)
              .query
              .getSubqueries()
          != null) {
        throw new UnavailableException(refusal(address, "it is more than one statement"));
      }
      try (Statement statement = connection.createStatement()) {
        boolean unused =
            statement.execute(
                "SET LOCAL statement_timeout = "
                    + address.server().timeoutMillis()
                    + "; SET LOCAL TimeZone = 'UTC'");
        return run(address, statement, sql, limit);
      }
    } catch (SQLException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e), e);
    }
  }

  private static Table run(PostgresAddress address, Statement statement, String sql, int limit)
      throws SQLException, UnavailableException {
    statement.setMaxRows(limit == Integer.MAX_VALUE ? 0 : limit + 1);
    statement.setFetchSize(ROWS_AT_ONCE);
    try {
      if (!statement.execute(sql)) {
        throw new UnavailableException(refusal(address, "it returns no rows"));
      }
      try (ResultSet rows = statement.getResultSet()) {
        return table(rows, limit);
      }
    } catch (SQLException e) {
      if (SqlState.meaning(e) == SqlState.Meaning.CONNECTION && !SqlState.isReadOnly(e)) {
        throw e;
      }
      throw new UnavailableException(refusal(address, SqlState.message(e)), e);
    }
  }

  private static String refusal(PostgresAddress address, String message) {
    return address.text() + ": PostgreSQL refuses the query: " + message;
  }

  private static Table table(ResultSet rows, int limit) throws SQLException {
    ResultSetMetaData about = rows.getMetaData();
    List<String> columns = new ArrayList<>();
    for (int column = 1; column <= about.getColumnCount(); column++) {
      columns.add(about.getColumnLabel(column));
    }
    List<List<String>> values = new ArrayList<>();
    while (rows.next()) {
      if (values.size() == limit) {
        return new Table(columns, values, false);
      }
      List<String> row = new ArrayList<>();
      for (int column = 1; column <= columns.size(); column++) {
        row.add(rows.getString(column));
      }
      values.add(row);
    }
    return new Table(columns, values, true);
  }
}
