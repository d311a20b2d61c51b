package io.tailrace.bus.kafka;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks through a topic up to where it ended when this was opened. Commits nothing. */
final class KafkaLog implements BusLog {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaLog.class);

  /** Never joined: consumers must name one. */
  private static final String GROUP = "tailrace-log";

  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final KafkaBus bus;
  private final String topicId;
  private final BusFacts facts;
  private final PollSize size;
  private final Map<TopicPartition, Long> ends;
  private Consumer<byte[], byte[]> consumer;
  private Map<TopicPartition, Long> seen;
  // Of the last poll.
  private long shownBytes;
  private int shownRecords;
  private boolean publishesElsewhere;
  // The last note of each partition that is not shown yet; told by the producer's thread.
  private final Map<TopicPartition, Long> noted = new ConcurrentHashMap<>();
  // Null: opened to look.
  private final @Nullable KafkaSettling settling;

  private KafkaLog(
      KafkaBus bus,
      String topicId,
      BusFacts facts,
      PollSize size,
      @Nullable KafkaSettling settling) {
    this.bus = bus;
    this.topicId = topicId;
    this.facts = facts;
    this.size = size;
    this.consumer = size.open(bus, GROUP);
    this.settling = settling;
    try {
      this.ends = ends();
    } catch (KafkaException e) {
      consumer.close(Duration.ZERO);
      throw e;
    }
    this.seen = ends;
  }

  /** Opens a topic's. */
  static KafkaLog open(KafkaBus bus, Use use) throws UnavailableException {
    // Says what is wrong better than a consumer does.
    BusFacts facts = KafkaCheck.readable(bus);
    if (use == Use.SETTLE) {
      // Before anything is sent that could not be noted.
      var unused = KafkaCheck.writable(bus);
    }
    String topicId = KafkaCheck.topicId(bus);
    // Before the ends are asked for: what another has settled until now is behind none of them.
    KafkaSettling settling = use == Use.SETTLE ? KafkaSettling.of(bus) : null;
    try {
      return new KafkaLog(bus, topicId, facts, new PollSize(), settling);
    } catch (KafkaException e) {
      if (settling != null) {
        settling.close();
      }
      throw failed(bus, e);
    }
  }

  @Override
  public BusFacts facts() {
    return facts;
  }

  @Override
  public void read(Visitor visitor) throws UnavailableException {
    try {
      show(consumer.beginningOffsets(ends.keySet()), ends, visitor);
    } catch (KafkaException e) {
      throw failed(bus, e);
    }
  }

  @Override
  public Predicate<Place> extent() {
    Map<TopicPartition, Long> until = Map.copyOf(ends);
    String id = topicId;
    return place ->
        place.topicId().equals(id)
            && place.offset() < end(until, new TopicPartition(place.topic(), place.partition()));
  }

  @Override
  public void readNews(Visitor visitor) throws UnavailableException {
    try {
      Map<TopicPartition, Long> now = ends();
      Map<TopicPartition, Long> from = new HashMap<>();
      // Partitions may have been added.
      now.keySet().forEach(each -> from.put(each, seen.getOrDefault(each, 0L)));
      show(from, now, visitor);
      seen = now;
    } catch (KafkaException e) {
      throw failed(bus, e);
    }
  }

  private Map<TopicPartition, Long> ends() {
    List<TopicPartition> partitions =
        consumer.partitionsFor(bus.topic()).stream()
            .map(each -> new TopicPartition(each.topic(), each.partition()))
            .toList();
    return consumer.endOffsets(partitions);
  }

  private void show(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to, Visitor visitor)
      throws UnavailableException {
    List<TopicPartition> open = new ArrayList<>(from.keySet());
    open.removeIf(each -> from.getOrDefault(each, 0L) >= end(to, each));
    Map<TopicPartition, Long> next = new HashMap<>();
    open.forEach(each -> next.put(each, from.getOrDefault(each, 0L)));
    seek(next);
    long positions = -1;
    long progress = System.nanoTime();
    while (!next.isEmpty()) {
      if (!showSome(to, visitor)) {
        return;
      }
      next.replaceAll((partition, unused) -> consumer.position(partition));
      long now = next.values().stream().mapToLong(Long::longValue).sum();
      List<TopicPartition> done =
          next.entrySet().stream()
              .filter(each -> each.getValue() >= end(to, each.getKey()))
              .map(Map.Entry::getKey)
              .toList();
      consumer.pause(done);
      next.keySet().removeAll(done);
      if (size.hasChanged(shownBytes, shownRecords)) {
        // What the old one had fetched comes again, and no more of it than there is room for.
        consumer.close(Duration.ZERO);
        consumer = size.open(bus, GROUP);
        seek(next);
      }
      if (now != positions || !done.isEmpty()) {
        positions = now;
        progress = System.nanoTime();
      } else if (System.nanoTime() - progress > PATIENCE.toNanos()) {
        throw new UnavailableException(
            bus.name() + ": the brokers have sent nothing for " + PATIENCE.toSeconds() + " s");
      }
    }
  }

  private void seek(Map<TopicPartition, Long> next) {
    consumer.assign(next.keySet());
    // Those that were paused before stay so.
    consumer.resume(next.keySet());
    next.forEach(consumer::seek);
  }

  /** Shows what one poll brings, and returns whether somebody wants more. */
  private boolean showSome(Map<TopicPartition, Long> to, Visitor visitor)
      throws UnavailableException {
    size.begin();
    shownBytes = 0;
    shownRecords = 0;
    Set<TopicPartition> dropped = new HashSet<>();
    for (ConsumerRecord<byte[], byte[]> record : poll()) {
      TopicPartition partition = new TopicPartition(record.topic(), record.partition());
      if (dropped.contains(partition)) {
        continue;
      }
      if (BoundedPoll.isDropped(record.value()) || BoundedPoll.isDropped(record.key())) {
        dropped.add(partition);
        consumer.seek(partition, record.offset());
        continue;
      }
      BusMessage message = KafkaRecords.message(record, topicId);
      shownRecords++;
      shownBytes += message.heldBytes();
      if (record.offset() < end(to, partition) && !visitor.visit(message)) {
        return false;
      }
    }
    size.took(new Assignment.Taken(shownRecords, shownBytes));
    return true;
  }

  private Iterable<ConsumerRecord<byte[], byte[]>> poll() {
    try {
      return consumer.poll(POLL);
    } catch (OffsetOutOfRangeException e) {
      // Retention has deleted what was to be shown next.
      consumer.beginningOffsets(e.offsetOutOfRangePartitions().keySet()).forEach(consumer::seek);
      return List.of();
    }
  }

  private static long end(Map<TopicPartition, Long> ends, TopicPartition partition) {
    return ends.getOrDefault(partition, 0L);
  }

  private KafkaSettling settling() {
    if (settling == null) {
      throw new IllegalStateException(bus.name() + " was opened to look");
    }
    return settling;
  }

  @Override
  public BusPublisher publisher(Bus to) {
    KafkaSettling own = settling();
    if (to instanceof KafkaBus topic && bus.isReachedLike(topic)) {
      return own.to(topic);
    }
    publishesElsewhere = true;
    return to.publisher();
  }

  @Override
  public void note(Place about, Headers note) throws UnavailableException {
    // Behind what it is about: retention deletes a partition from its beginning on.
    settling()
        .publish(
            new OutgoingMessage(null, new byte[0], note),
            about.partition(),
            taken -> noted.merge(bus.partition(taken.partition()), taken.offset(), Math::max));
  }

  @Override
  public void flush() throws UnavailableException {
    settling().commit();
    awaitNotes();
  }

  @Override
  public boolean takeBack() throws UnavailableException {
    boolean isBack = settling().takeBack();
    if (isBack) {
      noted.clear();
    }
    return isBack && !publishesElsewhere;
  }

  /** A transaction that is committed is shown a moment later, also to whoever looks next. */
  private void awaitNotes() throws UnavailableException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (!noted.isEmpty()) {
        Map<TopicPartition, Long> now = consumer.endOffsets(noted.keySet());
        noted.entrySet().removeIf(each -> end(now, each.getKey()) > each.getValue());
        if (!noted.isEmpty() && System.nanoTime() > deadline) {
          throw new UnavailableException(
              bus.name()
                  + ": what was committed is not shown after "
                  + PATIENCE.toSeconds()
                  + " s");
        }
      }
    } catch (KafkaException e) {
      throw failed(bus, e);
    }
  }

  /** Returns what a group is done with; empty where the user may not see that. */
  static Optional<Predicate<Place>> doneBy(KafkaBus bus, String group) throws UnavailableException {
    try (Admin admin = KafkaAdmins.open(bus, PATIENCE)) {
      Map<TopicPartition, OffsetAndMetadata> committed =
          KafkaAdmins.answer(
              bus, admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
      return Optional.of(
          place -> {
            OffsetAndMetadata next =
                committed.get(new TopicPartition(place.topic(), place.partition()));
            return next != null && next.offset() > place.offset();
          });
    } catch (IOException e) {
      Optional<String> right = KafkaRights.ofGroup(e, AclOperation.DESCRIBE, group);
      if (right.isPresent()) {
        LOG.warn("{}: how far its readers are is not known: {}", bus.name(), right.get());
        return Optional.empty();
      }
      throw new UnavailableException(String.valueOf(e.getMessage()), e);
    }
  }

  private static UnavailableException failed(KafkaBus bus, KafkaException e) {
    return new UnavailableException(
        bus.name()
            + KafkaRights.ofTopic(e, AclOperation.READ, bus.topic())
                .map(right -> ": " + right)
                .orElseGet(() -> " can't be read: " + e.getMessage()),
        e);
  }

  @Override
  public void close() {
    consumer.close(Duration.ZERO);
    if (settling != null) {
      settling.close();
    }
  }
}
