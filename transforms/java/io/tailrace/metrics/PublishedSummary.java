package io.tailrace.metrics;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.MetricsSummary;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.apache.beam.sdk.values.TypeDescriptor;

/**
 * A valid summary with the message that carried it. Immutable.
 *
 * @param summary keeps every rule of {@code metrics_summary.proto}
 * @param message where it came from
 */
@DefaultCoder(PublishedSummary.SummaryCoder.class)
public record PublishedSummary(MetricsSummary summary, BusMessage message) {

  /** Encodes a {@link PublishedSummary} as the message that carried it. Deterministic. */
  public static final class SummaryCoder extends AtomicCoder<PublishedSummary> {
    private static final long serialVersionUID = 1;
    private static final SummaryCoder INSTANCE = new SummaryCoder();

    private SummaryCoder() {}

    /** Lets Beam find the coder. */
    public static CoderProvider getCoderProvider() {
      return CoderProviders.forCoder(TypeDescriptor.of(PublishedSummary.class), INSTANCE);
    }

    /** Returns the coder. */
    public static SummaryCoder of() {
      return INSTANCE;
    }

    @Override
    public void encode(PublishedSummary summary, OutputStream out) throws IOException {
      BusMessageCoder.of().encode(summary.message, out);
    }

    @Override
    public PublishedSummary decode(InputStream in) throws IOException {
      try {
        return SummaryDecoder.decode(BusMessageCoder.of().decode(in));
      } catch (InvalidMessageException e) {
        throw new IOException("an encoded summary no longer decodes", e);
      }
    }

    @Override
    public void verifyDeterministic() {}
  }
}
