package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The tables of an offline store, as they are and as somebody wants them to be. Not thread-safe.
 * Connects anew by itself when its connection breaks.
 */
public interface Catalog extends AutoCloseable {
  /**
   * Creates what is missing of an environment's schema, its log of queries and tables of features,
   * in as few calls as the store allows. Safe when many do so at once. A table that has no values
   * yet gets them when they are wanted; nothing is altered otherwise.
   *
   * @return what is there and can't hold what is wanted, or can't be created; {@link
   *     FeatureTable#LOG} stands for the log of queries
   * @throws ContentRejectedException if a definition can never work
   * @throws UnavailableException if the store can't be used now
   */
  List<Conflict> create(String environment, List<FeatureTable> tables)
      throws ContentRejectedException, UnavailableException;

  @Override
  void close();

  /**
   * A table that is there and can't hold what is wanted of it. Immutable.
   *
   * @param table as it is wanted
   * @param reason what becomes of its rows
   * @param differences at least one
   */
  record Conflict(FeatureTable table, Reason reason, List<Difference> differences) {
    /** Copies the list. */
    public Conflict {
      differences = List.copyOf(differences);
    }

    /** Keys or values of another type. */
    public static Conflict ofTypes(FeatureTable table, List<Difference> differences) {
      return new Conflict(table, Reason.TYPE_CHANGED, differences);
    }

    /**
     * The table's name is that of another feature's.
     *
     * @param namespace whose the table is
     * @param name whose the table is
     */
    public static Conflict ofOwner(FeatureTable table, String namespace, String name) {
      return new Conflict(
          table,
          Reason.NAME_TAKEN,
          List.of(Difference.ofTable("belongs to the feature " + namespace + "." + name)));
    }

    /** The table itself is not what it should be, or can't be made so. */
    public static Conflict ofTable(FeatureTable table, String words) {
      return new Conflict(table, Reason.TABLE_REFUSES, List.of(Difference.ofTable(words)));
    }

    /** Returns a part of a sentence, such as {@code has value BIGINT, not DOUBLE}. */
    public String words() {
      return Difference.words(differences);
    }

    /** Says what is wrong with the table, and what to do. */
    public String sentence() {
      return "its table "
          + table.table()
          + " "
          + words()
          + switch (reason) {
            case NAME_TAKEN -> "; publish this one under another name, or rename the table";
            case TYPE_CHANGED ->
                "; publish the new type under another feature name, or rename the old table";
            default -> "; mend it, or rename it and another one is created, and replay this letter";
          };
    }
  }

  /**
   * What a table has instead of what is wanted. Immutable.
   *
   * @param column empty where the table itself is not what it should be
   * @param found the column's type, empty if there is no such column; of the table itself a part of
   *     a sentence, such as {@code is no table}
   * @param wanted the type that is wanted; empty for the table itself
   */
  record Difference(String column, String found, String wanted) {
    /** Returns a part of a sentence about several. */
    public static String words(List<Difference> differences) {
      return differences.stream().map(Difference::words).collect(Collectors.joining(" and "));
    }

    /** Something about the table itself. */
    public static Difference ofTable(String words) {
      return new Difference("", words, "");
    }

    /** Returns a part of a sentence, such as {@code has value BIGINT, not DOUBLE}. */
    public String words() {
      if (column.isEmpty()) {
        return found;
      }
      return found.isEmpty()
          ? "lacks the column " + column
          : "has " + column + " " + found + ", not " + wanted;
    }
  }
}
