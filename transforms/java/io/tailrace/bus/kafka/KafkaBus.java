package io.tailrace.bus.kafka;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.bus.PublishMessages;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.io.Serializable;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A topic of Kafka, or of what speaks its protocol (MSK). Immutable and serializable; holds no
 * secret, only where one is: {@link #clientProperties} reads them where the client is made.
 */
public final class KafkaBus implements Bus {
  private static final long serialVersionUID = 1;

  private static final Logger LOG = LoggerFactory.getLogger(KafkaBus.class);

  /** A correct URI, without and with SASL. */
  public static final String EXAMPLE =
      "kafka://broker-1:9092,broker-2:9092/result-bus?start=earliest, or for SASL"
          + " kafka://b-1:9096/result-bus?security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-512"
          + "&user=writer&password=env:KAFKA_PASSWORD";

  /**
   * From where a topic is read.
   *
   * @param group as the URI has it; empty: the reader's own
   * @param start {@code earliest}, {@code latest} or a time, for a group that has read nothing
   * @param continueAfterOverrun whether to go on when messages were deleted before they were read
   */
  private record Reading(String group, String start, boolean continueAfterOverrun)
      implements Serializable {
    private static final long serialVersionUID = 1;

    static Reading of(EndpointUri uri) {
      String group = uri.take("group").orElse("");
      String start = uri.take("start").orElse("earliest");
      if (!start.equals("earliest") && !start.equals("latest") && time(start).isEmpty()) {
        uri.problem(
            "start=" + start + " is not earliest, latest or a time such as 2026-01-31T12:00:00Z");
      }
      String overrun = uri.take("overrun").orElse("fail");
      if (!overrun.equals("fail") && !overrun.equals("continue")) {
        uri.problem("overrun=" + overrun + " is not fail or continue");
      }
      return new Reading(group, start, overrun.equals("continue"));
    }
  }

  /** What was found before the job was started, and for whom. */
  private record Found(TopicStart start, BusReader reader) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  private final String uri;
  private final String topic;
  private final KafkaServers servers;
  private final Reading reading;
  private final @Nullable Found found;

  private KafkaBus(
      String uri, String topic, KafkaServers servers, Reading reading, @Nullable Found found) {
    this.uri = uri;
    this.topic = topic;
    this.servers = servers;
    this.reading = reading;
    this.found = found;
  }

  /**
   * Returns the topic that a {@code kafka} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static KafkaBus at(EndpointUri uri) {
    KafkaServers servers = KafkaServers.of(uri);
    String topic = uri.path();
    if (topic.isEmpty()) {
      uri.problem("the topic is missing");
    } else if (!topic.matches("[a-zA-Z0-9._-]{1,249}") || topic.equals(".") || topic.equals("..")) {
      uri.problem(
          "'" + topic + "' can't be a topic: use up to 249 letters, digits, '.', '_' and '-'");
    }
    Reading reading = Reading.of(uri);
    uri.finish(EXAMPLE);
    return new KafkaBus(uri.withoutSecrets(), topic, servers, reading, null);
  }

  static Optional<Instant> time(String text) {
    try {
      return Optional.of(Instant.parse(text));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  @Override
  public String uri() {
    return uri;
  }

  @Override
  public String name() {
    return "kafka://" + bootstrapServers() + "/" + topic;
  }

  String bootstrapServers() {
    return servers.bootstrap();
  }

  @Override
  public String topic() {
    return topic;
  }

  /** Returns a partition of its topic. */
  TopicPartition partition(int number) {
    return new TopicPartition(topic, number);
  }

  String start() {
    return reading.start;
  }

  boolean continuesAfterOverrun() {
    return reading.continueAfterOverrun;
  }

  @Override
  public String group(String fallback) {
    return reading.group.isEmpty() ? fallback : reading.group;
  }

  /** Returns the settings that are no secrets, as the URI gives them. */
  Map<String, String> properties() {
    return servers.properties();
  }

  /**
   * Returns all settings of the URI for a client, secrets read.
   *
   * @throws IllegalStateException if a secret is not where it should be
   */
  Map<String, Object> clientProperties() {
    return servers.clientProperties();
  }

  @Override
  public KafkaBus found(BusReader reader) throws UnavailableException {
    try {
      TopicStart start = TopicStart.find(this, reader);
      start.warnings(this, group(reader.group())).forEach(LOG::warn);
      return new KafkaBus(uri, topic, servers, reading, new Found(start, reader));
    } catch (IOException e) {
      throw new UnavailableException(String.valueOf(e.getMessage()), e);
    }
  }

  /** Returns what was found of the topic, if it was asked for. */
  Optional<TopicStart> found() {
    return Optional.ofNullable(found).map(Found::start);
  }

  /** Returns for whom it was asked for, if it was. */
  Optional<BusReader> reader() {
    return Optional.ofNullable(found).map(Found::reader);
  }

  @Override
  public PTransform<PBegin, PCollection<BusMessage>> read(String fallbackGroup) {
    return new ReadKafka(this, fallbackGroup);
  }

  /**
   * {@inheritDoc}
   *
   * <p>{@code KafkaIO} would do it, but its coder of records knows no header without a value, which
   * Kafka allows.
   */
  @Override
  public PTransform<PCollection<OutgoingMessage>, PDone> write() {
    return new PublishMessages(this);
  }

  @Override
  public BusPublisher publisher() {
    return new KafkaPublisher(this);
  }

  @Override
  public BusLog log(BusLog.Use use) throws UnavailableException {
    return KafkaLog.open(this, use);
  }

  @Override
  public Optional<Predicate<Place>> doneBy(String group) throws UnavailableException {
    return KafkaLog.doneBy(this, group);
  }

  /** Returns whether another topic is reached at the same servers, as the same user. */
  boolean isReachedLike(KafkaBus other) {
    return servers.equals(other.servers);
  }

  @Override
  public Optional<Bus> beside(String name) {
    try {
      KafkaBus other = at(EndpointUri.parse(name));
      boolean isSame =
          name.startsWith("kafka://")
              && Arrays.stream(other.bootstrapServers().split(",", -1))
                  .anyMatch(Arrays.asList(bootstrapServers().split(",", -1))::contains);
      return isSame
          ? Optional.of(new KafkaBus(other.name(), other.topic, servers, other.reading, null))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      // It names no topic of Kafka.
      return Optional.empty();
    }
  }

  @Override
  public String identity() throws UnavailableException {
    return KafkaCheck.topicId(this);
  }

  @Override
  public BusFacts checkReadable(String fallbackGroup) throws UnavailableException {
    return KafkaCheck.readable(this, group(fallbackGroup));
  }

  @Override
  public BusFacts checkWritable() throws UnavailableException {
    return KafkaCheck.writable(this);
  }

  @Override
  public String toString() {
    return name();
  }
}
