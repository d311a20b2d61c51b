package io.tailrace.bus.kafka;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where partitions begin to be read of which no state tells: where the group has committed, else
 * where they began when the job was started; and where they go on when what was to be read is not
 * there. Not thread-safe.
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

  /**
   * Returns where partitions begin. Where the group had nothing it has that from now on: whatever
   * happens before the first checkpoint, the next start begins there, too.
   *
   * @param starts where they begin, if the group has nothing; one that is not there begins with its
   *     first message
   * @param own what this reader's commits say
   * @throws IOException if what the group has committed is another's, or of another topic
   */
  Map<Integer, KafkaPosition> of(
      Set<Integer> partitions, Map<Integer, Long> starts, CommitMetadata own) throws IOException {
    Set<TopicPartition> asked = new HashSet<>();
    partitions.forEach(number -> asked.add(new TopicPartition(bus.topic(), number)));
    if (asked.isEmpty()) {
      return Map.of();
    }
    Map<Integer, KafkaPosition> positions = new TreeMap<>();
    Map<TopicPartition, OffsetAndMetadata> missing = new HashMap<>();
    for (var each : consumer.committed(asked).entrySet()) {
      TopicPartition partition = each.getKey();
      OffsetAndMetadata committed = each.getValue();
      if (committed != null) {
        check(CommitMetadata.parse(committed.metadata()), own);
        positions.put(partition.partition(), KafkaPosition.of(committed));
      } else {
        Long start = starts.get(partition.partition());
        KafkaPosition first = KafkaPosition.at(start == null ? first(partition) : (long) start);
        positions.put(partition.partition(), first);
        missing.put(partition, first.with(own.text()));
      }
    }
    if (!missing.isEmpty()) {
      consumer.commitSync(missing);
    }
    return positions;
  }

  private void check(Optional<CommitMetadata> committed, CommitMetadata own) throws IOException {
    String group = bus.name() + ": the group '" + source.group() + "'";
    Optional<String> conflict =
        committed.flatMap(it -> it.conflict(group, own.writer(), own.store()));
    if (conflict.isPresent() && !source.adoptsGroup()) {
      throw new IOException(conflict.get());
    }
    boolean isOfAnother =
        committed
            .map(CommitMetadata::topicId)
            .filter(id -> !id.isEmpty() && !own.topicId().isEmpty() && !id.equals(own.topicId()))
            .isPresent();
    if (isOfAnother && !source.adoptsTopic()) {
      throw new IOException(
          group
              + " has committed offsets of an earlier topic of this name, or of one on another"
              + " cluster. Reset the group's offsets to read this one from start; or, if they were"
              + " moved with the topic, start the job once with --adoptTopic");
    }
  }

  private long first(TopicPartition partition) {
    return offset(consumer.beginningOffsets(List.of(partition)), partition);
  }

  private long end(TopicPartition partition) {
    return offset(consumer.endOffsets(List.of(partition)), partition);
  }

  private static long offset(Map<TopicPartition, Long> offsets, TopicPartition partition) {
    Long offset = offsets.get(partition);
    return offset == null ? 0L : offset;
  }

  /**
   * Returns where to go on in partitions whose offsets are not there: at the first message that is
   * left; or where brokers have lost messages, behind the last one that was not lost.
   *
   * @throws IOException saying what was lost, unless the URI says to go on
   */
  Map<TopicPartition, Long> afterOverrun(OffsetOutOfRangeException e) throws IOException {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    for (Map.Entry<TopicPartition, Long> each : e.offsetOutOfRangePartitions().entrySet()) {
      TopicPartition partition = each.getKey();
      long wanted = each.getValue();
      long first = first(partition);
      boolean isGone = wanted < first;
      long next = isGone ? first : Math.min(end(partition), divergence(e, partition));
      String what =
          bus.name()
              + ": partition "
              + partition.partition()
              + " was to be read from offset "
              + wanted
              + (isGone
                  ? ", which is gone; the first one there is "
                      + first
                      + ". Messages were deleted before they were read: raise the topic's"
                      + " retention.ms"
                  : ", which the brokers have lost with all behind "
                      + next
                      + ": a broker that lacked messages has become the leader. What is published"
                      + " in their place begins there: set unclean.leader.election.enable=false");
      if (!bus.continuesAfterOverrun()) {
        throw new IOException(
            what + ". To go on at " + next + ", add overrun=continue to the URI", e);
      }
      LOG.error("{}. Going on at {}, as overrun=continue says.", what, next);
      offsets.put(partition, next);
    }
    return offsets;
  }

  /** Where what was read and what is there part, if the brokers know. */
  private static long divergence(OffsetOutOfRangeException e, TopicPartition partition) {
    return e instanceof LogTruncationException truncation
        ? Optional.ofNullable(truncation.divergentOffsets().get(partition))
            .map(OffsetAndMetadata::offset)
            .orElse(Long.MAX_VALUE)
        : Long.MAX_VALUE;
  }
}
