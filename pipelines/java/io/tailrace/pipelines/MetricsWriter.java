package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.metrics.EncodeSummaries;
import io.tailrace.metrics.SummarizeResults;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.DeduplicateResults;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import java.time.Duration;
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
  /** The writer's name: its consumer group, and the addressee of messages replayed for it. */
  public static final String NAME = "metrics-writer";

  private MetricsWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    Launcher.main(NAME, MetricsWriterOptions.class, MetricsWriter::start, args);
  }

  /**
   * Checks the options and the buses, and starts the writer.
   *
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public static PipelineResult start(String... args) throws CommandException {
    return start(results -> {}, args);
  }

  /**
   * Starts the writer with somebody to watch it.
   *
   * @param watcher gets the results that are summarised, and may apply transforms to them
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public static PipelineResult start(Consumer<PCollection<Result>> watcher, String... args)
      throws CommandException {
    MetricsWriterOptions options = Launcher.options(MetricsWriterOptions.class, args);
    Parsed parsed = Parsed.of(options);
    Pipeline pipeline = Pipeline.create(options);
    watcher.accept(build(pipeline, parsed));
    return pipeline.run();
  }

  private static PCollection<Result> build(Pipeline pipeline, Parsed options) {
    List<PCollection<Failure>> failures = new ArrayList<>();

    PCollection<Result> results =
        pipeline
            .apply("ReadResultBus", options.buses().source().read(NAME))
            .apply(
                "DecodeResults",
                DecodeResults.forWriter(NAME).ofEnvironments(options.buses().environments()))
            .failuresTo(failures);

    PCollection<Result> once =
        options.deduplicate().isEmpty()
            ? results
            : results.apply(
                "DeduplicateResults", DeduplicateResults.within(options.deduplicate().get()));

    PCollection<OutgoingMessage> summaries =
        once.apply("SummarizeResults", options.summarize())
            .failuresTo(failures)
            .apply("EncodeSummaries", EncodeSummaries.create());

    summaries.apply("WriteMetricsBus", options.metricsBus().write());

    PCollectionList.of(failures)
        .apply("Failures", Flatten.pCollections())
        .apply("DeadLetters", options.buses().deadLetters());
    return once;
  }

  /** The options, with their types, looked at. */
  private record Parsed(
      WriterBuses buses,
      Bus metricsBus,
      SummarizeResults summarize,
      Optional<Duration> deduplicate) {
    static Parsed of(MetricsWriterOptions options) throws CommandException {
      OptionCheck check = new OptionCheck();
      WriterBuses buses =
          new WriterBuses(check, NAME, "resultBus", options.getResultBus(), options);
      Optional<Bus> metricsBus = check.required("metricsBus", options.getMetricsBus(), Buses::at);
      Optional<Integer> maxSeries =
          check.required("maxSeries", options.getMaxSeries(), Parsed::positive);
      Optional<Duration> lateness =
          check.required(
              "allowedLateness", options.getAllowedLateness(), EndpointUri::parseDuration);
      Duration interval = check.duration("updateInterval", options.getUpdateInterval());
      Optional<Duration> deduplicate =
          check.optional("deduplicate", options.getDeduplicate(), EndpointUri::parseDuration);
      check.finish();

      buses.ask(check);
      check.ask("metricsBus", metricsBus);
      check.finish();
      return new Parsed(
          buses,
          metricsBus.orElseThrow(),
          SummarizeResults.create()
              .withMaxSeries(maxSeries.orElseThrow())
              .withAllowedLateness(lateness.orElseThrow())
              .withUpdateInterval(interval),
          deduplicate.filter(it -> !it.isZero()));
    }

    private static int positive(String text) {
      int number;
      try {
        number = Integer.parseInt(text.strip());
      } catch (NumberFormatException e) {
        number = 0;
      }
      if (number < 1) {
        throw new IllegalArgumentException(
            "'" + text + "' is not a whole number above zero, such as 10000");
      }
      return number;
    }
  }
}
