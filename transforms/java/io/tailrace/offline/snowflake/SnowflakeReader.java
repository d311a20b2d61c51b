package io.tailrace.offline.snowflake;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.warehouse.WarehouseSession;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads Snowflake, each query in a session of its own. Immutable. */
record SnowflakeReader(SnowflakeServer server) implements OfflineReader {
  @Override
  public String uri() {
    return server.text();
  }

  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    try (WarehouseSession session = new WarehouseSession(server)) {
      return session.require(
          statements -> {
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

  private static @Nullable String text(ResultSet row, int type, int column) throws SQLException {
    switch (type) {
      case Types.TIMESTAMP, Types.TIMESTAMP_WITH_TIMEZONE -> {
        Timestamp time = row.getTimestamp(column);
        return time == null ? null : time.toInstant().toString();
      }
      case Types.BINARY, Types.VARBINARY -> {
        byte[] bytes = row.getBytes(column);
        return bytes == null ? null : HexFormat.of().formatHex(bytes);
      }
      case Types.BOOLEAN -> {
        boolean value = row.getBoolean(column);
        return row.wasNull() ? null : Boolean.toString(value);
      }
      default -> {
        return row.getString(column);
      }
    }
  }
}
