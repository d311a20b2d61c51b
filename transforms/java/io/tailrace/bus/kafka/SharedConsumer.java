package io.tailrace.bus.kafka;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.bus.ReadCounters;
import io.tailrace.bus.kafka.KafkaPart.Batch;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
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

  /** The consumers of each thread, by what they read. */
  private static final ThreadLocal<Map<String, SharedConsumer>> OF_THREAD =
      ThreadLocal.withInitial(ConcurrentHashMap::new);

  private final KafkaSource source;
  private final KafkaBus bus;
  private final String group;
  private final CommitTimes commitTimes = new CommitTimes();
  private final OtherJobs otherJobs;
  private final Map<String, SharedConsumer> home;
  private final Assignment assignment;
  private final Map<TopicPartition, OffsetAndMetadata> durable = new HashMap<>();
  private final MemoryBudget.Share memory = MemoryBudget.ofProcess().share();
  private final PollSize size = new PollSize();
  private final UnreadPartitions unread = new UnreadPartitions(System.currentTimeMillis());
  private final PartitionLags lags;
  private final OpenClients clients;
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
    this.assignment = new Assignment(source, lags);
    this.clients = OpenClients.of(this, bus);
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
    return !closed && assignment.admit(part);
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
      if (!part.isWaiting() && assignment.parts().noneMatch(KafkaPart::isWaiting)) {
        if (!part.sees(polls)) {
          // Another reader has just waited for all.
          part.see(polls);
          return Optional.empty();
        }
        poll(clients.opened());
        part.see(polls);
      }
    } catch (KafkaException e) {
      throw new IOException(bus.name() + " can't be read: " + e.getMessage(), e);
    }
    boolean isLast = assignment.parts().noneMatch(each -> each != part && each.isWaiting());
    Optional<Batch> batch = part.take(lags, endsBacklog && isLast);
    lags.reach(assignment::handedOut);
    return batch;
  }

  /** Returns whether reading can begin. */
  private boolean open() throws IOException {
    TopicWatch asked = clients.watch();
    if (source.reader().alone() && !otherJobs.areGone(() -> asked.commits(group))) {
      return false;
    }
    assignment.open(asked.describe());
    if (clients.consumer().isEmpty()) {
      clients.use(size.open(bus, group));
    }
    assignment.assign(clients.opened(), metadata());
    ReadCounters.ALL.forEach(each -> each.add(0));
    return true;
  }

  private CommitMetadata metadata() {
    KafkaSource.Subscriber subscriber = source.subscriber();
    return new CommitMetadata(
        subscriber.writer(),
        subscriber.store(),
        assignment.topicId(),
        subscriber.job(),
        commitTimes.everyMillis(),
        System.currentTimeMillis());
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
        Assignment.Taken taken = assignment.take(records);
        count += taken.records();
        bytes += taken.bytes();
        size.took(taken);
        if (size.hasChanged(bytes, count)) {
          // What was dropped, or waits in the old one's hands, comes again.
          open.close(OpenClients.CLOSE_TIMEOUT);
          open = size.open(bus, group);
          clients.use(open);
          assignment.resume(open);
          break;
        }
      }
      if (count == 0) {
        assignment.passWhatIsNoRecord(open);
      }
      memory.hold(bytes);
    } catch (OffsetOutOfRangeException e) {
      assignment.pass(new StartOffsets(source, open).afterOverrun(e), open);
    }
    lags.take(open);
    endsBacklog = lags.areZero(open);
  }

  /** Looks at the topic, takes partitions that were added, and commits what is durable. */
  private void look(Consumer<byte[], byte[]> open) throws IOException {
    TopicWatch asked = clients.watch();
    Map<Integer, KafkaPosition> done = assignment.takeCommits();
    if (!done.isEmpty()) {
      commitTimes.note(durable.isEmpty());
      String metadata = metadata().text();
      done.forEach((each, position) -> durable.put(bus.partition(each), position.with(metadata)));
    }
    asked.ends().ifPresent(lags::told);
    asked.askForEnds(lags.withoutEnds());
    Optional<TopicWatch.Topic> answer = asked.topic();
    if (answer.isPresent()) {
      if (assignment.hasGrown(answer.get())) {
        assignment.assign(open, metadata());
      }
      // Not before it is known to be still the same topic.
      if (!durable.isEmpty()) {
        KafkaBus ofCommit = bus;
        open.commitAsync(
            new HashMap<>(durable), (offsets, failure) -> committed(ofCommit, failure));
        durable.clear();
      }
    }
    asked.askForTopic(!durable.isEmpty());
    lookForUnread(asked);
  }

  /** One of a job's consumers looks for all of them. */
  private void lookForUnread(TopicWatch asked) {
    long now = System.currentTimeMillis();
    if (assignment.parts().anyMatch(each -> each.source().share().index() == 0)
        && unread.isDue(now)) {
      asked.askForCommits(group);
    }
    asked
        .commits()
        .map(commits -> unread.count(commits, assignment.partitions(), now))
        .filter(count -> count > 0)
        .ifPresent(
            count -> {
              LOG.error(
                  "{}: {} of its {} partitions are not read by the group '{}'. Start the job"
                      + " without state: it goes on where the group is, with a reader for each",
                  bus.name(),
                  count,
                  assignment.partitions(),
                  group);
              ReadCounters.PARTITIONS_UNREAD.add(count);
            });
  }

  /** Without the reader: the client that calls it back must not keep that from being collected. */
  private static void committed(KafkaBus bus, @Nullable Exception failure) {
    if (failure != null) {
      // Not lost: the next commit covers it, and a restart reads from the checkpoint anyway.
      LOG.warn("{}: offsets were not committed: {}", bus.name(), failure.getMessage());
      ReadCounters.COMMITS_FAILED.add(1);
    }
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
    return lags.records(part.source().share().partitions(assignment.partitions()));
  }

  /** Lets a reader go; the last one closes the consumer. */
  synchronized void leave(KafkaPart part) {
    Optional<Set<Integer>> theirs = assignment.remove(part);
    if (theirs.isEmpty()) {
      return;
    }
    Map<TopicPartition, OffsetAndMetadata> last = new HashMap<>();
    String metadata = metadata().text();
    part.takeCommits()
        .forEach((each, position) -> last.put(bus.partition(each), position.with(metadata)));
    for (int each : theirs.get()) {
      OffsetAndMetadata before = durable.remove(bus.partition(each));
      if (before != null) {
        last.putIfAbsent(bus.partition(each), before);
      }
    }
    if (assignment.parts().findAny().isEmpty()) {
      closed = true;
      home.values().remove(this);
      memory.close();
    }
    commitLast(last);
  }

  private void commitLast(Map<TopicPartition, OffsetAndMetadata> last) {
    try {
      Optional<Consumer<byte[], byte[]>> open = clients.consumer();
      if (open.isPresent() && !last.isEmpty()) {
        open.get().commitSync(last, OpenClients.CLOSE_TIMEOUT);
      }
      if (open.isPresent() && !closed) {
        open.get().assign(assignment.all());
      }
    } catch (KafkaException e) {
      LOG.warn("{}: the last offsets were not committed: {}", bus.name(), e.getMessage());
    } finally {
      if (closed) {
        clients.close();
      }
    }
  }
}
