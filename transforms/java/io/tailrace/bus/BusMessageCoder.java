package io.tailrace.bus;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BigEndianLongCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.values.TypeDescriptor;

/** Encodes a {@link BusMessage}. Deterministic. */
public final class BusMessageCoder extends AtomicCoder<BusMessage> {
  private static final long serialVersionUID = 1;
  private static final BusMessageCoder INSTANCE = new BusMessageCoder();
  private static final ByteArrayCoder BYTES = ByteArrayCoder.of();
  private static final StringUtf8Coder TEXT = StringUtf8Coder.of();
  private static final VarIntCoder INT = VarIntCoder.of();
  private static final VarLongCoder VAR_LONG = VarLongCoder.of();
  private static final BigEndianLongCoder LONG = BigEndianLongCoder.of();

  private BusMessageCoder() {}

  /** Lets Beam find the coder. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(BusMessage.class), INSTANCE);
  }

  /** Returns the coder. */
  public static BusMessageCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(BusMessage message, OutputStream out) throws IOException {
    BYTES.encode(message.payload(), out);
    BYTES.encode(message.key(), out);
    TEXT.encode(message.topic(), out);
    INT.encode(message.partition(), out);
    VAR_LONG.encode(message.offset(), out);
    TEXT.encode(message.messageId(), out);
    LONG.encode(message.publishedAt(), out);
    TEXT.encode(message.addressee(), out);
  }

  @Override
  public BusMessage decode(InputStream in) throws IOException {
    return BusMessage.of(
        BYTES.decode(in),
        BYTES.decode(in),
        TEXT.decode(in),
        INT.decode(in),
        VAR_LONG.decode(in),
        TEXT.decode(in),
        LONG.decode(in),
        TEXT.decode(in));
  }

  @Override
  public void verifyDeterministic() {}
}
