package io.tailrace.bus.kafka;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where partitions begin to be read: where the group has committed, else where the URI says; and
 * where they go on when what was to be read is not there. Not thread-safe.
 */
final class StartOffsets {
  private static final Logger LOG = LoggerFactory.getLogger(StartOffsets.class);

  private final KafkaSource source;
  private final KafkaBus bus;
  private final Consumer<byte[], byte[]> consumer;

  StartOffsets(KafkaSource source, Consumer<byte[], byte[]> consumer) {
    this.source = source;
    this.bus = source.bus();
    this.consumer = consumer;
  }

  /** Returns the offset of each partition of the source's share that is not among the restored. */
  Map<Integer, Long> besides(Set<Integer> restored) {
    Map<Integer, Long> offsets = new HashMap<>();
    if (restored.containsAll(source.partitions())) {
      return offsets;
    }
    Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(wholeTopic());
    boolean groupIsKnown = committed.values().stream().anyMatch(Objects::nonNull);
    for (int number : source.partitions()) {
      TopicPartition partition = new TopicPartition(bus.topic(), number);
      OffsetAndMetadata offset = committed.get(partition);
      if (restored.contains(number)) {
        continue;
      }
      if (offset != null) {
        offsets.put(number, offset.offset());
      } else if (groupIsKnown) {
        // Added since the group began: nothing of it has been read.
        offsets.put(number, first(partition));
      } else {
        offsets.put(number, start(partition));
      }
    }
    return offsets;
  }

  private Set<TopicPartition> wholeTopic() {
    Set<TopicPartition> all = new HashSet<>();
    source.partitions().forEach(number -> all.add(new TopicPartition(bus.topic(), number)));
    for (int number = 0; number < source.topicPartitions(); number++) {
      all.add(new TopicPartition(bus.topic(), number));
    }
    return all;
  }

  private Long start(TopicPartition partition) {
    if (bus.start().equals("latest")) {
      return end(partition);
    }
    Optional<java.time.Instant> time = KafkaBus.time(bus.start());
    if (time.isPresent()) {
      OffsetAndTimestamp found =
          consumer.offsetsForTimes(Map.of(partition, time.get().toEpochMilli())).get(partition);
      return found != null ? (Long) found.offset() : end(partition);
    }
    return first(partition);
  }

  private Long first(TopicPartition partition) {
    return offset(consumer.beginningOffsets(List.of(partition)), partition);
  }

  private Long end(TopicPartition partition) {
    return offset(consumer.endOffsets(List.of(partition)), partition);
  }

  private static Long offset(Map<TopicPartition, Long> offsets, TopicPartition partition) {
    Long offset = offsets.get(partition);
    return offset == null ? 0L : offset;
  }

  /**
   * Returns where to go on in partitions whose offsets are not there.
   *
   * @throws IOException saying what was lost, unless the URI says to go on
   */
  Map<TopicPartition, Long> afterOverrun(OffsetOutOfRangeException e) throws IOException {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    for (Map.Entry<TopicPartition, Long> each : e.offsetOutOfRangePartitions().entrySet()) {
      TopicPartition partition = each.getKey();
      Long first = first(partition);
      String what =
          bus.name()
              + ": partition "
              + partition.partition()
              + " was to be read from offset "
              + each.getValue()
              + (each.getValue() < first
                  ? ", which is gone; the first one there is "
                      + first
                      + ". Messages were deleted before they were read: raise the topic's"
                      + " retention.ms"
                  : ", where it has never been: the topic was made anew, or a broker has lost"
                      + " messages. To read it from its first offset, "
                      + first
                      + ", reset the group's offsets");
      if (!bus.continuesAfterOverrun()) {
        throw new IOException(what + ", or add overrun=continue to the URI to go on", e);
      }
      LOG.error("{}. Going on, as overrun=continue says.", what);
      offsets.put(partition, first);
    }
    return offsets;
  }
}
