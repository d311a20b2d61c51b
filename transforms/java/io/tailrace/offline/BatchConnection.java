package io.tailrace.offline;

import com.google.common.collect.ImmutableList;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted.Rejected;
import java.time.Duration;
import java.util.List;

/**
 * A connection to a store that takes files of one kind and type at a time, into tables that are
 * there; {@link GroupedInserts} makes a session of it. Not thread-safe. Connects anew by itself
 * when it breaks.
 */
public interface BatchConnection extends Catalog {
  /**
   * Inserts the rows of files that are not there yet, as {@link InsertSession#insert} does. A table
   * that refuses its rows keeps no other from taking theirs.
   *
   * @throws ContentRejectedException if the store refuses the content of one of the files
   * @throws UnavailableException if the store can't be used now
   */
  BatchInserted insert(FileBatch batch) throws ContentRejectedException, UnavailableException;

  /** Does so and finishes, if it can do that in the transaction of the last rows. */
  default BatchInserted insert(FileBatch batch, Finishing finishing)
      throws ContentRejectedException, UnavailableException {
    return insert(batch);
  }

  /**
   * Returns whether the store takes a row into a table of the writer's own: if it does not, it is
   * not for one table that others refuse theirs.
   *
   * @throws UnavailableException if the store can't be used now
   */
  boolean takesRows(String environment) throws UnavailableException;

  /**
   * Deletes the rows of a table that were inserted before, so that it does not grow for ever. A
   * store that can't, or not at little cost, keeps them.
   *
   * @param age of what is deleted, at least
   * @throws UnavailableException if they can't be deleted now
   */
  default void deleteOld(String environment, String table, Duration age)
      throws UnavailableException {}

  /** Returns for how long a table that refuses its rows is tried again with them. */
  Duration patience();

  /**
   * What became of a batch.
   *
   * @param rows how many rows are new in the store
   * @param duplicates how many were there before, or more than once in the batch
   * @param rejected rows that were not inserted, by the positions of their files in the batch; the
   *     others of their tables were
   * @param sick tables that refuse rows whichever they are
   * @param conflicts tables that are not any more as they were wanted, of which no row was inserted
   */
  record BatchInserted(
      long rows,
      long duplicates,
      List<Rejected> rejected,
      List<SickTable> sick,
      List<Conflict> conflicts) {
    /** Copies the collections. */
    public BatchInserted {
      rejected = ImmutableList.copyOf(rejected);
      sick = ImmutableList.copyOf(sick);
      conflicts = ImmutableList.copyOf(conflicts);
    }

    /** Of tables that are all well. */
    public BatchInserted(long rows, long duplicates, List<Rejected> rejected) {
      this(rows, duplicates, rejected, List.of(), List.of());
    }
  }

  /**
   * A table that refuses rows whichever they are, while the store may take others.
   *
   * @param table its name
   * @param why a part of a sentence
   * @param rows those that were not inserted
   */
  record SickTable(String table, String why, List<Rejected> rows) {
    /** Copies the list. */
    public SickTable {
      rows = ImmutableList.copyOf(rows);
    }
  }
}
