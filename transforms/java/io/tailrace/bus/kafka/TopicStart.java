package io.tailrace.bus.kafka;

import io.tailrace.bus.BusReader;
import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is found of a topic once, before a job begins to read it: how it is divided, and what {@code
 * start=latest} or a time means. It is a part of the source from then on, so that a reader that
 * starts late, or not before a restart, starts where it would have started. Immutable.
 *
 * @param topicId the brokers' id of the topic; empty where they give none
 * @param partitions how many there are
 * @param offsets where partitions begin of which the group has read nothing; one that is missing
 *     begins with its first message
 */
record TopicStart(String topicId, int partitions, SortedMap<Integer, Long> offsets)
    implements Serializable {
  private static final long serialVersionUID = 1;

  private static final Logger LOG = LoggerFactory.getLogger(TopicStart.class);

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  /** Copies the offsets. */
  TopicStart {
    offsets = Collections.unmodifiableSortedMap(new TreeMap<>(offsets));
  }

  /**
   * Asks the brokers.
   *
   * @throws IOException if they don't answer, or the group is another's
   */
  static TopicStart find(KafkaBus bus, BusReader reader) throws IOException {
    String group = bus.group(reader.group());
    try (Admin admin = KafkaAdmins.open(bus, TIMEOUT)) {
      TopicDescription topic = TopicWatch.describe(bus, admin);
      String id = KafkaAdmins.text(topic.topicId());
      int partitions = topic.partitions().size();
      SortedMap<Integer, Long> offsets = new TreeMap<>();
      Map<Integer, OffsetAndMetadata> committed = TopicWatch.committed(bus, group, admin);
      checkOwner(bus, reader, committed.values());
      if (!bus.start().equals("earliest") && committed.isEmpty()) {
        offsets.putAll(starts(bus, admin, partitions));
      }
      return new TopicStart(id, partitions, offsets);
    }
  }

  private static void checkOwner(
      KafkaBus bus, BusReader reader, Collection<OffsetAndMetadata> committed) throws IOException {
    boolean isKnown = false;
    for (OffsetAndMetadata each : committed) {
      Optional<CommitMetadata> owner = CommitMetadata.parse(each.metadata());
      isKnown |= owner.isPresent();
      Optional<String> conflict =
          owner.flatMap(
              it ->
                  it.conflict(
                      bus.name() + ": the group '" + bus.group(reader.group()) + "'",
                      reader.writer(),
                      reader.store()));
      if (conflict.isPresent() && !reader.adoptsGroup()) {
        throw new IOException(conflict.get());
      }
    }
    if (!committed.isEmpty() && !isKnown) {
      LOG.warn(
          "{}: what the group '{}' has committed says not whose it is: {} takes it over",
          bus.name(),
          bus.group(reader.group()),
          reader.writer());
    }
  }

  /**
   * Says what a start without state skips, if it does; a group may also have been forgotten. And
   * how little tells a topic from one that had its name, where brokers give no ids.
   */
  List<String> warnings(KafkaBus bus, String group) {
    List<String> warnings = new ArrayList<>();
    if (!offsets.isEmpty()) {
      warnings.add(
          bus.name()
              + ": the group '"
              + group
              + "' has committed nothing, so a start without state reads from start="
              + bus.start()
              + " and skips what was published before. If the group has read before, its offsets"
              + " have expired (the brokers' offsets.retention.minutes): name with start= the"
              + " time at which it stopped");
    }
    if (topicId.isEmpty()) {
      warnings.add(
          bus.name()
              + ": the brokers give the topic no id (Kafka before 2.8), so if it is deleted and"
              + " made anew that is seen only where an offset or its leader's epoch is not there"
              + " any more, and else its first messages are skipped. Give a new topic a new name,"
              + " or reset the group's offsets when you make it anew");
    }
    return warnings;
  }

  /** Returns where the URI says to start; partitions that a group lacks otherwise were added. */
  private static Map<Integer, Long> starts(KafkaBus bus, Admin admin, int partitions)
      throws IOException {
    Optional<Instant> time = KafkaBus.time(bus.start());
    Map<Integer, Long> offsets =
        offsets(
            bus,
            admin,
            partitions,
            time.isEmpty()
                ? OffsetSpec.latest()
                : OffsetSpec.forTimestamp(time.get().toEpochMilli()));
    if (offsets.values().stream().anyMatch(offset -> offset < 0)) {
      // Nothing is as young as the time.
      Map<Integer, Long> ends = offsets(bus, admin, partitions, OffsetSpec.latest());
      offsets.replaceAll((partition, offset) -> offset < 0 ? ends.get(partition) : offset);
    }
    return offsets;
  }

  private static Map<Integer, Long> offsets(
      KafkaBus bus, Admin admin, int partitions, OffsetSpec spec) throws IOException {
    Map<TopicPartition, OffsetSpec> wanted = new TreeMap<>(TopicWatch.BY_NUMBER);
    for (int p = 0; p < partitions; p++) {
      wanted.put(new TopicPartition(bus.topic(), p), spec);
    }
    Map<TopicPartition, ListOffsetsResultInfo> found =
        KafkaAdmins.answer(bus, admin.listOffsets(wanted).all());
    Map<Integer, Long> offsets = new TreeMap<>();
    found.forEach((partition, info) -> offsets.put(partition.partition(), info.offset()));
    return offsets;
  }
}
