package io.tailrace.bus.kafka;

import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that partitions were added to a topic, which are in no reader's share. Not thread-safe.
 */
final class AddedPartitions {
  private static final Logger LOG = LoggerFactory.getLogger(AddedPartitions.class);

  /** How often the topic is looked at. */
  private static final long INTERVAL_NANOS = 60_000_000_000L;

  private final KafkaSource source;
  private final KafkaBus bus;
  private int known;
  private long countedAt = System.nanoTime();

  AddedPartitions(KafkaSource source) {
    this.source = source;
    this.bus = source.bus();
    this.known = source.topicPartitions();
  }

  /** Looks at the topic now and then, and says in the log what was found. */
  void sometimesCount(Consumer<byte[], byte[]> consumer) {
    if (System.nanoTime() - countedAt > INTERVAL_NANOS) {
      countedAt = System.nanoTime();
      count(consumer).ifPresent(LOG::error);
    }
  }

  /**
   * Says that partitions were added. Asked by one of the readers only; an answer comes once for
   * each time that it happens.
   */
  Optional<String> count(Consumer<byte[], byte[]> consumer) {
    if (known == 0 || !source.partitions().contains(0)) {
      return Optional.empty();
    }
    int now;
    try {
      now = consumer.partitionsFor(bus.topic()).size();
    } catch (KafkaException e) {
      LOG.debug("{}: its partitions can't be counted: {}", bus.name(), e.getMessage());
      return Optional.empty();
    }
    if (now <= known) {
      return Optional.empty();
    }
    int before = known;
    known = now;
    return Optional.of(
        bus.name()
            + " has "
            + now
            + " partitions, "
            + (now - before)
            + " of which were added after the writer was started and are not read. Start it anew,"
            + " without a savepoint: it goes on at the committed offsets and reads all of them");
  }
}
