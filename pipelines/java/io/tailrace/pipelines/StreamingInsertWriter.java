package io.tailrace.pipelines;

import io.tailrace.offline.DecodeObservationFiles;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineStore;
import org.apache.beam.sdk.values.PCollection;

/**
 * Carries the rows of every file on the streaming-insert bus to the offline store, whoever
 * published it. BigQuery has a writer of its own, the {@link BigQueryStreamingWriter}.
 *
 * <pre>
 * mvn compile exec:java -Dexec.mainClass=io.tailrace.pipelines.StreamingInsertWriter -Dexec.args="--runner=DirectRunner \
 *     --streamingInsertBus=kafka://localhost:9092/streaming-insert \
 *     --offlineStore=postgresql://localhost/features?schema=tailrace_{environment} \
 *     --deadLetterBus=kafka://localhost:9092/dead-letters"
 * </pre>
 */
public final class StreamingInsertWriter {
  /** The writer, which puts out what became of each file. */
  public static final Writer<InsertOutcome> WRITER =
      writer(
          StreamingInsertWriter.class,
          OfflineStore.WRITER,
          "Carries rows from the streaming-insert bus to the offline store.");

  private StreamingInsertWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    WRITER.runAsProgram(args);
  }

  /** Returns the writer of this name: a store may want one of its own. */
  static Writer<InsertOutcome> writer(Class<?> program, String name, String words) {
    return Writer.named(name, StreamingInsertWriterOptions.class)
        .program(program)
        .says(words)
        .reads("streamingInsertBus", StreamingInsertWriterOptions::getStreamingInsertBus)
        .gathers()
        .settles(InsertObservations.STAGE, "files_inserted", "rows_inserted")
        .with(
            (options, check) -> StreamingInsertWriterOptions.parse(name, options, check),
            (start, options) -> build(name, start, options));
  }

  private static PCollection<InsertOutcome> build(
      String name, WriterStart start, StreamingInsertWriterOptions.Parsed options) {
    return start
        .pipeline()
        .apply("ReadStreamingInsertBus", start.source())
        .apply(
            "DecodeObservationFiles",
            DecodeObservationFiles.forWriter(name)
                .inGroup(start.group())
                .ofEnvironments(start.environments())
                .withMaxClockSkew(options.maxClockSkew()))
        .failuresTo(start.failures())
        .apply(
            "InsertObservations",
            InsertObservations.into(options.offlineStore()).ofEnvironments(start.environments()))
        .failuresTo(start.failures());
  }
}
