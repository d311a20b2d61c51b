package io.tailrace.metrics;

import io.tailrace.endpoint.Micros;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Outputs;
import io.tailrace.v1.MetricsSummary;
import java.time.Duration;
import java.util.Optional;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.extensions.protobuf.ProtoCoder;
import org.apache.beam.sdk.transforms.Combine;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.Impulse;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.windowing.AfterProcessingTime;
import org.apache.beam.sdk.transforms.windowing.AfterWatermark;
import org.apache.beam.sdk.transforms.windowing.FixedWindows;
import org.apache.beam.sdk.transforms.windowing.GlobalWindows;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.transforms.windowing.Window.ClosingBehavior;
import org.apache.beam.sdk.transforms.windowing.Window.OnTimeBehavior;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;

/**
 * Summarises results by minute: what of each feature was computed, null and served, by which
 * resolver in which deployment, and how each query fared.
 *
 * <p>A minute is one of event time: of when the bus took a result, or, where the bus does not say,
 * of the time that the publisher gave it, unless that is to come, or from before the messages that
 * the bus keeps: then it is now. One that the bus took further ahead of the worker's clock than
 * clocks differ counts as published now, too. While a minute fills, its summaries are put out again
 * and again, each with everything so far; at its end; and again when late results change them,
 * until it is older than the allowed lateness, after which results are dropped (Beam counts them as
 * {@code droppedDueToLateness}). Only series that have changed since are put out, but for the end
 * of the minute. Which of several summaries stands, the message tells: {@link MetricsSummary}.
 *
 * <p>Counts and sums are exact, whatever the order of results and the number of workers, as long as
 * a job that is started again restores its state. One that does not begins a new epoch.
 *
 * <p>Memory is bounded: a series costs a sketch, however many values it has, and there are only so
 * many series of features, and so many of queries, in an environment and a minute. Those that come
 * after, and those whose names no store takes, are counted together, in a series with {@code
 * overflow}. After a restart from a checkpoint others may be beyond the limit than before; this can
 * count some values twice, in an environment that is over the limit only.
 *
 * <p>Takes results in the global window. No result can fail here; the failures are empty.
 */
public final class SummarizeResults
    extends PTransform<
        PCollection<Result>, WithFailures.Result<PCollection<MetricsSummary>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in metrics. */
  public static final String STAGE = "SummarizeResults";

  /** How many series of an environment there are in a minute unless another limit is set. */
  public static final int DEFAULT_MAX_SERIES = 10_000;

  /** How late results may be unless set otherwise. */
  public static final Duration DEFAULT_ALLOWED_LATENESS = Duration.ofMinutes(10);

  /**
   * How often summaries that change are put out unless set otherwise: so that, with the time that
   * the writers take, what a dashboard shows is not older than ten seconds.
   */
  public static final Duration DEFAULT_UPDATE_INTERVAL = Duration.ofSeconds(5);

  /** As long as Kafka keeps messages unless told otherwise. */
  private static final Duration DEFAULT_KEPT = Duration.ofDays(7);

  static final Duration MINUTE = Duration.ofMinutes(1);

  private final int maxSeries;
  private final Duration allowedLateness;
  private final Duration updateInterval;
  private final long epoch;
  private final Duration kept;

  private SummarizeResults(
      int maxSeries, Duration allowedLateness, Duration updateInterval, long epoch, Duration kept) {
    this.maxSeries = maxSeries;
    this.allowedLateness = allowedLateness;
    this.updateInterval = updateInterval;
    this.epoch = epoch;
    this.kept = kept;
  }

  /** Summarises with the defaults, in an epoch that begins now. */
  public static SummarizeResults create() {
    return new SummarizeResults(
        DEFAULT_MAX_SERIES,
        DEFAULT_ALLOWED_LATENESS,
        DEFAULT_UPDATE_INTERVAL,
        Micros.now(),
        DEFAULT_KEPT);
  }

  /**
   * Keeps so many series of features, and so many of queries, apart in an environment and a minute.
   * More than {@value SeriesShard#CAPACITY} are limited in parts, which may fill up unevenly by
   * some percent.
   *
   * @throws IllegalArgumentException if it is not at least 1
   */
  public SummarizeResults withMaxSeries(int limit) {
    if (limit < 1) {
      throw new IllegalArgumentException("the limit of series must be 1 or more, not " + limit);
    }
    return new SummarizeResults(limit, allowedLateness, updateInterval, epoch, kept);
  }

  /**
   * Takes results that are so much late, by the watermark.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public SummarizeResults withAllowedLateness(Duration lateness) {
    if (lateness.isNegative()) {
      throw new IllegalArgumentException("the allowed lateness must not be negative: " + lateness);
    }
    return new SummarizeResults(maxSeries, lateness, updateInterval, epoch, kept);
  }

  /**
   * Puts a summary that changes out so long after the change.
   *
   * @throws IllegalArgumentException if it is not above zero
   */
  public SummarizeResults withUpdateInterval(Duration interval) {
    if (interval.isNegative() || interval.isZero()) {
      throw new IllegalArgumentException("the update interval must be above zero: " + interval);
    }
    return new SummarizeResults(maxSeries, allowedLateness, interval, epoch, kept);
  }

  /**
   * Begins the epoch at this time, unless the job restores an earlier one.
   *
   * @param micros since 1970
   */
  public SummarizeResults withEpoch(long micros) {
    return new SummarizeResults(maxSeries, allowedLateness, updateInterval, micros, kept);
  }

  /**
   * Takes the time that a publisher gave a message for the event's as long as it is not from before
   * this long ago: as long as the bus keeps messages. Where the bus itself says when it took a
   * message, that counts.
   */
  public SummarizeResults withBusRetention(Duration retention) {
    return new SummarizeResults(maxSeries, allowedLateness, updateInterval, epoch, retention);
  }

  @Override
  public WithFailures.Result<PCollection<MetricsSummary>, Failure> expand(
      PCollection<Result> results) {
    // The names are part of every checkpoint: renaming a step orphans its state.
    if (!(results.getWindowingStrategy().getWindowFn() instanceof GlobalWindows)) {
      throw new IllegalArgumentException(
          "SummarizeResults makes windows of minutes itself: give it results in the global window");
    }
    // Two: Flink runs an impulse once, and knows its state by whether the next step runs in its
    // thread, which one with two inputs never does. So it is found with whatever copies of steps.
    Pipeline pipeline = results.getPipeline();
    PCollection<KV<Integer, Optional<SeriesTally>>> starts =
        PCollectionList.of(pipeline.apply(STAGE + "Impulse", Impulse.create()))
            .and(pipeline.apply(STAGE + "SecondImpulse", Impulse.create()))
            .apply(STAGE + "Impulses", Flatten.pCollections())
            .apply(STAGE + "Begin", ParDo.of(new BeginFn()))
            .setCoder(LimitSeries.INPUT_CODER);
    PCollection<KV<Integer, Optional<SeriesTally>>> tallies =
        results
            .apply("Count", ParDo.of(new CountResults(maxSeries, Micros.of(kept))))
            .setCoder(LimitSeries.INPUT_CODER);
    PCollection<MetricsSummary> summaries =
        PCollectionList.of(starts)
            .and(tallies)
            .apply("Tallies", Flatten.pCollections())
            // In the global window: in one of a minute, Beam would hold the watermark back at its
            // end for as long as there is state.
            .apply("LimitSeries", ParDo.of(new LimitSeries(epoch, allowedLateness)))
            .setCoder(KvCoder.of(SeriesKey.KeyCoder.of(), Tally.TallyCoder.of()))
            .apply(
                "ByMinute",
                Window.<KV<SeriesKey, Tally>>into(FixedWindows.of(joda(MINUTE)))
                    .triggering(
                        AfterWatermark.pastEndOfWindow()
                            .withEarlyFirings(soon())
                            .withLateFirings(soon()))
                    .withAllowedLateness(joda(allowedLateness), ClosingBehavior.FIRE_IF_NON_EMPTY)
                    // Tells that the minute has ended, also if nothing has changed since it was
                    // told.
                    .withOnTimeBehavior(OnTimeBehavior.FIRE_ALWAYS)
                    .accumulatingFiredPanes())
            .apply("Sum", Combine.perKey(new SumTallies()))
            .setCoder(KvCoder.of(SeriesKey.KeyCoder.of(), Tally.TallyCoder.of()))
            .apply("Describe", ParDo.of(new DescribeSeries()))
            .setCoder(ProtoCoder.of(MetricsSummary.class));
    return Outputs.unfailing(summaries, STAGE);
  }

  /** Has every part of the state know the epoch before the first checkpoint, once in its life. */
  private static final class BeginFn extends DoFn<byte[], KV<Integer, Optional<SeriesTally>>> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void begin(OutputReceiver<KV<Integer, Optional<SeriesTally>>> out) {
      for (int slot = 0; slot < SeriesShard.SLOTS; slot++) {
        out.output(KV.of(slot, Optional.empty()));
      }
    }
  }

  private AfterProcessingTime soon() {
    return AfterProcessingTime.pastFirstElementInPane().plusDelayOf(joda(updateInterval));
  }

  private static org.joda.time.Duration joda(Duration duration) {
    return org.joda.time.Duration.millis(duration.toMillis());
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    builder
        .add(DisplayData.item("maxSeries", maxSeries).withLabel("Series in a minute at most"))
        .add(
            DisplayData.item("allowedLateness", joda(allowedLateness))
                .withLabel("Allowed lateness"))
        .add(DisplayData.item("updateInterval", joda(updateInterval)).withLabel("Update interval"));
  }
}
