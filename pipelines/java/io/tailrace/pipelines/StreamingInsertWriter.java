package io.tailrace.pipelines;

import io.tailrace.offline.DecodeObservationFiles;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
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

/**
 * Carries the rows of every file on the streaming-insert bus to the offline store, whoever
 * published it.
 *
 * <pre>
 * mvn compile exec:java -Dexec.mainClass=io.tailrace.pipelines.StreamingInsertWriter -Dexec.args="--runner=DirectRunner \
 *     --streamingInsertBus=kafka://localhost:9092/streaming-insert \
 *     --offlineStore=postgresql://localhost/features?schema=tailrace_{environment} \
 *     --deadLetterBus=kafka://localhost:9092/dead-letters"
 * </pre>
 */
public final class StreamingInsertWriter {
  /** The writer's name: its consumer group, and the addressee of messages replayed for it. */
  public static final String NAME = "streaming-insert-writer";

  private StreamingInsertWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    Launcher.main(NAME, StreamingInsertWriterOptions.class, StreamingInsertWriter::start, args);
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
   * @param watcher gets what became of each file, and may apply transforms to it
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public static PipelineResult start(Consumer<PCollection<InsertOutcome>> watcher, String... args)
      throws CommandException {
    StreamingInsertWriterOptions options =
        Launcher.options(StreamingInsertWriterOptions.class, RunnerDefaults.applyGathering(args));
    Parsed parsed = Parsed.of(options);
    Pipeline pipeline = Pipeline.create(options);
    watcher.accept(build(pipeline, parsed));
    return pipeline.run();
  }

  private static PCollection<InsertOutcome> build(Pipeline pipeline, Parsed options) {
    List<PCollection<Failure>> failures = new ArrayList<>();

    PCollection<ObservationFile> files =
        pipeline
            .apply("ReadStreamingInsertBus", options.buses().source().read(NAME))
            .apply(
                "DecodeObservationFiles",
                DecodeObservationFiles.forWriter(NAME)
                    .ofEnvironments(options.buses().environments()))
            .failuresTo(failures);

    PCollection<InsertOutcome> outcomes =
        files
            .apply("InsertObservations", InsertObservations.into(options.offlineStore()))
            .failuresTo(failures);

    PCollectionList.of(failures)
        .apply("Failures", Flatten.pCollections())
        .apply("DeadLetters", options.buses().deadLetters());
    return outcomes;
  }

  /** The options, with their types, looked at. */
  private record Parsed(WriterBuses buses, OfflineStore offlineStore) {
    static Parsed of(StreamingInsertWriterOptions options) throws CommandException {
      OptionCheck check = new OptionCheck();
      WriterBuses buses =
          new WriterBuses(
              check, NAME, "streamingInsertBus", options.getStreamingInsertBus(), options);
      Optional<OfflineStore> store =
          OfflineStoreCheck.parse(check, options.getOfflineStore(), buses.environments());
      check.finish();

      buses.ask(check);
      OfflineStoreCheck.ask(check, store, Set.of(Role.CREATE_TABLES, Role.INSERT));
      check.finish();
      return new Parsed(buses, store.orElseThrow());
    }
  }
}
