package io.tailrace.pipelines.deploy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The buses of a background-persistence deployment, as URIs. On Kafka one name serves those who
 * publish and those who read; on Pub/Sub a bus is a topic and a subscription for each that reads.
 */
final class PersistenceBuses {
  /** The variable with the password of Kafka, a key of the Secret. */
  static final String PASSWORD = "KAFKA_SASL_PASSWORD";

  /**
   * Which keys name a bus.
   *
   * @param topics of its topic, in the order in which they count
   */
  private record Keys(List<String> topics) {}

  private static final Map<String, Keys> BUSES =
      Map.of(
          "resultBus", new Keys(List.of("result_bus_topic_id")),
          "streamingInsertBus", new Keys(List.of("bigquery_streaming_write_topic")),
          "bulkUploadBus", new Keys(List.of("bq_upload_topic", "bigquery_upload_topic")),
          "metricsBus", new Keys(List.of("metrics_bus_topic_id")));

  /** Which key names the subscription of a writer. */
  private static final Map<String, String> SUBSCRIPTIONS =
      Map.of(
          "online-writer", "result_bus_online_store_subscription_id",
          "offline-writer", "result_bus_offline_store_subscription_id",
          "metrics-writer", "result_bus_metrics_subscription_id",
          "streaming-insert-writer", "bigquery_streaming_write_subscription_id",
          "bigquery-streaming-writer", "bigquery_streaming_write_subscription_id",
          "bulk-insert-writer", "bigquery_parquet_upload_subscription_id",
          "metrics-bus-writer", "metrics_bus_subscription_id");

  private final Section common;
  private final boolean isPubSub;
  private final String server;
  private final String parameters;

  private PersistenceBuses(Section common, boolean isPubSub, String server, String parameters) {
    this.common = common;
    this.isPubSub = isPubSub;
    this.server = server;
    this.parameters = parameters;
  }

  static PersistenceBuses parse(Section json, Section common, Optional<String> kafkaUser) {
    String backend = common.text("bus_backend").orElse("KAFKA");
    if (!List.of("KAFKA", "PUBSUB").contains(backend)) {
      common.problem("bus_backend", "must be KAFKA or PUBSUB, not " + backend);
    }
    boolean isPubSub = backend.equals("PUBSUB");
    Optional<String> servers = json.text("kafka_bootstrap_servers");
    Optional<String> project = common.text("google_cloud_project");
    String parameters = isPubSub ? skipKafka(json) : login(json, kafkaUser);
    if (isPubSub && project.isEmpty()) {
      common.problem("google_cloud_project", "is missing: Pub/Sub's topics are in it");
    }
    if (!isPubSub && servers.isEmpty()) {
      json.problem("kafka_bootstrap_servers", "is missing: host:port,host:port");
    }
    // Known, whichever of them are used.
    SUBSCRIPTIONS.values().forEach(common::has);
    BUSES.values().forEach(keys -> keys.topics.forEach(common::has));
    common.has("kafka_dlq_topic");
    return new PersistenceBuses(
        common,
        isPubSub,
        isPubSub ? "pubsub://" + project.orElse("project") : "kafka://" + servers.orElse("host"),
        parameters);
  }

  private static String skipKafka(Section json) {
    List.of("kafka_security_protocol", "kafka_sasl_mechanism", "kafka_sasl_secret")
        .forEach(json::has);
    return "";
  }

  private static String login(Section json, Optional<String> kafkaUser) {
    String protocol = json.text("kafka_security_protocol").orElse("PLAINTEXT");
    String mechanism = json.text("kafka_sasl_mechanism").orElse("PLAIN");
    json.has("kafka_sasl_secret");
    if (protocol.equals("PLAINTEXT")) {
      return "";
    }
    if (!protocol.startsWith("SASL")) {
      return "?security.protocol=" + protocol;
    }
    if (kafkaUser.isEmpty()) {
      json.problem(
          "kafka_sasl_secret",
          "does not say who logs in: name the user with --kafkaUser=NAME, and have the password in"
              + " the cluster's Secret under the key "
              + PASSWORD);
    }
    return "?security.protocol="
        + protocol
        + "&sasl.mechanism="
        + mechanism
        + "&user="
        + kafkaUser.orElse("user")
        + "&password=env:"
        + PASSWORD;
  }

  /** Returns the bus for dead letters, which on Pub/Sub no key names. */
  Optional<String> deadLetters() {
    return isPubSub ? Optional.empty() : common.text("kafka_dlq_topic").map(this::uri);
  }

  /** Returns the bus that an option names, to publish to; empty where the JSON does not say. */
  Optional<String> topic(String option) {
    return Optional.ofNullable(BUSES.get(option)).stream()
        .flatMap(keys -> keys.topics.stream())
        .flatMap(key -> common.text(key).stream())
        .findFirst()
        .map(this::uri);
  }

  /**
   * Returns the bus that a writer reads.
   *
   * @param fallback the subscription, where only the scaler's settings name it
   */
  Optional<String> source(String writer, String option, Optional<String> fallback) {
    if (!isPubSub) {
      return topic(option);
    }
    return Optional.ofNullable(SUBSCRIPTIONS.get(writer))
        .flatMap(common::text)
        .or(() -> fallback)
        .map(this::uri);
  }

  private String uri(String name) {
    return server + "/" + name + parameters;
  }
}
