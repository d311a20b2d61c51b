package io.tailrace.bus.kafka;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.Secrets;
import io.tailrace.endpoint.UnavailableException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;

/**
 * A topic of Kafka, or of what speaks its protocol (MSK). Immutable and serializable; holds no
 * secret, only where one is: {@link #clientProperties} reads them where the client is made.
 */
public final class KafkaBus implements Bus {
  private static final long serialVersionUID = 1;

  /** A correct URI, without and with SASL. */
  public static final String EXAMPLE =
      "kafka://broker-1:9092,broker-2:9092/result-bus?start=earliest, or for SASL"
          + " kafka://b-1:9096/result-bus?security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-512"
          + "&user=writer&password=env:KAFKA_PASSWORD";

  /** Settings of Kafka's client that are secrets. */
  private static final List<String> SECRET_PROPERTIES =
      List.of(
          SaslConfigs.SASL_JAAS_CONFIG,
          SslConfigs.SSL_KEY_PASSWORD_CONFIG,
          SslConfigs.SSL_KEYSTORE_PASSWORD_CONFIG,
          SslConfigs.SSL_KEYSTORE_KEY_CONFIG,
          SslConfigs.SSL_TRUSTSTORE_PASSWORD_CONFIG);

  private static final String DEFAULT_MECHANISM = "PLAIN";

  private final String uri;
  private final String bootstrapServers;
  private final String topic;
  private final String start;
  private final boolean continueAfterOverrun;
  private final Map<String, String> properties;
  private final Map<String, Secret> secrets;
  // Serializable stand-ins for absence: empty.
  private final String group;
  private final String user;

  private KafkaBus(
      String uri,
      String bootstrapServers,
      String topic,
      String start,
      boolean continueAfterOverrun,
      Map<String, String> properties,
      Map<String, Secret> secrets,
      String group,
      String user) {
    this.uri = uri;
    this.bootstrapServers = bootstrapServers;
    this.topic = topic;
    this.start = start;
    this.continueAfterOverrun = continueAfterOverrun;
    this.properties = properties;
    this.secrets = secrets;
    this.group = group;
    this.user = user;
  }

  /**
   * Returns the topic that a {@code kafka} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static KafkaBus at(EndpointUri uri) {
    String servers =
        uri.hosts(9092).stream().map(Object::toString).collect(Collectors.joining(","));
    String topic = uri.path();
    if (topic.isEmpty()) {
      uri.problem("the topic is missing");
    } else if (!topic.matches("[a-zA-Z0-9._-]{1,249}") || topic.equals(".") || topic.equals("..")) {
      uri.problem(
          "'" + topic + "' can't be a topic: use up to 249 letters, digits, '.', '_' and '-'");
    }
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
    Map<String, Secret> secrets = new TreeMap<>();
    for (String name : SECRET_PROPERTIES) {
      uri.takeSecret(name).ifPresent(secret -> secrets.put(name, secret));
    }
    Optional<String> user = uri.take("user");
    uri.takeSecret("password").ifPresent(secret -> secrets.put("password", secret));
    if (user.isPresent() != secrets.containsKey("password")) {
      uri.problem("user and password=" + Secrets.example() + " belong together");
    }
    Map<String, String> properties = new TreeMap<>(uri.takeDotted());
    if (user.isPresent()) {
      properties.putIfAbsent(SaslConfigs.SASL_MECHANISM, DEFAULT_MECHANISM);
      String protocol =
          properties.getOrDefault(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "PLAINTEXT");
      if (!protocol.startsWith("SASL_")) {
        uri.problem("user and password need security.protocol=SASL_SSL (or SASL_PLAINTEXT)");
      }
    }
    uri.finish(EXAMPLE);
    return new KafkaBus(
        uri.withoutSecrets(),
        servers,
        topic,
        start,
        overrun.equals("continue"),
        properties,
        secrets,
        group,
        user.orElse(""));
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
    return "kafka://" + bootstrapServers + "/" + topic;
  }

  String bootstrapServers() {
    return bootstrapServers;
  }

  String topic() {
    return topic;
  }

  String start() {
    return start;
  }

  boolean continuesAfterOverrun() {
    return continueAfterOverrun;
  }

  String groupOr(String fallback) {
    return group.isEmpty() ? fallback : group;
  }

  /** Returns the settings that are no secrets, as the URI gives them. */
  Map<String, String> properties() {
    return Collections.unmodifiableMap(properties);
  }

  /**
   * Returns all settings of the URI for a client, secrets read.
   *
   * @throws IllegalStateException if a secret is not where it should be
   */
  Map<String, Object> clientProperties() {
    Map<String, Object> all = new HashMap<>(properties);
    all.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    secrets.forEach(
        (name, secret) -> {
          if (name.equals("password")) {
            all.put(SaslConfigs.SASL_JAAS_CONFIG, jaas(secret.read()));
          } else {
            all.put(name, secret.read());
          }
        });
    return all;
  }

  private String jaas(String password) {
    String module =
        properties.getOrDefault(SaslConfigs.SASL_MECHANISM, DEFAULT_MECHANISM).startsWith("SCRAM")
            ? "org.apache.kafka.common.security.scram.ScramLoginModule"
            : "org.apache.kafka.common.security.plain.PlainLoginModule";
    return module + " required username=" + quoted(user) + " password=" + quoted(password) + ";";
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  @Override
  public PTransform<PBegin, PCollection<BusMessage>> read(String fallbackGroup) {
    return new ReadKafka(this, groupOr(fallbackGroup));
  }

  @Override
  public PTransform<PCollection<OutgoingMessage>, PDone> write() {
    return new WriteKafka(this);
  }

  @Override
  public BusPublisher publisher() {
    return new KafkaPublisher(this);
  }

  @Override
  public BusFacts checkReadable(String fallbackGroup) throws UnavailableException {
    return KafkaCheck.readable(this, groupOr(fallbackGroup));
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
