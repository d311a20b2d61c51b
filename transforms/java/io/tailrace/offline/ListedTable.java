package io.tailrace.offline;

import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Key;
import io.tailrace.sql.Label;
import io.tailrace.sql.Table;
import io.tailrace.sql.Tables;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A row of {@code feature_tables}, the list of features' tables that people read: a copy of what
 * the tables say of themselves. Immutable.
 *
 * @param table the name of the table
 * @param namespace the namespace of its feature
 * @param name the feature's name within that; empty for the entities themselves
 * @param keyType {@code string} or {@code int64}
 * @param valueType such as {@code float64}; empty while only deletions were recorded
 */
public record ListedTable(
    String table, String namespace, String name, String keyType, String valueType) {
  /** The list, as it is created. */
  public static final Table LIST =
      new Table(
          "feature_tables",
          List.of(
              Column.required("table_name", ColumnType.TEXT),
              Column.required("namespace", ColumnType.TEXT),
              Column.required("name", ColumnType.TEXT),
              Column.required("key_type", ColumnType.TEXT),
              Column.optional("value_type", ColumnType.TEXT)),
          Key.of("table_name"));

  static final String NAMESPACE = "namespace";
  static final String NAME = "name";
  static final String KEY = "key";
  static final String VALUE = "value";

  /** Returns the row of a table that says something of itself; see {@link Label#in}. */
  static ListedTable of(String table, Map<String, String> said) {
    return new ListedTable(
        table, text(said, NAMESPACE), text(said, NAME), text(said, KEY), text(said, VALUE));
  }

  /** A text of PostgreSQL has no such character. */
  private static String text(Map<String, String> said, String entry) {
    return said.getOrDefault(entry, "").replace('\0', '\ufffd');
  }

  boolean isOf(FeatureTable other) {
    ListedTable own = of(table, OfflineTables.label(other).owner());
    return namespace.equals(own.namespace) && name.equals(own.name);
  }

  /** Returns the feature's whole name. */
  String feature() {
    return namespace + "." + name;
  }

  /**
   * Reads the rows of some tables. A list of somebody else's has none.
   *
   * @param found what there is, by name
   * @param place the list's name with its schema, as it stands in a statement
   */
  public static Map<String, ListedTable> read(
      Dialect dialect,
      Statement statement,
      Map<String, FoundTable> found,
      String place,
      Collection<String> tables)
      throws SQLException {
    Map<String, ListedTable> listed = new HashMap<>();
    Tables list = Tables.compare(dialect, List.of(LIST), found);
    if (tables.isEmpty() || !list.missing().isEmpty() || !list.conflicts().isEmpty()) {
      return listed;
    }
    String query =
        tables.stream()
            .map(dialect::literal)
            .collect(
                Collectors.joining(
                    ", ",
                    "SELECT " + LIST.names() + " FROM " + place + " WHERE table_name IN (",
                    ")"));
    try (ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        String value = rows.getString(5);
        ListedTable row =
            new ListedTable(
                rows.getString(1),
                rows.getString(2),
                rows.getString(3),
                rows.getString(4),
                value == null ? "" : value);
        listed.put(row.table, row);
      }
    }
    return listed;
  }

  /**
   * Returns the statement that writes rows, in the place of those that are there.
   *
   * @param place the list's name with its schema, as it stands in a statement
   */
  public static String write(Dialect dialect, String place, List<ListedTable> rows) {
    return rows.stream()
        .map(row -> row.values(dialect))
        .collect(
            Collectors.joining(
                ", ",
                "INSERT INTO " + place + " (" + LIST.names() + ") VALUES ",
                " ON CONFLICT (table_name) DO UPDATE SET namespace = excluded.namespace,"
                    + " name = excluded.name, key_type = excluded.key_type,"
                    + " value_type = excluded.value_type"));
  }

  private String values(Dialect dialect) {
    String known =
        Stream.of(table, namespace, name, keyType)
            .map(dialect::literal)
            .collect(Collectors.joining(", ", "(", ", "));
    return known + (valueType.isEmpty() ? "NULL" : dialect.literal(valueType)) + ")";
  }
}
