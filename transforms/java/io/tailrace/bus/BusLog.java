package io.tailrace.bus;

import io.tailrace.endpoint.UnavailableException;
import java.util.function.Predicate;

/**
 * A topic as a command sees it that looks through it and ends: what was there when it was opened.
 * Opened by {@link Bus#log}. Nobody else's reading is disturbed. Not thread-safe.
 */
public interface BusLog extends AutoCloseable {
  /** Is shown one message after the other. */
  interface Visitor {
    /**
     * Looks at a message.
     *
     * @return whether to go on with the next one
     * @throws UnavailableException if it can't be dealt with; nothing is shown after that
     */
    boolean visit(BusMessage message) throws UnavailableException;
  }

  /** Returns what the bus said of the topic when this was opened. */
  BusFacts facts();

  /**
   * Shows every message that was there when this was opened, those of a partition in their order;
   * each time anew. At most what one poll brings is in memory.
   *
   * @throws UnavailableException if the bus does not answer for a minute, or as the visitor says
   */
  void read(Visitor visitor) throws UnavailableException;

  /**
   * Shows what has come since this was opened, or since the last call.
   *
   * @throws UnavailableException as {@link #read}
   */
  void readNews(Visitor visitor) throws UnavailableException;

  /**
   * Publishes a note about a message of this log, a message without key and value, where the bus
   * forgets it no sooner than that; it may still be on its way when this returns.
   *
   * @throws UnavailableException if this note, or one before it, can't be published
   */
  void note(Place about, Headers note) throws UnavailableException;

  /**
   * Returns when the bus has confirmed every note.
   *
   * @throws UnavailableException if one can't be published
   */
  void flush() throws UnavailableException;

  /**
   * Returns of which places of this topic a group has said, until now, that it is done with them.
   *
   * @throws UnavailableException if the bus does not answer, or does not know
   */
  Predicate<Place> settledBy(String group) throws UnavailableException;

  /** Ends at once; what was not flushed may be lost. */
  @Override
  void close();
}
