package io.tailrace.sql;

/**
 * Why a table that is there is not the one that is wanted. Immutable.
 *
 * @param kind in what they differ
 * @param column the column in which they differ; empty, if it is the table
 * @param found what is there; empty: nothing
 * @param wanted what should be there
 */
public record Conflict(Kind kind, String column, String found, String wanted) {
  /** In what they differ. */
  public enum Kind {
    /** It belongs to somebody else. */
    OWNER,
    /** It is no table. */
    NO_TABLE,
    /** A column is of another type, or is not there. */
    COLUMN,
    /** It does not keep rows apart by their key. */
    KEY
  }

  /** Returns a part of a sentence, such as {@code has value bigint, not double precision}. */
  @Override
  public String toString() {
    return switch (kind) {
      case OWNER -> "belongs to " + found + ", not to " + wanted;
      case NO_TABLE -> "is no table";
      case COLUMN ->
          found.isEmpty()
              ? "lacks the column " + column
              : "has " + column + " " + found + ", not " + wanted;
      case KEY -> "has no primary key on " + wanted;
    };
  }
}
