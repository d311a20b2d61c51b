package io.tailrace.pipelines.benchmark.rivals;

import io.tailrace.bus.Buses;
import io.tailrace.result.Column;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Frame;
import io.tailrace.result.Result;
import io.tailrace.result.ValueType;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.ApproximateQuantiles;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.windowing.AfterPane;
import org.apache.beam.sdk.transforms.windowing.AfterProcessingTime;
import org.apache.beam.sdk.transforms.windowing.AfterWatermark;
import org.apache.beam.sdk.transforms.windowing.FixedWindows;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.values.KV;
import org.joda.time.Duration;

/**
 * How summaries are written at first: an element for each value, and Beam's own quantiles for each
 * key. Nothing else is counted, and nothing is written.
 */
public final class PlainCombinePipeline {
  /** Results that were taken apart; everything runs in this JVM. */
  public static final LongAdder DONE = new LongAdder();

  private static final int QUANTILES = 101;

  private PlainCombinePipeline() {}

  public static void start(String bus, String... args) {
    Pipeline pipeline =
        Pipeline.create(PipelineOptionsFactory.fromArgs(args).withValidation().create());
    pipeline
        .apply("Read", Buses.at(bus).read("plain-combine"))
        .apply("Decode", DecodeResults.forWriter("plain-combine"))
        .output()
        .apply("Values", ParDo.of(new ValuesFn()))
        .apply(
            "Minutes",
            Window.<KV<String, Double>>into(FixedWindows.of(Duration.standardMinutes(1)))
                .triggering(
                    AfterWatermark.pastEndOfWindow()
                        .withEarlyFirings(
                            AfterProcessingTime.pastFirstElementInPane()
                                .plusDelayOf(Duration.standardSeconds(5)))
                        .withLateFirings(AfterPane.elementCountAtLeast(1)))
                .withAllowedLateness(Duration.standardMinutes(10))
                .accumulatingFiredPanes())
        .apply("Quantiles", ApproximateQuantiles.perKey(QUANTILES))
        .apply("Forget", ParDo.of(new ForgetFn()));
    var unused = pipeline.run();
  }

  private static final class ValuesFn extends DoFn<Result, KV<String, Double>> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void take(@Element Result result, OutputReceiver<KV<String, Double>> out) {
      for (Frame frame : result.frames()) {
        for (Column column : frame.columns()) {
          for (int row = 0; row < frame.rows(); row++) {
            double value =
                column.spec().type() == ValueType.INT64 ? column.int64(row) : column.float64(row);
            out.output(KV.of(column.spec().feature(), value));
          }
        }
      }
      DONE.increment();
    }
  }

  private static final class ForgetFn extends DoFn<KV<String, List<Double>>, Void> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void forget() {}
  }
}
