package io.tailrace.pipelines;

import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.bulk.DecodeNotifications;
import io.tailrace.offline.bulk.LoadResultFiles;
import org.apache.beam.sdk.values.PCollection;

/**
 * Loads files with results, which an engine has written into a bucket, into the offline store: a
 * message on the bulk-upload bus names them.
 *
 * <pre>
 * mvn compile exec:java -Dexec.mainClass=io.tailrace.pipelines.BulkInsertWriter -Dexec.args="--runner=DirectRunner \
 *     --bulkUploadBus=kafka://localhost:9092/bulk-upload --uploadBucket=file:///data/results \
 *     --offlineStore=postgresql://localhost/features?schema=tailrace_{environment} \
 *     --deadLetterBus=kafka://localhost:9092/dead-letters"
 * </pre>
 */
public final class BulkInsertWriter {
  /** The writer, which puts out what became of each message. */
  public static final Writer<InsertOutcome> WRITER =
      Writer.named("bulk-insert-writer", BulkInsertWriterOptions.class)
          .program(BulkInsertWriter.class)
          .says("Loads files with results from a bucket into the offline store.")
          .reads("bulkUploadBus", BulkInsertWriterOptions::getBulkUploadBus)
          .settles(LoadResultFiles.STAGE, "notifications_settled", "rows_inserted")
          .with(BulkInsertWriterOptions::parse, BulkInsertWriter::build);

  private BulkInsertWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    WRITER.runAsProgram(args);
  }

  private static PCollection<InsertOutcome> build(
      WriterStart start, BulkInsertWriterOptions.Parsed options) {
    return start
        .pipeline()
        .apply("ReadBulkUploadBus", start.source())
        .apply(
            "DecodeNotifications",
            DecodeNotifications.forWriter(WRITER.name(), options.uploadBucket())
                .inGroup(start.group())
                .ofEnvironments(start.environments()))
        .failuresTo(start.failures())
        .apply(
            "LoadResultFiles",
            LoadResultFiles.from(options.uploadBucket())
                .into(options.offlineStore())
                .ofEnvironments(start.environments())
                .withMaxClockSkew(options.maxClockSkew()))
        .failuresTo(start.failures());
  }
}
