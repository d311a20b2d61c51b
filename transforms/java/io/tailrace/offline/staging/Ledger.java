package io.tailrace.offline.staging;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted.Rejected;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which staged files a store has loaded, and what it refused of them: kept in the store itself, so
 * that it never says what the tables don't. A file that is entered is never loaded again, and tells
 * what was refused of it as often as it is asked. Not thread-safe.
 */
public interface Ledger {
  /**
   * Returns those of some files that are entered, by their names.
   *
   * @throws UnavailableException if the store can't be used now
   */
  Map<String, Entry> find(String environment, Collection<String> names) throws UnavailableException;

  /**
   * Forgets what was loaded before a time: its files were deleted long ago.
   *
   * @throws UnavailableException if the store can't be used now
   */
  void forget(String environment, Instant before) throws UnavailableException;

  /**
   * A file that was loaded. Immutable.
   *
   * @param rejected rows of it that were not; the file's position is zero
   * @param refused why nothing of it was
   */
  record Entry(String name, Instant loadedAt, List<Rejected> rejected, Optional<String> refused) {
    /** Copies the list. */
    public Entry {
      rejected = List.copyOf(rejected);
    }

    /** Returns whether everything in the file was loaded. */
    public boolean isWhole() {
      return rejected.isEmpty() && refused.isEmpty();
    }
  }

  /** A ledger that a loader enters files into by itself, when their rows are durable. */
  interface Book extends Ledger {
    /**
     * Enters files. What another owner has entered meanwhile stands.
     *
     * @throws UnavailableException if the store can't be used now; then any part may be entered
     */
    void enter(String environment, List<Entry> entries) throws UnavailableException;
  }
}
