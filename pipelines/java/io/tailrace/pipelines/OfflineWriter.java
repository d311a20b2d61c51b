package io.tailrace.pipelines;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.offline.CreateFeatureTables;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.result.DecodeResults;
import org.apache.beam.sdk.values.PCollection;

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
  /** The writer, which puts out its files. */
  public static final Writer<OutgoingMessage> WRITER =
      Writer.named("offline-writer", OfflineWriterOptions.class)
          .program(OfflineWriter.class)
          .says(
              "Carries results to the streaming-insert bus as Parquet files, and creates tables in"
                  + " the offline store.")
          .reads("resultBus", OfflineWriterOptions::getResultBus)
          .settles(EncodeObservations.STAGE, "queries_encoded", "rows_encoded")
          .with(OfflineWriterOptions::parse, OfflineWriter::build);

  private OfflineWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    WRITER.runAsProgram(args);
  }

  private static PCollection<OutgoingMessage> build(
      WriterStart start, OfflineWriterOptions.Parsed options) {
    PCollection<OutgoingMessage> files =
        start
            .pipeline()
            .apply("ReadResultBus", start.source())
            .apply(
                "DecodeResults",
                DecodeResults.forWriter(WRITER.name())
                    .inGroup(start.group())
                    .ofEnvironments(start.environments()))
            .failuresTo(start.failures())
            .apply("CreateFeatureTables", CreateFeatureTables.in(options.offlineStore()))
            .failuresTo(start.failures())
            .apply(
                "EncodeObservations",
                EncodeObservations.create()
                    .withMaxFileBytes(options.maxFileBytes())
                    .withMaxClockSkew(options.maxClockSkew())
                    .withClockOf(options.offlineStore())
                    .withGathering(options.gathering()))
            .failuresTo(start.failures());

    files.apply("WriteStreamingInsertBus", options.streamingInsertBus().write());
    return files;
  }
}
