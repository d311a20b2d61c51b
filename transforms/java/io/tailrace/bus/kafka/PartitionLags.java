package io.tailrace.bus.kafka;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToLongFunction;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * How far behind the brokers a consumer is in each of its partitions, and the publish time that all
 * of them have reached. Used by one thread, except for {@link #records}.
 */
final class PartitionLags {
  /**
   * Where partitions ended.
   *
   * @param asked when the brokers were asked, in milliseconds since the epoch
   * @param offsets behind the last record of each partition, also of transactions that are open
   */
  record Ends(long asked, Map<Integer, Long> offsets) {}

  /** How far event time stays behind the clock where a partition has nothing to read. */
  private static final long IDLE_WATERMARK_DELAY_MILLIS = 2_000;

  /** How often the consumer is asked how far behind it is. */
  private static final long LAG_INTERVAL_NANOS = 200_000_000L;

  /** What is known of a partition. */
  private static final class Progress {
    private final TopicPartition partition;
    private final LeastTimes times = new LeastTimes();
    // Looked at by the runner's thread for metrics, too; negative: not known.
    private volatile long lag = -1;
    // The oldest end that was told and is not reached yet, and when it was asked for.
    private @Nullable Long end;
    private long endAsked;
    // When a broker was asked for an end that has been reached, in milliseconds since the epoch.
    private @Nullable Long caughtUp;

    Progress(TopicPartition partition) {
      this.partition = partition;
    }

    /** A time that what is still to come can hardly be before. */
    long reached(long unknown) {
      long byClock =
          caughtUp == null ? Long.MIN_VALUE : caughtUp.longValue() - IDLE_WATERMARK_DELAY_MILLIS;
      OptionalLong byTimes = times.get();
      return caughtUp == null && byTimes.isEmpty()
          ? unknown
          : Math.max(byClock, byTimes.orElse(Long.MIN_VALUE));
    }
  }

  private final Map<Integer, Progress> partitions = new ConcurrentHashMap<>();
  private long watermarkMillis;
  private long takenAt = System.nanoTime() - LAG_INTERVAL_NANOS;

  /**
   * Starts with no partition.
   *
   * @param watermarkMillis what was reached before
   */
  PartitionLags(long watermarkMillis) {
    this.watermarkMillis = watermarkMillis;
  }

  /** Holds the watermark where it is until something is known of the partition. */
  void add(TopicPartition partition) {
    partitions.computeIfAbsent(partition.partition(), any -> new Progress(partition));
  }

  void remove(int partition) {
    partitions.remove(partition);
  }

  /** Takes back what was reached, for a reader that has reached less. */
  void notBeyond(long restoredMillis) {
    watermarkMillis = Math.min(watermarkMillis, restoredMillis);
  }

  /** Notes records that were handed out: how many, and the least of their publish times. */
  void read(int partition, long leastMillis, int count) {
    Progress progress = partitions.get(partition);
    if (progress != null) {
      progress.times.add(leastMillis, count);
    }
  }

  /** Returns whether nothing waits, judging by what the brokers told with the last messages. */
  boolean areZero(Consumer<byte[], byte[]> open) {
    for (Progress each : partitions.values()) {
      if (open.currentLag(each.partition).orElse(0) > 0) {
        return false;
      }
    }
    return true;
  }

  /** Takes how far behind the consumer is, now and then. */
  void take(Consumer<byte[], byte[]> open) {
    long now = System.nanoTime();
    if (now - takenAt >= LAG_INTERVAL_NANOS) {
      takenAt = now;
      for (Progress each : partitions.values()) {
        open.currentLag(each.partition).ifPresent(lag -> each.lag = lag);
      }
    }
  }

  /** Returns the partitions whose ends should be asked for. */
  List<TopicPartition> withoutEnds() {
    List<TopicPartition> asked = new ArrayList<>();
    partitions.values().stream()
        .filter(each -> each.end == null)
        .forEach(each -> asked.add(each.partition));
    return asked;
  }

  void told(Ends ends) {
    ends.offsets()
        .forEach(
            (partition, end) -> {
              Progress progress = partitions.get(partition);
              if (progress != null && progress.end == null) {
                progress.end = end;
                progress.endAsked = ends.asked();
              }
            });
  }

  /**
   * Looks which ends have been reached.
   *
   * @param next what of a partition is to be handed out next
   */
  void reach(ToLongFunction<Integer> next) {
    partitions.forEach(
        (partition, progress) -> {
          if (progress.end != null && next.applyAsLong(partition) >= progress.end) {
            progress.caughtUp = progress.endAsked;
            progress.end = null;
          }
        });
  }

  /**
   * Returns the publish time that every partition has reached, in milliseconds since the epoch. In
   * a backlog that follows the least time of the last records. Once everything has been handed out
   * that the partition held when a broker was asked, open transactions included, it follows the
   * clock of that moment: a reader that stands still, or whose brokers do not answer, must not take
   * what is published meanwhile for late.
   */
  long watermark() {
    long reached = System.currentTimeMillis() - IDLE_WATERMARK_DELAY_MILLIS;
    for (Progress each : partitions.values()) {
      reached = Math.min(reached, each.reached(watermarkMillis));
    }
    watermarkMillis = Math.max(watermarkMillis, reached);
    return watermarkMillis;
  }

  /** Returns what {@link #watermark} returned last. */
  long lastWatermark() {
    return watermarkMillis;
  }

  /** Returns how many messages wait in some partitions; empty while that is not known of one. */
  OptionalLong records(Collection<Integer> some) {
    long sum = 0;
    for (Integer each : some) {
      Progress progress = partitions.get(each);
      if (progress == null || progress.lag < 0) {
        return OptionalLong.empty();
      }
      sum += progress.lag;
    }
    return OptionalLong.of(sum);
  }
}
