package io.tailrace.bus;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Map;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.apache.beam.sdk.coders.MapCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.jspecify.annotations.Nullable;

/**
 * A message to be published. Immutable, as long as nobody writes into its arrays.
 *
 * @param key messages with the same key keep their order; empty: none
 * @param payload the bytes
 * @param headers names and values beside the payload
 */
@DefaultCoder(OutgoingMessage.MessageCoder.class)
public record OutgoingMessage(byte[] key, byte[] payload, Map<String, String> headers) {
  /** Copies the headers. */
  public OutgoingMessage {
    headers = Map.copyOf(headers);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof OutgoingMessage that
        && Arrays.equals(key, that.key)
        && Arrays.equals(payload, that.payload)
        && headers.equals(that.headers);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(payload);
  }

  @Override
  public String toString() {
    return "message of " + payload.length + " bytes";
  }

  /** Encodes an {@link OutgoingMessage}. */
  public static final class MessageCoder extends AtomicCoder<OutgoingMessage> {
    private static final long serialVersionUID = 1;
    private static final MessageCoder INSTANCE = new MessageCoder();
    private static final MapCoder<String, String> HEADERS =
        MapCoder.of(StringUtf8Coder.of(), StringUtf8Coder.of());

    private MessageCoder() {}

    /** Lets Beam find the coder. */
    public static CoderProvider getCoderProvider() {
      return CoderProviders.forCoder(TypeDescriptor.of(OutgoingMessage.class), INSTANCE);
    }

    /** Returns the coder. */
    public static MessageCoder of() {
      return INSTANCE;
    }

    @Override
    public void encode(OutgoingMessage message, OutputStream out) throws IOException {
      ByteArrayCoder.of().encode(message.key, out);
      ByteArrayCoder.of().encode(message.payload, out);
      HEADERS.encode(message.headers, out);
    }

    @Override
    public OutgoingMessage decode(InputStream in) throws IOException {
      return new OutgoingMessage(
          ByteArrayCoder.of().decode(in), ByteArrayCoder.of().decode(in), HEADERS.decode(in));
    }

    @Override
    public void verifyDeterministic() throws NonDeterministicException {
      HEADERS.verifyDeterministic();
    }
  }
}
