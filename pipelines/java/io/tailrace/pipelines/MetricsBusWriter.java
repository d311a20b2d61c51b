package io.tailrace.pipelines;

import io.tailrace.metrics.DecodeSummaries;
import io.tailrace.metrics.SummaryOutcome;
import io.tailrace.metrics.WriteSummaries;
import org.apache.beam.sdk.values.PCollection;

/**
 * Carries the summaries on the metrics bus to the metrics store, where dashboards read them.
 *
 * <pre>
 * mvn compile exec:java -Dexec.mainClass=io.tailrace.pipelines.MetricsBusWriter -Dexec.args="--runner=DirectRunner \
 *     --metricsBus=kafka://localhost:9092/metrics \
 *     --metricsStore=postgresql://localhost/metrics?schema=tailrace_metrics \
 *     --deadLetterBus=kafka://localhost:9092/dead-letters"
 * </pre>
 */
public final class MetricsBusWriter {
  /** The writer, which puts out what became of each summary. */
  public static final Writer<SummaryOutcome> WRITER =
      Writer.named("metrics-bus-writer", MetricsBusWriterOptions.class)
          .program(MetricsBusWriter.class)
          .says("Carries summaries from the metrics bus to the metrics store.")
          .reads("metricsBus", MetricsBusWriterOptions::getMetricsBus)
          .settles(WriteSummaries.STAGE, "summaries_settled", "summaries_written")
          .with(MetricsBusWriterOptions::parse, MetricsBusWriter::build);

  private MetricsBusWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    WRITER.runAsProgram(args);
  }

  private static PCollection<SummaryOutcome> build(
      WriterStart start, MetricsBusWriterOptions.Parsed options) {
    return start
        .pipeline()
        .apply("ReadMetricsBus", start.source())
        .apply(
            "DecodeSummaries",
            DecodeSummaries.forWriter(WRITER.name())
                .inGroup(start.group())
                .ofEnvironments(start.environments()))
        .failuresTo(start.failures())
        .apply("WriteSummaries", WriteSummaries.to(options.metricsStore()))
        .failuresTo(start.failures());
  }
}
