package io.tailrace.pipelines.benchmark;

import io.tailrace.endpoint.Micros;
import io.tailrace.online.EntityKey;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntUnaryOperator;
import org.apache.commons.math3.distribution.ZipfDistribution;
import org.apache.commons.math3.random.Well19937c;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Makes results of ten features over one entity of one namespace, the shape of an online query. Not
 * thread-safe.
 */
public final class BenchmarkTraffic {
  public static final int FEATURES = 10;
  static final int ENTITIES = 100_000;
  static final double ZIPF_EXPONENT = 1.1;
  static final String ENVIRONMENT = "prod";
  static final String NAMESPACE = "user";

  /** The bytes of the one large value of a large message. */
  static final int LARGE_VALUE_BYTES = 8 << 20;

  /** Of so many results one is waited for. */
  private static final int PROBED = 100;

  private static final long THIRTY_DAYS_MICROS = 30L * 24 * 3600 * 1_000_000;

  /** Hears of results that are published. */
  interface Listener {
    /**
     * Hears of one.
     *
     * @param observedAt in microseconds since the epoch
     * @param publishedNanos as {@link System#nanoTime}
     */
    void published(EntityKey entity, String feature, long observedAt, long publishedNanos);
  }

  /** How entities are chosen. */
  enum Keys {
    UNIFORM,
    ZIPF
  }

  private final SplittableRandom random = new SplittableRandom(20261122);
  private final ZipfDistribution zipf =
      new ZipfDistribution(new Well19937c(20261122), ENTITIES, ZIPF_EXPONENT);
  private final Keys keys;
  private final int namespaces;
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private long count;

  BenchmarkTraffic(Keys keys) {
    this(keys, 1);
  }

  /**
   * Makes results of several namespaces.
   *
   * @param namespaces how many, each with ten features of its own
   */
  BenchmarkTraffic(Keys keys, int namespaces) {
    this.keys = keys;
    this.namespaces = namespaces;
  }

  public static String feature(int i) {
    return feature(NAMESPACE, i);
  }

  private static String feature(String namespace, int i) {
    return namespace + ".transaction_amount_" + i + "_30d";
  }

  public int entity() {
    return keys == Keys.UNIFORM ? random.nextInt(ENTITIES) : zipf.sample() - 1;
  }

  public QueryResult result(int entity, long observedAt) {
    int number = namespaces == 1 ? 0 : random.nextInt(namespaces);
    String namespace = number == 0 ? NAMESPACE : NAMESPACE + "_" + number;
    Frame.Builder frame = Frame.newBuilder().setNamespace(namespace).addStringKeys(key(entity));
    for (int i = 0; i < FEATURES; i++) {
      Column.Builder column =
          Column.newBuilder()
              .setFeature(feature(namespace, i))
              .setResolverFqn("features.user.transaction_window")
              .setMaxStaleness(THIRTY_DAYS_MICROS)
              .addObservedAt(observedAt);
      if (i % 2 == 0) {
        column.setType(Column.Type.INT64).addInt64Values(random.nextLong(1_000_000));
      } else {
        column.setType(Column.Type.FLOAT64).addFloat64Values(random.nextDouble() * 1_000);
      }
      frame.addColumns(column);
    }
    return QueryResult.newBuilder()
        .setOperationId("op-" + Long.toHexString(random.nextLong()) + "-" + count++)
        .setEnvironmentId(ENVIRONMENT)
        .setDeploymentId("deploy-7")
        .setOperationKind(QueryResult.OperationKind.ONLINE_QUERY)
        .setQueryName("fraud_score")
        .setQueryTimestamp(observedAt)
        .setStatus(QueryResult.Status.SUCCEEDED)
        .addFrames(frame)
        .build();
  }

  static KafkaProducer<byte[], byte[]> producer(String bootstrapServers) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrapServers,
            ProducerConfig.LINGER_MS_CONFIG,
            5,
            ProducerConfig.BATCH_SIZE_CONFIG,
            256 << 10,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            16 << 20),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /**
   * Publishes results.
   *
   * @param partitionOf the partition of an entity's results
   */
  void publish(
      KafkaProducer<byte[], byte[]> producer,
      String topic,
      long results,
      IntUnaryOperator partitionOf) {
    long now = Micros.ofMillis(System.currentTimeMillis());
    for (long i = 0; i < results; i++) {
      int entity = entity();
      // Observation times rise by a microsecond, as in a stream that was produced in order.
      send(
          producer,
          topic,
          partitionOf.applyAsInt(entity),
          entity,
          result(entity, now - (results - i)));
    }
    flush(producer);
  }

  /** Publishes results, and spread among them some of {@link #LARGE_VALUE_BYTES} each. */
  void publishBacklog(
      KafkaProducer<byte[], byte[]> producer, String topic, long results, int largeMessages) {
    String large = "x".repeat(LARGE_VALUE_BYTES);
    long every = Math.max(1, results / Math.max(1, largeMessages));
    long now = Micros.ofMillis(System.currentTimeMillis());
    int sent = 0;
    for (long i = 0; i < results; i++) {
      int entity = entity();
      send(producer, topic, entity & 1, entity, result(entity, now - (results - i)));
      if (sent < largeMessages && i % every == every / 2) {
        QueryResult.Builder result = result(entity, now).toBuilder();
        result
            .getFramesBuilder(0)
            .addColumns(
                Column.newBuilder()
                    .setFeature(NAMESPACE + ".document")
                    .setType(Column.Type.STRING)
                    .setMaxStaleness(THIRTY_DAYS_MICROS)
                    .addObservedAt(now)
                    .addStringValues(large));
        send(producer, topic, sent & 1, entity, result.build());
        sent++;
      }
    }
    flush(producer);
  }

  private void flush(KafkaProducer<byte[], byte[]> producer) {
    producer.flush();
    Exception failed = failure.get();
    if (failed != null) {
      throw new IllegalStateException("the benchmark's traffic could not be published", failed);
    }
  }

  private void send(
      KafkaProducer<byte[], byte[]> producer,
      String topic,
      int partition,
      int entity,
      QueryResult result) {
    send(
        producer,
        new ProducerRecord<>(
            topic,
            partition,
            ("u" + entity).getBytes(StandardCharsets.UTF_8),
            result.toByteArray()));
  }

  private void send(KafkaProducer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record) {
    Future<RecordMetadata> unused =
        producer.send(
            record,
            (metadata, exception) -> {
              if (exception != null) {
                failure.compareAndSet(null, exception);
              }
            });
  }

  /** A producer that waits for nothing: what an engine that cares for freshness uses. */
  static KafkaProducer<byte[], byte[]> liveProducer(String bootstrapServers) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrapServers,
            ProducerConfig.LINGER_MS_CONFIG,
            1,
            ProducerConfig.BATCH_SIZE_CONFIG,
            256 << 10,
            ProducerConfig.ACKS_CONFIG,
            "1"),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /**
   * Publishes at a steady rate, in steps of a millisecond, and tells the listener of every
   * hundredth result.
   *
   * @return the rate that was reached
   */
  double publishLive(
      KafkaProducer<byte[], byte[]> producer,
      String topic,
      int resultsPerSecond,
      Duration duration,
      Listener listener) {
    long start = System.nanoTime();
    long sent = 0;
    while (System.nanoTime() - start < duration.toNanos()) {
      long due = (System.nanoTime() - start) * resultsPerSecond / 1_000_000_000L;
      while (sent < due) {
        int entity = entity();
        Instant now = Instant.now();
        long observedAt = Micros.of(now);
        byte[] payload = result(entity, observedAt).toByteArray();
        long published = System.nanoTime();
        send(
            producer,
            new ProducerRecord<>(
                topic, entity & 1, ("u" + entity).getBytes(StandardCharsets.UTF_8), payload));
        if (sent % PROBED == 0) {
          listener.published(
              new EntityKey(ENVIRONMENT, NAMESPACE, key(entity)),
              feature(0).substring(NAMESPACE.length() + 1),
              observedAt,
              published);
        }
        sent++;
      }
      LockSupport.parkNanos(1_000_000L);
    }
    double rate = sent * 1e9 / (System.nanoTime() - start);
    flush(producer);
    return rate;
  }

  /** Returns how many results were made, all of which were published. */
  long published() {
    return count;
  }

  private static String key(int entity) {
    return "u" + (1_000_000 + entity);
  }
}
