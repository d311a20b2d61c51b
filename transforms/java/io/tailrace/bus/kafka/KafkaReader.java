package io.tailrace.bus.kafka;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.Micros;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads some partitions of a topic. Polls in the runner's thread, which owns the consumer; offsets
 * that are durable are committed at the next poll.
 */
final class KafkaReader extends UnboundedSource.UnboundedReader<List<BusMessage>> {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaReader.class);

  /**
   * How long a broker may hold a fetch for partitions that have nothing new. Partitions that have
   * are not fetched meanwhile, so Kafka's 500 ms would stall a full partition beside an empty one.
   */
  private static final int FETCH_MAX_WAIT_MILLIS = 10;

  /** What one fetch brings of one partition: enough to work on while the next one is under way. */
  private static final int PARTITION_FETCH_BYTES = 2 << 20;

  /** What one fetch brings: a larger message still comes, alone. Bounds a reader's memory. */
  private static final int FETCH_BYTES = 8 << 20;

  /** Records that one poll hands out. */
  private static final int POLL_RECORDS = 1_000;

  /** Records in an element at most: a checkpoint waits until one has been worked off. */
  private static final int BATCH_RECORDS = 20_000;

  /**
   * Bytes in an element at most. What a backlog brings at once is worked off at once, so that a
   * sink sees many writes to an entity together and sends one; more than the processor's cache
   * holds is slower again.
   */
  private static final long BATCH_BYTES = 2L << 20;

  /**
   * How long a poll waits for records. The runner's thread can do nothing else meanwhile, such as
   * begin a checkpoint; but when a poll brings nothing, Flink asks again only after 50 ms.
   */
  private static final Duration POLL_WAIT = Duration.ofMillis(100);

  /** How far event time stays behind the clock where a partition has nothing to read. */
  private static final long IDLE_WATERMARK_DELAY_MILLIS = 2_000;

  /** The end of the year 9999. */
  private static final long LATEST_MILLIS = 253_402_300_799_999L;

  /** How often the consumer is asked how far behind it is. */
  private static final long LAG_INTERVAL_NANOS = 200_000_000L;

  /** How often the brokers are asked whether there is really nothing to read. */
  private static final long QUIET_INTERVAL_NANOS = 1_000_000_000L;

  private static final Duration QUIET_TIMEOUT = Duration.ofMillis(500);

  /** How often the topic is looked at for partitions that nobody reads. */
  private static final long NEW_PARTITIONS_INTERVAL_NANOS = 60_000_000_000L;

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);
  private static final byte[] EMPTY = {};

  private final KafkaSource source;
  private final KafkaBus bus;
  private final List<TopicPartition> partitions = new ArrayList<>();
  private final Map<Integer, Long> nextOffsets = new HashMap<>();
  private final Map<Integer, Long> lastTimestamps = new HashMap<>();
  // Looked at by the runner's thread for metrics, too.
  private final Map<Integer, Long> lags = new ConcurrentHashMap<>();
  // When a broker was asked that told of nothing more to read, in milliseconds since the epoch.
  private final Map<Integer, Long> caughtUpAt = new ConcurrentHashMap<>();
  private final KafkaMark.Commits commits = new KafkaMark.Commits();
  private @Nullable Consumer<byte[], byte[]> consumer;
  private List<BusMessage> batch = List.of();
  private Instant batchTimestamp = Instant.EPOCH;
  private long watermarkMillis;
  private long lagsTakenAt;
  private long quietAskedAt;
  private volatile double averageBytes = 1_000;
  private long partitionsCountedAt = System.nanoTime();
  private int knownPartitions;

  KafkaReader(KafkaSource source, @Nullable KafkaMark mark) {
    this.source = source;
    this.bus = source.bus();
    this.knownPartitions = source.topicPartitions();
    for (int partition : source.partitions()) {
      partitions.add(new TopicPartition(bus.topic(), partition));
    }
    watermarkMillis =
        org.apache.beam.sdk.transforms.windowing.BoundedWindow.TIMESTAMP_MIN_VALUE.getMillis();
    if (mark != null) {
      nextOffsets.putAll(mark.nextOffsets());
      watermarkMillis = mark.watermarkMillis();
    }
  }

  /** Makes a consumer where it runs: only there are secrets read. */
  static Consumer<byte[], byte[]> consumer(KafkaBus bus, String group) {
    Map<String, Object> config = new HashMap<>();
    config.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, FETCH_MAX_WAIT_MILLIS);
    config.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, PARTITION_FETCH_BYTES);
    config.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, POLL_RECORDS);
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    config.putAll(bus.clientProperties());
    config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    // Where to start is decided here, and an offset that is gone must be noticed.
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  @Override
  public boolean start() throws IOException {
    try {
      Consumer<byte[], byte[]> opened = consumer(bus, source.group());
      consumer = opened;
      opened.assign(partitions);
      Map<TopicPartition, OffsetAndMetadata> committed =
          nextOffsets.keySet().containsAll(source.partitions())
              ? Map.of()
              : opened.committed(wholeTopic());
      boolean groupIsKnown = committed.values().stream().anyMatch(Objects::nonNull);
      for (TopicPartition partition : partitions) {
        Long next = nextOffsets.get(partition.partition());
        if (next == null) {
          OffsetAndMetadata offset = committed.get(partition);
          if (offset != null) {
            next = offset.offset();
          } else if (groupIsKnown) {
            // Added since the group began: nothing of it has been read.
            next = first(opened.beginningOffsets(List.of(partition)), partition);
          } else {
            next = startOf(opened, partition);
          }
          nextOffsets.put(partition.partition(), next);
        }
        opened.seek(partition, next);
      }
    } catch (KafkaException e) {
      throw new IOException(bus.name() + " can't be read: " + e.getMessage(), e);
    }
    return advance();
  }

  private Set<TopicPartition> wholeTopic() {
    Set<TopicPartition> all = new HashSet<>(partitions);
    for (int partition = 0; partition < source.topicPartitions(); partition++) {
      all.add(new TopicPartition(bus.topic(), partition));
    }
    return all;
  }

  private Long startOf(Consumer<byte[], byte[]> opened, TopicPartition partition) {
    if (bus.start().equals("latest")) {
      return first(opened.endOffsets(List.of(partition)), partition);
    }
    Optional<java.time.Instant> time = KafkaBus.time(bus.start());
    if (time.isPresent()) {
      OffsetAndTimestamp found =
          opened.offsetsForTimes(Map.of(partition, time.get().toEpochMilli())).get(partition);
      return found != null
          ? (Long) found.offset()
          : first(opened.endOffsets(List.of(partition)), partition);
    }
    return first(opened.beginningOffsets(List.of(partition)), partition);
  }

  private static Long first(Map<TopicPartition, Long> offsets, TopicPartition partition) {
    Long offset = offsets.get(partition);
    return offset == null ? 0L : offset;
  }

  @Override
  public boolean advance() throws IOException {
    Consumer<byte[], byte[]> open = opened();
    batch = new ArrayList<>(Math.max(16, batch.size()));
    long earliest = Long.MAX_VALUE;
    long bytes = 0;
    long asked = System.currentTimeMillis();
    Set<TopicPartition> brought = new HashSet<>();
    try {
      commit(open);
      Duration wait = POLL_WAIT;
      while (bytes < BATCH_BYTES && batch.size() < BATCH_RECORDS) {
        ConsumerRecords<byte[], byte[]> records = open.poll(wait);
        if (records.isEmpty()) {
          break;
        }
        brought.addAll(records.partitions());
        for (TopicPartition partition : records.partitions()) {
          List<ConsumerRecord<byte[], byte[]>> theirs = records.records(partition);
          for (ConsumerRecord<byte[], byte[]> record : theirs) {
            earliest = Math.min(earliest, timestamp(record));
            BusMessage message = message(record);
            bytes += message.payload().length;
            batch.add(message);
          }
          ConsumerRecord<byte[], byte[]> last = theirs.get(theirs.size() - 1);
          nextOffsets.put(partition.partition(), last.offset() + 1);
          lastTimestamps.put(partition.partition(), timestamp(last));
        }
        if (records.count() < POLL_RECORDS) {
          break;
        }
        wait = Duration.ZERO;
      }
      if (batch.isEmpty()) {
        passWhatIsNoRecord(open);
      }
    } catch (OffsetOutOfRangeException e) {
      try {
        overrun(open, e);
      } catch (KafkaException again) {
        throw new IOException(bus.name() + " can't be read: " + again.getMessage(), again);
      }
    } catch (KafkaException e) {
      throw new IOException(bus.name() + " can't be read: " + e.getMessage(), e);
    }
    takeLags(open, asked, brought);
    if (System.nanoTime() - partitionsCountedAt > NEW_PARTITIONS_INTERVAL_NANOS) {
      partitionsCountedAt = System.nanoTime();
      newPartitions(open).ifPresent(LOG::error);
    }
    if (batch.isEmpty()) {
      return false;
    }
    if (isCaughtUp(open)) {
      batch.add(batch.remove(batch.size() - 1).endingBacklog());
    }
    double before = averageBytes;
    averageBytes = before + ((double) bytes / batch.size() - before) / 16;
    batchTimestamp = new Instant(earliest);
    return true;
  }

  /** Moves behind the ends of transactions, which take offsets too. */
  private void passWhatIsNoRecord(Consumer<byte[], byte[]> open) {
    for (TopicPartition partition : partitions) {
      try {
        nextOffsets.put(partition.partition(), open.position(partition, Duration.ZERO));
      } catch (TimeoutException e) {
        LOG.debug("{} has no position now: {}", partition, e.getMessage());
      }
    }
  }

  private static BusMessage message(ConsumerRecord<byte[], byte[]> record) {
    String addressee = "";
    Header header = record.headers().lastHeader(Bus.ADDRESSEE_HEADER);
    if (header != null) {
      addressee = new String(header.value(), StandardCharsets.UTF_8);
    }
    byte[] value = record.value();
    byte[] key = record.key();
    return BusMessage.numbered(
        value == null ? EMPTY : value,
        key == null ? EMPTY : key,
        record.topic(),
        record.partition(),
        record.offset(),
        Micros.ofMillis(timestamp(record)),
        addressee);
  }

  /** Publishers may stamp anything, even what no runner takes for a time. */
  private static long timestamp(ConsumerRecord<byte[], byte[]> record) {
    return Math.max(-1, Math.min(record.timestamp(), LATEST_MILLIS));
  }

  private void overrun(Consumer<byte[], byte[]> open, OffsetOutOfRangeException e)
      throws IOException {
    for (Map.Entry<TopicPartition, Long> each : e.offsetOutOfRangePartitions().entrySet()) {
      TopicPartition partition = each.getKey();
      Long first = first(open.beginningOffsets(List.of(partition)), partition);
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
      open.seek(partition, first);
      nextOffsets.put(partition.partition(), first);
    }
  }

  private void commit(Consumer<byte[], byte[]> open) {
    Map<Integer, Long> durable = commits.getAndSet(null);
    if (durable != null) {
      open.commitAsync(
          offsets(durable),
          (offsets, failure) -> {
            if (failure != null) {
              // Not lost: the next commit covers it, and a restart reads from the checkpoint
              // anyway.
              LOG.warn("{}: offsets were not committed: {}", bus.name(), failure.getMessage());
            }
          });
    }
  }

  private Map<TopicPartition, OffsetAndMetadata> offsets(Map<Integer, Long> next) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new LinkedHashMap<>();
    next.forEach(
        (partition, offset) ->
            offsets.put(new TopicPartition(bus.topic(), partition), new OffsetAndMetadata(offset)));
    return offsets;
  }

  /**
   * Says that partitions were added, which are in no reader's share. Asked by one of the readers
   * only; an answer comes once for each time that it happens.
   */
  Optional<String> newPartitions(Consumer<byte[], byte[]> open) {
    if (knownPartitions == 0 || !source.partitions().contains(0)) {
      return Optional.empty();
    }
    int now;
    try {
      now = open.partitionsFor(bus.topic()).size();
    } catch (KafkaException e) {
      LOG.debug("{}: its partitions can't be counted: {}", bus.name(), e.getMessage());
      return Optional.empty();
    }
    if (now <= knownPartitions) {
      return Optional.empty();
    }
    int before = knownPartitions;
    knownPartitions = now;
    return Optional.of(
        bus.name()
            + " has "
            + now
            + " partitions, "
            + (now - before)
            + " of which were added after the writer was started and are not read. Start it anew,"
            + " without a savepoint: it goes on at the committed offsets and reads all of them");
  }

  /** Judges by what the brokers told with the last messages. */
  private boolean isCaughtUp(Consumer<byte[], byte[]> open) {
    for (TopicPartition partition : partitions) {
      if (open.currentLag(partition).orElse(0) > 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Takes how far behind the consumer is.
   *
   * @param asked when the brokers were asked for what it has got
   * @param brought the partitions of which it has got something
   */
  private void takeLags(Consumer<byte[], byte[]> open, long asked, Set<TopicPartition> brought) {
    long now = System.nanoTime();
    if (now - lagsTakenAt < LAG_INTERVAL_NANOS) {
      return;
    }
    lagsTakenAt = now;
    List<TopicPartition> quiet = new ArrayList<>();
    for (TopicPartition partition : partitions) {
      OptionalLong lag = open.currentLag(partition);
      if (lag.isEmpty()) {
        continue;
      }
      lags.put(partition.partition(), lag.getAsLong());
      if (lag.getAsLong() == 0) {
        if (brought.contains(partition)) {
          caughtUpAt.put(partition.partition(), asked);
        } else {
          quiet.add(partition);
        }
      }
    }
    if (!quiet.isEmpty() && now - quietAskedAt >= QUIET_INTERVAL_NANOS) {
      quietAskedAt = now;
      askWhetherQuiet(open, quiet);
    }
  }

  /** A consumer that gets nothing does not say whether the brokers still answer it. */
  private void askWhetherQuiet(Consumer<byte[], byte[]> open, List<TopicPartition> quiet) {
    long asked = System.currentTimeMillis();
    try {
      open.endOffsets(quiet, QUIET_TIMEOUT)
          .forEach(
              (partition, end) -> {
                Long next = nextOffsets.get(partition.partition());
                if (next != null && next >= end) {
                  caughtUpAt.put(partition.partition(), asked);
                }
              });
    } catch (KafkaException e) {
      LOG.debug("{} does not tell its ends: {}", bus.name(), e.getMessage());
    }
  }

  /**
   * The publish time that every partition has reached; one with nothing to read keeps up with the
   * clock, as long as a broker says that there is nothing. A reader that stands still, or whose
   * brokers do not answer, must not take what is published meanwhile for late.
   */
  @Override
  public Instant getWatermark() {
    long reached = System.currentTimeMillis() - IDLE_WATERMARK_DELAY_MILLIS;
    for (int partition : source.partitions()) {
      Long lag = lags.get(partition);
      Long caughtUp = caughtUpAt.get(partition);
      if (lag != null && lag == 0 && caughtUp != null) {
        reached = Math.min(reached, caughtUp - IDLE_WATERMARK_DELAY_MILLIS);
      } else {
        Long last = lastTimestamps.get(partition);
        reached = Math.min(reached, last == null ? watermarkMillis : last);
      }
    }
    watermarkMillis = Math.max(watermarkMillis, reached);
    return new Instant(watermarkMillis);
  }

  @Override
  public KafkaMark getCheckpointMark() {
    return new KafkaMark(nextOffsets, watermarkMillis, commits);
  }

  @Override
  public List<BusMessage> getCurrent() {
    if (batch.isEmpty()) {
      throw new NoSuchElementException();
    }
    return batch;
  }

  @Override
  public Instant getCurrentTimestamp() {
    return batchTimestamp;
  }

  @Override
  public long getSplitBacklogBytes() {
    if (lags.size() < partitions.size()) {
      return BACKLOG_UNKNOWN;
    }
    return (long) (lags.values().stream().mapToLong(Long::longValue).sum() * averageBytes);
  }

  @Override
  public KafkaSource getCurrentSource() {
    return source;
  }

  private Consumer<byte[], byte[]> opened() {
    if (consumer == null) {
      throw new IllegalStateException("the reader was not started");
    }
    return consumer;
  }

  @Override
  public void close() {
    Consumer<byte[], byte[]> open = consumer;
    if (open == null) {
      return;
    }
    consumer = null;
    try (open) {
      Map<Integer, Long> durable = commits.getAndSet(null);
      if (durable != null) {
        open.commitSync(offsets(durable), CLOSE_TIMEOUT);
      }
    } catch (KafkaException e) {
      LOG.warn("{}: the last offsets were not committed: {}", bus.name(), e.getMessage());
    }
  }
}
