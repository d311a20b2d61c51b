package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.bus.ReadCounters;
import io.tailrace.bus.kafka.KafkaPart.Batch;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Polls for all readers of a topic that one thread has made: a runner that gives a worker several
 * partitions asks their readers in turn, and when each waited for its own, a full one would stand
 * behind the empty ones. A poll is made when nothing waits to be handed out and every reader knows
 * of the last one, and brings something for any of them.
 *
 * <p>Thread-safe, for runners that call a reader from many threads: then calls wait for each other.
 */
final class SharedConsumer {
  private static final Logger LOG = LoggerFactory.getLogger(SharedConsumer.class);

  /** Records that are handed out at once at most: a checkpoint waits until they are worked off. */
  private static final int BATCH_RECORDS = 20_000;

  /**
   * Bytes that are handed out at once at most. What a backlog brings at once is worked off at once,
   * so that a sink sees many writes to an entity together and sends one; more than the processor's
   * cache holds is slower again.
   */
  private static final long BATCH_BYTES = 2L << 20;

  /**
   * How long a poll waits for records. The runner's thread can do nothing else meanwhile, such as
   * begin a checkpoint; but when a poll brings nothing, Flink asks again only after 50 ms.
   */
  private static final Duration POLL_WAIT = Duration.ofMillis(100);

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);

  /** The consumers of each thread, by what they read. */
  private static final ThreadLocal<Map<String, SharedConsumer>> OF_THREAD =
      ThreadLocal.withInitial(ConcurrentHashMap::new);

  private final KafkaSource source;
  private final KafkaBus bus;
  private final String group;
  private final CommitTimes commitTimes = new CommitTimes();
  private final OtherJobs otherJobs;
  private final Map<String, SharedConsumer> home;
  private final List<KafkaPart> parts = new ArrayList<>();
  private final Map<Integer, KafkaPart> owners = new HashMap<>();
  // What the consumer polls next, which may be ahead of what was handed out.
  private final Map<Integer, KafkaPosition> polled = new HashMap<>();
  private final Map<TopicPartition, OffsetAndMetadata> durable = new HashMap<>();
  private final MemoryBudget.Share memory = MemoryBudget.ofProcess().share();
  private final PollSize size = new PollSize();
  private final UnreadPartitions unread = new UnreadPartitions(System.currentTimeMillis());
  private final PartitionLags lags;
  private @Nullable Consumer<byte[], byte[]> consumer;
  private @Nullable TopicWatch watch;
  private String topicId = "";
  private int topicPartitions;
  private long polls;
  private boolean endsBacklog;
  private boolean closed;

  private SharedConsumer(KafkaPart first, Map<String, SharedConsumer> home) {
    this.source = first.source();
    this.bus = source.bus();
    this.group = source.group();
    this.otherJobs = new OtherJobs(bus, source.subscriber().job());
    this.home = home;
    this.lags = new PartitionLags(first.restoredWatermark());
  }

  /** Returns this thread's consumer that reads what the part is of, and takes the part in. */
  static SharedConsumer join(KafkaPart part) {
    Map<String, SharedConsumer> ofThread = OF_THREAD.get();
    SharedConsumer there = ofThread.get(key(part));
    if (there != null && there.admit(part)) {
      return there;
    }
    SharedConsumer own = new SharedConsumer(part, ofThread);
    own.admit(part);
    // One that reads the same partitions stays alone.
    ofThread.putIfAbsent(key(part), own);
    return own;
  }

  private static String key(KafkaPart part) {
    return part.source().subscriber() + " of " + part.source().bus().uri();
  }

  private synchronized boolean admit(KafkaPart part) {
    boolean isBeside =
        parts.stream().allMatch(each -> each.source().share().isBeside(part.source().share()));
    if (closed || !isBeside) {
      return false;
    }
    parts.add(part);
    lags.notBeyond(part.restoredWatermark());
    // Before anything is known of its partitions they hold back the watermark of all.
    part.source()
        .share()
        .partitions(part.source().knownPartitions())
        .forEach(each -> lags.add(partition(each)));
    return true;
  }

  /**
   * Returns what there is for a part.
   *
   * @throws IOException if the topic can't be read, or is not what it was
   */
  synchronized Optional<Batch> advance(KafkaPart part) throws IOException {
    try {
      if (!part.isOpened() && !open()) {
        return Optional.empty();
      }
      if (!part.isWaiting() && parts.stream().noneMatch(KafkaPart::isWaiting)) {
        if (!part.sees(polls)) {
          // Another reader has just waited for all.
          part.see(polls);
          return Optional.empty();
        }
        poll(opened());
        part.see(polls);
      }
    } catch (KafkaException e) {
      throw new IOException(bus.name() + " can't be read: " + e.getMessage(), e);
    }
    boolean isLast = parts.stream().noneMatch(each -> each != part && each.isWaiting());
    Optional<Batch> batch = part.take(lags, endsBacklog && isLast);
    lags.reach(this::handedOut);
    return batch;
  }

  private long handedOut(int partition) {
    KafkaPart owner = owners.get(partition);
    KafkaPosition next = owner == null ? null : owner.next().get(partition);
    return next == null ? Long.MIN_VALUE : next.offset();
  }

  /** Returns whether reading can begin. */
  private boolean open() throws IOException {
    TopicWatch asked = watch == null ? new TopicWatch(bus) : watch;
    watch = asked;
    if (source.reader().alone() && !otherJobs.areGone(() -> asked.commits(group))) {
      return false;
    }
    TopicWatch.Topic topic = asked.describe();
    topicId = topic.id();
    for (KafkaPart part : parts) {
      if (!part.isOpened()) {
        checkTopic(part, topic.id());
        part.open(topic.id());
      }
    }
    if (consumer == null) {
      consumer = size.open(bus, group);
    }
    topicPartitions = Math.max(topicPartitions, topic.partitions());
    assign(consumer);
    ReadCounters.ALL.forEach(each -> each.add(0));
    return true;
  }

  private CommitMetadata metadata() {
    KafkaSource.Subscriber subscriber = source.subscriber();
    return new CommitMetadata(
        subscriber.writer(),
        subscriber.store(),
        topicId,
        subscriber.job(),
        commitTimes.everyMillis(),
        System.currentTimeMillis());
  }

  /** Refuses positions that are not of this topic. */
  private void checkTopic(KafkaPart part, String id) throws IOException {
    if (part.isAnother(id) && !(part.source().adoptsTopic() && !part.isOpened())) {
      throw new IOException(
          bus.name()
              + " is not the topic that was read: it has the id "
              + id
              + " and had "
              + part.topicId()
              + ". It was deleted and made anew, or is on another cluster, and offsets mean nothing"
              + " in it. To read it from where the group '"
              + group
              + "' is, from its first message if the group has read nothing of it, start the job"
              + " once with --adoptTopic");
    }
  }

  /** Gives the consumer all partitions that the parts have by now. */
  private void assign(Consumer<byte[], byte[]> open) throws IOException {
    Map<Integer, Long> starts = new TreeMap<>();
    Set<Integer> unknown = new TreeSet<>();
    Set<Integer> added = new TreeSet<>();
    for (KafkaPart part : parts) {
      if (part.isOpened()) {
        Stream.of(part.source().bus().found(), part.source().start())
            .flatMap(Optional::stream)
            .filter(start -> start.topicId().equals(part.topicId()))
            .forEach(start -> starts.putAll(start.offsets()));
        for (int each : part.source().share().partitions(topicPartitions)) {
          if (owners.put(each, part) == null) {
            added.add(each);
            lags.add(partition(each));
            if (!part.next().containsKey(each)) {
              unknown.add(each);
            }
          }
        }
      }
    }
    new StartOffsets(source, open)
        .of(unknown, starts, metadata())
        .forEach((each, position) -> requireNonNull(owners.get(each)).place(each, position));
    for (int each : added) {
      polled.put(each, requireNonNull(requireNonNull(owners.get(each)).next().get(each)));
    }
    open.assign(owners.keySet().stream().map(this::partition).toList());
    added.forEach(each -> open.seek(partition(each), polledAt(each).with("")));
  }

  private KafkaPosition polledAt(int partition) {
    return requireNonNull(polled.get(partition));
  }

  private void poll(Consumer<byte[], byte[]> opened) throws IOException {
    polls++;
    if (!memory.await(BATCH_BYTES, POLL_WAIT)) {
      // What was read has to be written first.
      return;
    }
    Consumer<byte[], byte[]> open = opened;
    look(open);
    try {
      long bytes = 0;
      int count = 0;
      boolean isFull = true;
      while (isFull && bytes < BATCH_BYTES && count < BATCH_RECORDS) {
        size.begin();
        ConsumerRecords<byte[], byte[]> records = open.poll(count == 0 ? POLL_WAIT : Duration.ZERO);
        isFull = size.isFull(records.count());
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
        if (size.hasChanged(bytes, count)) {
          // What was dropped, or waits in the old one's hands, comes again.
          open.close(CLOSE_TIMEOUT);
          open = size.open(bus, group);
          consumer = open;
          open.assign(owners.keySet().stream().map(this::partition).toList());
          for (int each : owners.keySet()) {
            open.seek(partition(each), polledAt(each).with(""));
          }
          break;
        }
      }
      if (count == 0) {
        passWhatIsNoRecord(open);
      }
      memory.hold(bytes);
    } catch (OffsetOutOfRangeException e) {
      for (var each : new StartOffsets(source, open).afterOverrun(e).entrySet()) {
        KafkaPosition position = KafkaPosition.at(each.getValue());
        int number = each.getKey().partition();
        open.seek(each.getKey(), position.with(""));
        polled.put(number, position);
        KafkaPart owner = requireNonNull(owners.get(number));
        if (!owner.isWaiting()) {
          owner.place(number, position);
        }
      }
    }
    lags.take(open);
    endsBacklog = lags.areZero(open);
  }

  /** Looks at the topic, takes partitions that were added, and commits what is durable. */
  private void look(Consumer<byte[], byte[]> open) throws IOException {
    TopicWatch asked = requireNonNull(watch);
    for (KafkaPart part : parts) {
      Map<Integer, KafkaPosition> theirs = part.takeCommits();
      if (!theirs.isEmpty()) {
        commitTimes.note(durable.isEmpty());
        String metadata = metadata().text();
        theirs.forEach((each, position) -> durable.put(partition(each), position.with(metadata)));
      }
    }
    asked.ends().ifPresent(lags::told);
    asked.askForEnds(lags.withoutEnds());
    Optional<TopicWatch.Topic> answer = asked.topic();
    if (answer.isPresent()) {
      for (KafkaPart part : parts) {
        checkTopic(part, answer.get().id());
      }
      if (answer.get().partitions() > topicPartitions) {
        LOG.warn(
            "{} has {} partitions now, and had {}: those that were added are read, too",
            bus.name(),
            answer.get().partitions(),
            topicPartitions);
        topicPartitions = answer.get().partitions();
        assign(open);
      }
      // Not before it is known to be still the same topic.
      if (!durable.isEmpty()) {
        open.commitAsync(new HashMap<>(durable), (offsets, failure) -> committed(failure));
        durable.clear();
      }
    }
    asked.askForTopic(!durable.isEmpty());
    lookForUnread(asked);
  }

  /** One of a job's consumers looks for all of them. */
  private void lookForUnread(TopicWatch asked) {
    long now = System.currentTimeMillis();
    if (parts.stream().anyMatch(each -> each.source().share().index() == 0) && unread.isDue(now)) {
      asked.askForCommits(group);
    }
    asked
        .commits()
        .map(commits -> unread.count(commits, topicPartitions, now))
        .filter(count -> count > 0)
        .ifPresent(
            count -> {
              LOG.error(
                  "{}: {} of its {} partitions are not read by the group '{}'. Start the job"
                      + " without state: it goes on where the group is, with a reader for each",
                  bus.name(),
                  count,
                  topicPartitions,
                  group);
              ReadCounters.PARTITIONS_UNREAD.add(count);
            });
  }

  private void committed(@Nullable Exception failure) {
    if (failure != null) {
      // Not lost: the next commit covers it, and a restart reads from the checkpoint anyway.
      LOG.warn("{}: offsets were not committed: {}", bus.name(), failure.getMessage());
      ReadCounters.COMMITS_FAILED.add(1);
    }
  }

  /** Moves behind the ends of transactions, which take offsets too. */
  private void passWhatIsNoRecord(Consumer<byte[], byte[]> open) {
    for (Map.Entry<Integer, KafkaPart> each : owners.entrySet()) {
      int number = each.getKey();
      try {
        long offset = open.position(partition(number), Duration.ZERO);
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

  private TopicPartition partition(int number) {
    return new TopicPartition(bus.topic(), number);
  }

  private Consumer<byte[], byte[]> opened() {
    return requireNonNull(consumer, "the reader was not started");
  }

  /** Returns the publish time that everything has reached, in milliseconds since the epoch. */
  synchronized long watermark() {
    return lags.watermark();
  }

  /** Returns how often it was polled: each time may wait. */
  synchronized long polls() {
    return polls;
  }

  synchronized KafkaMark mark(KafkaPart part) {
    return part.mark(Math.max(lags.lastWatermark(), part.restoredWatermark()));
  }

  /** Returns how many messages of a part wait at the brokers. */
  OptionalLong backlog(KafkaPart part) {
    return lags.records(part.source().share().partitions(topicPartitions));
  }

  /** Lets a reader go; the last one closes the consumer. */
  synchronized void leave(KafkaPart part) {
    if (!parts.remove(part)) {
      return;
    }
    Map<TopicPartition, OffsetAndMetadata> last = new HashMap<>();
    String metadata = metadata().text();
    part.takeCommits()
        .forEach((each, position) -> last.put(partition(each), position.with(metadata)));
    Set<Integer> theirs = new HashSet<>(owners.keySet());
    theirs.removeIf(each -> owners.get(each) != part);
    for (int each : theirs) {
      OffsetAndMetadata before = durable.remove(partition(each));
      if (before != null) {
        last.putIfAbsent(partition(each), before);
      }
      owners.remove(each);
      polled.remove(each);
      lags.remove(each);
    }
    part.source().share().partitions(part.source().knownPartitions()).forEach(lags::remove);
    if (parts.isEmpty()) {
      closed = true;
      home.values().remove(this);
      memory.close();
    }
    commitLast(last);
  }

  private void commitLast(Map<TopicPartition, OffsetAndMetadata> last) {
    Consumer<byte[], byte[]> open = consumer;
    if (open == null) {
      close();
      return;
    }
    try {
      if (!last.isEmpty()) {
        open.commitSync(last, CLOSE_TIMEOUT);
      }
      if (!closed) {
        open.assign(owners.keySet().stream().map(this::partition).toList());
      }
    } catch (KafkaException e) {
      LOG.warn("{}: the last offsets were not committed: {}", bus.name(), e.getMessage());
    } finally {
      if (closed) {
        close();
      }
    }
  }

  private void close() {
    if (watch != null) {
      watch.close();
      watch = null;
    }
    if (consumer != null) {
      try {
        consumer.close(CLOSE_TIMEOUT);
      } catch (KafkaException e) {
        LOG.warn("{}: the consumer was not closed: {}", bus.name(), e.getMessage());
      }
      consumer = null;
    }
  }
}
