package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted.Rejected;
import java.util.List;

/**
 * A connection to a store that takes files of one kind and type at a time, into tables that are
 * there; {@link GroupedInserts} makes a session of it. Not thread-safe. Connects anew by itself
 * when it breaks.
 */
public interface BatchConnection extends Catalog {
  /**
   * Inserts the rows of files that are not there yet, as {@link InsertSession#insert} does.
   *
   * @throws ContentRejectedException if the store refuses the content of one of the files
   * @throws UnavailableException if the store can't be used now
   */
  BatchInserted insert(FileBatch batch) throws ContentRejectedException, UnavailableException;

  /**
   * What became of a batch.
   *
   * @param rows how many rows are new in the store
   * @param duplicates how many were there before, or more than once in the batch
   * @param rejected rows that the store can never hold, by the positions of their files in the
   *     batch; the others were inserted
   */
  record BatchInserted(long rows, long duplicates, List<Rejected> rejected) {}
}
