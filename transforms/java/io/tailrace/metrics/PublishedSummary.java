package io.tailrace.metrics;

import io.tailrace.bus.BusMessage;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.MessageCoder;
import io.tailrace.v1.MetricsSummary;
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
  public static final class SummaryCoder extends MessageCoder<PublishedSummary> {
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
    protected BusMessage message(PublishedSummary value) {
      return value.message();
    }

    @Override
    protected PublishedSummary decode(BusMessage message) throws InvalidMessageException {
      return SummaryDecoder.decode(message);
    }
  }
}
