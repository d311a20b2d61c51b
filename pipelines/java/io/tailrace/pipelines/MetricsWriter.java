package io.tailrace.pipelines;

import io.tailrace.metrics.EncodeSummaries;
import io.tailrace.metrics.SummarizeResults;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.DeduplicateResults;
import io.tailrace.result.Result;
import org.apache.beam.sdk.values.PCollection;

/**
 * Summarises the results on the result bus by minute, and publishes the summaries to the metrics
 * bus, from which the {@code metrics-bus-writer} carries them to a store.
 *
 * <pre>
 * mvn compile exec:java -Dexec.mainClass=io.tailrace.pipelines.MetricsWriter -Dexec.args="--runner=DirectRunner \
 *     --resultBus=kafka://localhost:9092/result-bus --metricsBus=kafka://localhost:9092/metrics \
 *     --deadLetterBus=kafka://localhost:9092/dead-letters"
 * </pre>
 */
public final class MetricsWriter {
  /** The writer, which puts out the results that it has summarised. */
  public static final Writer<Result> WRITER =
      Writer.named("metrics-writer", MetricsWriterOptions.class)
          .program(MetricsWriter.class)
          .says("Summarises results by minute and publishes that to the metrics bus.")
          .reads("resultBus", MetricsWriterOptions::getResultBus)
          .alone()
          .settles(SummarizeResults.STAGE, "results_summarized", "values_summarized")
          .with(MetricsWriterOptions::parse, MetricsWriter::build);

  private MetricsWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    WRITER.runAsProgram(args);
  }

  private static PCollection<Result> build(WriterStart start, MetricsWriterOptions.Parsed options) {
    PCollection<Result> results =
        start
            .pipeline()
            .apply("ReadResultBus", start.source())
            .apply(
                "DecodeResults",
                DecodeResults.forWriter(WRITER.name())
                    .inGroup(start.group())
                    .ofEnvironments(start.environments()))
            .failuresTo(start.failures());

    PCollection<Result> once =
        options.deduplicate().isEmpty()
            ? results
            : results
                .apply("DeduplicateResults", DeduplicateResults.within(options.deduplicate().get()))
                .failuresTo(start.failures());

    once.apply(
            "SummarizeResults",
            SummarizeResults.create()
                .withMaxSeries(options.maxSeries())
                .withAllowedLateness(options.times().allowedLateness())
                .withUpdateInterval(options.times().updateInterval())
                .withBusRetention(options.times().busRetention()))
        .failuresTo(start.failures())
        .apply("EncodeSummaries", EncodeSummaries.create())
        .failuresTo(start.failures())
        .apply("WriteMetricsBus", options.metricsBus().write());
    return once;
  }
}
