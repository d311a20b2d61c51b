package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;

/**
 * Encodes what was decoded from a message as the message that carried it: nothing is smaller, and
 * the bytes mean the same to every version. Deterministic.
 */
public abstract class MessageCoder<T> extends AtomicCoder<T> {
  private static final long serialVersionUID = 1;

  /** Returns the message that carried a value. */
  protected abstract BusMessage message(T value);

  /** Decodes a message. */
  protected abstract T decode(BusMessage message) throws InvalidMessageException;

  @Override
  public void encode(T value, OutputStream out) throws IOException {
    BusMessageCoder.of().encode(message(value), out);
  }

  @Override
  public T decode(InputStream in) throws IOException {
    try {
      return decode(BusMessageCoder.of().decode(in));
    } catch (InvalidMessageException e) {
      throw new IOException("what was encoded no longer decodes", e);
    }
  }

  @Override
  public final void verifyDeterministic() {}
}
