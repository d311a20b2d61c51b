package io.tailrace.bus;

import io.tailrace.endpoint.UnavailableException;
import java.util.function.Consumer;

/**
 * Publishes single messages to a bus, for programs that are no pipeline. Opened by {@link
 * Bus#publisher}. Not thread-safe.
 */
public interface BusPublisher extends AutoCloseable {
  /**
   * Publishes a message; it may still be on its way when this returns.
   *
   * @throws UnavailableException if this message, or one before it, can't be published
   */
  void publish(OutgoingMessage message) throws UnavailableException;

  /**
   * Publishes a message and tells where it is.
   *
   * @param taken gets its place, perhaps in another thread, before {@link #flush} returns; nothing
   *     on a bus that does not tell
   * @throws UnavailableException as {@link #publish(OutgoingMessage)}
   */
  default void publish(OutgoingMessage message, Consumer<Place> taken) throws UnavailableException {
    publish(message);
  }

  /**
   * Returns when the bus has confirmed every message.
   *
   * @throws RefusedMessageException if one is not taken for what it is; others may be there
   * @throws UnavailableException if one can't be published
   */
  void flush() throws UnavailableException;

  /** Ends at once; what was not flushed may be lost. */
  @Override
  void close();
}
