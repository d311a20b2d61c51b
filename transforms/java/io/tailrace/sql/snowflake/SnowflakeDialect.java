package io.tailrace.sql.snowflake;

import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import java.util.Locale;
import java.util.Optional;

/**
 * What Snowflake does differently. Names are in upper case, to which it folds those that are not
 * quoted: so nobody has to quote them. Immutable.
 */
public final class SnowflakeDialect implements Dialect {
  /** The only one. */
  public static final SnowflakeDialect SNOWFLAKE = new SnowflakeDialect();

  private SnowflakeDialect() {}

  @Override
  public String type(ColumnType type) {
    return switch (type) {
      case TEXT -> "VARCHAR";
      case BIGINT -> "NUMBER(19,0)";
      case DOUBLE -> "FLOAT";
      case BOOLEAN -> "BOOLEAN";
      case BYTES, UUID -> "BINARY";
      // A moment: sessions in every time zone compare it rightly.
      case TIMESTAMP -> "TIMESTAMP_LTZ(6)";
      case DATE -> "DATE";
      case JSON -> "VARIANT";
      // A VECTOR has one dimension for all of its rows.
      case TEXTS, FLOATS -> "ARRAY";
    };
  }

  /**
   * Returns the type that {@code INFORMATION_SCHEMA.COLUMNS} tells, as {@link #type} has it.
   *
   * @param scale digits behind the point of a number; zero for others
   */
  public String found(String type, int scale) {
    return switch (type) {
      case "TEXT" -> "VARCHAR";
      case "NUMBER" -> scale == 0 ? "NUMBER(19,0)" : "NUMBER(38," + scale + ")";
      case "TIMESTAMP_LTZ" -> "TIMESTAMP_LTZ(6)";
      default -> type;
    };
  }

  /** None: it would have to be of the same type to the digit, and every insert says it anyway. */
  @Override
  public Optional<String> stamp() {
    return Optional.empty();
  }

  @Override
  public String quoted(String name) {
    return '"' + name.toUpperCase(Locale.ROOT).replace("\"", "\"\"") + '"';
  }

  /** A backslash escapes what is behind it. */
  @Override
  public String literal(String text) {
    return '\'' + text.replace("\\", "\\\\").replace("'", "''") + '\'';
  }
}
