package io.tailrace.online;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BigEndianLongCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.values.TypeDescriptor;

/**
 * What became of a result in the online store. The counts are of cells, and of fences for whole
 * entities. Immutable.
 *
 * @param operationId the result's execution
 * @param publishedAt when the result was published, in microseconds since the epoch
 * @param written cells that are in the store now, or were replaced by a greater one of the same
 *     bundle after this one's turn
 * @param stale cells older than what the store, or the same bundle, holds
 * @param duplicate cells that the store, or the same bundle, held already
 * @param expired cells that had expired before they came
 * @param skipped cells that are not to be stored online
 * @param rejected cells that can never be stored
 */
@DefaultCoder(WriteOutcome.OutcomeCoder.class)
public record WriteOutcome(
    String operationId,
    long publishedAt,
    int written,
    int stale,
    int duplicate,
    int expired,
    int skipped,
    int rejected) {

  /** What became of a result as a whole. */
  public enum Status {
    /** At least one of its cells was written. */
    WRITTEN,
    /** Everything in it was older than, or the same as, what is stored. */
    OLDER_THAN_STORED,
    /** Nothing in it is to be stored online. */
    NOT_TO_BE_STORED,
    /** Nothing in it could be stored. */
    FAILED
  }

  /** Returns what became of the result as a whole. */
  public Status status() {
    if (written > 0) {
      return Status.WRITTEN;
    }
    if (rejected > 0) {
      return Status.FAILED;
    }
    return stale + duplicate > 0 ? Status.OLDER_THAN_STORED : Status.NOT_TO_BE_STORED;
  }

  /** Encodes a {@link WriteOutcome}. Deterministic. */
  public static final class OutcomeCoder extends AtomicCoder<WriteOutcome> {
    private static final long serialVersionUID = 1;
    private static final OutcomeCoder INSTANCE = new OutcomeCoder();

    private OutcomeCoder() {}

    /** Lets Beam find the coder. */
    public static CoderProvider getCoderProvider() {
      return CoderProviders.forCoder(TypeDescriptor.of(WriteOutcome.class), INSTANCE);
    }

    /** Returns the coder. */
    public static OutcomeCoder of() {
      return INSTANCE;
    }

    @Override
    public void encode(WriteOutcome outcome, OutputStream out) throws IOException {
      StringUtf8Coder.of().encode(outcome.operationId, out);
      BigEndianLongCoder.of().encode(outcome.publishedAt, out);
      VarIntCoder ints = VarIntCoder.of();
      ints.encode(outcome.written, out);
      ints.encode(outcome.stale, out);
      ints.encode(outcome.duplicate, out);
      ints.encode(outcome.expired, out);
      ints.encode(outcome.skipped, out);
      ints.encode(outcome.rejected, out);
    }

    @Override
    public WriteOutcome decode(InputStream in) throws IOException {
      VarIntCoder ints = VarIntCoder.of();
      return new WriteOutcome(
          StringUtf8Coder.of().decode(in),
          BigEndianLongCoder.of().decode(in),
          ints.decode(in),
          ints.decode(in),
          ints.decode(in),
          ints.decode(in),
          ints.decode(in),
          ints.decode(in));
    }

    @Override
    public void verifyDeterministic() {}
  }
}
