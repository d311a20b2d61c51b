package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The clients with which a topic is read, apart from who reads it: what a runner forgets to close,
 * as Beam's direct runner does where it is cancelled, is closed when its owner is collected. An
 * admin client has a thread of its own, which would look for the brokers as long as the process
 * lives. Must not refer to the owner. Thread-safe.
 */
final class OpenClients implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OpenClients.class);

  private static final Cleaner CLEANER = Cleaner.create();

  /** For one who commits just before. */
  static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);

  private final KafkaBus bus;
  private @Nullable Consumer<byte[], byte[]> consumer;
  private @Nullable TopicWatch watch;

  private OpenClients(KafkaBus bus) {
    this.bus = bus;
  }

  /** Returns those of an owner, none yet. */
  static OpenClients of(Object owner, KafkaBus bus) {
    OpenClients clients = new OpenClients(bus);
    var unused = CLEANER.register(owner, clients::close);
    return clients;
  }

  /** Returns who looks at the topic, opened at the first call. */
  synchronized TopicWatch watch() {
    TopicWatch open = watch == null ? new TopicWatch(bus) : watch;
    watch = open;
    return open;
  }

  /** Returns the consumer, if there is one. */
  synchronized Optional<Consumer<byte[], byte[]>> consumer() {
    return Optional.ofNullable(consumer);
  }

  /** Returns the consumer of a reader that was started. */
  synchronized Consumer<byte[], byte[]> opened() {
    return requireNonNull(consumer, "the reader was not started");
  }

  /** Takes a consumer; one that was there is the caller's to close. */
  synchronized void use(Consumer<byte[], byte[]> next) {
    consumer = next;
  }

  @Override
  public synchronized void close() {
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
