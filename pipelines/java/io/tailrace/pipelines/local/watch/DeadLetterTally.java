package io.tailrace.pipelines.local.watch;

import io.tailrace.stage.Letter;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Counts the dead letters that are published from now on, each once even if it is published twice,
 * by reading them in a thread of its own. Thread-safe.
 */
public final class DeadLetterTally implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);

  /** How the name of every stage begins that decodes messages. */
  private static final String DECODING = "Decode";

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Thread thread;
  private volatile boolean closed;

  // Guarded by this.
  private final Map<String, Map<Reason, Long>> counts = new TreeMap<>();
  private final Set<String> seen = new HashSet<>();
  private final Map<String, Long> refused = new HashMap<>();

  private DeadLetterTally(KafkaConsumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
    this.thread = new Thread(this::run, "dead-letter-tally");
    this.thread.setDaemon(true);
  }

  public static DeadLetterTally start(String bootstrapServers, String topic) {
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrapServers,
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                false),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic).stream()
            .map(partition -> new TopicPartition(topic, partition.partition()))
            .toList();
    consumer.assign(partitions);
    consumer.seekToEnd(partitions);
    // Seeking is put off until the position is asked for.
    partitions.forEach(consumer::position);
    DeadLetterTally tally = new DeadLetterTally(consumer);
    tally.thread.start();
    return tally;
  }

  /** Returns how many letters a writer has written for each reason that has some. */
  public synchronized Map<Reason, Long> byReason(String writer) {
    Map<Reason, Long> ofWriter = counts.get(writer);
    return ofWriter == null ? Map.of() : new EnumMap<>(ofWriter);
  }

  /** Returns how many letters there are for each reason that has some. */
  public synchronized Map<Reason, Long> byReason() {
    Map<Reason, Long> all = new EnumMap<>(Reason.class);
    counts.values().forEach(some -> some.forEach((reason, n) -> all.merge(reason, n, Long::sum)));
    return all;
  }

  /** Returns how many letters there are. */
  public synchronized long total() {
    return seen.size();
  }

  /** Returns how many messages a writer could not decode, so that it stores nothing of them. */
  public synchronized long refused(String writer) {
    return refused.getOrDefault(writer, 0L);
  }

  private void run() {
    try (consumer) {
      while (!closed) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          // What tells of a letter that is settled is none itself.
          if (record.headers().lastHeader(Letter.SETTLED) == null) {
            count(KafkaLetters.of(record));
          }
        }
      }
    } catch (WakeupException e) {
      // Closed while waiting.
    }
  }

  private synchronized void count(Optional<Letter> found) {
    if (found.isEmpty()) {
      counts
          .computeIfAbsent("", unused -> new EnumMap<>(Reason.class))
          .merge(Reason.UNRECOGNIZED, 1L, Long::sum);
      return;
    }
    Letter letter = found.get();
    if (seen.add(letter.writer() + " " + letter.place() + " " + letter.stage())) {
      counts
          .computeIfAbsent(letter.writer(), unused -> new EnumMap<>(Reason.class))
          .merge(letter.reason(), 1L, Long::sum);
      if (letter.stage().startsWith(DECODING)) {
        refused.merge(letter.writer(), 1L, Long::sum);
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    consumer.wakeup();
    try {
      thread.join(1_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
