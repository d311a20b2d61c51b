package io.tailrace.metrics;

import io.tailrace.stage.StageCounters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.beam.sdk.coders.BooleanCoder;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.coders.OptionalCoder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.state.MapState;
import org.apache.beam.sdk.state.StateSpec;
import org.apache.beam.sdk.state.StateSpecs;
import org.apache.beam.sdk.state.TimeDomain;
import org.apache.beam.sdk.state.TimerMap;
import org.apache.beam.sdk.state.TimerSpec;
import org.apache.beam.sdk.state.TimerSpecs;
import org.apache.beam.sdk.state.ValueState;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.KV;
import org.joda.time.Instant;

/**
 * Lets so many series of a minute pass, the first ones, and adds up the others: one that has passed
 * always passes, so that what is told of a series is all there is, or nothing. The time of an
 * element is the start of its minute. What a minute has let pass is forgotten when nothing of it
 * can come any more. What comes later than that is dropped, and counted.
 *
 * <p>It also stamps the epoch, which is kept with the state: what is restored goes on in the epoch
 * that it began in. (A side input would not do: on Flink it is not there after a restore.) Every
 * slot gets an empty element when a job begins, so that all of them know the epoch in the first
 * checkpoint.
 */
final class LimitSeries extends DoFn<KV<Integer, Optional<SeriesTally>>, KV<SeriesKey, Tally>> {
  private static final long serialVersionUID = 1;

  static final KvCoder<Integer, Optional<SeriesTally>> INPUT_CODER =
      KvCoder.of(VarIntCoder.of(), OptionalCoder.of(new SeriesTally.SeriesTallyCoder()));

  private final long newEpoch;
  private final org.joda.time.Duration keptAfterStart;
  private final org.joda.time.Duration takenAfterStart;

  @StateId("epoch")
  private final StateSpec<ValueState<Long>> epochSpec = StateSpecs.value(VarLongCoder.of());

  @StateId("passed")
  private final StateSpec<MapState<KV<Long, SeriesKey>, Boolean>> passedSpec =
      StateSpecs.map(KvCoder.of(VarLongCoder.of(), SeriesKey.KeyCoder.of()), BooleanCoder.of());

  @StateId("counts")
  private final StateSpec<MapState<KV<Long, SeriesShard>, Integer>> countsSpec =
      StateSpecs.map(KvCoder.of(VarLongCoder.of(), SeriesShard.ShardCoder.of()), VarIntCoder.of());

  @SuppressWarnings("UnusedVariable") // Read by Beam, as those above are.
  @TimerFamily("forget")
  private final TimerSpec forgetSpec = TimerSpecs.timerMap(TimeDomain.EVENT_TIME);

  private final Counts counted = new Counts();

  /** What this part of the stage counts. */
  static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count valuesOverLimit =
        count(
            "values_over_limit",
            "values",
            "values and executions that were counted in the overflow series: there were too many"
                + " series in their minute, or no store takes their names");

    final Count valuesDroppedLate =
        count(
            "values_dropped_late",
            "values",
            "values and executions that came later than `--allowedLateness`, and are in no"
                + " summary");

    Counts() {
      super(SummarizeResults.STAGE);
    }
  }

  /**
   * Limits.
   *
   * @param newEpoch the epoch of state that begins now
   */
  LimitSeries(long newEpoch, Duration allowedLateness) {
    this.newEpoch = newEpoch;
    // As Beam has it: until the watermark is later than the minute's last moment and the lateness.
    this.takenAfterStart =
        org.joda.time.Duration.millis(
            SummarizeResults.MINUTE.plus(allowedLateness).minusMillis(1).toMillis());
    this.keptAfterStart =
        // A minute more: while a bundle is open, what comes after this takes more than this sees.
        org.joda.time.Duration.millis(
            SummarizeResults.MINUTE.multipliedBy(2).plus(allowedLateness).toMillis());
  }

  @StartBundle
  public void startBundle() {
    counted.clear();
  }

  /** Passes a tally on, under its own key or that of all others. */
  @ProcessElement
  public void limit(
      @Element KV<Integer, Optional<SeriesTally>> element,
      @Timestamp Instant start,
      @StateId("epoch") ValueState<Long> epochOfState,
      @StateId("passed") MapState<KV<Long, SeriesKey>, Boolean> passed,
      @StateId("counts") MapState<KV<Long, SeriesShard>, Integer> counts,
      @TimerFamily("forget") TimerMap forget,
      OutputReceiver<KV<SeriesKey, Tally>> out) {
    Long epoch = epochOfState.read();
    if (epoch == null) {
      epoch = newEpoch;
      epochOfState.write(epoch);
    }
    if (element.getValue().isEmpty()) {
      return;
    }
    SeriesTally series = element.getValue().get();
    long minute = start.getMillis();
    Instant watermark = forget.get(Long.toString(minute)).getCurrentRelativeTime();
    if (start.plus(takenAfterStart).isBefore(watermark)) {
      // Beam would drop it, and count it where nobody looks.
      counted.valuesDroppedLate.add(series.tally().observations());
      return;
    }
    Tally tally = series.tally().inEpoch(epoch);
    if (!series.key().kind().isOverflow()) {
      KV<Long, SeriesKey> ofMinute = KV.of(minute, series.key());
      if (passed.get(ofMinute).read() != null) {
        out.output(KV.of(series.key(), tally));
        return;
      }
      KV<Long, SeriesShard> shard = KV.of(minute, series.shard());
      Integer before = counts.get(shard).read();
      if (before == null) {
        forget.get(Long.toString(minute)).withNoOutputTimestamp().set(start.plus(keptAfterStart));
      }
      int passedBefore = before == null ? 0 : before;
      if (passedBefore < series.shard().limit()) {
        passed.put(ofMinute, true);
        counts.put(shard, passedBefore + 1);
        out.output(KV.of(series.key(), tally));
        return;
      }
    }
    counted.valuesOverLimit.add(tally.observations());
    out.output(KV.of(series.key().overflow(), tally.withoutDistributions()));
  }

  /** Tells what was counted. */
  @FinishBundle
  public void finishBundle() {
    counted.flush();
  }

  /** Forgets a minute. */
  @OnTimerFamily("forget")
  public void forget(
      @TimerId String minuteText,
      @StateId("passed") MapState<KV<Long, SeriesKey>, Boolean> passed,
      @StateId("counts") MapState<KV<Long, SeriesShard>, Integer> counts) {
    Long minute = Long.valueOf(minuteText);
    forget(minute, passed);
    forget(minute, counts);
  }

  private static <K, V> void forget(Long minute, MapState<KV<Long, K>, V> state) {
    List<KV<Long, K>> forgotten = new ArrayList<>();
    for (KV<Long, K> each : state.keys().read()) {
      if (minute.equals(each.getKey())) {
        forgotten.add(each);
      }
    }
    forgotten.forEach(state::remove);
  }
}
