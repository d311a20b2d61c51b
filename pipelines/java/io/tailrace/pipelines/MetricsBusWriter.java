package io.tailrace.pipelines;

import io.tailrace.metrics.DecodeSummaries;
import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsStores;
import io.tailrace.metrics.PublishedSummary;
import io.tailrace.metrics.SummaryOutcome;
import io.tailrace.metrics.WriteSummaries;
import io.tailrace.stage.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;

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
  /** The writer's name: its consumer group, and the addressee of messages replayed for it. */
  public static final String NAME = "metrics-bus-writer";

  private MetricsBusWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    Launcher.main(NAME, MetricsBusWriterOptions.class, MetricsBusWriter::start, args);
  }

  /**
   * Checks the options, the buses and the store, and starts the writer.
   *
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public static PipelineResult start(String... args) throws CommandException {
    return start(outcomes -> {}, args);
  }

  /**
   * Starts the writer with somebody to watch it.
   *
   * @param watcher gets what became of each summary, and may apply transforms to it
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public static PipelineResult start(Consumer<PCollection<SummaryOutcome>> watcher, String... args)
      throws CommandException {
    MetricsBusWriterOptions options = Launcher.options(MetricsBusWriterOptions.class, args);
    Parsed parsed = Parsed.of(options);
    Pipeline pipeline = Pipeline.create(options);
    watcher.accept(build(pipeline, parsed));
    return pipeline.run();
  }

  private static PCollection<SummaryOutcome> build(Pipeline pipeline, Parsed options) {
    List<PCollection<Failure>> failures = new ArrayList<>();

    PCollection<PublishedSummary> summaries =
        pipeline
            .apply("ReadMetricsBus", options.buses().source().read(NAME))
            .apply(
                "DecodeSummaries",
                DecodeSummaries.forWriter(NAME).ofEnvironments(options.buses().environments()))
            .failuresTo(failures);

    PCollection<SummaryOutcome> outcomes =
        summaries
            .apply("WriteSummaries", WriteSummaries.to(options.metricsStore()))
            .failuresTo(failures);

    PCollectionList.of(failures)
        .apply("Failures", Flatten.pCollections())
        .apply("DeadLetters", options.buses().deadLetters());
    return outcomes;
  }

  /** The options, with their types, looked at. */
  private record Parsed(WriterBuses buses, MetricsStore metricsStore) {
    static Parsed of(MetricsBusWriterOptions options) throws CommandException {
      OptionCheck check = new OptionCheck();
      WriterBuses buses =
          new WriterBuses(check, NAME, "metricsBus", options.getMetricsBus(), options);
      Optional<MetricsStore> store =
          check.required("metricsStore", options.getMetricsStore(), MetricsStores::at);
      check.finish();

      buses.ask(check);
      check.ask("metricsStore", store);
      check.finish();
      return new Parsed(buses, store.orElseThrow());
    }
  }
}
