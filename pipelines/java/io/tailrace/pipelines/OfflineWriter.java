package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.CreateFeatureTables;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;

/**
 * Carries every result from the result bus to the streaming-insert bus, as Parquet files, and
 * creates the tables that their rows will go to. It writes no rows: the {@link
 * StreamingInsertWriter} does.
 *
 * <pre>
 * mvn compile exec:java -Dexec.mainClass=io.tailrace.pipelines.OfflineWriter -Dexec.args="--runner=DirectRunner \
 *     --resultBus=kafka://localhost:9092/result-bus --streamingInsertBus=kafka://localhost:9092/streaming-insert \
 *     --offlineStore=postgresql://localhost/features?schema=tailrace_{environment} \
 *     --deadLetterBus=kafka://localhost:9092/dead-letters"
 * </pre>
 */
public final class OfflineWriter {
  /** The writer's name: its consumer group, and the addressee of messages replayed for it. */
  public static final String NAME = "offline-writer";

  private OfflineWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    Launcher.main(NAME, OfflineWriterOptions.class, OfflineWriter::start, args);
  }

  /**
   * Checks the options, the buses and the store, and starts the writer.
   *
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public static PipelineResult start(String... args) throws CommandException {
    OfflineWriterOptions options = Launcher.options(OfflineWriterOptions.class, args);
    Parsed parsed = Parsed.of(options);
    Pipeline pipeline = Pipeline.create(options);
    build(pipeline, parsed);
    return pipeline.run();
  }

  private static void build(Pipeline pipeline, Parsed options) {
    List<PCollection<Failure>> failures = new ArrayList<>();

    PCollection<Result> results =
        pipeline
            .apply("ReadResultBus", options.buses().source().read(NAME))
            .apply(
                "DecodeResults",
                DecodeResults.forWriter(NAME).ofEnvironments(options.buses().environments()))
            .failuresTo(failures);

    PCollection<Result> storable =
        results
            .apply("CreateFeatureTables", CreateFeatureTables.in(options.offlineStore()))
            .failuresTo(failures);

    PCollection<OutgoingMessage> files =
        storable
            .apply(
                "EncodeObservations",
                EncodeObservations.create()
                    .withMaxFileBytes(options.maxFileBytes())
                    .withMaxClockSkew(options.maxClockSkew())
                    .withGathering(options.gathering()))
            .failuresTo(failures);

    files.apply("WriteStreamingInsertBus", options.streamingInsertBus().write());

    PCollectionList.of(failures)
        .apply("Failures", Flatten.pCollections())
        .apply("DeadLetters", options.buses().deadLetters());
  }

  /** The options, with their types, looked at. */
  private record Parsed(
      WriterBuses buses,
      Bus streamingInsertBus,
      int maxFileBytes,
      OfflineStore offlineStore,
      Duration maxClockSkew,
      Duration gathering) {
    /** Room for what a bus keeps beside a message's payload. */
    private static final int ENVELOPE_BYTES = 4 << 10;

    /** Larger files would gain nothing, and cost memory everywhere. */
    private static final int LARGEST_FILE_BYTES = 8 << 20;

    static Parsed of(OfflineWriterOptions options) throws CommandException {
      OptionCheck check = new OptionCheck();
      WriterBuses buses =
          new WriterBuses(check, NAME, "resultBus", options.getResultBus(), options);
      Optional<Bus> insertBus =
          check.required("streamingInsertBus", options.getStreamingInsertBus(), Buses::at);
      Optional<OfflineStore> store =
          OfflineStoreCheck.parse(check, options.getOfflineStore(), buses.environments());
      Duration maxClockSkew = check.duration("maxClockSkew", options.getMaxClockSkew());
      Duration gathering =
          check
              .optional("gathering", options.getGathering(), EndpointUri::parseDuration)
              .orElse(Duration.ZERO);
      check.finish();

      buses.ask(check);
      int maxFileBytes =
          insertBus
              .flatMap(bus -> check.ask("streamingInsertBus", bus::checkWritable))
              .flatMap(BusFacts::maxMessageBytes)
              .map(max -> Math.max(10_000, Math.min(LARGEST_FILE_BYTES, max - ENVELOPE_BYTES)))
              .orElse(EncodeObservations.DEFAULT_MAX_FILE_BYTES);
      OfflineStoreCheck.ask(check, store, Set.of(Role.CREATE_TABLES));
      check.finish();
      return new Parsed(
          buses,
          insertBus.orElseThrow(),
          maxFileBytes,
          store.orElseThrow(),
          maxClockSkew,
          gathering);
    }
  }
}
