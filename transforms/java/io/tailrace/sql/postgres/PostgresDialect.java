package io.tailrace.sql.postgres;

import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import io.tailrace.sql.Table;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What PostgreSQL does differently. Immutable. */
public final class PostgresDialect implements Dialect {
  /** The only one. */
  public static final PostgresDialect POSTGRES = new PostgresDialect();

  private PostgresDialect() {}

  /** Returns the name of a type as {@code format_type} has it. */
  @Override
  public String type(ColumnType type) {
    return switch (type) {
      case TEXT -> "text";
      case BIGINT -> "bigint";
      case DOUBLE -> "double precision";
      case BOOLEAN -> "boolean";
      case BYTES -> "bytea";
      case UUID -> "uuid";
      case TIMESTAMP -> "timestamp with time zone";
      case DATE -> "date";
      case JSON -> "json";
      case TEXTS -> "text[]";
      case FLOATS -> "real[]";
    };
  }

  /**
   * Texts that are in an index are compared as bytes: what a locale makes of them changes with the
   * operating system, and the index would not find its rows any more.
   */
  @Override
  public String definitions(Table table) {
    Set<String> indexed = new HashSet<>(table.key().columns());
    table.layout().indexes().forEach(indexed::addAll);
    return table.columns().stream()
        .map(
            column ->
                column.type() == ColumnType.TEXT && indexed.contains(column.name())
                    ? definition(column)
                        .replaceFirst(
                            " " + type(ColumnType.TEXT),
                            " " + type(ColumnType.TEXT) + " COLLATE \"C\"")
                    : definition(column))
        .collect(Collectors.joining(", "));
  }

  @Override
  public Optional<String> stamp() {
    return Optional.of("clock_timestamp()");
  }

  /** Returns the name of a table in a schema as it stands in a statement. */
  public String place(String schema, String table) {
    return quoted(schema) + "." + quoted(table);
  }
}
