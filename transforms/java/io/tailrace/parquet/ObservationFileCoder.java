package io.tailrace.parquet;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.MessageCoder;
import io.tailrace.stage.RejectedCells;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.BigEndianLongCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.values.TypeDescriptor;

/**
 * Encodes an {@link ObservationFile} as the message that carried it, and until when its rows may
 * have been observed, of which the same canonical file comes again, without the rows that were
 * refused. Deterministic.
 */
public final class ObservationFileCoder extends MessageCoder<ObservationFile> {
  private static final long serialVersionUID = 1;
  private static final ObservationFileCoder INSTANCE = new ObservationFileCoder();

  private ObservationFileCoder() {}

  /** Lets Beam find the coder. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(ObservationFile.class), INSTANCE);
  }

  /** Returns the coder. */
  public static ObservationFileCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(ObservationFile value, OutputStream out) throws IOException {
    super.encode(value, out);
    BigEndianLongCoder.of().encode(value.observedUntil(), out);
  }

  @Override
  public ObservationFile decode(InputStream in) throws IOException {
    BusMessage message = BusMessageCoder.of().decode(in);
    long observedUntil = BigEndianLongCoder.of().decode(in);
    try {
      return FileDecoder.decode(message, new RejectedCells(), observedUntil).file();
    } catch (InvalidMessageException e) {
      throw new IOException("what was encoded no longer decodes", e);
    }
  }

  @Override
  protected BusMessage message(ObservationFile value) {
    return value.message();
  }

  @Override
  protected ObservationFile decode(BusMessage message) throws InvalidMessageException {
    return FileDecoder.decode(message, new RejectedCells());
  }
}
