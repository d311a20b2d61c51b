package io.tailrace.sql.databricks;

import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import java.util.Optional;

/**
 * What Databricks does differently. It has no type for UUIDs, and none that holds every JSON text
 * as it is: both are texts. Immutable.
 */
public final class DatabricksDialect implements Dialect {
  /** The only one. */
  public static final DatabricksDialect DATABRICKS = new DatabricksDialect();

  private DatabricksDialect() {}

  @Override
  public String type(ColumnType type) {
    return switch (type) {
      case TEXT, JSON, UUID -> "STRING";
      case BIGINT -> "BIGINT";
      case DOUBLE -> "DOUBLE";
      case BOOLEAN -> "BOOLEAN";
      case BYTES -> "BINARY";
      case TIMESTAMP -> "TIMESTAMP";
      case DATE -> "DATE";
      case TEXTS -> "ARRAY<STRING>";
      case FLOATS -> "ARRAY<FLOAT>";
    };
  }

  /** None: a column with a default needs a feature of its table that old readers don't know. */
  @Override
  public Optional<String> stamp() {
    return Optional.empty();
  }

  @Override
  public String quoted(String name) {
    return '`' + name.replace("`", "``") + '`';
  }

  /** A backslash escapes what is behind it; two quotes are the end of a text and another. */
  @Override
  public String literal(String text) {
    return '\'' + text.replace("\\", "\\\\").replace("'", "\\'") + '\'';
  }

  /** Whatever is required: the row that keeps owners apart has no more than its key. */
  @Override
  public String definition(Column column) {
    return quoted(column.name()) + " " + type(column.type());
  }

  /** It knows no IF NOT EXISTS here: a column that others have added meanwhile is an error. */
  @Override
  public String addColumn(String place, Column column) {
    return "ALTER TABLE " + place + " ADD COLUMNS (" + definition(column) + ")";
  }
}
