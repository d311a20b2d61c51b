package io.tailrace.offline.bulk;

import io.tailrace.offline.InsertSession;
import io.tailrace.offline.staging.Ledger;
import java.io.Serializable;

/**
 * What a store loads files with results by: the three things in which stores differ. All else, what
 * is loaded once, what is refused and how it is told, is {@link LoadResultFiles}. Not thread-safe.
 * Connects anew by itself when its connection breaks.
 *
 * @param wide loads files by the store's own means
 * @param rows inserts the rows of what it leaves, which are decoded here
 * @param ledger knows which files were loaded
 */
public record BulkLoader(WideLoads wide, InsertSession rows, Ledger.Book ledger)
    implements AutoCloseable {
  /** Opens loaders, each for one thread. Immutable. */
  public interface Factory extends Serializable {
    /** Opens a loader, which connects when it is first used. */
    BulkLoader open();
  }

  @Override
  public void close() {
    wide.close();
    rows.close();
  }
}
