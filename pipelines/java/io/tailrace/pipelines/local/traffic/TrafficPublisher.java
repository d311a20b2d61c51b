package io.tailrace.pipelines.local.traffic;

import io.tailrace.endpoint.Micros;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Publishes sample traffic to the bus in a thread of its own, at a rate or as fast as it goes.
 * Thread-safe.
 */
public final class TrafficPublisher implements AutoCloseable {
  /** Told of every message. */
  public interface Listener {
    /**
     * Hears of a message, in the publishing thread, just before it goes to the bus.
     *
     * @param publishedAtMicros when it is published, since the epoch
     */
    void publishing(SampleMessage message, long publishedAtMicros);

    /**
     * Hears that the bus has taken a message, in a thread of its own, one after the other.
     *
     * @param takenAtMicros the message's time on the bus, since the epoch
     */
    default void published(SampleMessage message, long takenAtMicros) {}
  }

  /** The {@code rate} of traffic that is published as fast as the bus takes it. */
  public static final long AS_FAST_AS_IT_GOES = 0;

  /** How long a message waits for others to travel with, in milliseconds. */
  private static final int LINGER_MILLIS = 2;

  private static final int BATCH_BYTES = 128 << 10;
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);

  private final SampleTraffic traffic;
  private final String topic;
  private final long rate;
  private final long records;
  private final Listener listener;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Thread thread;
  private final AtomicLong published = new AtomicLong();
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private volatile boolean closed;
  private volatile boolean finished;
  private volatile long tookNanos;

  // Guarded by this.
  private final Map<Reason, Long> deadLetters = new EnumMap<>(Reason.class);

  private TrafficPublisher(
      SampleTraffic traffic,
      String bootstrapServers,
      String topic,
      long rate,
      long records,
      Listener listener) {
    this.traffic = traffic;
    this.topic = topic;
    this.rate = rate;
    this.records = records;
    this.listener = listener;
    this.producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrapServers,
                ProducerConfig.ACKS_CONFIG,
                "all",
                ProducerConfig.LINGER_MS_CONFIG,
                LINGER_MILLIS,
                ProducerConfig.BATCH_SIZE_CONFIG,
                BATCH_BYTES),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    this.thread = new Thread(this::run, "sample-traffic");
    this.thread.setDaemon(true);
  }

  /**
   * Starts to publish.
   *
   * @param rate messages a second, or {@link #AS_FAST_AS_IT_GOES}
   * @param records how many in all
   */
  public static TrafficPublisher start(
      SampleTraffic traffic,
      String bootstrapServers,
      String topic,
      long rate,
      long records,
      Listener listener) {
    TrafficPublisher publisher =
        new TrafficPublisher(traffic, bootstrapServers, topic, rate, records, listener);
    publisher.thread.start();
    return publisher;
  }

  /** Returns how many messages the bus has confirmed. */
  public long published() {
    return published.get();
  }

  /** Returns whether all messages have been confirmed, or publishing has failed. */
  public boolean isFinished() {
    return finished;
  }

  /** Returns why publishing has failed, if it has. */
  public Optional<String> failure() {
    return Optional.ofNullable(failure.get()).map(e -> String.valueOf(e.getMessage()));
  }

  /** Returns how long publishing everything took. */
  public Duration took() {
    return Duration.ofNanos(tookNanos);
  }

  /** Returns how many dead letters the messages so far must cause, for each reason. */
  public synchronized Map<Reason, Long> expectedDeadLetters() {
    return new EnumMap<>(deadLetters);
  }

  private void run() {
    long start = System.nanoTime();
    try {
      for (long n = 0; n < records && !closed && failure.get() == null; n++) {
        if (rate > 0) {
          awaitTurn(start, n);
        }
        publish();
      }
      if (!closed) {
        producer.flush();
      }
    } catch (KafkaException | IllegalStateException e) {
      // A producer that was closed meanwhile is no failure.
      if (!closed) {
        failure.compareAndSet(null, e);
      }
    }
    tookNanos = System.nanoTime() - start;
    finished = true;
  }

  private void awaitTurn(long start, long n) {
    long turn = start + (long) (n * 1e9 / rate);
    long ahead = turn - System.nanoTime();
    while (ahead > 0 && !closed) {
      LockSupport.parkNanos(Math.min(ahead, 100_000_000));
      ahead = turn - System.nanoTime();
    }
  }

  private void publish() {
    Instant now = Instant.now();
    long micros = Micros.of(now);
    SampleMessage message = traffic.next(micros);
    message
        .deadLetter()
        .ifPresent(
            reason -> {
              synchronized (this) {
                deadLetters.merge(reason, 1L, Long::sum);
              }
            });
    // The bus knows milliseconds.
    long publishedAt = now.toEpochMilli();
    listener.publishing(message, Micros.ofMillis(publishedAt));
    byte @Nullable [] key = message.key().isEmpty() ? null : message.key().toByteArray();
    var unused =
        producer.send(
            new ProducerRecord<>(topic, null, publishedAt, key, message.payload().toByteArray()),
            (metadata, e) -> {
              if (e == null) {
                listener.published(message, Micros.ofMillis(metadata.timestamp()));
                published.incrementAndGet();
              } else {
                failure.compareAndSet(null, e);
              }
            });
  }

  /** Stops publishing. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    // Lets a send that waits for room in the buffer fail.
    producer.close(finished ? CLOSE_TIMEOUT : Duration.ZERO);
    try {
      thread.join(CLOSE_TIMEOUT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
