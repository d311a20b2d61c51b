package io.tailrace.offline.postgres;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
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

/** Runs queries that only read. */
record PostgresReader(PostgresAddress address) implements OfflineReader {
  private static final int ROWS_AT_ONCE = 1_000;

  @Override
  public String uri() {
    return address.text();
  }

  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    try (Connection connection = PostgresSession.open(address.server())) {
      connection.setReadOnly(true);
      // A second one could follow a COMMIT.
      if (connection
              .unwrap(BaseConnection.class)
              .createQuery(sql, true, false)
              .query
              .getSubqueries()
          != null) {
        throw new UnavailableException(refusal("it is more than one statement"));
      }
      try (Statement statement = connection.createStatement()) {
        boolean unused =
            statement.execute(
                "SET LOCAL statement_timeout = "
                    + address.server().timeoutMillis()
                    + "; SET LOCAL TimeZone = 'UTC'");
        return run(statement, sql, limit);
      }
    } catch (SQLException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e), e);
    }
  }

  private Table run(Statement statement, String sql, int limit)
      throws SQLException, UnavailableException {
    statement.setMaxRows(limit == Integer.MAX_VALUE ? 0 : limit + 1);
    statement.setFetchSize(ROWS_AT_ONCE);
    try {
      if (!statement.execute(sql)) {
        throw new UnavailableException(refusal("it returns no rows"));
      }
      try (ResultSet rows = statement.getResultSet()) {
        return table(rows, limit);
      }
    } catch (SQLException e) {
      if (SqlState.meaning(e) == SqlState.Meaning.CONNECTION && !SqlState.isReadOnly(e)) {
        throw e;
      }
      throw new UnavailableException(refusal(SqlState.message(e)), e);
    }
  }

  private String refusal(String message) {
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
