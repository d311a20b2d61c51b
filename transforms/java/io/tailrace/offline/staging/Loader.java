package io.tailrace.offline.staging;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Finishing;
import io.tailrace.offline.Inserted;
import java.io.Serializable;
import java.util.List;

/**
 * Loads staged files into a store. Not thread-safe. Connects anew by itself when its connection
 * breaks.
 */
public interface Loader extends AutoCloseable {
  /**
   * Loads those of some files that are not in the ledger, creates the tables that they need, and
   * enters them into the ledger: in one transaction with their rows, or behind them. What was
   * refused of files that were there before is told again; their other rows count as known.
   *
   * <p>May be repeated with the same files, and by other owners at the same time, without a reader
   * seeing a row twice: owners are kept apart by a row that each locks in the transaction of its
   * load, or the ids of the rows make the repetition harmless. When it throws, any part may have
   * been loaded.
   *
   * @param stage where the files are
   * @param files of one environment, each once
   * @throws UnavailableException if the store or the stage can't be used now
   */
  Inserted load(Stage.Connection stage, List<StagedFile> files) throws UnavailableException;

  /** Does so and finishes, if it can do that in the transaction of the rows. */
  default Inserted load(Stage.Connection stage, List<StagedFile> files, Finishing finishing)
      throws UnavailableException {
    return load(stage, files);
  }

  /** Returns the ledger. */
  Ledger ledger();

  @Override
  void close();

  /** Opens loaders, each for one thread. Immutable. */
  interface Factory extends Serializable {
    /** Opens a loader, which connects when it is first used. */
    Loader open();
  }
}
