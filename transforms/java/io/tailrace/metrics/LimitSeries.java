package io.tailrace.metrics;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.coders.BooleanCoder;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.state.MapState;
import org.apache.beam.sdk.state.StateSpec;
import org.apache.beam.sdk.state.StateSpecs;
import org.apache.beam.sdk.state.TimeDomain;
import org.apache.beam.sdk.state.TimerMap;
import org.apache.beam.sdk.state.TimerSpec;
import org.apache.beam.sdk.state.TimerSpecs;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.KV;
import org.joda.time.Instant;

/**
 * Lets so many series of a minute pass, the first ones, and adds up the others: one that has passed
 * always passes, so that what is told of a series is all there is, or nothing. The time of an
 * element is the start of its minute. What a minute has let pass is forgotten when nothing of it
 * can come any more.
 */
final class LimitSeries extends DoFn<KV<SeriesShard, KV<SeriesKey, Tally>>, KV<SeriesKey, Tally>> {
  private static final long serialVersionUID = 1;

  private final org.joda.time.Duration keptAfterStart;

  @StateId("passed")
  private final StateSpec<MapState<KV<Long, SeriesKey>, Boolean>> passedSpec =
      StateSpecs.map(KvCoder.of(VarLongCoder.of(), SeriesKey.KeyCoder.of()), BooleanCoder.of());

  @StateId("counts")
  private final StateSpec<MapState<Long, Integer>> countsSpec =
      StateSpecs.map(VarLongCoder.of(), VarIntCoder.of());

  @SuppressWarnings("UnusedVariable") // Read by Beam, as those above are.
  @TimerFamily("forget")
  private final TimerSpec forgetSpec = TimerSpecs.timerMap(TimeDomain.EVENT_TIME);

  private final Counter valuesOverLimit =
      Metrics.counter(SummarizeResults.STAGE, "values_over_limit");

  LimitSeries(Duration allowedLateness) {
    this.keptAfterStart =
        org.joda.time.Duration.millis(SummarizeResults.MINUTE.plus(allowedLateness).toMillis());
  }

  /** Passes a tally on, under its own key or that of all others. */
  @ProcessElement
  public void limit(
      @Element KV<SeriesShard, KV<SeriesKey, Tally>> element,
      @Timestamp Instant start,
      @StateId("passed") MapState<KV<Long, SeriesKey>, Boolean> passed,
      @StateId("counts") MapState<Long, Integer> counts,
      @TimerFamily("forget") TimerMap forget,
      OutputReceiver<KV<SeriesKey, Tally>> out) {
    SeriesKey key = element.getValue().getKey();
    Tally tally = element.getValue().getValue();
    long minute = start.getMillis();
    if (key.kind().isOverflow()) {
      valuesOverLimit.inc(tally.observations());
      out.output(KV.of(key, tally.withoutDistributions()));
      return;
    }
    KV<Long, SeriesKey> ofMinute = KV.of(minute, key);
    if (passed.get(ofMinute).read() == null) {
      Integer before = counts.get(minute).read();
      if (before == null) {
        forget.get(Long.toString(minute)).withNoOutputTimestamp().set(start.plus(keptAfterStart));
      }
      int passedBefore = before == null ? 0 : before;
      if (passedBefore >= element.getKey().limit()) {
        valuesOverLimit.inc(tally.observations());
        out.output(KV.of(key.overflow(), tally.withoutDistributions()));
        return;
      }
      passed.put(ofMinute, true);
      counts.put(minute, passedBefore + 1);
    }
    out.output(KV.of(key, tally));
  }

  /** Forgets a minute. */
  @OnTimerFamily("forget")
  public void forget(
      @TimerId String minuteText,
      @StateId("passed") MapState<KV<Long, SeriesKey>, Boolean> passed,
      @StateId("counts") MapState<Long, Integer> counts) {
    Long minute = Long.valueOf(minuteText);
    counts.remove(minute);
    List<KV<Long, SeriesKey>> forgotten = new ArrayList<>();
    for (KV<Long, SeriesKey> each : passed.keys().read()) {
      if (minute.equals(each.getKey())) {
        forgotten.add(each);
      }
    }
    forgotten.forEach(passed::remove);
  }
}
