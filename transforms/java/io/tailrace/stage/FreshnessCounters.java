package io.tailrace.stage;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;

/**
 * Counts how long after its publication a message was dealt with: a histogram of counters, since
 * Beam's distributions do not reach every runner's reporters.
 *
 * <p>As in a histogram of Prometheus, {@code freshness_up_to_1000_ms} counts all messages that took
 * at most 1,000 ms, those of the smaller steps among them; {@code freshness_count} counts all, and
 * {@code freshness_sum_ms} is the sum of their times in milliseconds. So the rate of one divided by
 * the rate of the count is the share of messages that are so fresh.
 *
 * <p>What is counted is gathered, and told to the runner by {@link #flush}, once per bundle. Not
 * thread-safe.
 */
public final class FreshnessCounters implements Serializable {
  private static final long serialVersionUID = 1;

  private static final long[] STEPS_MILLIS = {
    10, 20, 50, 100, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000,
    300_000, 3_600_000
  };

  private static final String COUNT = "freshness_count";
  private static final String SUM = "freshness_sum_ms";

  private final List<Counter> steps = new ArrayList<>();
  private final Counter count;
  private final Counter sum;

  // What took longer than the step before and at most this one; at the end, what took longer.
  private final long[] counted = new long[STEPS_MILLIS.length + 1];
  private long sumMicros;

  /**
   * Counts for a stage.
   *
   * @param stage the stage's name, which is the namespace of the counters
   */
  public FreshnessCounters(String stage) {
    for (long step : STEPS_MILLIS) {
      steps.add(Metrics.counter(stage, name(step)));
    }
    count = Metrics.counter(stage, COUNT);
    sum = Metrics.counter(stage, SUM);
  }

  /** Returns the names of the counters, those of the steps in their order first. */
  public static List<String> names() {
    return Stream.concat(
            LongStream.of(STEPS_MILLIS).mapToObj(FreshnessCounters::name), Stream.of(COUNT, SUM))
        .toList();
  }

  private static String name(long stepMillis) {
    return "freshness_up_to_" + stepMillis + "_ms";
  }

  /** Counts messages; both times are in microseconds since the epoch. */
  public void count(long publishedAt, long now, long messages) {
    // The clock may be behind the publisher's.
    long micros = Math.max(0, now - publishedAt);
    long millis = micros / 1_000;
    int step = 0;
    while (step < STEPS_MILLIS.length && millis > STEPS_MILLIS[step]) {
      step++;
    }
    counted[step] += messages;
    sumMicros += micros * messages;
  }

  /** Tells the runner what was counted since the last time; in a bundle, whose metrics they are. */
  public void flush() {
    long upTo = 0;
    for (int step = 0; step < STEPS_MILLIS.length; step++) {
      upTo += counted[step];
      counted[step] = 0;
      // Zeros too: a counter that appears with its first message hides that message from a rate.
      steps.get(step).inc(upTo);
    }
    count.inc(upTo + counted[STEPS_MILLIS.length]);
    counted[STEPS_MILLIS.length] = 0;
    sum.inc(sumMicros / 1_000);
    sumMicros %= 1_000;
  }

  /** Forgets what was counted since the last flush: a bundle that failed is counted again. */
  public void clear() {
    Arrays.fill(counted, 0);
    sumMicros = 0;
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
    long total = counts.getOrDefault(prefix + COUNT, 0L);
    if (total == 0) {
      return -1;
    }
    long wanted = (long) Math.ceil(part * total);
    for (long step : STEPS_MILLIS) {
      if (counts.getOrDefault(prefix + name(step), 0L) >= wanted) {
        return step;
      }
    }
    return STEPS_MILLIS[STEPS_MILLIS.length - 1];
  }
}
