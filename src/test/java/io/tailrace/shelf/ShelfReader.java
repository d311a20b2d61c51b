package io.tailrace.shelf;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;

/** Reads the shelf. */
record ShelfReader(String uri, ShelfDatabase database) implements OfflineReader {
  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    return database.transaction(
        statement -> {
          List<String> columns = new ArrayList<>();
          List<List<String>> rows = new ArrayList<>();
          try (ResultSet found = statement.executeQuery(sql)) {
            int width = found.getMetaData().getColumnCount();
            for (int i = 1; i <= width; i++) {
              columns.add(found.getMetaData().getColumnLabel(i));
            }
            while (found.next()) {
              List<String> row = new ArrayList<>();
              for (int i = 1; i <= width; i++) {
                row.add(found.getString(i));
              }
              rows.add(row);
            }
          }
          boolean complete = rows.size() <= limit;
          return new Table(columns, complete ? rows : rows.subList(0, limit), complete);
        });
  }
}
