package io.tailrace.sql;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What databases do differently about tables: their words for types, how names and texts are
 * quoted, how a table is created. What is not overridden is what the standard says. Implementations
 * are immutable.
 */
public interface Dialect {
  /** Returns the name of a type, in statements and in what the catalog tells. */
  String type(ColumnType type);

  /**
   * Returns an expression for the time of an insert, which can be a column's default; empty, if
   * this database can't have one there: then every insert says it.
   */
  Optional<String> stamp();

  /** Returns a name as it stands in a statement. */
  default String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  /** Returns a text as it stands in a statement. */
  default String literal(String text) {
    return '\'' + text.replace("'", "''") + '\'';
  }

  /** Returns the definition of a column. */
  default String definition(Column column) {
    return quoted(column.name())
        + " "
        + type(column.type())
        + switch (column.rule()) {
          case REQUIRED -> " NOT NULL";
          case OPTIONAL -> "";
          case STAMPED -> " NOT NULL" + stamp().map(now -> " DEFAULT " + now).orElse("");
        };
  }

  /**
   * Returns the statements that create a table and say whose it is. They fail if there is one of
   * that name, so that of several who create it at once, the database lets one.
   *
   * @param place the table's name with its schema, as it stands in a statement
   */
  default List<String> create(String place, Table table) {
    String key =
        table.key().isNone()
            ? ""
            : table.key().columns().stream()
                .map(this::quoted)
                .collect(Collectors.joining(", ", ", PRIMARY KEY (", ")"));
    String create = "CREATE TABLE " + place + " (" + definitions(table) + key + ")";
    return table
        .label()
        .map(label -> List.of(create, comment(place, label.line())))
        .orElseGet(() -> List.of(create));
  }

  /** Returns the definitions of a table's columns. */
  default String definitions(Table table) {
    return table.columns().stream().map(this::definition).collect(Collectors.joining(", "));
  }

  /** Returns the statement that gives a table a column that may be null. */
  default String addColumn(String place, Column column) {
    return "ALTER TABLE "
        + place
        + " ADD COLUMN IF NOT EXISTS "
        + quoted(column.name())
        + " "
        + type(column.type());
  }

  /** Returns the statement that gives a table a comment. */
  default String comment(String place, String comment) {
    return "COMMENT ON TABLE " + place + " IS " + literal(comment);
  }
}
