package io.tailrace.offline.warehouse;

import io.tailrace.sql.FoundTable;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a warehouse's catalog tells of tables and views, whose names are in small letters here,
 * however it folds them. Stateless and thread-safe.
 */
final class FoundTables {
  private record ColumnOf(String table, String column, String type) {}

  private FoundTables() {}

  private static String texts(WarehouseDialect dialect, Collection<String> names) {
    return names.stream()
        .map(name -> dialect.sql().literal(dialect.inCatalog(name)))
        .collect(Collectors.joining(", "));
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  /** Returns tables and views with their comments, without their columns. */
  static Map<String, FoundTable> named(
      WarehouseDialect dialect, Statements statements, String schema, Collection<String> names)
      throws SQLException {
    Map<String, FoundTable> found = new HashMap<>();
    statements
        .query(
            dialect.selectTables(dialect.inCatalog(schema), texts(dialect, names)),
            row ->
                Map.entry(
                    lower(row.getString(1)),
                    new FoundTable(
                        dialect.kind(row.getString(2)),
                        Map.of(),
                        Set.of(),
                        row.getString(3) == null ? "" : row.getString(3))))
        .forEach(entry -> found.put(entry.getKey(), entry.getValue()));
    return found;
  }

  /** Returns tables with their columns, which are not asked for where there is none. */
  static Map<String, FoundTable> withColumns(
      WarehouseDialect dialect, Statements statements, String schema, Collection<String> names)
      throws SQLException {
    Map<String, FoundTable> found = named(dialect, statements, schema, names);
    if (found.isEmpty()) {
      return found;
    }
    Map<String, Map<String, String>> columns = new HashMap<>();
    for (ColumnOf column :
        statements.query(
            dialect.selectColumns(dialect.inCatalog(schema), texts(dialect, names)),
            row ->
                new ColumnOf(
                    lower(row.getString(1)), lower(row.getString(2)), dialect.found(row)))) {
      columns
          .computeIfAbsent(column.table, unused -> new HashMap<>())
          .put(column.column, column.type);
    }
    found.replaceAll(
        (name, table) ->
            new FoundTable(
                table.kind(), columns.getOrDefault(name, Map.of()), Set.of(), table.comment()));
    return found;
  }
}
