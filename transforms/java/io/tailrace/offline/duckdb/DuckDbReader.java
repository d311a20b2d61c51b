package io.tailrace.offline.duckdb;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Runs queries that only read, by the instance of this process or one of its own. */
record DuckDbReader(String uri, String path, DuckDbSettings settings) implements OfflineReader {
  /** Statements that only look, and that DuckDB's parser does not serialize. */
  private static final Pattern LOOKS =
      Pattern.compile(
          "(?is)\\s*(SHOW|DESCRIBE|SUMMARIZE|EXPLAIN\\s+(SELECT|FROM|WITH))\\b[^;]*;?\\s*");

  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    Path file = Path.of(path);
    if (!Files.exists(file)) {
      throw new UnavailableException("there is no file " + path);
    }
    return DuckDbFile.look(file, settings, connection -> run(connection, sql, limit));
  }

  /**
   * Refuses whatever is not one statement that reads: DuckDB would run several, and one that ends
   * the transaction that only reads is enough to write in the next.
   */
  private static void checkReads(Connection connection, String sql) throws SQLException {
    if (LOOKS.matcher(sql).matches()) {
      return;
    }
    // DuckDB's own parser, which serializes nothing but queries.
    try (PreparedStatement parse =
        connection.prepareStatement(
            "SELECT tree->>'error', tree->>'error_message', tree->>'error_type',"
                + " json_array_length(tree->'statements') FROM (SELECT json_serialize_sql(CAST(? AS"
                + " VARCHAR)) AS tree)")) {
      parse.setString(1, sql);
      try (ResultSet parsed = parse.executeQuery()) {
        parsed.next();
        if (!"false".equals(parsed.getString(1))) {
          if ("not implemented".equals(parsed.getString(3))) {
            throw new SQLException("only a query that reads is run, such as SELECT or SHOW TABLES");
          }
          throw new SQLException(parsed.getString(2));
        }
        if (parsed.getLong(4) != 1) {
          throw new SQLException("one query at a time is run");
        }
      }
    }
  }

  private static Table run(Connection connection, String sql, int limit) throws SQLException {
    checkReads(connection, sql);
    try (Statement statement = connection.createStatement()) {
      List<String> columns = new ArrayList<>();
      List<List<@Nullable String>> rows = new ArrayList<>();
      boolean complete = true;
      if (statement.execute(sql)) {
        try (ResultSet found = statement.getResultSet()) {
          int width = found.getMetaData().getColumnCount();
          for (int i = 1; i <= width; i++) {
            columns.add(found.getMetaData().getColumnLabel(i));
          }
          while (found.next()) {
            if (rows.size() == limit) {
              complete = false;
              break;
            }
            List<@Nullable String> row = new ArrayList<>();
            for (int i = 1; i <= width; i++) {
              row.add(found.getString(i));
            }
            rows.add(row);
          }
        }
      }
      return new Table(columns, rows, complete);
    }
  }
}
