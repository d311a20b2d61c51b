package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.pipelines.deploy.Deployment.Shared;
import io.tailrace.pipelines.deploy.MessageQueue.Kafka;
import io.tailrace.pipelines.deploy.MessageQueue.PubSub;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What tells KEDA how many task managers a writer has: a ScaledObject on the depth of its queue.
 * Stateless and thread-safe. What each setting does is in KEDA's scalers {@code kafka} and {@code
 * prometheus}, version 2.20.
 */
final class Scaler {
  static final String API = "keda.sh/v1alpha1";

  /** The key of a writer's config map that a TriggerAuthentication reads. */
  static final String USER_KEY = "kafka-user";

  /** Copies that are added or taken away within {@link #STEP_SECONDS} at most, in per cent. */
  private static final int UP_PERCENT = 100;

  private static final int DOWN_PERCENT = 50;
  private static final int STEP_SECONDS = 300;

  private final Shared shared;

  Scaler(Shared shared) {
    this.shared = shared;
  }

  /** Returns the manifests; none where the number of copies is fixed or no scaler knows the bus. */
  List<ObjectNode> manifests(WriterDeployment writer) {
    Optional<MessageQueue> queue = writer.job().queue();
    if (!writer.scaling().isScaled() || queue.isEmpty()) {
      return List.of();
    }
    List<ObjectNode> manifests = new ArrayList<>();
    Optional<String> authentication = shared.authentication();
    if (authentication.isEmpty()) {
      Optional<ObjectNode> spec =
          queue.get() instanceof Kafka kafka
              ? kafka.login().flatMap(login -> kafkaAuthentication(writer, login))
              : Optional.of(Tree.object("podIdentity", Tree.object("provider", "gcp")));
      if (spec.isPresent()) {
        authentication = Optional.of(writer.name() + "-queue");
        manifests.add(
            Tree.manifest(
                API,
                "TriggerAuthentication",
                metadata(authentication.get(), Optional.empty()),
                Tree.object("spec", spec.get())));
      }
    }
    manifests.add(scaledObject(writer, queue.get(), authentication));
    return List.copyOf(manifests);
  }

  private ObjectNode metadata(String name, Optional<Map<String, String>> annotations) {
    return Tree.object(
        "name",
        name,
        "namespace",
        shared.namespace(),
        "labels",
        Manifests.LABELS,
        "annotations",
        annotations);
  }

  /** Returns what KEDA logs in with; empty where it needs no more than the trigger says. */
  private Optional<ObjectNode> kafkaAuthentication(WriterDeployment writer, KafkaLogin login) {
    if (login.isByRole()) {
      return Optional.of(Tree.object("podIdentity", Tree.object("provider", "aws")));
    }
    List<ObjectNode> named =
        login.user().stream()
            .map(
                user ->
                    Tree.object(
                        "parameter",
                        "username",
                        "name",
                        FlinkCluster.options(writer.name()),
                        "key",
                        USER_KEY))
            .toList();
    List<ObjectNode> secret =
        login.keys().entrySet().stream()
            .flatMap(
                each ->
                    shared.secret().stream()
                        .map(
                            name ->
                                Tree.object(
                                    "parameter",
                                    each.getKey(),
                                    "name",
                                    name,
                                    "key",
                                    each.getValue())))
            .toList();
    return named.isEmpty() && secret.isEmpty()
        ? Optional.empty()
        : Optional.of(Tree.object("configMapTargetRef", named, "secretTargetRef", secret));
  }

  private ObjectNode scaledObject(
      WriterDeployment writer, MessageQueue queue, Optional<String> authentication) {
    Scaling scaling = writer.scaling();
    ObjectNode trigger =
        queue instanceof Kafka kafka ? kafka(kafka, scaling) : pubSub((PubSub) queue, scaling);
    authentication.ifPresent(name -> trigger.set("authenticationRef", Tree.object("name", name)));
    return Tree.manifest(
        API,
        "ScaledObject",
        metadata(
            writer.name(),
            writer.job().isSuspended()
                ? Optional.of(Map.of("autoscaling.keda.sh/paused", "true"))
                : Optional.empty()),
        Tree.object(
            "spec",
            Tree.object(
                "scaleTargetRef",
                target(writer),
                "pollingInterval",
                scaling.polling().toSeconds(),
                "cooldownPeriod",
                scaling.patienceDown().toSeconds(),
                // The job must have started before anybody says that there is nothing to do.
                "initialCooldownPeriod",
                scaling.patienceDown().toSeconds(),
                "minReplicaCount",
                scaling.minimum(),
                "maxReplicaCount",
                scaling.maximum(),
                "fallback",
                Tree.object(
                    "failureThreshold",
                    5,
                    "replicas",
                    scaling.first(),
                    "behavior",
                    "currentReplicasIfHigher"),
                "advanced",
                Tree.object(
                    "horizontalPodAutoscalerConfig", Tree.object("behavior", behavior(scaling))),
                "triggers",
                List.of(trigger))));
  }

  /**
   * Returns what is scaled: the Deployment of task managers, which the operator of Flink makes and
   * then leaves alone until the cluster is another. The cluster's own number of them would be set
   * back whenever its manifest is applied, and the operator takes none below one.
   */
  private static ObjectNode target(WriterDeployment writer) {
    return Tree.object(
        "apiVersion", "apps/v1", "kind", "Deployment", "name", FlinkCluster.workers(writer.name()));
  }

  private static ObjectNode behavior(Scaling scaling) {
    return Tree.object(
        "scaleUp",
        Tree.object(
            "stabilizationWindowSeconds",
            scaling.patienceUp().toSeconds(),
            "selectPolicy",
            "Max",
            "policies",
            List.of(policy("Percent", UP_PERCENT), policy("Pods", 2))),
        "scaleDown",
        Tree.object(
            "stabilizationWindowSeconds",
            scaling.patienceDown().toSeconds(),
            "selectPolicy",
            "Max",
            "policies",
            List.of(policy("Percent", DOWN_PERCENT), policy("Pods", 1))));
  }

  private static JsonNode policy(String type, int value) {
    return Tree.object("type", type, "value", value, "periodSeconds", STEP_SECONDS);
  }

  private ObjectNode kafka(Kafka queue, Scaling scaling) {
    Map<String, String> metadata = new TreeMap<>();
    metadata.put("bootstrapServers", queue.servers());
    metadata.put("topic", queue.topic());
    metadata.put("consumerGroup", queue.group());
    metadata.put("lagThreshold", String.valueOf(scaling.messagesPerReplica()));
    // One message that waits is one too many for none: a group that has never committed shows no
    // more than that for each partition, and would never be started.
    metadata.put("activationLagThreshold", "0");
    metadata.put("scaleToZeroOnInvalidOffset", "false");
    metadata.put("offsetResetPolicy", queue.fromEarliest() ? "earliest" : "latest");
    // A store that is down makes each partition wait: more copies would not help.
    metadata.put("excludePersistentLag", "true");
    metadata.put("limitToPartitionsWithLag", "true");
    metadata.put("allowIdleConsumers", "false");
    // KEDA takes no setting from a trigger and a TriggerAuthentication at once: one that somebody
    // else has made says all, but for the region, which a trigger alone can say.
    queue
        .login()
        .map(login -> shared.authentication().isEmpty() ? login.trigger() : login.region())
        .ifPresent(metadata::putAll);
    return trigger("kafka", metadata);
  }

  private static ObjectNode pubSub(PubSub queue, Scaling scaling) {
    Map<String, String> metadata = new TreeMap<>();
    metadata.put(
        "serverAddress",
        "https://monitoring.googleapis.com/v1/projects/"
            + queue.project()
            + "/location/global/prometheus");
    metadata.put(
        "query",
        "sum(pubsub_googleapis_com:subscription_num_undelivered_messages{"
            + "monitored_resource=\"pubsub_subscription\",subscription_id=\""
            + queue.subscription()
            + "\"})");
    metadata.put("threshold", String.valueOf(scaling.messagesPerReplica()));
    metadata.put("activationThreshold", "0");
    // Nothing was published yet: then nothing waits.
    metadata.put("ignoreNullValues", "true");
    return trigger("prometheus", metadata);
  }

  /**
   * Without the cache every question of the autoscaler would be a look at the queue, and two looks
   * between two commits would make a healthy group one that is stuck.
   */
  private static ObjectNode trigger(String type, Map<String, String> metadata) {
    return Tree.object(
        "type", type, "metricType", "AverageValue", "useCachedMetrics", true, "metadata", metadata);
  }
}
