package io.tailrace.metrics;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.v1.MetricsSummary;
import java.nio.charset.StandardCharsets;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollection;

/**
 * Encodes summaries as messages of the metrics bus. All summaries of a feature, or of a query, in
 * an environment have the same key, so that they stay in order where a bus keeps that of a key;
 * nothing may rely on it.
 */
public final class EncodeSummaries
    extends PTransform<PCollection<MetricsSummary>, PCollection<OutgoingMessage>> {
  private static final long serialVersionUID = 1;

  private EncodeSummaries() {}

  /** Encodes with binary protobuf. */
  public static EncodeSummaries create() {
    return new EncodeSummaries();
  }

  @Override
  public PCollection<OutgoingMessage> expand(PCollection<MetricsSummary> summaries) {
    return summaries.apply("Encode", ParDo.of(new EncodeFn()));
  }

  private static final class EncodeFn extends DoFn<MetricsSummary, OutgoingMessage> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void encode(@Element MetricsSummary summary, OutputReceiver<OutgoingMessage> out) {
      String name =
          summary.hasFeature()
              ? summary.getFeature().getFeature()
              : summary.getQuery().getQueryName();
      byte[] key = (summary.getEnvironmentId() + "\0" + name).getBytes(StandardCharsets.UTF_8);
      out.output(OutgoingMessage.of(key, summary.toByteArray()));
    }
  }
}
