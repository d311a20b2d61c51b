package io.tailrace.bus.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far behind the brokers a reader is in each of its partitions, and the publish time that all
 * of them have reached. Used by one thread, except for {@link #records}.
 */
final class PartitionLags {
  private static final Logger LOG = LoggerFactory.getLogger(PartitionLags.class);

  /** How far event time stays behind the clock where a partition has nothing to read. */
  private static final long IDLE_WATERMARK_DELAY_MILLIS = 2_000;

  /** How often the consumer is asked how far behind it is. */
  private static final long LAG_INTERVAL_NANOS = 200_000_000L;

  /** How often the brokers are asked whether there is really nothing to read. */
  private static final long QUIET_INTERVAL_NANOS = 1_000_000_000L;

  private static final Duration QUIET_TIMEOUT = Duration.ofMillis(500);

  private final KafkaBus bus;
  private final List<TopicPartition> partitions;
  private final Map<Integer, Long> lastTimestamps = new HashMap<>();
  // Looked at by the runner's thread for metrics, too.
  private final Map<Integer, Long> lags = new ConcurrentHashMap<>();
  // When a broker was asked that told of nothing more to read, in milliseconds since the epoch.
  private final Map<Integer, Long> caughtUpAt = new ConcurrentHashMap<>();
  private long watermarkMillis;
  private long takenAt;
  private long quietAskedAt;

  PartitionLags(KafkaBus bus, List<TopicPartition> partitions, long watermarkMillis) {
    this.bus = bus;
    this.partitions = partitions;
    this.watermarkMillis = watermarkMillis;
  }

  /** Notes when the last message that was read of a partition was published. */
  void read(TopicPartition partition, long publishedAtMillis) {
    lastTimestamps.put(partition.partition(), publishedAtMillis);
  }

  /** Returns whether nothing waits, judging by what the brokers told with the last messages. */
  boolean areZero(Consumer<byte[], byte[]> open) {
    for (TopicPartition partition : partitions) {
      if (open.currentLag(partition).orElse(0) > 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Takes how far behind the consumer is.
   *
   * @param asked when the brokers were asked for what it has got
   * @param brought the partitions of which it has got something
   * @param nextOffsets of each partition what it will read next
   */
  void take(
      Consumer<byte[], byte[]> open,
      long asked,
      Set<TopicPartition> brought,
      Map<Integer, Long> nextOffsets) {
    long now = System.nanoTime();
    if (now - takenAt < LAG_INTERVAL_NANOS) {
      return;
    }
    takenAt = now;
    List<TopicPartition> quiet = new ArrayList<>();
    for (TopicPartition partition : partitions) {
      OptionalLong lag = open.currentLag(partition);
      if (lag.isEmpty()) {
        continue;
      }
      lags.put(partition.partition(), lag.getAsLong());
      if (lag.getAsLong() == 0) {
        if (brought.contains(partition)) {
          caughtUpAt.put(partition.partition(), asked);
        } else {
          quiet.add(partition);
        }
      }
    }
    if (!quiet.isEmpty() && now - quietAskedAt >= QUIET_INTERVAL_NANOS) {
      quietAskedAt = now;
      askWhetherQuiet(open, quiet, nextOffsets);
    }
  }

  /** A consumer that gets nothing does not say whether the brokers still answer it. */
  private void askWhetherQuiet(
      Consumer<byte[], byte[]> open, List<TopicPartition> quiet, Map<Integer, Long> nextOffsets) {
    long asked = System.currentTimeMillis();
    try {
      open.endOffsets(quiet, QUIET_TIMEOUT)
          .forEach(
              (partition, end) -> {
                Long next = nextOffsets.get(partition.partition());
                if (next != null && next >= end) {
                  caughtUpAt.put(partition.partition(), asked);
                }
              });
    } catch (KafkaException e) {
      LOG.debug("{} does not tell its ends: {}", bus.name(), e.getMessage());
    }
  }

  /**
   * Returns the publish time that every partition has reached, in milliseconds since the epoch; one
   * with nothing to read keeps up with the clock, as long as a broker says that there is nothing. A
   * reader that stands still, or whose brokers do not answer, must not take what is published
   * meanwhile for late.
   */
  long watermark() {
    long reached = System.currentTimeMillis() - IDLE_WATERMARK_DELAY_MILLIS;
    for (TopicPartition each : partitions) {
      int partition = each.partition();
      Long lag = lags.get(partition);
      Long caughtUp = caughtUpAt.get(partition);
      if (lag != null && lag == 0 && caughtUp != null) {
        reached = Math.min(reached, caughtUp - IDLE_WATERMARK_DELAY_MILLIS);
      } else {
        Long last = lastTimestamps.get(partition);
        reached = Math.min(reached, last == null ? watermarkMillis : last);
      }
    }
    watermarkMillis = Math.max(watermarkMillis, reached);
    return watermarkMillis;
  }

  /** Returns what {@link #watermark} returned last. */
  long lastWatermark() {
    return watermarkMillis;
  }

  /** Returns how many messages wait in all partitions; empty while that is not known of one. */
  OptionalLong records() {
    return lags.size() < partitions.size()
        ? OptionalLong.empty()
        : OptionalLong.of(lags.values().stream().mapToLong(Long::longValue).sum());
  }
}
