package io.tailrace.pipelines;

import io.tailrace.online.WriteOnline;
import io.tailrace.online.WriteOutcome;
import io.tailrace.result.DecodeResults;
import org.apache.beam.sdk.values.PCollection;

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
  /** The writer, which puts out what became of each result. */
  public static final Writer<WriteOutcome> WRITER =
      Writer.named("online-writer", OnlineWriterOptions.class)
          .program(OnlineWriter.class)
          .says("Carries results from the result bus to the online store.")
          .reads("resultBus", OnlineWriterOptions::getResultBus)
          .settles(WriteOnline.STAGE, "results_settled", "cells_written")
          .with(OnlineWriterOptions::parse, OnlineWriter::build);

  private OnlineWriter() {}

  /** Runs the writer until it is cancelled; on Dataflow, and detached on Flink, only starts it. */
  public static void main(String[] args) {
    WRITER.runAsProgram(args);
  }

  private static PCollection<WriteOutcome> build(
      WriterStart start, OnlineWriterOptions.Parsed options) {
    return start
        .pipeline()
        .apply("ReadResultBus", start.source())
        .apply(
            "DecodeResults",
            DecodeResults.forWriter(WRITER.name())
                .inGroup(start.group())
                .ofEnvironments(start.environments()))
        .failuresTo(start.failures())
        .apply(
            "WriteOnline",
            WriteOnline.to(options.onlineStore())
                .withMaxClockSkew(options.maxClockSkew())
                .withDeletionRetention(options.deletionRetention()))
        .failuresTo(start.failures());
  }
}
