package io.tailrace.stage;

import io.tailrace.bus.BusMessageCoder;
import io.tailrace.v1.DeadLetter;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.EnumMap;
import java.util.Map;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.values.TypeDescriptor;

/** Encodes a {@link Failure}. */
public final class FailureCoder extends AtomicCoder<Failure> {
  private static final long serialVersionUID = 1;
  private static final FailureCoder INSTANCE = new FailureCoder();

  private FailureCoder() {}

  /** Lets Beam find the coder. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(Failure.class), INSTANCE);
  }

  /** Returns the coder. */
  public static FailureCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(Failure failure, OutputStream out) throws IOException {
    DeadLetter description =
        DeadLetter.newBuilder()
            .setStage(failure.stage())
            .setReason(failure.reason())
            .setRetryable(failure.retryable())
            .setField(failure.field())
            .setMessage(failure.message())
            .addAllCells(failure.cells())
            .putAllReasons(failure.reasonsByName())
            .build();
    ByteArrayCoder.of().encode(description.toByteArray(), out);
    BusMessageCoder.of().encode(failure.original(), out);
  }

  @Override
  public Failure decode(InputStream in) throws IOException {
    DeadLetter description = DeadLetter.parseFrom(ByteArrayCoder.of().decode(in));
    return new Failure(
        description.getStage(),
        description.getReason(),
        description.getRetryable(),
        description.getField(),
        description.getMessage(),
        description.getCellsList(),
        reasons(description),
        BusMessageCoder.of().decode(in));
  }

  private static Map<Reason, Integer> reasons(DeadLetter description) {
    Map<Reason, Integer> reasons = new EnumMap<>(Reason.class);
    description.getReasonsMap().forEach((name, count) -> reasons.put(Reason.valueOf(name), count));
    return reasons;
  }

  @Override
  public void verifyDeterministic() throws NonDeterministicException {
    throw new NonDeterministicException(this, "protobuf promises no canonical bytes");
  }
}
