package io.tailrace.offline;

import io.tailrace.v1.DeadLetter.Reason;
import java.util.List;
import java.util.Map;

/**
 * What became of files that were inserted together. Immutable.
 *
 * @param rows observations and deletions
 * @param queries rows of the log of queries
 * @param tables how many tables got rows
 * @param rejected rows that the store can't hold; the others of their files were inserted
 * @param refused files that the store refuses as a whole, by their positions in the list: each with
 *     a sentence that says why
 */
public record Inserted(
    Count rows, Count queries, long tables, List<Rejected> rejected, Map<Integer, String> refused) {
  /** No files. */
  public static final Inserted NOTHING =
      new Inserted(Count.NONE, Count.NONE, 0, List.of(), Map.of());

  /** Copies the collections. */
  public Inserted {
    rejected = List.copyOf(rejected);
    refused = Map.copyOf(refused);
  }

  /** Returns whether all rows are in the store. */
  public boolean isWhole() {
    return rejected.isEmpty() && refused.isEmpty();
  }

  /**
   * How many rows there were.
   *
   * @param inserted how many are new in the store
   * @param duplicates how many were there before, or more than once in the files
   * @param known how many were not looked at, as their files had been loaded before
   */
  public record Count(long inserted, long duplicates, long known) {
    /** No rows. */
    public static final Count NONE = new Count(0, 0);

    /** Of files that were not there before. */
    public Count(long inserted, long duplicates) {
      this(inserted, duplicates, 0);
    }

    Count plus(long moreInserted, long moreDuplicates) {
      return new Count(inserted + moreInserted, duplicates + moreDuplicates, known);
    }

    /** Returns these rows and others, of files that had been loaded before. */
    public Count andKnown(long rows) {
      return new Count(inserted, duplicates, known + rows);
    }
  }

  /**
   * Rows of a file that have something in common and can't be stored.
   *
   * @param file the position of their file in the list
   * @param message why, such as {@code value has a NUL character, which PostgreSQL's text can't
   *     hold}
   */
  public record Rejected(int file, Reason reason, RowNumbers rows, String message) {
    /** Returns the same rows of a file at another position. */
    public Rejected of(int otherFile) {
      return new Rejected(otherFile, reason, rows, message);
    }

    /** Returns these rows and others. */
    public Rejected and(RowNumbers others) {
      return new Rejected(file, reason, rows.and(others), message);
    }
  }
}
