package io.tailrace.pipelines.benchmark.edges;

import io.tailrace.endpoint.Micros;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.proof.PersistenceReport;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.traffic.SampleMessage;
import io.tailrace.pipelines.local.traffic.SampleTraffic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
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
public final class EdgePublisher implements AutoCloseable {
  /** One record in so many is a bad one. */
  private static final int BAD_EVERY = 40;

  /** One in so many is an odd one. */
  private static final int ODD_EVERY = 50;

  /** Of so many earlier messages one is published again. */
  private static final int RECENT = 300;

  private static final int LARGEST_REQUEST = 8 << 20;

  private final SampleTraffic traffic;
  private final OddResults odd;
  private final BadRecords bad;
  private final SplittableRandom random;
  private final List<SampleMessage> recent = new ArrayList<>();
  private volatile boolean repeating;
  private long count;
  private final StoreModels models;
  private final Acknowledged acknowledged;
  private final List<Writer<?>> writers;
  private final KafkaProducer<byte[], byte[]> plain;
  private final KafkaProducer<byte[], byte[]> compressing;
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final AtomicLong results = new AtomicLong();
  private final AtomicLong repeated = new AtomicLong();

  /**
   * Publishes nothing yet.
   *
   * @param writers who read what is published
   * @param seed other traffic for another number
   * @param models told of what the bus has acknowledged
   * @param acknowledged told of what must become letters
   */
  public EdgePublisher(
      String bootstrapServers,
      List<RunningWriter> writers,
      long seed,
      StoreModels models,
      Acknowledged acknowledged) {
    this.traffic = new SampleTraffic(seed);
    this.odd = new OddResults(seed);
    this.bad = new BadRecords(seed, readers(writers));
    this.random = new SplittableRandom(seed);
    this.models = models;
    this.acknowledged = acknowledged;
    this.writers = writers.stream().<Writer<?>>map(RunningWriter::writer).toList();
    this.plain = producer(bootstrapServers, "none");
    this.compressing = producer(bootstrapServers, "zstd");
  }

  private static Map<String, Set<String>> readers(List<RunningWriter> writers) {
    return writers.stream()
        .collect(
            Collectors.groupingBy(
                writer -> writer.topic(),
                Collectors.mapping(writer -> writer.name(), Collectors.toSet())));
  }

  private static KafkaProducer<byte[], byte[]> producer(
      String bootstrapServers, String compression) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrapServers,
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
  public void publish(Duration time, long rate) {
    long start = System.nanoTime();
    for (long n = 0; System.nanoTime() - start < time.toNanos(); n++, count++) {
      long ahead = start + (long) (n * 1e9 / rate) - System.nanoTime();
      if (ahead > 0) {
        LockSupport.parkNanos(ahead);
      }
      if (count % BAD_EVERY == 0) {
        publishBad();
      } else {
        publish(remembered(count % ODD_EVERY == 1), Instant.now());
      }
      if (repeating && !recent.isEmpty()) {
        publish(recent.get(random.nextInt(recent.size())), Instant.now());
        repeated.incrementAndGet();
      }
    }
    awaitAcknowledged();
  }

  private void awaitAcknowledged() {
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

  private SampleMessage remembered(boolean isOdd) {
    long now = Micros.now();
    SampleMessage message = isOdd ? odd.next(now) : traffic.next(now);
    if (recent.size() < RECENT) {
      recent.add(message);
    } else {
      recent.set(random.nextInt(RECENT), message);
    }
    return message;
  }

  private void publish(SampleMessage message, Instant now) {
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
      try {
        if (e == null) {
          long takenAt = Micros.ofMillis(where.timestamp());
          models.add(message, takenAt);
          models.taken(message, takenAt);
        }
        then.onCompletion(where, e);
      } catch (RuntimeException wrong) {
        // The producer would only log it, and the record would lack this message.
        failure.compareAndSet(null, wrong);
      }
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
    Acknowledged.Expected expected = Acknowledged.Expected.of(kind, value, refusedBy);
    return (where, e) -> {
      if (e != null) {
        failure.compareAndSet(null, e);
        return;
      }
      results.addAndGet(where.topic().equals(LocalStack.RESULT_TOPIC) ? 1 : 0);
      if (!refusedBy.isEmpty()) {
        acknowledged.refused(where, expected);
      }
    };
  }

  /** Returns how many results, good and bad, the bus has acknowledged. */
  public long results() {
    return results.get();
  }

  /** Publishes so many results, however long that takes, and returns when they are acknowledged. */
  public void publish(int results) {
    for (int i = 0; i < results; i++) {
      publish(remembered(false), Instant.now());
      if (repeating) {
        publish(recent.get(random.nextInt(recent.size())), Instant.now());
        repeated.incrementAndGet();
      }
      if (i % 50 == 0) {
        plain.flush();
      }
    }
    awaitAcknowledged();
  }

  /** Publishes one result, and returns when the bus has acknowledged it. */
  public void publishOne() {
    publish(remembered(false), Instant.now());
    awaitAcknowledged();
  }

  /**
   * From now on publishes an earlier message, whichever it is, after each new one, or no longer: so
   * the topic has messages twice and old ones behind newer ones.
   */
  public void repeat(boolean repeat) {
    repeating = repeat;
  }

  /** Returns how many messages were published again. */
  public long repeated() {
    return repeated.get();
  }

  @Override
  public void close() {
    plain.close(Duration.ZERO);
    compressing.close(Duration.ZERO);
  }
}
