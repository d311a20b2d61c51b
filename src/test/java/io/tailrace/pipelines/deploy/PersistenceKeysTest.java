package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.Test;

/** Every key of the JSON that users of other feature stores have does something, or is told. */
public class PersistenceKeysTest {
  /** All keys that such a JSON may have, but for other names of the same. */
  private static final String EVERYTHING =
      """
      {
        "common_persistence_specs": {
          "namespace": "features",
          "bus_writer_image_go": "go", "bus_writer_image_python": "python",
          "bus_writer_image_bswl": "bswl", "bus_writer_image_rust": "rust",
          "service_account_name": "writer",
          "bus_backend": "KAFKA",
          "secret_client": "AWS",
          "bigquery_parquet_upload_subscription_id": "uploads-sub",
          "bigquery_streaming_write_subscription_id": "inserts-sub",
          "bigquery_streaming_write_topic": "inserts",
          "bq_upload_bucket": "s3://uploads/results",
          "bq_upload_topic": "uploads",
          "google_cloud_project": "my-project",
          "kafka_dlq_topic": "letters",
          "metrics_bus_subscription_id": "metrics-sub",
          "metrics_bus_topic_id": "metrics",
          "operation_subscription_id": "operations-sub",
          "query_log_result_topic": "log", "query_log_subscription_id": "log-sub",
          "result_bus_metrics_subscription_id": "results-metrics-sub",
          "result_bus_offline_store_subscription_id": "results-offline-sub",
          "result_bus_online_store_subscription_id": "results-online-sub",
          "result_bus_topic_id": "results",
          "usage_bus_topic_id": "usage", "usage_events_subscription_id": "usage-sub",
          "include_chalk_node_selector": true,
          "use_aws_pool_for_google_adc": true
        },
        "api_server_host": "api.example.com",
        "kafka_sasl_secret": "AmazonMSK_writer",
        "metadata_provider": "GRPC_SERVER",
        "kafka_bootstrap_servers": "b-1:9096",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_mechanism": "SCRAM-SHA-512",
        "redis_is_clustered": "1",
        "snowflake_storage_integration_name": "integration",
        "redis_lightning_supports_has_many": true,
        "insecure": true,
        "bootstrap_cloud_resources": true,
        "suspended": true,
        "observability_daemons": "x", "cluster_manager_config": "x", "autodiscover_key": "x",
        "observability_daemon_scheduling": "x",
        "writers": [
          {
            "name": "Online_Writer",
            "image_override": "example.com/go:1",
            "hpa_specs": {"hpa_pubsub_subscription_id": "results-online-sub",
              "hpa_min_replicas": 2, "hpa_max_replicas": 64, "hpa_target_average_value": 1000},
            "gke_spot": true,
            "load_writer_configmap": true,
            "version": "1",
            "request": {"cpu": "200m", "memory": "1Gi", "ephemeral_storage": "1Gi",
              "storage": "1Gi"},
            "limit": {"cpu": "1", "memory": "2Gi", "ephemeral_storage": "2Gi", "storage": "2Gi"},
            "bus_subscriber_type": "ONLINE_WRITER",
            "default_replica_count": 3,
            "kafka_consumer_group_override": "online-2",
            "max_batch_size": 10, "message_processing_concurrency": 2,
            "metadata_sql_ssl_ca_cert_secret": "x", "metadata_sql_ssl_client_cert_secret": "x",
            "metadata_sql_ssl_client_key_secret": "x", "metadata_sql_uri_secret": "x",
            "offline_store_inserter_db_type": "snowflake",
            "storage_cache_prefix": "x", "usage_store_uri": "x",
            "results_writer_skip_producing_feature_metrics": true,
            "query_table_write_drop_ratio": "0.0",
            "instance_type": "m7g.large",
            "nodepool": "writers",
            "node_selector": {"pool": "writers", "node.kubernetes.io/instance-type": "m6i.large"},
            "additional_env_vars": {"LEVEL": "debug"},
            "chalk_queries_clickhouse_write_mode": "DUAL", "chalk_queries_clickhouse_table": "t",
            "chalk_errors_clickhouse_write_mode": "DUAL",
            "chalk_query_errors_clickhouse_table": "t",
            "chalk_resolver_errors_clickhouse_table": "t",
            "metrics_emission_mode": "DUAL_WRITE",
            "pdb_min_available": 1, "pdb_max_unavailable": "25%"
          },
          {"bus_subscriber_type": "OFFLINE_WRITER"},
          {"bus_subscriber_type": "METRICS_WRITER"},
          {"bus_subscriber_type": "METRICS_BUS_WRITER"},
          {"bus_subscriber_type": "OFFLINE_STORE_BULK_INSERT_WRITER"},
          {"bus_subscriber_type": "OFFLINE_STORE_STREAMING_INSERT_WRITER",
            "offline_store_inserter_db_type": "bigquery"}
        ]
      }
      """;

  @Test
  public void noKeyIsPassedOverInSilence() throws Exception {
    // What is not said means the same.
    assertThat(silent(EVERYTHING)).containsExactly("/common_persistence_specs/bus_backend");
    String pubSub =
        EVERYTHING
            .replace("\"bus_backend\": \"KAFKA\"", "\"bus_backend\": \"PUBSUB\"")
            .replace("\"kafka_consumer_group_override\": \"online-2\",", "");
    // Written twice, and the same.
    assertThat(silent(pubSub))
        .containsExactly(
            "/common_persistence_specs/result_bus_online_store_subscription_id",
            "/writers/0/hpa_specs/hpa_pubsub_subscription_id");
  }

  /** Returns the keys without which nothing would be other than with them. */
  private static List<String> silent(String text) throws Exception {
    JsonNode json = new ObjectMapper().readTree(text);
    ObjectNode onlyFirst = json.deepCopy();
    onlyFirst.set("writers", onlyFirst.arrayNode().add(json.at("/writers/0")));
    String all = outcome(json);
    assertThat(all).endsWith(" []");
    String allOfFirst = outcome(onlyFirst);
    List<String> silent = new ArrayList<>();
    for (String leaf : leaves(json, "")) {
      boolean isOfFirst = leaf.startsWith("/writers/0");
      JsonNode whole = isOfFirst ? onlyFirst : json;
      JsonNode without = whole.deepCopy();
      int slash = leaf.lastIndexOf('/');
      ((ObjectNode) without.at(leaf.substring(0, slash)))
          .remove(leaf.substring(slash + 1).replace("~1", "/"));
      if (outcome(without).equals(isOfFirst ? allOfFirst : all)) {
        silent.add(leaf);
      }
    }
    return silent;
  }

  private static List<String> leaves(JsonNode node, String path) {
    List<String> leaves = new ArrayList<>();
    node.fields()
        .forEachRemaining(
            each ->
                leaves.addAll(
                    leaves(each.getValue(), path + "/" + each.getKey().replace("/", "~1"))));
    for (int i = 0; node.isArray() && i < node.size(); i++) {
      leaves.addAll(leaves(node.get(i), path + "/" + i));
    }
    return node.isContainerNode() ? leaves : List.of(path);
  }

  private static String outcome(JsonNode json) {
    Problems problems = new Problems();
    BackgroundPersistence.Translation translation =
        BackgroundPersistence.translate(Section.of(json, problems), Optional.of("writer"));
    return translation + " " + problems.all();
  }
}
