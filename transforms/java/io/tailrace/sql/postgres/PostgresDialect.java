package io.tailrace.sql.postgres;

import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import java.util.Optional;

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

  @Override
  public Optional<String> stamp() {
    return Optional.of("clock_timestamp()");
  }

  /** Returns the name of a table in a schema as it stands in a statement. */
  public String place(String schema, String table) {
    return quoted(schema) + "." + quoted(table);
  }
}
