package io.tailrace.bus;

import java.util.List;
import org.apache.beam.sdk.metrics.Metrics;

/**
 * What the readers of buses count, beside the messages, which the first stage counts: what somebody
 * should look at, though nothing is lost by it. To be used in the runner's thread. Stateless.
 */
public final class ReadCounters {
  /** The namespace of the counters. */
  public static final String STAGE = "ReadBus";

  /**
   * A counter.
   *
   * @param unit what is counted, in one word
   * @param counts which of them are counted, in words: what the metrics document says
   */
  public record ReadCounter(String name, String unit, String counts) {
    /** Counts so many more; none makes the counter appear. */
    public void add(long more) {
      Metrics.counter(STAGE, name).inc(more);
    }
  }

  /** Commits that the bus has refused or not answered. */
  public static final ReadCounter COMMITS_FAILED =
      new ReadCounter(
          "commits_failed",
          "commits",
          "commits that failed: the lag that the bus shows is too large, and a start without state"
              + " repeats more");

  /** Partitions that the job should read and does not. */
  public static final ReadCounter PARTITIONS_UNREAD =
      new ReadCounter(
          "partitions_unread",
          "partitions",
          "partitions that the group has committed nothing of for five minutes and for ten"
              + " intervals, each time that somebody looks, once a minute");

  /** All of them. */
  public static final List<ReadCounter> ALL = List.of(COMMITS_FAILED, PARTITIONS_UNREAD);

  private ReadCounters() {}
}
