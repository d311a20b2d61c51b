package io.tailrace.online;

import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.UnavailableException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A kind of online store at an address. Immutable and serializable.
 *
 * <p>A store implements it in a folder of its own, with one line in {@link OnlineStores}.
 */
public interface OnlineStore extends Endpoint {
  /** Returns whether it keeps entities of several environments apart; else it holds one of them. */
  default boolean separatesEnvironments() {
    return true;
  }

  /**
   * Returns the same store, told which environments it is for: their places can be looked at before
   * a pipeline starts.
   *
   * @param environments empty: any
   */
  default OnlineStore ofEnvironments(Set<String> environments) {
    return this;
  }

  /** Opens a connection, which is for one thread. */
  Connection connect();

  /** A connection to the store; not thread-safe. Connects anew by itself when it breaks. */
  interface Connection extends AutoCloseable {
    /**
     * Writes entities, each of them atomically, so that for every feature the greatest cell ever
     * written stands. When it returns, every cell has been settled and those written are readable.
     *
     * <p>A store that is down, loading, full or moving is tried again, with growing pauses, for a
     * bounded time. Everything may be written again after an exception.
     *
     * @param writes each for another entity
     * @param nowMicros by which clock a cell has expired
     * @throws UnavailableException if the store can't be written to now; nothing was dropped
     */
    void write(List<EntityWrite> writes, long nowMicros) throws UnavailableException;

    /**
     * Reads every cell of entities, those of deleted and expired features among them. What others
     * have put where an entity would be is passed over.
     *
     * @return for each key, in the same order, the cells by feature name within the namespace
     * @throws UnavailableException if the store can't be read now
     */
    List<Map<String, Cell>> read(List<EntityKey> keys) throws UnavailableException;

    /**
     * Returns what time it is by the store's clock, which the worker's is held against.
     *
     * @throws UnavailableException if the store can't be asked now
     */
    Instant now() throws UnavailableException;

    /** Returns what the store was asked and has charged since this was asked last. */
    default StoreCosts drainCosts() {
      return StoreCosts.NONE;
    }

    @Override
    void close();
  }
}
