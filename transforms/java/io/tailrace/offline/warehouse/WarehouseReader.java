package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.sql.ReadingText;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads a warehouse, each query in a session of its own; what is not one statement that reads is
 * refused before it is sent. Times are written as instants, bytes in hexadecimal digits. Immutable.
 *
 * @param before what is run first, so that the query can change nothing
 * @param times reads times
 */
public record WarehouseReader(WarehouseServer server, List<String> before, Times times)
    implements OfflineReader {
  /** How a driver tells times. */
  @FunctionalInterface
  public interface Times {
    /** For drivers that know in which zone a session's times are. */
    Times OF_SESSION =
        (row, type, column) ->
            Optional.ofNullable(row.getTimestamp(column)).map(Timestamp::toInstant);

    /**
     * Returns a time; empty: null.
     *
     * @param type one of JDBC's, with a zone or without
     */
    Optional<Instant> at(ResultSet row, int type, int column) throws SQLException;
  }

  @Override
  public String uri() {
    return server.text();
  }

  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    Optional<String> whyNot = ReadingText.whyNot(sql);
    if (whyNot.isPresent()) {
      throw new UnavailableException(uri() + ": " + whyNot.get());
    }
    try (WarehouseSession session = new WarehouseSession(server)) {
      return session.require(
          statements -> {
            for (String each : before) {
              statements.execute(each);
            }
            try (Statement statement = statements.connection().createStatement();
                ResultSet found = statement.executeQuery(sql)) {
              ResultSetMetaData facts = found.getMetaData();
              List<String> columns = new ArrayList<>();
              for (int i = 1; i <= facts.getColumnCount(); i++) {
                columns.add(facts.getColumnLabel(i).toLowerCase(Locale.ROOT));
              }
              List<List<@Nullable String>> rows = new ArrayList<>();
              boolean more = found.next();
              while (more && rows.size() < limit) {
                List<@Nullable String> row = new ArrayList<>();
                for (int i = 1; i <= columns.size(); i++) {
                  row.add(text(found, facts.getColumnType(i), i));
                }
                rows.add(row);
                more = found.next();
              }
              return new Table(columns, rows, !more);
            }
          });
    }
  }

  private @Nullable String text(ResultSet row, int type, int column) throws SQLException {
    switch (type) {
      case Types.TIMESTAMP, Types.TIMESTAMP_WITH_TIMEZONE -> {
        return times.at(row, type, column).map(Instant::toString).orElse(null);
      }
      case Types.BINARY, Types.VARBINARY, Types.LONGVARBINARY -> {
        byte[] bytes = row.getBytes(column);
        return bytes == null ? null : HexFormat.of().formatHex(bytes);
      }
      case Types.BOOLEAN, Types.BIT -> {
        boolean value = row.getBoolean(column);
        return row.wasNull() ? null : Boolean.toString(value);
      }
      default -> {
        return row.getString(column);
      }
    }
  }
}
