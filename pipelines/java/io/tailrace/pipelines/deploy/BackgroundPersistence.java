package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Translates the JSON of a background-persistence deployment, as users of other feature stores have
 * it, into a file of writers. What it says of things that are not here is noted, each with the
 * reason; a key that neither system has is a problem. Not thread-safe.
 */
final class BackgroundPersistence {
  /**
   * What became of the JSON.
   *
   * @param file a file of writers
   * @param notes what was not taken as it stands, and why
   * @param places which writer of the JSON each of the file is
   */
  record Translation(ObjectNode file, List<String> notes, List<Integer> places) {
    /** Says of a problem of the file where in the JSON its cause is. */
    String inJson(String problem) {
      String said = problem;
      for (int i = places.size() - 1; i >= 0; i--) {
        String prefix = "writers[" + i + "]";
        if (problem.startsWith(prefix)) {
          said = "writers[" + places.get(i) + "]" + problem.substring(prefix.length());
        }
      }
      for (Map.Entry<String, String> key : KEYS.entrySet()) {
        said =
            said.replaceFirst(
                "^(writers\\[\\d+\\])\\." + key.getKey() + ":", "$1." + key.getValue() + ":");
      }
      return said;
    }
  }

  /** Which key of the JSON says what one of the file says. */
  private static final Map<String, String> KEYS =
      Map.of(
          "replicas\\.minimum", "hpa_specs.hpa_min_replicas",
          "replicas\\.maximum", "hpa_specs.hpa_max_replicas",
          "replicas\\.messagesPerReplica", "hpa_specs.hpa_target_average_value",
          "resources\\.requests\\.cpu", "request.cpu",
          "resources\\.limits\\.cpu", "limit.cpu",
          "resources\\.limits\\.memory", "limit.memory",
          "resources\\.limits\\.ephemeralStorage", "limit.ephemeral_storage",
          "consumerGroup", "kafka_consumer_group_override");

  /** The keys by which such a JSON is known, as the two sources of it spell them. */
  private static final List<String> COMMON = List.of("common_persistence_specs", "common_specs");

  private static final String OTHER_PROGRAM =
      "it holds another program; 'image' of --with names the one with these writers";
  private static final String DAEMONS = "it runs no writer";

  /** Keys beside the common ones that say nothing here. */
  private static final Map<String, String> IGNORED =
      ordered(
          "api_server_host", "writers ask no server but their buses and stores",
          "metadata_provider", "results say themselves what their features are",
          "snowflake_storage_integration_name", "files are loaded from a stage of the store's own",
          "redis_lightning_supports_has_many", "cells have one layout",
          "insecure", "TLS follows from the URIs",
          "bootstrap_cloud_resources", "topics, buckets and stores must be there",
          "observability_daemons", DAEMONS,
          "cluster_manager_config", DAEMONS,
          "observability_daemon_scheduling", DAEMONS,
          "autodiscover_key", "buses and stores are named by URIs");

  /** Common keys that say nothing here. */
  private static final Map<String, String> IGNORED_COMMON =
      ordered(
          "bus_writer_image_go", OTHER_PROGRAM,
          "bus_writer_image_python", OTHER_PROGRAM,
          "bus_writer_image_bswl", OTHER_PROGRAM,
          "bus_writer_image_rust", OTHER_PROGRAM,
          "secret_client", "secrets are keys of a Secret of the cluster, which 'secret' names",
          "operation_subscription_id", "no writer here reads it",
          "query_log_result_topic", "the query log is part of the results",
          "query_log_subscription_id", "the query log is part of the results",
          "usage_bus_topic_id", "no writer here counts usage",
          "usage_events_subscription_id", "no writer here counts usage",
          "include_chalk_node_selector", "nodes are chosen by node_selector alone",
          "use_aws_pool_for_google_adc", "whom a pod is follows from its service account");

  private BackgroundPersistence() {}

  private static Map<String, String> ordered(String... keysAndReasons) {
    Map<String, String> ordered = new LinkedHashMap<>();
    for (int i = 0; i < keysAndReasons.length; i += 2) {
      ordered.put(keysAndReasons[i], keysAndReasons[i + 1]);
    }
    return ordered;
  }

  /** Returns whether a file is such a JSON, and no file of writers of our own. */
  static boolean isOne(Section file) {
    return COMMON.stream().anyMatch(file::has)
        || file.sections("writers").stream().anyMatch(it -> it.has("bus_subscriber_type"));
  }

  /**
   * Translates it.
   *
   * @param kafkaUser who logs in to Kafka, which the JSON does not say
   */
  static Translation translate(Section json, Optional<String> kafkaUser) {
    List<String> notes = new ArrayList<>();
    if (json.has(COMMON.get(0)) && json.has(COMMON.get(1))) {
      json.problem(
          COMMON.get(1), "is " + COMMON.get(0) + " by another name: leave one of them out");
    }
    Section common = json.sectionOrEmpty(json.has(COMMON.get(1)) ? COMMON.get(1) : COMMON.get(0));
    PersistenceBuses buses = PersistenceBuses.parse(json, common, kafkaUser, notes);
    ObjectNode file = Tree.nothing();
    common.text("namespace").ifPresent(it -> file.put("namespace", it));
    common
        .text("service_account_name")
        .ifPresent(it -> file.set("serviceAccount", Tree.object("name", it)));
    json.flag("suspended").ifPresent(it -> file.put("suspended", it));
    json.scalar("redis_is_clustered")
        .filter("1"::equals)
        .ifPresent(
            it ->
                notes.add(
                    "redis_is_clustered: onlineStore must say so: rediss+cluster://host:6379"));
    PersistenceWriters writers = new PersistenceWriters(buses, notes);
    ObjectNode options = Tree.nothing();
    buses.deadLetters().ifPresent(it -> options.put("deadLetterBus", it));
    same(common, List.of("bq_upload_bucket", "bigquery_upload_bucket"), common::text)
        .ifPresent(it -> options.put("uploadBucket", it));
    file.set("options", options);
    file.set("writers", Tree.object("all", writers.translate(json.sections("writers"))).get("all"));
    if (!file.has("writers") || file.get("writers").isNull()) {
      json.problem("writers", "has none that there is here");
      file.remove("writers");
    }
    buses.finish(notes);
    ignore(common, IGNORED_COMMON, notes);
    common.finish();
    ignore(json, IGNORED, notes);
    json.finish();
    return new Translation(file, List.copyOf(notes), writers.places());
  }

  /** Takes a value that has several names, of which the first counts; they must say the same. */
  static Optional<String> same(
      Section section, List<String> keys, Function<String, Optional<String>> taken) {
    Optional<String> first = Optional.empty();
    String from = "";
    for (String key : keys) {
      Optional<String> value = taken.apply(key);
      if (first.isPresent() && value.isPresent() && !value.equals(first)) {
        section.problem(
            key,
            "is "
                + from
                + " by another name, and has another value: "
                + value.get()
                + ", not "
                + first.get()
                + ": leave one of them out");
      } else if (first.isEmpty() && value.isPresent()) {
        first = value;
        from = key;
      }
    }
    return first;
  }

  /** Notes the keys of a section that say nothing here. */
  static void ignore(Section section, Map<String, String> reasons, List<String> notes) {
    reasons.forEach(
        (key, why) -> {
          if (section.has(key)) {
            notes.add(section.at(key) + ": ignored, as " + why);
          }
        });
  }
}
