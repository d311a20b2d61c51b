package io.tailrace.bus.kafka;

import io.tailrace.bus.BusMessage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * One reader's part of what a {@link SharedConsumer} reads: the partitions of its share, how far
 * they have been handed out, and what waits to be. Not thread-safe: its consumer guards it.
 */
final class KafkaPart {
  /**
   * What a reader puts out at once.
   *
   * @param earliestMicros the earliest time of its messages, in microseconds since the epoch
   */
  record Batch(List<BusMessage> messages, long earliestMicros) {}

  /** What waits of a partition: where it ends, and the least publish time in it. */
  private record Waiting(KafkaPosition next, long leastMillis, int count) {}

  private final KafkaSource source;
  private final KafkaMark.Commits commits = new KafkaMark.Commits();
  private final SortedMap<Integer, KafkaPosition> next = new TreeMap<>();
  private final long restoredWatermark;
  private String topicId;
  private final Map<Integer, Waiting> waiting = new TreeMap<>();
  private List<BusMessage> messages = List.of();
  private long earliestMicros = Long.MAX_VALUE;
  private long bytes;
  // The number of the last poll that its reader knows of.
  private long pollSeen;
  private boolean opened;
  // Looked at by the runner's thread for metrics, too.
  private volatile double averageBytes = 1_000;

  KafkaPart(KafkaSource source, @Nullable KafkaMark mark) {
    this.source = source;
    if (mark == null) {
      this.topicId = source.start().map(TopicStart::topicId).orElse("");
      this.restoredWatermark = BoundedWindow.TIMESTAMP_MIN_VALUE.getMillis();
    } else {
      this.topicId = mark.topicId();
      this.next.putAll(mark.next());
      this.restoredWatermark = mark.watermarkMillis();
    }
  }

  KafkaSource source() {
    return source;
  }

  long restoredWatermark() {
    return restoredWatermark;
  }

  /** Returns the id of the topic that its positions are of; empty where it is not known. */
  String topicId() {
    return topicId;
  }

  /** Returns whether a topic is known not to be the one that its positions are of. */
  boolean isAnother(String id) {
    return !topicId.isEmpty() && !id.isEmpty() && !topicId.equals(id);
  }

  boolean isOpened() {
    return opened;
  }

  /** Takes the topic for its own; positions in another one are none. */
  void open(String id) {
    if (isAnother(id)) {
      next.clear();
    }
    topicId = id;
    opened = true;
  }

  /** Returns what is to be handed out next of each partition. */
  SortedMap<Integer, KafkaPosition> next() {
    return Collections.unmodifiableSortedMap(next);
  }

  void place(int partition, KafkaPosition position) {
    next.put(partition, position);
  }

  /** Returns what is durable and was not committed yet. */
  Map<Integer, KafkaPosition> takeCommits() {
    Map<Integer, KafkaPosition> durable = commits.getAndSet(null);
    return durable == null ? Map.of() : durable;
  }

  KafkaMark mark(long watermarkMillis) {
    return new KafkaMark(topicId, next, watermarkMillis, commits);
  }

  boolean sees(long poll) {
    return pollSeen == poll;
  }

  void see(long poll) {
    pollSeen = poll;
  }

  double averageBytes() {
    return averageBytes;
  }

  /**
   * Adds what a poll has brought of a partition, as long as nothing of it was dropped.
   *
   * @return how many records it took
   */
  int add(int partition, List<ConsumerRecord<byte[], byte[]>> records) {
    if (messages.isEmpty()) {
      messages = new ArrayList<>(Math.max(16, records.size()));
    }
    Waiting before = waiting.get(partition);
    long least = before == null ? Long.MAX_VALUE : before.leastMillis;
    int taken = 0;
    for (ConsumerRecord<byte[], byte[]> record : records) {
      if (BoundedPoll.isDropped(record.value()) || BoundedPoll.isDropped(record.key())) {
        break;
      }
      BusMessage message = KafkaRecords.message(record, topicId);
      messages.add(message);
      least = Math.min(least, KafkaRecords.timestamp(record.timestamp()));
      // A replayed message has its original's time, and nothing may be put out before its element.
      earliestMicros = Math.min(earliestMicros, message.time().micros());
      bytes += message.heldBytes();
      taken++;
    }
    if (taken > 0) {
      waiting.put(
          partition,
          new Waiting(
              KafkaPosition.after(records.get(taken - 1)),
              least,
              taken + (before == null ? 0 : before.count)));
    }
    return taken;
  }

  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  long bytes() {
    return bytes;
  }

  int count() {
    return messages.size();
  }

  /** Hands out what waits. */
  Optional<Batch> take(PartitionLags lags, boolean endsBacklog) {
    if (waiting.isEmpty()) {
      return Optional.empty();
    }
    waiting.forEach(
        (partition, each) -> {
          next.put(partition, each.next);
          lags.read(partition, each.leastMillis, each.count);
        });
    waiting.clear();
    if (endsBacklog) {
      messages.add(messages.remove(messages.size() - 1).endingBacklog());
    }
    double before = averageBytes;
    averageBytes = before + ((double) bytes / messages.size() - before) / 16;
    Batch batch = new Batch(messages, earliestMicros);
    messages = List.of();
    earliestMicros = Long.MAX_VALUE;
    bytes = 0;
    return Optional.of(batch);
  }
}
