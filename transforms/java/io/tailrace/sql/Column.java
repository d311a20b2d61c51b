package io.tailrace.sql;

import com.google.errorprone.annotations.Immutable;

/**
 * A column as somebody wants it to be. Immutable.
 *
 * @param name its name
 * @param type what it holds
 * @param rule what becomes of rows that do not give it
 */
@Immutable
public record Column(String name, ColumnType type, Rule rule) {
  /** What becomes of rows that do not give a column. */
  public enum Rule {
    /** They are refused. A table without it is not the one that is wanted. */
    REQUIRED,
    /** They have null. A table without it gets it: whatever a later version adds is optional. */
    OPTIONAL,
    /** They get the time at which they are inserted, where the database can say it for them. */
    STAMPED
  }

  /** Returns a column that every row gives. */
  public static Column required(String name, ColumnType type) {
    return new Column(name, type, Rule.REQUIRED);
  }

  /** Returns a column that may be null. */
  public static Column optional(String name, ColumnType type) {
    return new Column(name, type, Rule.OPTIONAL);
  }

  /** Returns a column for the time at which a row is inserted. */
  public static Column stamped(String name) {
    return new Column(name, ColumnType.TIMESTAMP, Rule.STAMPED);
  }

  /** Returns whether a table without it gets it. */
  public boolean isOptional() {
    return rule == Rule.OPTIONAL;
  }
}
