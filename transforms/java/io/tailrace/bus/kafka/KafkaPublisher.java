package io.tailrace.bus.kafka;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.bus.RefusedMessageException;
import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Publishes to a topic, with the settings of its URI. */
final class KafkaPublisher implements BusPublisher {
  /** Costs little; a topic's limit is of what the brokers get. A URI may name another. */
  private static final String COMPRESSION = "lz4";

  /** Beyond what any topic should allow: the topic's own limit decides. */
  private static final int MAX_REQUEST_BYTES = 64 << 20;

  /** What brokers say of a message, as of one without a key on a topic that is compacted. */
  private static final List<Class<? extends Exception>> REFUSALS =
      List.of(
          RecordTooLargeException.class,
          InvalidRecordException.class,
          InvalidTimestampException.class,
          PolicyViolationException.class);

  /** A message that was not taken. */
  private record Failed(Exception why, OutgoingMessage message) {}

  private final KafkaBus bus;
  private final Producer<byte[], byte[]> producer;
  private final AtomicReference<@Nullable Failed> failure = new AtomicReference<>();

  KafkaPublisher(KafkaBus bus) {
    this(bus, producer(settings(bus)));
  }

  /** With a producer that is used for other topics, too. */
  KafkaPublisher(KafkaBus bus, Producer<byte[], byte[]> producer) {
    this.bus = bus;
    this.producer = producer;
  }

  static Producer<byte[], byte[]> producer(Map<String, Object> settings) {
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** Returns how a producer is set up for the servers of a bus, secrets read. */
  static Map<String, Object> settings(KafkaBus bus) {
    Map<String, Object> config = new HashMap<>();
    config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_REQUEST_BYTES);
    config.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, COMPRESSION);
    config.putAll(bus.clientProperties());
    // What a broker has not copied is not published yet, and what is sent again counts once.
    config.put(ProducerConfig.ACKS_CONFIG, "all");
    config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    // Whoever publishes in transactions names its own.
    config.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
    return config;
  }

  @Override
  public void publish(OutgoingMessage message) throws UnavailableException {
    publish(message, place -> {});
  }

  @Override
  public void publish(OutgoingMessage message, Consumer<Place> taken) throws UnavailableException {
    send(message, KafkaRecords.record(bus.topic(), message), taken);
  }

  /** Publishes to a partition; see {@link #publish(OutgoingMessage, Consumer)}. */
  void publish(OutgoingMessage message, int partition, Consumer<Place> taken)
      throws UnavailableException {
    send(message, KafkaRecords.record(bus.topic(), partition, message), taken);
  }

  private void send(
      OutgoingMessage message, ProducerRecord<byte[], byte[]> record, Consumer<Place> taken)
      throws UnavailableException {
    checkFailure();
    try {
      var unused =
          producer.send(
              record,
              (metadata, e) -> {
                if (e == null) {
                  taken.accept(
                      Place.numbered(metadata.topic(), metadata.partition(), metadata.offset()));
                } else {
                  // Others fail with one that is refused, before it or, in a transaction, after.
                  failure.accumulateAndGet(
                      new Failed(e, message),
                      (before, now) ->
                          before == null || (!isRefusal(before.why) && isRefusal(now.why))
                              ? now
                              : before);
                }
              });
    } catch (KafkaException e) {
      // In a transaction, for a message before this one.
      checkFailure();
      throw failed(e);
    }
  }

  @Override
  public void flush() throws UnavailableException {
    try {
      producer.flush();
    } catch (KafkaException e) {
      throw failed(e);
    }
    checkFailure();
  }

  private void checkFailure() throws UnavailableException {
    Failed failed = failure.get();
    if (failed == null) {
      return;
    }
    UnavailableException e = failed(failed.why);
    throw isRefusal(failed.why)
        ? new RefusedMessageException(e.getMessage(), failed.message, failed.why)
        : e;
  }

  private static boolean isRefusal(Throwable e) {
    return REFUSALS.stream().anyMatch(it -> it.isInstance(e));
  }

  private UnavailableException failed(Exception e) {
    Optional<String> right = KafkaRights.ofTopic(e, AclOperation.WRITE, bus.topic());
    if (right.isPresent()) {
      return new UnavailableException(bus.name() + ": " + right.get(), e);
    }
    String sentence = bus.name() + ": a message can't be published: " + e.getMessage();
    if (e instanceof TimeoutException && sentence.contains(" not present in metadata ")) {
      return new UnavailableException(
          sentence + " The topic does not exist, or its brokers do not answer", e);
    }
    if (e instanceof RecordTooLargeException) {
      return new UnavailableException(
          sentence
              + " Raise the limit: kafka-configs.sh --bootstrap-server "
              + bus.bootstrapServers()
              + " --alter --entity-type topics --entity-name "
              + bus.topic()
              + " --add-config max.message.bytes=BYTES",
          e);
    }
    return new UnavailableException(sentence, e);
  }

  @Override
  public void close() {
    producer.close(Duration.ZERO);
  }
}
