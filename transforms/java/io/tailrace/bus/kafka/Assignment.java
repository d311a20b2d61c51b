package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which partitions of a topic a consumer reads, for which reader each, and how far it has polled
 * them. Not thread-safe: its consumer guards it.
 */
final class Assignment {
  private static final Logger LOG = LoggerFactory.getLogger(Assignment.class);

  /** What readers have got of a poll. */
  record Taken(int records, long bytes) {}

  private final KafkaSource source;
  private final KafkaBus bus;
  private final PartitionLags lags;
  private final List<KafkaPart> parts = new ArrayList<>();
  private final Map<Integer, KafkaPart> owners = new HashMap<>();
  // What the consumer polls next, which may be ahead of what was handed out.
  private final Map<Integer, KafkaPosition> polled = new HashMap<>();
  private String topicId = "";
  private int partitions;

  Assignment(KafkaSource source, PartitionLags lags) {
    this.source = source;
    this.bus = source.bus();
    this.lags = lags;
  }

  /** Takes a reader's part in, unless another one has the same share. */
  boolean admit(KafkaPart part) {
    boolean isBeside =
        parts.stream().allMatch(each -> each.source().share().isBeside(part.source().share()));
    if (!isBeside) {
      return false;
    }
    parts.add(part);
    lags.notBeyond(part.restoredWatermark());
    // Before anything is known of its partitions they hold back the watermark of all.
    part.source()
        .share()
        .partitions(part.source().knownPartitions())
        .forEach(each -> lags.add(bus.partition(each)));
    return true;
  }

  /**
   * Lets a reader's part go.
   *
   * @return the partitions that it had; empty if it is none of these
   */
  Optional<Set<Integer>> remove(KafkaPart part) {
    if (!parts.remove(part)) {
      return Optional.empty();
    }
    Set<Integer> theirs = new HashSet<>(owners.keySet());
    theirs.removeIf(each -> owners.get(each) != part);
    for (int each : theirs) {
      owners.remove(each);
      polled.remove(each);
      lags.remove(each);
    }
    part.source().share().partitions(part.source().knownPartitions()).forEach(lags::remove);
    return Optional.of(theirs);
  }

  Stream<KafkaPart> parts() {
    return parts.stream();
  }

  /** Returns the id of the topic; empty as long as it is not known. */
  String topicId() {
    return topicId;
  }

  /** Returns how many partitions the topic has, as far as is known. */
  int partitions() {
    return partitions;
  }

  /** Returns the partitions that are read. */
  List<TopicPartition> all() {
    return owners.keySet().stream().map(bus::partition).toList();
  }

  /**
   * Opens the parts that are not.
   *
   * @throws IOException if it is not the topic that one of them was reading
   */
  void open(TopicWatch.Topic topic) throws IOException {
    topicId = topic.id();
    for (KafkaPart part : parts) {
      if (!part.isOpened()) {
        check(part, topic.id());
        part.open(topic.id());
      }
    }
    partitions = Math.max(partitions, topic.partitions());
  }

  /**
   * Returns whether partitions were added, which have to be assigned.
   *
   * @throws IOException if it is not the topic that was read
   */
  boolean hasGrown(TopicWatch.Topic topic) throws IOException {
    for (KafkaPart part : parts) {
      check(part, topic.id());
    }
    if (topic.partitions() <= partitions) {
      return false;
    }
    LOG.warn(
        "{} has {} partitions now, and had {}: those that were added are read, too",
        bus.name(),
        topic.partitions(),
        partitions);
    partitions = topic.partitions();
    return true;
  }

  /** Refuses positions that are not of this topic. */
  private void check(KafkaPart part, String id) throws IOException {
    if (part.isAnother(id) && !(part.source().adoptsTopic() && !part.isOpened())) {
      throw new IOException(
          bus.name()
              + " is not the topic that was read: it has the id "
              + id
              + " and had "
              + part.topicId()
              + ". It was deleted and made anew, or is on another cluster, and offsets mean nothing"
              + " in it. To read it from where the group '"
              + source.group()
              + "' is, from its first message if the group has read nothing of it, start the job"
              + " once with --adoptTopic");
    }
  }

  /**
   * Gives the consumer all partitions that the parts have by now.
   *
   * @param own what this reader's commits say
   * @throws IOException if what the group has committed is another's, or of another topic
   */
  void assign(Consumer<byte[], byte[]> open, CommitMetadata own) throws IOException {
    Map<Integer, Long> starts = new TreeMap<>();
    Set<Integer> unknown = new TreeSet<>();
    Set<Integer> added = new TreeSet<>();
    for (KafkaPart part : parts) {
      if (part.isOpened()) {
        Stream.of(part.source().bus().found(), part.source().start())
            .flatMap(Optional::stream)
            .filter(start -> start.topicId().equals(part.topicId()))
            .forEach(start -> starts.putAll(start.offsets()));
        for (int each : part.source().share().partitions(partitions)) {
          if (owners.put(each, part) == null) {
            added.add(each);
            lags.add(bus.partition(each));
            if (!part.next().containsKey(each)) {
              unknown.add(each);
            }
          }
        }
      }
    }
    new StartOffsets(source, open)
        .of(unknown, starts, own)
        .forEach((each, position) -> requireNonNull(owners.get(each)).place(each, position));
    for (int each : added) {
      polled.put(each, requireNonNull(requireNonNull(owners.get(each)).next().get(each)));
    }
    open.assign(all());
    added.forEach(each -> open.seek(bus.partition(each), polledAt(each).with("")));
  }

  private KafkaPosition polledAt(int partition) {
    return requireNonNull(polled.get(partition));
  }

  /** Gives another consumer what the one before it had, from where that was. */
  void resume(Consumer<byte[], byte[]> other) {
    other.assign(all());
    for (int each : owners.keySet()) {
      other.seek(bus.partition(each), polledAt(each).with(""));
    }
  }

  /** Gives each part what a poll has brought for it, as far as nothing of it was dropped. */
  Taken take(ConsumerRecords<byte[], byte[]> records) {
    int count = 0;
    long bytes = 0;
    for (TopicPartition each : records.partitions()) {
      KafkaPart owner = requireNonNull(owners.get(each.partition()));
      long before = owner.bytes();
      var theirs = records.records(each);
      int taken = owner.add(each.partition(), theirs);
      count += taken;
      bytes += owner.bytes() - before;
      if (taken > 0) {
        polled.put(each.partition(), KafkaPosition.after(theirs.get(taken - 1)));
      }
    }
    return new Taken(count, bytes);
  }

  /** Goes on at other offsets. */
  void pass(Map<TopicPartition, Long> offsets, Consumer<byte[], byte[]> open) {
    offsets.forEach(
        (partition, offset) -> {
          KafkaPosition position = KafkaPosition.at(offset);
          open.seek(partition, position.with(""));
          polled.put(partition.partition(), position);
          KafkaPart owner = requireNonNull(owners.get(partition.partition()));
          if (!owner.isWaiting()) {
            owner.place(partition.partition(), position);
          }
        });
  }

  /** Moves behind the ends of transactions, which take offsets too. */
  void passWhatIsNoRecord(Consumer<byte[], byte[]> open) {
    for (Map.Entry<Integer, KafkaPart> each : owners.entrySet()) {
      int number = each.getKey();
      try {
        long offset = open.position(bus.partition(number), Duration.ZERO);
        if (offset > polledAt(number).offset()) {
          KafkaPosition behind = new KafkaPosition(offset, polledAt(number).epoch());
          polled.put(number, behind);
          each.getValue().place(number, behind);
        }
      } catch (TimeoutException e) {
        LOG.debug("{} has no position now: {}", number, e.getMessage());
      }
    }
  }

  /** Returns what is durable of all parts and was not committed yet. */
  Map<Integer, KafkaPosition> takeCommits() {
    Map<Integer, KafkaPosition> durable = new HashMap<>();
    parts.forEach(part -> durable.putAll(part.takeCommits()));
    return durable;
  }

  /** Returns up to where a partition was handed out. */
  long handedOut(int partition) {
    KafkaPart owner = owners.get(partition);
    KafkaPosition next = owner == null ? null : owner.next().get(partition);
    return next == null ? Long.MIN_VALUE : next.offset();
  }
}
