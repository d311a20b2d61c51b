package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.kafka.PartitionLags.Ends;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the brokers what a consumer does not tell: which topic it is that has the name, how many
 * partitions it has, and where they end when transactions that are open are counted. Asks without
 * waiting, and has the answers when they have come. Used by one thread.
 */
final class TopicWatch implements AutoCloseable {
  static final Comparator<TopicPartition> BY_NUMBER =
      Comparator.comparingInt(TopicPartition::partition);

  private static final Logger LOG = LoggerFactory.getLogger(TopicWatch.class);

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  /** How often the topic is looked at, where nothing is to be committed. */
  private static final long TOPIC_INTERVAL_NANOS = 5_000_000_000L;

  /** How often ends are asked for: event time is behind by as much. */
  private static final long ENDS_INTERVAL_NANOS = 500_000_000L;

  private static final int ENDS_TIMEOUT_MILLIS = 2_000;

  /**
   * What a topic is.
   *
   * @param id empty where brokers give none
   */
  record Topic(String id, int partitions) {}

  private final KafkaBus bus;
  private final Admin admin;
  // Set by the client's thread.
  private final AtomicReference<@Nullable Topic> topic = new AtomicReference<>();
  private final AtomicReference<@Nullable Ends> ends = new AtomicReference<>();
  private final AtomicReference<@Nullable Map<Integer, CommitMetadata>> commits =
      new AtomicReference<>();
  private volatile boolean topicIsAsked;
  private volatile boolean endsAreAsked;
  private long topicAskedAt = System.nanoTime();
  private long endsAskedAt = System.nanoTime() - ENDS_INTERVAL_NANOS;

  TopicWatch(KafkaBus bus) {
    this.bus = bus;
    this.admin = KafkaAdmins.open(bus, TIMEOUT);
  }

  static TopicDescription describe(KafkaBus bus, Admin admin) throws IOException {
    return requireNonNull(
        KafkaAdmins.answer(bus, admin.describeTopics(List.of(bus.topic())).allTopicNames())
            .get(bus.topic()));
  }

  /** Returns what a group has committed of a topic, by partition. */
  static Map<Integer, OffsetAndMetadata> committed(KafkaBus bus, String group, Admin admin)
      throws IOException {
    Map<Integer, OffsetAndMetadata> committed = new TreeMap<>();
    KafkaAdmins.answer(bus, admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
        .forEach(
            (partition, offset) -> {
              if (partition.topic().equals(bus.topic()) && offset != null) {
                committed.put(partition.partition(), offset);
              }
            });
    return committed;
  }

  /** Waits for what the commits of a group say, where they say something. */
  Map<Integer, CommitMetadata> commits(String group) throws IOException {
    return said(
        bus,
        KafkaAdmins.answer(
            bus, admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()));
  }

  /** Waits for what the topic is. */
  Topic describe() throws IOException {
    return topic(describe(bus, admin));
  }

  private static Topic topic(TopicDescription described) {
    return new Topic(KafkaAdmins.text(described.topicId()), described.partitions().size());
  }

  /**
   * Asks what the topic is, unless that was done just now.
   *
   * @param atOnce whether the answer is waited for
   */
  void askForTopic(boolean atOnce) {
    long now = System.nanoTime();
    if (topicIsAsked || (!atOnce && now - topicAskedAt < TOPIC_INTERVAL_NANOS)) {
      return;
    }
    topicIsAsked = true;
    topicAskedAt = now;
    var unused =
        admin
            .describeTopics(List.of(bus.topic()))
            .allTopicNames()
            .whenComplete(
                (described, failure) -> {
                  if (failure == null) {
                    topic.set(topic(requireNonNull(described.get(bus.topic()))));
                  } else {
                    LOG.debug("{} is not described: {}", bus.name(), failure.getMessage());
                  }
                  topicIsAsked = false;
                });
  }

  /** Returns what was answered since the last call. */
  Optional<Topic> topic() {
    return Optional.ofNullable(topic.getAndSet(null));
  }

  /** Asks what the commits of a group say. */
  void askForCommits(String group) {
    var unused =
        admin
            .listConsumerGroupOffsets(group)
            .partitionsToOffsetAndMetadata()
            .whenComplete(
                (found, failure) -> {
                  if (failure == null) {
                    commits.set(said(bus, found));
                  } else {
                    LOG.debug("{}: no commits are told: {}", bus.name(), failure.getMessage());
                  }
                });
  }

  /** Returns what the commits said since the last call. */
  Optional<Map<Integer, CommitMetadata>> commits() {
    return Optional.ofNullable(commits.getAndSet(null));
  }

  private static Map<Integer, CommitMetadata> said(
      KafkaBus bus, Map<TopicPartition, OffsetAndMetadata> committed) {
    Map<Integer, CommitMetadata> commits = new TreeMap<>();
    committed.forEach(
        (partition, offset) -> {
          if (partition.topic().equals(bus.topic()) && offset != null) {
            CommitMetadata.parse(offset.metadata())
                .ifPresent(metadata -> commits.put(partition.partition(), metadata));
          }
        });
    return commits;
  }

  /** Asks for ends, unless that was done just now. */
  void askForEnds(List<TopicPartition> partitions) {
    long now = System.nanoTime();
    if (endsAreAsked || partitions.isEmpty() || now - endsAskedAt < ENDS_INTERVAL_NANOS) {
      return;
    }
    endsAreAsked = true;
    endsAskedAt = now;
    long asked = System.currentTimeMillis();
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    partitions.forEach(partition -> wanted.put(partition, OffsetSpec.latest()));
    // A consumer that reads committed messages ends where the first open transaction begins.
    ListOffsetsOptions all = new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED);
    all.timeoutMs(ENDS_TIMEOUT_MILLIS);
    var unused =
        admin
            .listOffsets(wanted, all)
            .all()
            .whenComplete(
                (found, failure) -> {
                  if (failure == null) {
                    Map<Integer, Long> offsets = new HashMap<>();
                    found.forEach((each, info) -> offsets.put(each.partition(), info.offset()));
                    ends.set(new Ends(asked, offsets));
                  } else {
                    LOG.debug("{} does not tell its ends: {}", bus.name(), failure.getMessage());
                  }
                  endsAreAsked = false;
                });
  }

  /** Returns the ends that were told since the last call. */
  Optional<Ends> ends() {
    return Optional.ofNullable(ends.getAndSet(null));
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
  }
}
