package io.tailrace.pipelines;

import io.tailrace.bus.BusFacts;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.WriteOnline;
import io.tailrace.online.WriteOutcome;
import io.tailrace.result.DecodeResults;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries every result from the result bus to the online store.
 *
 * <pre>
 * mvn compile exec:java -Dexec.mainClass=io.tailrace.pipelines.OnlineWriter -Dexec.args="--runner=DirectRunner \
 *     --resultBus=kafka://localhost:9092/result-bus --onlineStore=redis://localhost:6379/0 \
 *     --deadLetterBus=kafka://localhost:9092/dead-letters"
 * </pre>
 */
public final class OnlineWriter {
  /** The writer's name: its consumer group, and the addressee of messages replayed for it. */
  public static final String NAME = "online-writer";

  private static final Logger LOG = LoggerFactory.getLogger(OnlineWriter.class);

  private OnlineWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    Launcher.main(NAME, OnlineWriterOptions.class, OnlineWriter::start, args);
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
   * @param watcher gets what became of each result, and may apply transforms to it
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public static PipelineResult start(Consumer<PCollection<WriteOutcome>> watcher, String... args)
      throws CommandException {
    OnlineWriterOptions options = Launcher.options(OnlineWriterOptions.class, args);
    Parsed parsed = Parsed.of(options);
    Pipeline pipeline = Pipeline.create(options);
    watcher.accept(build(pipeline, parsed));
    return pipeline.run();
  }

  private static PCollection<WriteOutcome> build(Pipeline pipeline, Parsed options) {
    List<PCollection<Failure>> failures = new ArrayList<>();

    PCollection<Result> results =
        pipeline
            .apply("ReadResultBus", options.buses().source().read(NAME))
            .apply(
                "DecodeResults",
                DecodeResults.forWriter(NAME).ofEnvironments(options.buses().environments()))
            .failuresTo(failures);

    PCollection<WriteOutcome> outcomes =
        results
            .apply(
                "WriteOnline",
                WriteOnline.to(options.onlineStore())
                    .withMaxClockSkew(options.maxClockSkew())
                    .withDeletionRetention(options.deletionRetention()))
            .failuresTo(failures);

    PCollectionList.of(failures)
        .apply("Failures", Flatten.pCollections())
        .apply("DeadLetters", options.buses().deadLetters());
    return outcomes;
  }

  /** The options, with their types, looked at. */
  private record Parsed(
      WriterBuses buses,
      OnlineStore onlineStore,
      Duration maxClockSkew,
      Duration deletionRetention) {

    static Parsed of(OnlineWriterOptions options) throws CommandException {
      OptionCheck check = new OptionCheck();
      WriterBuses buses =
          new WriterBuses(check, NAME, "resultBus", options.getResultBus(), options);
      Optional<OnlineStore> store =
          check.required("onlineStore", options.getOnlineStore(), OnlineStores::at);
      Duration maxClockSkew = check.duration("maxClockSkew", options.getMaxClockSkew());
      Duration retention = check.duration("deletionRetention", options.getDeletionRetention());
      check.finish();

      buses.ask(check);
      check.ask("onlineStore", store);
      buses.sourceFacts().ifPresent(facts -> checkRetention(check, "resultBus", facts, retention));
      buses
          .letterFacts()
          .ifPresent(facts -> checkRetention(check, "deadLetterBus", facts, retention));
      check.finish();
      return new Parsed(buses, store.orElseThrow(), maxClockSkew, retention);
    }

    private static void checkRetention(
        OptionCheck check, String option, BusFacts facts, Duration deletionRetention) {
      if (facts.retention().isEmpty()) {
        LOG.warn(
            "--{} keeps messages for ever: a message older than --deletionRetention={} that is read again"
                + " can bring a deleted value back",
            option,
            deletionRetention);
      } else if (facts.retention().get().compareTo(deletionRetention) > 0) {
        check.problem(
            "--deletionRetention="
                + deletionRetention.toDays()
                + "d is shorter than the retention of --"
                + option
                + ", "
                + facts.retention().get().toHours()
                + "h: a deleted value could come back. Give at least --deletionRetention="
                + (facts.retention().get().toDays() + 1)
                + "d");
      }
    }
  }
}
