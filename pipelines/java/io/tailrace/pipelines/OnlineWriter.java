package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.failure.DeadLetters;
import io.tailrace.failure.Failure;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.WriteOnline;
import io.tailrace.online.WriteOutcome;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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

  /** Kafka's default, for a dead-letter topic whose settings may not be seen. */
  private static final int UNKNOWN_MAX_MESSAGE_BYTES = 1_048_588;

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
            .apply("ReadResultBus", Bus.read(options.resultBus(), NAME))
            .apply(
                "DecodeResults",
                DecodeResults.forWriter(NAME).ofEnvironments(options.environments()))
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
        .apply(
            "DeadLetters",
            DeadLetters.to(options.deadLetterBus(), NAME, options.resultBus())
                .overflowingTo(options.deadLetterMaxBytes(), options.deadLetterOverflow()));
    return outcomes;
  }

  /** The options, with their types, looked at. */
  private record Parsed(
      String resultBus,
      OnlineStore onlineStore,
      String deadLetterBus,
      int deadLetterMaxBytes,
      Optional<String> deadLetterOverflow,
      Set<String> environments,
      Duration maxClockSkew,
      Duration deletionRetention) {

    static Parsed of(OnlineWriterOptions options) throws CommandException {
      OptionCheck check = new OptionCheck();
      Optional<String> resultBus =
          check.required("resultBus", options.getResultBus(), OnlineWriter::validBus);
      Optional<OnlineStore> store =
          check.required("onlineStore", options.getOnlineStore(), OnlineStores::at);
      Optional<String> deadLetterBus =
          check.required("deadLetterBus", options.getDeadLetterBus(), OnlineWriter::validBus);
      Duration maxClockSkew = check.duration("maxClockSkew", options.getMaxClockSkew());
      Duration retention = check.duration("deletionRetention", options.getDeletionRetention());
      check.finish();

      Optional<BusFacts> results =
          resultBus.flatMap(
              bus -> check.required("resultBus", bus, uri -> Bus.checkReadable(uri, NAME)));
      Optional<BusFacts> letters =
          deadLetterBus.flatMap(bus -> check.required("deadLetterBus", bus, Bus::checkWritable));
      store.ifPresent(
          it ->
              check.required(
                  "onlineStore",
                  it.uri(),
                  uri -> {
                    it.check();
                    return uri;
                  }));
      Optional<String> overflow =
          Optional.ofNullable(options.getDeadLetterOverflow()).filter(text -> !text.isBlank());
      results.ifPresent(facts -> checkRetention(check, "resultBus", facts, retention));
      letters.ifPresent(facts -> checkRetention(check, "deadLetterBus", facts, retention));
      int deadLetterMaxBytes =
          letters.flatMap(BusFacts::maxMessageBytes).orElse(UNKNOWN_MAX_MESSAGE_BYTES);
      results
          .flatMap(BusFacts::maxMessageBytes)
          .filter(max -> max > deadLetterMaxBytes && overflow.isEmpty())
          .ifPresent(
              max ->
                  check.problem(
                      "--deadLetterBus takes messages of "
                          + deadLetterMaxBytes
                          + " bytes and the result bus of "
                          + max
                          + ": give larger ones a place with --deadLetterOverflow=DIRECTORY, or raise"
                          + " max.message.bytes of the dead-letter topic"));
      check.finish();
      return new Parsed(
          resultBus.orElseThrow(),
          store.orElseThrow(),
          deadLetterBus.orElseThrow(),
          deadLetterMaxBytes,
          overflow,
          options.getEnvironments() == null ? Set.of() : Set.copyOf(options.getEnvironments()),
          maxClockSkew,
          retention);
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

  private static String validBus(String uri) {
    Bus.name(uri);
    return uri;
  }
}
