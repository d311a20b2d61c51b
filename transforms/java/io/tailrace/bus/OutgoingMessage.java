package io.tailrace.bus;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Objects;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.apache.beam.sdk.coders.NullableCoder;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.jspecify.annotations.Nullable;

/**
 * A message to be published. Immutable, as long as nobody writes into its arrays.
 *
 * @param key messages with the same key keep their order; null: none, which is not the same as an
 *     empty one where a bus knows both
 * @param payload the bytes; null: none, which is not the same as no bytes where a bus knows both
 * @param headers names and values beside the payload
 */
@DefaultCoder(OutgoingMessage.MessageCoder.class)
public record OutgoingMessage(byte @Nullable [] key, byte @Nullable [] payload, Headers headers) {
  private static final byte[] NOTHING = {};

  /** Checks the headers. */
  public OutgoingMessage(byte @Nullable [] key, byte @Nullable [] payload, Headers headers) {
    this.key = key;
    this.payload = payload;
    this.headers = Objects.requireNonNull(headers);
  }

  /** Returns a message without key and headers. */
  public static OutgoingMessage of(byte[] payload) {
    return new OutgoingMessage(null, payload, Headers.NONE);
  }

  /** Returns a message without headers; an empty key is none. */
  public static OutgoingMessage of(byte[] key, byte[] payload) {
    return new OutgoingMessage(key.length == 0 ? null : key, payload, Headers.NONE);
  }

  /** Returns the payload, of no bytes where there is none. */
  public byte[] bytes() {
    return payload == null ? NOTHING : payload;
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
    return "message of " + bytes().length + " bytes";
  }

  /** Encodes an {@link OutgoingMessage}. Deterministic. */
  public static final class MessageCoder extends AtomicCoder<OutgoingMessage> {
    private static final long serialVersionUID = 1;
    private static final MessageCoder INSTANCE = new MessageCoder();
    private static final NullableCoder<byte[]> BYTES = NullableCoder.of(ByteArrayCoder.of());

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
      BYTES.encode(message.key, out);
      BYTES.encode(message.payload, out);
      Headers.encode(message.headers, out);
    }

    @Override
    public OutgoingMessage decode(InputStream in) throws IOException {
      return new OutgoingMessage(BYTES.decode(in), BYTES.decode(in), Headers.decode(in));
    }

    @Override
    public void verifyDeterministic() {}
  }
}
