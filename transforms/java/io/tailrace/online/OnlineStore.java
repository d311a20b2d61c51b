package io.tailrace.online;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * A kind of online store at an address. Immutable and serializable; holds no secret, only where one
 * is.
 */
public interface OnlineStore extends Serializable {
  /** Returns the address, without secrets. */
  String uri();

  /**
   * Checks that the store can be reached and used as configured.
   *
   * @throws OnlineStoreException with one sentence that names the store and the correction
   */
  void check() throws OnlineStoreException;

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
     * @throws OnlineStoreException if the store can't be written to now; nothing was dropped
     */
    void write(List<EntityWrite> writes, long nowMicros) throws OnlineStoreException;

    /**
     * Reads every cell of entities, those of deleted and expired features among them.
     *
     * @return for each key, in the same order, the cells by feature name within the namespace
     * @throws OnlineStoreException if the store can't be read now
     */
    List<Map<String, Cell>> read(List<EntityKey> keys) throws OnlineStoreException;

    @Override
    void close();
  }
}
