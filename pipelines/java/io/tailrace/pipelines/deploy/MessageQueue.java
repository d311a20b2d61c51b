package io.tailrace.pipelines.deploy;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Secret;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The queue that a writer reads, as a scaler must know it. Immutable. */
sealed interface MessageQueue {
  /**
   * A topic of Kafka.
   *
   * @param servers {@code host:port,host:port}
   * @param fromEarliest whether a group that has committed nothing reads all that is there
   * @param login how to log in; empty: without
   */
  record Kafka(
      String servers, String topic, String group, boolean fromEarliest, Optional<KafkaLogin> login)
      implements MessageQueue {}

  /**
   * How to log in to Kafka.
   *
   * @param mechanism of SASL; empty: TLS alone
   * @param password where it is, such as {@code env:KAFKA_PASSWORD}
   */
  record KafkaLogin(
      boolean isTls, Optional<String> mechanism, String user, Optional<String> password) {
    private static final Pattern IN_SECRET =
        Pattern.compile("(?:env:|file:" + FlinkCluster.SECRETS_DIRECTORY + "/)([^/#]+)");

    /** Returns the key of the password in the Secret of the writers; empty: it is not there. */
    Optional<String> keyOfPassword() {
      return password.map(IN_SECRET::matcher).filter(Matcher::matches).map(it -> it.group(1));
    }
  }

  /** A subscription of Pub/Sub. */
  record PubSub(String project, String subscription) implements MessageQueue {}

  /** Kafka's port, where a URI names none. */
  int KAFKA_PORT = 9092;

  /**
   * Returns the queue that a bus's URI names; empty where no scaler is known for its kind.
   *
   * @param uri the URI, which the writer's own check has found right
   * @param writer the group, unless the URI names one
   */
  static Optional<MessageQueue> of(String uri, String writer) {
    EndpointUri parsed = EndpointUri.parse(uri);
    return switch (parsed.scheme()) {
      case "kafka" -> Optional.of(kafka(parsed, writer));
      case "pubsub" -> Optional.of(new PubSub(parsed.hosts(0).get(0).name(), parsed.path()));
      default -> Optional.empty();
    };
  }

  /** Returns what a URI means that names no mechanism. */
  private static String mechanism(EndpointUri uri) {
    return uri.take("sasl.jaas.config").isPresent() ? "GSSAPI" : "PLAIN";
  }

  private static Kafka kafka(EndpointUri uri, String writer) {
    String protocol = uri.take("security.protocol").orElse("PLAINTEXT");
    Optional<KafkaLogin> login =
        protocol.equals("PLAINTEXT")
            ? Optional.empty()
            : Optional.of(
                new KafkaLogin(
                    protocol.endsWith("SSL"),
                    protocol.startsWith("SASL")
                        ? Optional.of(uri.take("sasl.mechanism").orElse(mechanism(uri)))
                        : Optional.empty(),
                    uri.take("user").orElse(""),
                    uri.take("password").flatMap(Secret::parse).map(Secret::toString)));
    return new Kafka(
        uri.hosts(KAFKA_PORT).stream()
            .map(EndpointUri.Host::toString)
            .collect(Collectors.joining(",")),
        uri.path(),
        uri.take("group").orElse(writer),
        uri.take("start").orElse("earliest").equals("earliest"),
        login);
  }
}
