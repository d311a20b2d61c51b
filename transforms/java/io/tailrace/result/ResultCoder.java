package io.tailrace.result;

import io.tailrace.bus.BusMessageCoder;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.BitSet;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.values.TypeDescriptor;

/**
 * Encodes a {@link Result} as the message it was decoded from, with what it lacks. Deterministic.
 */
public final class ResultCoder extends AtomicCoder<Result> {
  private static final long serialVersionUID = 1;
  private static final ResultCoder INSTANCE = new ResultCoder();

  private ResultCoder() {}

  /** Lets Beam find the coder. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(Result.class), INSTANCE);
  }

  /** Returns the coder. */
  public static ResultCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(Result result, OutputStream out) throws IOException {
    BusMessageCoder.of().encode(result.message(), out);
    ByteArrayCoder.of().encode(result.absent().toByteArray(), out);
  }

  @Override
  public Result decode(InputStream in) throws IOException {
    try {
      Result whole = new ResultDecoder().decode(BusMessageCoder.of().decode(in));
      return whole.without(BitSet.valueOf(ByteArrayCoder.of().decode(in)));
    } catch (InvalidMessageException e) {
      throw new IOException("an encoded result no longer decodes", e);
    }
  }

  @Override
  public void verifyDeterministic() {}
}
