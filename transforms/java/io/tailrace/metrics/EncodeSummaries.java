package io.tailrace.metrics;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Outputs;
import io.tailrace.v1.MetricsSummary;
import java.nio.charset.StandardCharsets;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;

/**
 * Encodes summaries as messages of the metrics bus. All summaries of a feature, a query or a
 * publisher in an environment have the same key, so that they stay in order where a bus keeps that
 * of a key; nothing may rely on it. No summary can fail here; the failures are empty.
 */
public final class EncodeSummaries
    extends PTransform<
        PCollection<MetricsSummary>, WithFailures.Result<PCollection<OutgoingMessage>, Failure>> {
  private static final long serialVersionUID = 1;

  private EncodeSummaries() {}

  /** Encodes with binary protobuf. */
  public static EncodeSummaries create() {
    return new EncodeSummaries();
  }

  @Override
  public WithFailures.Result<PCollection<OutgoingMessage>, Failure> expand(
      PCollection<MetricsSummary> summaries) {
    return Outputs.of(summaries, "Encode", new EncodeFn());
  }

  private static final class EncodeFn extends DoFn<MetricsSummary, OutgoingMessage> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void encode(@Element MetricsSummary summary, MultiOutputReceiver out) {
      String name =
          switch (summary.getSeriesCase()) {
            case FEATURE -> summary.getFeature().getFeature();
            case QUERY -> summary.getQuery().getQueryName();
            case PUBLISHER -> summary.getPublisher().getPublisherId();
            case SERIES_NOT_SET -> "";
          };
      byte[] key = (summary.getEnvironmentId() + "\0" + name).getBytes(StandardCharsets.UTF_8);
      Outputs.<OutgoingMessage>main(out).output(OutgoingMessage.of(key, summary.toByteArray()));
    }
  }
}
