package io.tailrace.result;

import io.tailrace.bus.BusMessage;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.MessageCoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.BitSet;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.values.TypeDescriptor;

/**
 * Encodes a {@link Result} as the message it was decoded from, with what it lacks. Deterministic.
 */
public final class ResultCoder extends MessageCoder<Result> {
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
  protected BusMessage message(Result value) {
    return value.message();
  }

  @Override
  protected Result decode(BusMessage message) throws InvalidMessageException {
    return new ResultDecoder().decode(message);
  }

  @Override
  public void encode(Result result, OutputStream out) throws IOException {
    super.encode(result, out);
    ByteArrayCoder.of().encode(result.absent().toByteArray(), out);
  }

  @Override
  public Result decode(InputStream in) throws IOException {
    Result whole = super.decode(in);
    return whole.without(BitSet.valueOf(ByteArrayCoder.of().decode(in)));
  }
}
