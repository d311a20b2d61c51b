package io.tailrace.parquet;

import io.tailrace.bus.BusMessageCoder;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.values.TypeDescriptor;

/** Encodes an {@link ObservationFile} as the message that carried it. Deterministic. */
public final class ObservationFileCoder extends AtomicCoder<ObservationFile> {
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
  public void encode(ObservationFile file, OutputStream out) throws IOException {
    BusMessageCoder.of().encode(file.message(), out);
  }

  @Override
  public ObservationFile decode(InputStream in) throws IOException {
    try {
      return FileDecoder.decode(BusMessageCoder.of().decode(in));
    } catch (InvalidMessageException e) {
      throw new IOException("an encoded file no longer decodes", e);
    }
  }

  @Override
  public void verifyDeterministic() {}
}
