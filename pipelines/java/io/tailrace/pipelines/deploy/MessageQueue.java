package io.tailrace.pipelines.deploy;

import io.tailrace.endpoint.EndpointUri;
import java.util.Map;
import java.util.Optional;
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

  /** A subscription of Pub/Sub. */
  record PubSub(String project, String subscription) implements MessageQueue {}

  /** Kafka's port, where a URI names none. */
  int KAFKA_PORT = 9092;

  /**
   * Returns the queue that a bus's URI names; empty where no scaler is known for its kind.
   *
   * @param uri the URI, which the writer's own check has found right
   * @param writer the group, unless the URI names one
   * @param environment variables of the writer
   */
  static Optional<MessageQueue> of(String uri, String writer, Map<String, String> environment) {
    EndpointUri parsed = EndpointUri.parse(uri);
    return switch (parsed.scheme()) {
      case "kafka" -> Optional.of(kafka(parsed, writer, environment));
      case "pubsub" -> Optional.of(new PubSub(parsed.hosts(0).get(0).name(), parsed.path()));
      default -> Optional.empty();
    };
  }

  private static Kafka kafka(EndpointUri uri, String writer, Map<String, String> environment) {
    return new Kafka(
        uri.hosts(KAFKA_PORT).stream()
            .map(EndpointUri.Host::toString)
            .collect(Collectors.joining(",")),
        uri.path(),
        uri.take("group").orElse(writer),
        uri.take("start").orElse("earliest").equals("earliest"),
        KafkaLogin.of(uri, environment));
  }
}
