package io.tailrace.sql.redshift;

import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import java.util.Locale;
import java.util.Optional;

/**
 * What Redshift does differently. It has no type for UUIDs, and none that holds every JSON text as
 * it is: both are texts. Times are in UTC. Immutable.
 */
public final class RedshiftDialect implements Dialect {
  /** The only one. */
  public static final RedshiftDialect REDSHIFT = new RedshiftDialect();

  /** What a text has at most, in bytes. */
  public static final int TEXT_BYTES = 65_535;

  /** What bytes are at most. */
  public static final int MAX_BYTES = 1_024_000;

  private RedshiftDialect() {}

  @Override
  public String type(ColumnType type) {
    return switch (type) {
      case TEXT, JSON -> "VARCHAR(" + TEXT_BYTES + ")";
      case UUID -> "VARCHAR(36)";
      case BIGINT -> "BIGINT";
      case DOUBLE -> "DOUBLE PRECISION";
      case BOOLEAN -> "BOOLEAN";
      case BYTES -> "VARBYTE(" + MAX_BYTES + ")";
      case TIMESTAMP -> "TIMESTAMP";
      case DATE -> "DATE";
      case TEXTS, FLOATS -> "SUPER";
    };
  }

  /** Returns the type that the catalog's {@code format_type} tells, as {@link #type} has it. */
  public String found(String type) {
    return type.toUpperCase(Locale.ROOT)
        .replace("CHARACTER VARYING", "VARCHAR")
        .replace("BINARY VARYING", "VARBYTE")
        .replace("TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP");
  }

  @Override
  public Optional<String> stamp() {
    return Optional.of("SYSDATE");
  }

  /** A backslash escapes what is behind it. */
  @Override
  public String literal(String text) {
    return '\'' + text.replace("\\", "\\\\").replace("'", "''") + '\'';
  }

  /** It knows no IF NOT EXISTS here: a column that others have added meanwhile is an error. */
  @Override
  public String addColumn(String place, Column column) {
    return "ALTER TABLE "
        + place
        + " ADD COLUMN "
        + quoted(column.name())
        + " "
        + type(column.type());
  }
}
