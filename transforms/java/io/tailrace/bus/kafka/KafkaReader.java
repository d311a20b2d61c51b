package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.record.TimestampType;
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

  /** What a message takes beside its key and its value, in bytes, roughly. */
  private static final int MESSAGE_OVERHEAD = 150;

  /** The end of the year 9999. */
  private static final long LATEST_MILLIS = 253_402_300_799_999L;

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);

  private final KafkaSource source;
  private final KafkaBus bus;
  private final List<TopicPartition> partitions = new ArrayList<>();
  private final Map<Integer, Long> nextOffsets = new HashMap<>();
  private final PartitionLags lags;
  private final MemoryBudget.Share memory = MemoryBudget.ofProcess().share();
  private final AddedPartitions added;
  private final KafkaMark.Commits commits = new KafkaMark.Commits();
  private @Nullable Consumer<byte[], byte[]> consumer;
  private List<BusMessage> batch = List.of();
  private Instant batchTimestamp = Instant.EPOCH;
  private volatile double averageBytes = 1_000;

  KafkaReader(KafkaSource source, @Nullable KafkaMark mark) {
    this.source = source;
    this.bus = source.bus();
    this.added = new AddedPartitions(source);
    for (int partition : source.partitions()) {
      partitions.add(new TopicPartition(bus.topic(), partition));
    }
    if (mark != null) {
      nextOffsets.putAll(mark.nextOffsets());
    }
    this.lags =
        new PartitionLags(
            bus,
            partitions,
            mark != null ? mark.watermarkMillis() : BoundedWindow.TIMESTAMP_MIN_VALUE.getMillis());
  }

  @Override
  public boolean start() throws IOException {
    try {
      Consumer<byte[], byte[]> opened = KafkaConsumers.open(bus, source.group());
      consumer = opened;
      opened.assign(partitions);
      nextOffsets.putAll(new StartOffsets(source, opened).besides(nextOffsets.keySet()));
      for (TopicPartition partition : partitions) {
        opened.seek(partition, requireNonNull(nextOffsets.get(partition.partition())));
      }
    } catch (KafkaException e) {
      throw new IOException(bus.name() + " can't be read: " + e.getMessage(), e);
    }
    return advance();
  }

  @Override
  public boolean advance() throws IOException {
    Consumer<byte[], byte[]> open = opened();
    int expected = Math.max(16, batch.size());
    batch = List.of();
    if (!memory.await(BATCH_BYTES, POLL_WAIT)) {
      // What was read has to be written first.
      return false;
    }
    batch = new ArrayList<>(expected);
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
            bytes += message.payload().length + message.key().length;
            batch.add(message);
          }
          ConsumerRecord<byte[], byte[]> last = theirs.get(theirs.size() - 1);
          nextOffsets.put(partition.partition(), last.offset() + 1);
          lags.read(partition, timestamp(last));
        }
        if (records.count() < KafkaConsumers.POLL_RECORDS) {
          break;
        }
        wait = Duration.ZERO;
      }
      if (batch.isEmpty()) {
        passWhatIsNoRecord(open);
      }
    } catch (OffsetOutOfRangeException e) {
      try {
        new StartOffsets(source, open)
            .afterOverrun(e)
            .forEach(
                (partition, offset) -> {
                  open.seek(partition, offset);
                  nextOffsets.put(partition.partition(), offset);
                });
      } catch (KafkaException again) {
        throw new IOException(bus.name() + " can't be read: " + again.getMessage(), again);
      }
    } catch (KafkaException e) {
      throw new IOException(bus.name() + " can't be read: " + e.getMessage(), e);
    }
    memory.hold(bytes + (long) MESSAGE_OVERHEAD * batch.size());
    lags.take(open, asked, brought, nextOffsets);
    added.sometimesCount(open);
    if (batch.isEmpty()) {
      return false;
    }
    if (lags.areZero(open)) {
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
    return BusMessage.of(
        record.value(),
        record.key(),
        Place.numbered(record.topic(), record.partition(), record.offset()),
        time(record),
        KafkaRecords.headers(record.headers()));
  }

  private static MessageTime time(ConsumerRecord<byte[], byte[]> record) {
    long micros = Micros.ofMillis(timestamp(record));
    return record.timestampType() == TimestampType.LOG_APPEND_TIME
        ? MessageTime.ofBus(micros)
        : MessageTime.ofPublisher(micros);
  }

  /** Publishers may stamp anything, even what no runner takes for a time. */
  private static long timestamp(ConsumerRecord<byte[], byte[]> record) {
    return Math.max(-1, Math.min(record.timestamp(), LATEST_MILLIS));
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

  @Override
  public Instant getWatermark() {
    return new Instant(lags.watermark());
  }

  @Override
  public KafkaMark getCheckpointMark() {
    return new KafkaMark(nextOffsets, lags.lastWatermark(), commits);
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
    OptionalLong records = lags.records();
    return records.isEmpty() ? BACKLOG_UNKNOWN : (long) (records.getAsLong() * averageBytes);
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
    memory.close();
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
