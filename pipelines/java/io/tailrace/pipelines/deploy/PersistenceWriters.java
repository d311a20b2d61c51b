package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.pipelines.Nearest;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Translates the writers of a background-persistence deployment. Not thread-safe. */
final class PersistenceWriters {
  private static final String BULK = "bulk-insert-writer";

  /** Which writer each kind is. */
  private static final Map<String, String> KINDS =
      Map.of(
          "ONLINE_WRITER", "online-writer",
          "OFFLINE_WRITER", "offline-writer",
          "RUST_OFFLINE_WRITER", "offline-writer",
          "OFFLINE_STORE_STREAMING_INSERT_WRITER", "streaming-insert-writer",
          "OFFLINE_STORE_BULK_INSERT_WRITER", BULK,
          "METRICS_WRITER", "metrics-writer",
          "GO_RESULT_BUS_METRICS_WRITER", "metrics-writer",
          "METRICS_BUS_WRITER", "metrics-bus-writer",
          "GO_METRICS_BUS_WRITER", "metrics-bus-writer");

  /** Kinds that have no counterpart. */
  private static final Map<String, String> WITHOUT =
      Map.of(
          "USAGE_BUS_WRITER", "no writer here counts usage",
          "QUERY_MIRROR_CONSUMER", "queries are not mirrored here",
          "ONLINE_VECTOR_STORE_WRITER", "there is no vector store here",
          "CLUSTER_MANAGER", "it is no writer");

  private static final String TABLES = "summaries are in the metrics store alone";
  private static final String METADATA = "results say themselves what their features are";

  private static final Map<String, String> IGNORED = new LinkedHashMap<>();

  static {
    IGNORED.put(
        "image_override",
        "it holds another program; 'image' of --with names the one with these writers");
    IGNORED.put("load_writer_configmap", "each writer has a config map of its own");
    IGNORED.put("version", "the image says it");
    IGNORED.put("max_batch_size", "batches follow from the memory that there is");
    IGNORED.put("message_processing_concurrency", "a task manager has a thread for each processor");
    IGNORED.put("metadata_sql_ssl_ca_cert_secret", METADATA);
    IGNORED.put("metadata_sql_ssl_client_cert_secret", METADATA);
    IGNORED.put("metadata_sql_ssl_client_key_secret", METADATA);
    IGNORED.put("metadata_sql_uri_secret", METADATA);
    IGNORED.put("storage_cache_prefix", "nothing is cached in a bucket");
    IGNORED.put("usage_store_uri", "no writer here counts usage");
    IGNORED.put(
        "results_writer_skip_producing_feature_metrics",
        "metrics come from a writer of their own: leave that one out");
    IGNORED.put("query_table_write_drop_ratio", "nothing is dropped here");
    IGNORED.put("chalk_queries_clickhouse_write_mode", TABLES);
    IGNORED.put("chalk_queries_clickhouse_table", TABLES);
    IGNORED.put("chalk_errors_clickhouse_write_mode", TABLES);
    IGNORED.put("chalk_query_errors_clickhouse_table", TABLES);
    IGNORED.put("chalk_resolver_errors_clickhouse_table", TABLES);
    IGNORED.put("metrics_emission_mode", TABLES);
    IGNORED.put("pdb_min_available", "one task manager may go at a time, always");
    IGNORED.put("pdb_max_unavailable", "one task manager may go at a time, always");
  }

  private final PersistenceBuses buses;
  private final List<String> notes;
  private final List<Integer> places = new ArrayList<>();

  PersistenceWriters(PersistenceBuses buses, List<String> notes) {
    this.buses = buses;
    this.notes = notes;
  }

  /** Returns which writer of the JSON each of the translated ones is. */
  List<Integer> places() {
    return List.copyOf(places);
  }

  List<ObjectNode> translate(List<Section> sections) {
    List<ObjectNode> writers = new ArrayList<>();
    for (int i = 0; i < sections.size(); i++) {
      Optional<ObjectNode> writer = translate(sections.get(i));
      if (writer.isPresent()) {
        writers.add(writer.get());
        places.add(i);
      }
    }
    return writers;
  }

  private Optional<ObjectNode> translate(Section section) {
    Optional<String> name = section.text("name");
    Optional<Writer<?>> writer = writer(section);
    Section scaling = section.sectionOrEmpty("hpa_specs");
    Optional<String> source = Optional.empty();
    if (writer.isPresent()) {
      source = buses.source(writer.get().name(), writer.get().reads(), scaling, notes);
      name.filter(it -> !legal(it).equals(it))
          .ifPresent(
              it ->
                  notes.add(
                      section.at("name")
                          + ": "
                          + it
                          + " is "
                          + legal(it)
                          + " here, as Kubernetes takes small letters, digits and '-'"));
    } else {
      scaling.has("hpa_pubsub_subscription_id");
    }
    Optional<String> read = source;
    ObjectNode replicas = replicas(section, scaling, writer.isPresent());
    ObjectNode resources = resources(section);
    Map<String, String> nodes = nodes(section);
    Map<String, String> environment = section.texts("additional_env_vars");
    Optional<String> group = section.text("kafka_consumer_group_override");
    if (writer.isPresent()) {
      BackgroundPersistence.ignore(section, IGNORED, notes);
    } else {
      IGNORED.keySet().forEach(section::has);
    }
    scaling.finish();
    section.finish();
    return writer.map(
        it -> {
          ObjectNode options = Tree.nothing();
          read.ifPresent(uri -> options.put(it.reads(), uri));
          WriterArguments.publishesTo(it)
              .forEach(option -> buses.topic(option).ifPresent(uri -> options.put(option, uri)));
          return Tree.object(
              "name", name.map(PersistenceWriters::legal).orElse(it.name()),
              "writer", it.name(),
              "options", options,
              "replicas", replicas,
              "resources", resources,
              "nodeSelector", nodes,
              "environment", environment,
              "consumerGroup", group);
        });
  }

  /** Names there may have what names here may not. */
  private static String legal(String name) {
    return name.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private Optional<Writer<?>> writer(Section section) {
    Optional<String> kind = section.text("bus_subscriber_type");
    boolean isBigQuery =
        section.text("offline_store_inserter_db_type").filter("bigquery"::equals).isPresent();
    if (kind.isEmpty()) {
      if (!section.has("bus_subscriber_type")) {
        section.problem("bus_subscriber_type", "is missing, such as ONLINE_WRITER");
      }
      return Optional.empty();
    }
    String why = WITHOUT.get(kind.get());
    if (why != null) {
      notes.add(section.at("bus_subscriber_type") + ": " + kind.get() + " ignored, as " + why);
      return Optional.empty();
    }
    String named = KINDS.get(kind.get());
    if (named == null) {
      List<String> known = new ArrayList<>(KINDS.keySet());
      known.addAll(WITHOUT.keySet());
      section.problem(
          "bus_subscriber_type",
          "'" + kind.get() + "' is no kind of writer" + Nearest.question(kind.get(), known));
      return Optional.empty();
    }
    String wanted =
        isBigQuery && named.equals("streaming-insert-writer") ? "bigquery-streaming-writer" : named;
    Optional<Writer<?>> writer =
        Writers.ALL.stream().filter(it -> it.name().equals(wanted)).findFirst();
    if (wanted.equals(named)) {
      BackgroundPersistence.ignore(
          section,
          Map.of(
              "offline_store_inserter_db_type",
              "the URI of the store, offlineStore in the options of --with, says which it is"),
          notes);
    }
    if (writer.isEmpty()) {
      notes.add(
          section.at("bus_subscriber_type")
              + ": "
              + kind.get()
              + " ignored, as this version has no "
              + wanted);
    }
    return writer;
  }

  private ObjectNode replicas(Section section, Section scaling, boolean isTaken) {
    Optional<Long> count = section.number("default_replica_count", 0, Integer.MAX_VALUE);
    Optional<Long> minimum = scaling.number("hpa_min_replicas", 0, Integer.MAX_VALUE);
    Optional<Long> maximum = scaling.number("hpa_max_replicas", 0, Integer.MAX_VALUE);
    Optional<Long> target = scaling.number("hpa_target_average_value", 1, Long.MAX_VALUE);
    long least = minimum.or(() -> count).orElse(1L);
    long most = maximum.orElse(Math.max(1, least));
    if (isTaken && minimum.isPresent() && count.isPresent() && !count.equals(minimum)) {
      notes.add(
          section.at("default_replica_count")
              + ": ignored, as hpa_min_replicas says how many there are at least");
    }
    if (isTaken && most > least) {
      notes.add(
          (target.isPresent()
                  ? scaling.at("hpa_target_average_value") + ": "
                  : section.at("hpa_specs") + ": says no hpa_target_average_value, so ")
              + Scaling.measured(target.orElse(Scaling.UNMEASURED)));
    }
    return Tree.object(
        "minimum",
        least,
        "maximum",
        most,
        "messagesPerReplica",
        most > least ? Optional.of(target.orElse(Scaling.UNMEASURED)) : target);
  }

  /** Of memory and disk it takes the limit, as what was promised may not be less. */
  private ObjectNode resources(Section section) {
    Section request = section.sectionOrEmpty("request");
    Section limit = section.sectionOrEmpty("limit");
    ObjectNode limits = Tree.nothing();
    ObjectNode requests = Tree.nothing();
    request.scalar("cpu").ifPresent(it -> requests.put("cpu", it));
    limit.scalar("cpu").ifPresent(it -> limits.put("cpu", it));
    same(section, request, limit, "memory")
        .ifPresent(it -> limits.put("memory", enough(section, it)));
    same(section, request, limit, "ephemeral_storage")
        .ifPresent(it -> limits.put("ephemeralStorage", it));
    for (Section each : List.of(request, limit)) {
      if (each.has("storage")) {
        notes.add(each.at("storage") + ": ignored, as a writer keeps nothing on a disk of its own");
      }
      each.finish();
    }
    return Tree.object("requests", requests, "limits", limits);
  }

  private Optional<String> same(Section section, Section request, Section limit, String key) {
    Optional<String> asked = request.scalar(key);
    Optional<String> most = limit.scalar(key);
    if (asked.isPresent() && most.isPresent() && !asked.equals(most)) {
      notes.add(
          section.at("request." + key)
              + ": "
              + asked.get()
              + " is raised to the limit of "
              + most.get()
              + ", as a node takes away what it has not promised");
    }
    return most.or(() -> asked);
  }

  private String enough(Section section, String memory) {
    try {
      if (Quantity.bytes(memory).compareTo(ContainerMemory.LEAST) >= 0) {
        return memory;
      }
    } catch (IllegalArgumentException e) {
      // Said where the file of writers is looked at.
      return memory;
    }
    String least = ContainerMemory.LEAST.mebibytes() + "Mi";
    notes.add(
        section.at("limit.memory")
            + ": "
            + memory
            + " is raised to "
            + least
            + ", which a JVM with Flink and Beam needs");
    return least;
  }

  private Map<String, String> nodes(Section section) {
    Map<String, String> nodes = new LinkedHashMap<>(section.texts("node_selector"));
    section
        .flag("gke_spot")
        .filter(it -> it)
        .ifPresent(it -> label(section, "gke_spot", nodes, "cloud.google.com/gke-spot=true"));
    section
        .text("instance_type")
        .ifPresent(
            it -> label(section, "instance_type", nodes, "node.kubernetes.io/instance-type=" + it));
    section
        .text("nodepool")
        .ifPresent(
            it ->
                notes.add(
                    section.at("nodepool")
                        + ": ignored, as each cloud labels its pools in its own way: write the"
                        + " label into node_selector"));
    return nodes;
  }

  /** Adds a label, unless node_selector has another value of it. */
  private void label(Section section, String key, Map<String, String> nodes, String label) {
    String[] parts = label.split("=", 2);
    String before = nodes.putIfAbsent(parts[0], parts[1]);
    if (before != null && !before.equals(parts[1])) {
      notes.add(section.at(key) + ": ignored, as node_selector says " + parts[0] + "=" + before);
    }
  }
}
