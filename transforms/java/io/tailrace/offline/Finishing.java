package io.tailrace.offline;

import io.tailrace.offline.staging.Ledger;
import java.util.List;

/**
 * What is entered into the store's ledger of files with results in the transaction that makes the
 * last rows of an insert durable, if none of its rows was refused: so that a process that is gone
 * behind it leaves nothing to be loaded again. A store that can't do so leaves it to whoever
 * inserts. Not thread-safe.
 */
public final class Finishing {
  private final String environment;
  private final List<Ledger.Entry> entries;
  private boolean done;

  /** Enters files of an environment. */
  public Finishing(String environment, List<Ledger.Entry> entries) {
    this.environment = environment;
    this.entries = List.copyOf(entries);
  }

  /** Returns whose schema has the ledger. */
  public String environment() {
    return environment;
  }

  /** Returns what is entered. */
  public List<Ledger.Entry> entries() {
    return entries;
  }

  /** Takes note that it is entered, and durable. */
  public void finish() {
    done = true;
  }

  /** Returns whether it is entered. */
  public boolean isDone() {
    return done;
  }
}
