package io.tailrace.pipelines;

import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.bigquery.BigQueryOfflineStore;

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
      StreamingInsertWriter.writer(
          BigQueryStreamingWriter.class,
          BigQueryOfflineStore.WRITER,
          "Carries rows from the streaming-insert bus to BigQuery.");

  private BigQueryStreamingWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    WRITER.runAsProgram(args);
  }
}
