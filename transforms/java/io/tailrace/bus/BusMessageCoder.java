package io.tailrace.bus;

import io.tailrace.bus.MessageTime.By;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BigEndianLongCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.NullableCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.values.TypeDescriptor;

/** Encodes a {@link BusMessage}. Deterministic. */
public final class BusMessageCoder extends AtomicCoder<BusMessage> {
  private static final long serialVersionUID = 1;
  private static final BusMessageCoder INSTANCE = new BusMessageCoder();
  private static final NullableCoder<byte[]> BYTES = NullableCoder.of(ByteArrayCoder.of());
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
    BYTES.encode(message.hasPayload() ? message.payload() : null, out);
    BYTES.encode(message.hasKey() ? message.key() : null, out);
    Place place = message.place();
    TEXT.encode(place.topic(), out);
    TEXT.encode(place.topicId(), out);
    INT.encode(place.partition(), out);
    VAR_LONG.encode(place.offset(), out);
    TEXT.encode(place.messageId(), out);
    MessageTime time = message.ownTime();
    out.write(byteOf(time.by()));
    LONG.encode(time.micros(), out);
    Headers.encode(message.headers(), out);
  }

  @Override
  public BusMessage decode(InputStream in) throws IOException {
    return BusMessage.of(
        BYTES.decode(in),
        BYTES.decode(in),
        new Place(
            TEXT.decode(in), TEXT.decode(in), INT.decode(in), VAR_LONG.decode(in), TEXT.decode(in)),
        new MessageTime(by(in.read()), LONG.decode(in)),
        Headers.decode(in));
  }

  private static int byteOf(By by) {
    return switch (by) {
      case BUS -> 0;
      case PUBLISHER -> 1;
      case NOBODY -> 2;
    };
  }

  private static By by(int coded) throws IOException {
    return switch (coded) {
      case 0 -> By.BUS;
      case 1 -> By.PUBLISHER;
      case 2 -> By.NOBODY;
      default -> throw new IOException("no message: nobody is known who gives times as " + coded);
    };
  }

  @Override
  public void verifyDeterministic() {}
}
