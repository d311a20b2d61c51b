package io.tailrace.testing;

import io.tailrace.pipelines.ResultBusOptions;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.WriterStart;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Result;
import java.io.PrintStream;
import java.util.Optional;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollection;

/** A writer that only the tests know: it counts results, and stores nothing. */
public final class TallyWriter {
  /** The writer. */
  public static final Writer<Result> WRITER =
      Writer.named("tally-writer", Options.class)
          .says("Counts results.")
          .reads("resultBus", Options::getResultBus)
          .settles("TallyResults", "results_tallied", "frames_tallied")
          .with(
              (options, check) -> {
                Optional<Integer> step =
                    check.required("step", options.getStep(), Integer::valueOf);
                return step::orElseThrow;
              },
              TallyWriter::build);

  /** Its options. */
  public interface Options extends ResultBusOptions {
    @Description("By how much to count.")
    @Default.String("1")
    String getStep();

    void setStep(String number);
  }

  private TallyWriter() {}

  /** Runs it as its program does, and returns the exit code. */
  public static int run(PrintStream err, String... args) {
    return WRITER.run(err, err, args);
  }

  private static PCollection<Result> build(WriterStart start, int step) {
    return start
        .pipeline()
        .apply("ReadResultBus", start.source())
        .apply(
            "DecodeResults",
            DecodeResults.forWriter(WRITER.name()).ofEnvironments(start.environments()))
        .failuresTo(start.failures())
        .apply("TallyResults", ParDo.of(new TallyFn(step)));
  }

  private static final class TallyFn extends DoFn<Result, Result> {
    private static final long serialVersionUID = 1;

    private final Counter results = Metrics.counter("TallyResults", "results_tallied");
    private final Counter frames = Metrics.counter("TallyResults", "frames_tallied");
    private final int step;

    TallyFn(int step) {
      this.step = step;
    }

    @ProcessElement
    public void tally(@Element Result result, OutputReceiver<Result> out) {
      results.inc(step);
      frames.inc(result.frames().size());
      out.output(result);
    }
  }
}
