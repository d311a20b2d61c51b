package io.tailrace.bus.directory;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;

/** Publishes to a directory; a message is there when {@link #publish} returns. */
final class DirectoryPublisher implements BusPublisher {
  private final DirectoryBus bus;

  DirectoryPublisher(DirectoryBus bus) {
    this.bus = bus;
  }

  @Override
  public void publish(OutgoingMessage message) throws UnavailableException {
    try {
      bus.files().append(message);
    } catch (IOException e) {
      throw new UnavailableException(bus.name() + ": a message can't be published: " + e, e);
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
