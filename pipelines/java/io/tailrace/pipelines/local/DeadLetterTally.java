package io.tailrace.pipelines.local;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tailrace.result.DecodeResults;
import io.tailrace.v1.DeadLetter;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
final class DeadLetterTally implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Thread thread;
  private volatile boolean closed;

  // Guarded by this.
  private final Map<Reason, Long> counts = new EnumMap<>(Reason.class);
  private final Set<String> seen = new HashSet<>();
  private long refused;

  private DeadLetterTally(KafkaConsumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
    this.thread = new Thread(this::run, "dead-letter-tally");
    this.thread.setDaemon(true);
  }

  static DeadLetterTally start(String bootstrapServers, String topic) {
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

  /** Returns how many letters there are for each reason that has some. */
  synchronized Map<Reason, Long> byReason() {
    return new EnumMap<>(counts);
  }

  /** Returns how many letters there are. */
  synchronized long total() {
    return seen.size();
  }

  /** Returns how many messages could not be decoded at all, so that nothing of them is stored. */
  synchronized long refused() {
    return refused;
  }

  private void run() {
    try (consumer) {
      while (!closed) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          count(record.value());
        }
      }
    } catch (WakeupException e) {
      // Closed while waiting.
    }
  }

  private synchronized void count(byte[] bytes) {
    try {
      DeadLetter letter = DeadLetter.parseFrom(bytes);
      String place =
          letter.getSource().getPartition()
              + "@"
              + letter.getSource().getOffset()
              + " "
              + letter.getStage();
      if (seen.add(place)) {
        counts.merge(letter.getReason(), 1L, Long::sum);
        if (letter.getStage().equals(DecodeResults.STAGE)) {
          refused++;
        }
      }
    } catch (InvalidProtocolBufferException e) {
      counts.merge(Reason.UNRECOGNIZED, 1L, Long::sum);
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
