package io.tailrace.bus;

/**
 * Publishes single messages to a bus, for programs that are no pipeline. Opened by {@link
 * Bus#publisher}. Not thread-safe.
 */
public interface BusPublisher extends AutoCloseable {
  /**
   * Publishes a message; it may still be on its way when this returns.
   *
   * @throws BusException if this message, or one before it, can't be published
   */
  void publish(OutgoingMessage message) throws BusException;

  /**
   * Returns when the bus has confirmed every message.
   *
   * @throws BusException if one can't be published
   */
  void flush() throws BusException;

  /** Ends at once; what was not flushed may be lost. */
  @Override
  void close();
}
