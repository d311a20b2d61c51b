package io.tailrace.bus;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;

/**
 * Counts how long after its publication a message was dealt with, in steps: a histogram of
 * counters, since Beam's distributions do not reach every runner's reporters.
 *
 * <p>The counter {@code freshness_up_to_100_ms} counts what took from the step before up to 100 ms,
 * {@code freshness_longer} what took longer than the last step. Not thread-safe.
 */
public final class FreshnessCounters implements Serializable {
  private static final long serialVersionUID = 1;

  private static final long[] STEPS_MILLIS = {
    10, 20, 50, 100, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000,
    300_000, 3_600_000
  };

  private static final String PREFIX = "freshness_";

  private final List<Counter> counters = new ArrayList<>();

  /**
   * Counts for a stage.
   *
   * @param stage the stage's name, which is the namespace of the counters
   */
  public FreshnessCounters(String stage) {
    for (long step : STEPS_MILLIS) {
      counters.add(Metrics.counter(stage, name(step)));
    }
    counters.add(Metrics.counter(stage, PREFIX + "longer"));
  }

  private static String name(long stepMillis) {
    return PREFIX + "up_to_" + stepMillis + "_ms";
  }

  /** Counts messages; both times are in microseconds since the epoch. */
  public void count(long publishedAt, long now, long messages) {
    long millis = Math.max(0, now - publishedAt) / 1_000;
    int step = 0;
    while (step < STEPS_MILLIS.length && millis > STEPS_MILLIS[step]) {
      step++;
    }
    counters.get(step).inc(messages);
  }

  /**
   * Returns about how many milliseconds a part of the messages took at most: the end of the step
   * that it falls into; -1 if nothing was counted, and the last step's end for longer ones.
   *
   * @param counts counters by name
   * @param prefix what stands before their own names
   * @param part such as 0.99
   */
  public static long quantileMillis(Map<String, Long> counts, String prefix, double part) {
    long total = counts.getOrDefault(prefix + PREFIX + "longer", 0L);
    for (long step : STEPS_MILLIS) {
      total += counts.getOrDefault(prefix + name(step), 0L);
    }
    if (total == 0) {
      return -1;
    }
    long wanted = (long) Math.ceil(part * total);
    long soFar = 0;
    for (long step : STEPS_MILLIS) {
      soFar += counts.getOrDefault(prefix + name(step), 0L);
      if (soFar >= wanted) {
        return step;
      }
    }
    return STEPS_MILLIS[STEPS_MILLIS.length - 1];
  }
}
