package io.tailrace.pipelines.benchmark.edges;

import io.tailrace.endpoint.Micros;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.proof.PersistenceReport;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.traffic.SampleMessage;
import io.tailrace.pipelines.local.traffic.SampleTraffic;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Publishes sample traffic at a rate, with records among it that must become letters, and notes
 * what the bus has acknowledged. A bus that is down is waited for. Not thread-safe.
 */
final class EdgePublisher implements AutoCloseable {
  /** One record in so many is a bad one. */
  private static final int BAD_EVERY = 40;

  /** One in so many is an odd one. */
  private static final int ODD_EVERY = 50;

  private static final int LARGEST_REQUEST = 8 << 20;

  private final SampleTraffic traffic;
  private final OddResults odd;
  private final BadRecords bad;
  private final StoreModels models;
  private final Acknowledged acknowledged;
  private final List<Writer<?>> writers;
  private final KafkaProducer<byte[], byte[]> plain;
  private final KafkaProducer<byte[], byte[]> compressing;
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final AtomicLong results = new AtomicLong();

  EdgePublisher(
      LocalStack stack,
      List<Writer<?>> writers,
      long seed,
      StoreModels models,
      Acknowledged acknowledged) {
    this.traffic = new SampleTraffic(seed);
    this.odd = new OddResults(seed);
    this.bad = new BadRecords(seed, readers(stack));
    this.models = models;
    this.acknowledged = acknowledged;
    this.writers = writers;
    this.plain = producer(stack, "none");
    this.compressing = producer(stack, "zstd");
  }

  private static Map<String, Set<String>> readers(LocalStack stack) {
    return stack.writers().stream()
        .collect(
            Collectors.groupingBy(
                writer -> writer.topic(),
                Collectors.mapping(writer -> writer.name(), Collectors.toSet())));
  }

  private static KafkaProducer<byte[], byte[]> producer(LocalStack stack, String compression) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            stack.kafka().bootstrapServers(),
            ProducerConfig.ACKS_CONFIG,
            "all",
            ProducerConfig.LINGER_MS_CONFIG,
            2,
            ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
            300_000,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            LARGEST_REQUEST,
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            compression),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /**
   * Publishes for a while.
   *
   * @param rate records a second
   */
  void publish(Duration time, long rate) {
    long start = System.nanoTime();
    for (long n = 0; System.nanoTime() - start < time.toNanos(); n++) {
      long ahead = start + (long) (n * 1e9 / rate) - System.nanoTime();
      if (ahead > 0) {
        LockSupport.parkNanos(ahead);
      }
      if (n % BAD_EVERY == 0) {
        publishBad();
      } else {
        publish(n % ODD_EVERY == 1);
      }
    }
    plain.flush();
    compressing.flush();
    Exception failed = failure.get();
    if (failed != null) {
      throw new IllegalStateException("Publishing has failed: " + failed.getMessage(), failed);
    }
  }

  private void publishBad() {
    EdgeRecord edge = bad.next(Micros.now());
    var unused =
        (edge.compressed() ? compressing : plain)
            .send(edge.record(), noting(edge.kind(), edge.record().value(), edge.refusedBy()));
  }

  private void publish(boolean isOdd) {
    Instant now = Instant.now();
    SampleMessage message = isOdd ? odd.next(Micros.of(now)) : traffic.next(Micros.of(now));
    byte @Nullable [] key = message.key().isEmpty() ? null : message.key().toByteArray();
    byte[] value = message.payload().toByteArray();
    var unused =
        plain.send(
            new ProducerRecord<>(LocalStack.RESULT_TOPIC, null, now.toEpochMilli(), key, value),
            modelling(message, noting("sample: " + reason(message), value, refusing(message))));
  }

  /** The bus says when it was published: it may have been away. In the one thread of a producer. */
  private Callback modelling(SampleMessage message, Callback then) {
    return (where, e) -> {
      if (e == null) {
        long takenAt = Micros.ofMillis(where.timestamp());
        models.add(message, takenAt);
        models.taken(message, takenAt);
      }
      then.onCompletion(where, e);
    };
  }

  private static String reason(SampleMessage message) {
    return message.deadLetter().map(Enum::name).orElse("");
  }

  private Set<String> refusing(SampleMessage message) {
    return message
        .deadLetter()
        .map(
            reason ->
                writers.stream()
                    .filter(
                        writer ->
                            PersistenceReport.expected(writer, Map.of(reason, 1L))
                                .containsKey(reason))
                    .map(writer -> writer.name())
                    .collect(Collectors.toSet()))
        .orElse(Set.of());
  }

  private Callback noting(String kind, byte @Nullable [] value, Set<String> refusedBy) {
    return (where, e) -> {
      if (e != null) {
        failure.compareAndSet(null, e);
        return;
      }
      results.addAndGet(where.topic().equals(LocalStack.RESULT_TOPIC) ? 1 : 0);
      if (!refusedBy.isEmpty()) {
        acknowledged.refused(where, new Acknowledged.Expected(kind, value, refusedBy));
      }
    };
  }

  /** Returns how many results, good and bad, the bus has acknowledged. */
  long results() {
    return results.get();
  }

  @Override
  public void close() {
    plain.close(Duration.ZERO);
    compressing.close(Duration.ZERO);
  }
}
