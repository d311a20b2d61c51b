package io.tailrace.pipelines;

import io.tailrace.offline.DecodeObservationFiles;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.bigquery.BigQueryOfflineStore;
import org.apache.beam.sdk.values.PCollection;

/**
 * Carries the rows of every file on the streaming-insert bus to BigQuery, whoever published it:
 * what the {@link StreamingInsertWriter} does for other stores. It is a writer of its own, as
 * BigQuery's sink is Beam's, which has steps, state and options of its own.
 *
 * <pre>
 * mvn compile exec:java -Dexec.mainClass=io.tailrace.pipelines.BigQueryStreamingWriter -Dexec.args="--runner=DirectRunner \
 *     --streamingInsertBus=kafka://localhost:9092/streaming-insert \
 *     --offlineStore=bigquery://my-project/tailrace_{environment} \
 *     --deadLetterBus=kafka://localhost:9092/dead-letters"
 * </pre>
 */
public final class BigQueryStreamingWriter {
  /** The writer, which puts out what became of rows. */
  public static final Writer<InsertOutcome> WRITER =
      Writer.named(BigQueryOfflineStore.WRITER, StreamingInsertWriterOptions.class)
          .says("Carries rows from the streaming-insert bus to BigQuery.")
          .reads("streamingInsertBus", StreamingInsertWriterOptions::getStreamingInsertBus)
          .gathers()
          .settles(InsertObservations.STAGE, "files_inserted", "rows_inserted")
          .with(
              (options, check) ->
                  StreamingInsertWriterOptions.parse(BigQueryOfflineStore.WRITER, options, check),
              BigQueryStreamingWriter::build);

  private BigQueryStreamingWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    WRITER.runAsProgram(args);
  }

  private static PCollection<InsertOutcome> build(
      WriterStart start, StreamingInsertWriterOptions.Parsed options) {
    return start
        .pipeline()
        .apply("ReadStreamingInsertBus", start.source())
        .apply(
            "DecodeObservationFiles",
            DecodeObservationFiles.forWriter(WRITER.name())
                .inGroup(start.group())
                .ofEnvironments(start.environments())
                .withMaxClockSkew(options.maxClockSkew()))
        .failuresTo(start.failures())
        .apply("InsertObservations", InsertObservations.into(options.offlineStore()))
        .failuresTo(start.failures());
  }
}
