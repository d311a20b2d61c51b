package io.tailrace.pipelines.deploy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The buses of a background-persistence deployment, as URIs. On Kafka one name serves those who
 * publish and those who read; on Pub/Sub a bus is a topic and a subscription for each that reads.
 */
final class PersistenceBuses {
  /** The variable with the password of Kafka, a key of the Secret. */
  static final String PASSWORD = "KAFKA_SASL_PASSWORD";

  private static final String SCALED_BY = "hpa_pubsub_subscription_id";

  /** Keys that say how Kafka is reached. */
  private static final List<String> KAFKA =
      List.of(
          "kafka_bootstrap_servers",
          "kafka_security_protocol",
          "kafka_sasl_mechanism",
          "kafka_sasl_secret");

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

  private static final String ON_KAFKA = "bus_backend is KAFKA";
  private static final String ON_PUBSUB = "bus_backend is PUBSUB";

  private final Section common;
  private final boolean isPubSub;
  private final String server;
  private final String parameters;
  private final Set<String> used = new HashSet<>();

  private PersistenceBuses(Section common, boolean isPubSub, String server, String parameters) {
    this.common = common;
    this.isPubSub = isPubSub;
    this.server = server;
    this.parameters = parameters;
  }

  /**
   * Looks at the keys that say where all buses are.
   *
   * @param notes what is not taken as it stands is added
   */
  static PersistenceBuses parse(
      Section json, Section common, Optional<String> kafkaUser, List<String> notes) {
    String backend = common.text("bus_backend").orElse("KAFKA");
    if (!List.of("KAFKA", "PUBSUB").contains(backend)) {
      common.problem("bus_backend", "must be KAFKA or PUBSUB, not " + backend);
    }
    boolean isPubSub = backend.equals("PUBSUB");
    Optional<String> servers = json.text("kafka_bootstrap_servers");
    Optional<String> project = common.text("google_cloud_project");
    String parameters = isPubSub ? "" : login(json, kafkaUser, notes);
    if (isPubSub) {
      for (String key : KAFKA) {
        ignore(json, key, ON_PUBSUB, notes);
      }
      ignore(
          common,
          "kafka_dlq_topic",
          ON_PUBSUB + ": name a topic for dead letters as deadLetterBus in the options of --with",
          notes);
    } else {
      ignore(common, "google_cloud_project", ON_KAFKA, notes);
    }
    if (isPubSub && project.isEmpty()) {
      common.problem("google_cloud_project", "is missing: Pub/Sub's topics are in it");
    }
    if (!isPubSub && servers.isEmpty()) {
      json.problem("kafka_bootstrap_servers", "is missing: host:port,host:port");
    }
    return new PersistenceBuses(
        common,
        isPubSub,
        isPubSub ? "pubsub://" + project.orElse("project") : "kafka://" + servers.orElse("host"),
        parameters);
  }

  private static void ignore(Section section, String key, String why, List<String> notes) {
    BackgroundPersistence.ignore(section, Map.of(key, why), notes);
  }

  private static String login(Section json, Optional<String> kafkaUser, List<String> notes) {
    String protocol = json.text("kafka_security_protocol").orElse("PLAINTEXT");
    String mechanism = json.text("kafka_sasl_mechanism").orElse("PLAIN");
    if (!protocol.startsWith("SASL")) {
      for (String key : List.of("kafka_sasl_mechanism", "kafka_sasl_secret")) {
        ignore(json, key, "kafka_security_protocol is " + protocol, notes);
      }
      return protocol.equals("PLAINTEXT") ? "" : "?security.protocol=" + protocol;
    }
    String way = "?security.protocol=" + protocol + "&sasl.mechanism=" + mechanism;
    if (mechanism.equals(KafkaLogin.MSK_IAM)) {
      ignore(json, "kafka_sasl_secret", "the role of the service account logs in", notes);
      return way;
    }
    ignore(
        json,
        "kafka_sasl_secret",
        "the password is the key " + PASSWORD + " of the Secret that 'secret' names",
        notes);
    if (kafkaUser.isEmpty()) {
      json.problem(
          "kafka_sasl_secret",
          "does not say who logs in: name the user with --kafkaUser=NAME, and have the password in"
              + " the cluster's Secret under the key "
              + PASSWORD);
    }
    return way + "&user=" + kafkaUser.orElse("user") + "&password=env:" + PASSWORD;
  }

  /** Returns the bus for dead letters, which on Pub/Sub no key names. */
  Optional<String> deadLetters() {
    return isPubSub ? Optional.empty() : take("kafka_dlq_topic").map(this::uri);
  }

  private Optional<String> take(String key) {
    used.add(key);
    return common.text(key);
  }

  /** Returns the bus that an option names, to publish to; empty where the JSON does not say. */
  Optional<String> topic(String option) {
    return Optional.ofNullable(BUSES.get(option))
        .flatMap(keys -> BackgroundPersistence.same(common, keys.topics, this::take))
        .map(this::uri);
  }

  /**
   * Returns the bus that a writer reads.
   *
   * @param scaling which may name the subscription by whose depth the writer is scaled
   * @param notes what is not taken is added
   */
  Optional<String> source(String writer, String option, Section scaling, List<String> notes) {
    if (!isPubSub) {
      ignore(
          scaling, SCALED_BY, ON_KAFKA + ": what counts is the lag of the consumer group", notes);
      return topic(option);
    }
    Optional<String> scaledBy = scaling.text(SCALED_BY);
    Optional<String> read = Optional.ofNullable(SUBSCRIPTIONS.get(writer)).flatMap(this::take);
    if (read.isPresent() && scaledBy.isPresent() && !read.equals(scaledBy)) {
      scaling.problem(
          SCALED_BY,
          "is "
              + scaledBy.get()
              + ", and "
              + SUBSCRIPTIONS.get(writer)
              + " is "
              + read.get()
              + ": a writer is scaled by what it reads; write the same, or leave one of them out");
    }
    return read.or(() -> scaledBy).map(this::uri);
  }

  /** Notes the buses that nobody has asked for. */
  void finish(List<String> notes) {
    List<String> keys = new ArrayList<>(SUBSCRIPTIONS.values());
    BUSES.values().forEach(each -> keys.addAll(each.topics));
    keys.add("kafka_dlq_topic");
    for (String key : new TreeSet<>(keys)) {
      if (common.has(key) && used.add(key) && !(isPubSub && key.startsWith("kafka"))) {
        notes.add(
            common.at(key)
                + ": ignored, as "
                + (!isPubSub && SUBSCRIPTIONS.containsValue(key)
                    ? ON_KAFKA + ": who has read what of a topic is the consumer group's affair"
                    : "no writer of this file reads it or publishes to it"));
      }
    }
  }

  private String uri(String name) {
    return server + "/" + name + parameters;
  }
}
