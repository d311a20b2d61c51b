package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.ObservationFile;
import java.io.Serializable;
import java.util.List;

/**
 * Inserts files into an offline store. Not thread-safe. Connects anew by itself when its connection
 * breaks.
 */
public interface InsertSession extends AutoCloseable {
  /**
   * Inserts the rows of files that are not there yet, by {@code observation_id}, or {@code
   * operation_id} for the log of queries, and creates the tables that they need. When it returns,
   * they are durable and readable, but for those that the answer names. Of rows with the same id,
   * the greatest stands: a deletion before a null before a value, then by the bytes of the value.
   *
   * <p>May be repeated with the same files, and by others at the same time, without a reader seeing
   * a row twice. When it throws, any part of the files may have been inserted.
   *
   * @param files of any environments, kinds and types
   * @throws UnavailableException if the store can't be used now
   */
  Inserted insert(List<ObservationFile> files) throws UnavailableException;

  /**
   * Does so and finishes, if it can do that in the transaction of the last rows.
   *
   * @param finishing is told when it is done; what was not is left to the caller
   */
  default Inserted insert(List<ObservationFile> files, Finishing finishing)
      throws UnavailableException {
    return insert(files);
  }

  @Override
  void close();

  /** Opens sessions, each for one thread. Immutable. */
  interface Factory extends Serializable {
    /** Opens a session, which connects when it is first used. */
    InsertSession open();
  }
}
