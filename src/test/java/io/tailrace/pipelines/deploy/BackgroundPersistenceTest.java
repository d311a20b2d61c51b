package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.deploy.DeploymentFile.Beside;
import io.tailrace.pipelines.deploy.MessageQueue.Kafka;
import io.tailrace.pipelines.deploy.MessageQueue.PubSub;
import java.util.List;
import java.util.Optional;
import org.junit.Test;

/** The JSON that users of other feature stores have is taken, and what is not of it is said. */
public class BackgroundPersistenceTest {
  private static final String KAFKA =
      """
      {
        "common_persistence_specs": {
          "namespace": "features",
          "bus_writer_image_go": "example.com/go:1",
          "service_account_name": "writer",
          "bus_backend": "KAFKA",
          "secret_client": "AWS",
          "kafka_dlq_topic": "letters",
          "bigquery_streaming_write_topic": "inserts",
          "bigquery_upload_topic": "uploads",
          "bq_upload_bucket": "s3://uploads/results",
          "result_bus_topic_id": "results",
          "metrics_bus_topic_id": "metrics",
          "include_chalk_node_selector": true
        },
        "api_server_host": "api.example.com",
        "kafka_sasl_secret": "AmazonMSK_writer",
        "kafka_bootstrap_servers": "b-1:9096,b-2:9096",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_mechanism": "SCRAM-SHA-512",
        "redis_is_clustered": "1",
        "writers": [
          {"name": "usage", "bus_subscriber_type": "USAGE_BUS_WRITER", "max_batch_size": 10},
          {
            "name": "rust-result-bus-online-writer",
            "bus_subscriber_type": "ONLINE_WRITER",
            "hpa_specs": {"hpa_pubsub_subscription_id": "x", "hpa_max_replicas": 64,
              "hpa_min_replicas": 2, "hpa_target_average_value": 1000},
            "gke_spot": true,
            "request": {"cpu": "200m", "memory": "512Mi", "ephemeral_storage": "1Gi"},
            "limit": {"cpu": "1", "memory": "2Gi", "storage": "1Gi"},
            "node_selector": {"pool": "writers"},
            "additional_env_vars": {"LEVEL": "debug"},
            "kafka_consumer_group_override": "online-2",
            "query_table_write_drop_ratio": "0.0"
          },
          {"name": "result-bus-offline-writer", "bus_subscriber_type": "RUST_OFFLINE_WRITER",
            "hpa_specs": {"hpa_pubsub_subscription_id": "x", "hpa_max_replicas": 4},
            "request": {"memory": "512Mi"}, "limit": {"memory": "512Mi"}},
          {"name": "inserter", "bus_subscriber_type": "OFFLINE_STORE_STREAMING_INSERT_WRITER",
            "offline_store_inserter_db_type": "redshift", "default_replica_count": 3},
          {"name": "loader", "bus_subscriber_type": "OFFLINE_STORE_BULK_INSERT_WRITER"}
        ]
      }
      """;

  private static final String WITH =
      """
      image: example.com/tailrace:1
      state: s3://bucket/state
      secret: tailrace-secrets
      options:
        onlineStore: rediss+cluster://cache:6379
        offlineStore: snowflake://account/FEATURES/T_{environment}?warehouse=W&user=u&privateKey=file:/etc/tailrace/secrets/key
      """;

  private static final Beside BESIDE = new Beside(Optional.of(WITH), Optional.of("writer"));

  @Test
  public void eachWriterIsTheOneThatDoesTheSame() throws Exception {
    Deployment deployment = DeploymentFile.parse(KAFKA, BESIDE);

    assertThat(deployment.shared().namespace()).isEqualTo("features");
    assertThat(deployment.shared().account().name()).isEqualTo("writer");
    assertThat(
            deployment.writers().stream()
                .map(writer -> writer.name() + " " + writer.job().writer().name())
                .toList())
        .containsExactly(
            "rust-result-bus-online-writer online-writer",
            "result-bus-offline-writer offline-writer",
            "inserter streaming-insert-writer",
            "loader bulk-insert-writer")
        .inOrder();
    WriterDeployment online = deployment.writers().get(0);
    assertThat(online.scaling().minimum()).isEqualTo(2);
    assertThat(online.scaling().maximum()).isEqualTo(64);
    assertThat(online.scaling().messagesPerReplica()).isEqualTo(1_000);
    assertThat(online.pod().resources().cpuRequest().number()).isEqualTo(0.2);
    assertThat(online.pod().resources().cpuLimit().number()).isEqualTo(1.0);
    assertThat(online.pod().resources().memory().mebibytes()).isEqualTo(2048);
    assertThat(online.pod().nodes())
        .containsExactly("pool", "writers", "cloud.google.com/gke-spot", "true");
    assertThat(online.pod().environment()).containsExactly("LEVEL", "debug");
    Kafka queue = (Kafka) online.job().queue().orElseThrow();
    assertThat(queue.servers()).isEqualTo("b-1:9096,b-2:9096");
    assertThat(queue.group()).isEqualTo("online-2");
    assertThat(queue.login().orElseThrow().trigger()).containsEntry("sasl", "scram_sha512");
    assertThat(queue.login().orElseThrow().keys())
        .containsExactly("password", "KAFKA_SASL_PASSWORD");
    WriterDeployment offline = deployment.writers().get(1);
    assertThat(offline.scaling().minimum()).isEqualTo(1);
    assertThat(offline.scaling().maximum()).isEqualTo(4);
    assertThat(offline.job().arguments())
        .contains(
            "--streamingInsertBus=kafka://b-1:9096,b-2:9096/inserts?security.protocol=SASL_SSL"
                + "&sasl.mechanism=SCRAM-SHA-512&user=writer&password=env:KAFKA_SASL_PASSWORD");
    assertThat(deployment.writers().get(3).job().arguments())
        .contains("--uploadBucket=s3://uploads/results");
    assertThat(((Kafka) deployment.writers().get(3).job().queue().orElseThrow()).topic())
        .isEqualTo("uploads");
    assertThat(deployment.writers().get(2).scaling().isScaled()).isFalse();
    assertThat(deployment.writers().get(2).scaling().minimum()).isEqualTo(3);
  }

  @Test
  public void whatIsNotTakenIsSaidWithTheReason() throws Exception {
    List<String> notes = DeploymentFile.parse(KAFKA, BESIDE).notes();

    for (String start :
        List.of(
            "common_persistence_specs.bus_writer_image_go: ignored, as it holds another program",
            "common_persistence_specs.secret_client: ignored, as ",
            "common_persistence_specs.include_chalk_node_selector: ignored, as ",
            "api_server_host: ignored, as ",
            "redis_is_clustered: onlineStore must say so",
            "writers[0].bus_subscriber_type: USAGE_BUS_WRITER ignored, as ",
            "writers[1].limit.storage: ignored, as ",
            "writers[1].request.memory: 512Mi is raised to the limit of 2Gi",
            "writers[1].query_table_write_drop_ratio: ignored, as nothing is dropped here",
            "writers[2].limit.memory: 512Mi is raised to ",
            "kafka_sasl_secret: ignored, as the password is the key KAFKA_SASL_PASSWORD",
            "writers[1].hpa_specs.hpa_pubsub_subscription_id: ignored, as bus_backend is KAFKA",
            "writers[1].hpa_specs.hpa_target_average_value: 1000 messages for each replica are",
            "writers[2].hpa_specs.hpa_pubsub_subscription_id: ignored, as bus_backend is KAFKA",
            "writers[2].hpa_specs: says no hpa_target_average_value, so 1000 messages",
            "writers[3].offline_store_inserter_db_type: ignored, as the URI of the store",
            "common_persistence_specs.metrics_bus_topic_id: ignored, as no writer of this file")) {
      assertThat(notes.stream().filter(note -> note.startsWith(start)).toList()).hasSize(1);
    }
    assertThat(notes).hasSize(17);
  }

  @Test
  public void aTargetWithoutARateIsToldForWhatItIs() throws Exception {
    assertThat(DeploymentFile.parse(KAFKA, BESIDE).notes())
        .contains(
            "writers[1].hpa_specs.hpa_target_average_value: 1000 messages for each replica are what"
                + " one does in 11 s at 91 a second, and so many are always on their way: where it"
                + " can do more, replicas are added though nothing waits. Measure what one does in"
                + " a second, and write that times 8.25");
  }

  @Test
  public void aRoleOfAmazonsNeedsNoUser() throws Exception {
    Deployment deployment =
        DeploymentFile.parse(
            KAFKA
                .replace("SCRAM-SHA-512", "AWS_MSK_IAM")
                .replace("b-1:9096,b-2:9096", "b-1.kafka.eu-west-1.amazonaws.com:9098"),
            new Beside(Optional.of(WITH), Optional.empty()));

    Kafka queue = (Kafka) deployment.writers().get(0).job().queue().orElseThrow();
    assertThat(queue.login().orElseThrow().isByRole()).isTrue();
    assertThat(queue.login().orElseThrow().user()).isEmpty();
    assertThat(deployment.notes())
        .contains("kafka_sasl_secret: ignored, as the role of the service account logs in");
  }

  @Test
  public void whatHasTwoNamesOrTwoPlacesMustSayTheSame() {
    assertThat(
            problems(
                KAFKA.replace(
                    "\"bq_upload_bucket\"",
                    "\"bigquery_upload_bucket\": \"s3://other\", \"bq_upload_topic\": \"x\","
                        + " \"bq_upload_bucket\""),
                BESIDE))
        .containsExactly(
            "common_persistence_specs.bigquery_upload_topic: is bq_upload_topic by another name,"
                + " and has another value: uploads, not x: leave one of them out",
            "common_persistence_specs.bigquery_upload_bucket: is bq_upload_bucket by another name,"
                + " and has another value: s3://other, not s3://uploads/results: leave one of them"
                + " out");
    assertThat(
            problems(
                """
                {"common_specs": {"bus_backend": "PUBSUB", "google_cloud_project": "my-project",
                   "result_bus_online_store_subscription_id": "online"},
                 "writers": [{"bus_subscriber_type": "ONLINE_WRITER",
                   "hpa_specs": {"hpa_pubsub_subscription_id": "other"}}]}
                """,
                BESIDE))
        .containsExactly(
            "writers[0].hpa_specs.hpa_pubsub_subscription_id: is other, and"
                + " result_bus_online_store_subscription_id is online: a writer is scaled by what"
                + " it reads; write the same, or leave one of them out");
  }

  @Test
  public void onPubSubEachWriterHasItsSubscription() throws Exception {
    Deployment deployment =
        DeploymentFile.parse(
            """
            {"common_specs": {"bus_backend": "PUBSUB", "google_cloud_project": "my-project",
               "result_bus_topic_id": "results", "result_bus_online_store_subscription_id": "online",
               "metrics_bus_topic_id": "metrics", "bigquery_streaming_write_subscription_id": "ins",
               "bigquery_streaming_write_topic": "inserts"},
             "suspended": true,
             "writers": [
               {"name": "On", "bus_subscriber_type": "ONLINE_WRITER",
                "hpa_specs": {"hpa_pubsub_subscription_id": "online", "hpa_min_replicas": 0,
                  "hpa_max_replicas": 2, "hpa_target_average_value": 5}},
               {"name": "metrics", "bus_subscriber_type": "METRICS_WRITER",
                "hpa_specs": {"hpa_pubsub_subscription_id": "met"}},
               {"name": "bq", "bus_subscriber_type": "OFFLINE_STORE_STREAMING_INSERT_WRITER",
                "offline_store_inserter_db_type": "bigquery"}]}
            """,
            new Beside(
                Optional.of(
                    """
                    image: example.com/tailrace:1
                    state: gs://bucket/state
                    options:
                      deadLetterBus: pubsub://my-project/letters
                      onlineStore: redis://cache
                      offlineStore: bigquery://my-project/tailrace_{environment}
                    """),
                Optional.empty()));

    assertThat(
            deployment.writers().stream()
                .map(writer -> ((PubSub) writer.job().queue().orElseThrow()).subscription())
                .toList())
        .containsExactly("online", "met", "ins")
        .inOrder();
    assertThat(deployment.writers().get(0).scaling().minimum()).isEqualTo(0);
    assertThat(deployment.writers().get(2).job().writer().name())
        .isEqualTo("bigquery-streaming-writer");
    assertThat(deployment.writers().get(1).job().arguments())
        .contains("--metricsBus=pubsub://my-project/metrics");
    assertThat(deployment.writers().stream().allMatch(writer -> writer.job().isSuspended()))
        .isTrue();
  }

  @Test
  public void aKeyThatNeitherSystemHasIsRefusedWithTheNearest() {
    assertThat(
            problems(
                KAFKA
                    .replace("result_bus_topic_id", "result_bus_topic")
                    .replace("hpa_max_replicas\": 64", "hpa_max_replica\": 64")
                    .replace("RUST_OFFLINE_WRITER", "RUST_OFLINE_WRITER"),
                BESIDE))
        .containsExactly(
            "writers[1].hpa_specs.hpa_max_replica: there is no such key; did you mean"
                + " 'hpa_max_replicas'?",
            "writers[2].bus_subscriber_type: 'RUST_OFLINE_WRITER' is no kind of writer; did you"
                + " mean 'RUST_OFFLINE_WRITER'?",
            "common_persistence_specs.result_bus_topic: there is no such key; did you mean"
                + " 'result_bus_topic_id'?");
  }

  @Test
  public void aProblemIsSaidWhereItsCauseIsInTheJson() {
    assertThat(
            problems(KAFKA.replace("\"hpa_min_replicas\": 2", "\"hpa_min_replicas\": 70"), BESIDE))
        .containsExactly("writers[1].hpa_specs.hpa_max_replicas: is less than minimum: 64 < 70");
    assertThat(problems(KAFKA, new Beside(Optional.of(WITH), Optional.empty())).get(0))
        .startsWith("kafka_sasl_secret: does not say who logs in");
    assertThat(String.join("\n", problems(KAFKA, new Beside(Optional.empty(), Optional.of("u")))))
        .contains("writers[1].options.onlineStore: is missing.");
  }

  private static List<String> problems(String json, Beside beside) {
    return assertThrows(CommandException.class, () -> DeploymentFile.parse(json, beside))
        .getMessage()
        .lines()
        .toList();
  }
}
