package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Finds out how a namespace differs from manifests. What a cluster adds by itself, defaults and
 * status, is no difference. Thread-safe as its client is.
 */
final class ClusterDifference {
  /** Names of kinds in addresses, where they are not the kind's with an s. */
  private static final Map<String, String> PLURALS = Map.of("NetworkPolicy", "networkpolicies");

  /**
   * All kinds that are made, with their API: one that a file no longer needs may be there still.
   */
  private static final Map<String, String> KINDS =
      new TreeMap<>(
          Map.of(
              "ConfigMap",
              "v1",
              "PersistentVolumeClaim",
              "v1",
              "ServiceAccount",
              "v1",
              "Role",
              "rbac.authorization.k8s.io/v1",
              "RoleBinding",
              "rbac.authorization.k8s.io/v1",
              "NetworkPolicy",
              "networking.k8s.io/v1",
              "PodDisruptionBudget",
              "policy/v1",
              "ScaledObject",
              Scaler.API,
              "TriggerAuthentication",
              Scaler.API,
              FlinkCluster.KIND,
              FlinkCluster.API));

  /** Maps that are ours alone: a key of them that the manifest has not is a difference. */
  private static final Pattern WHOLE =
      Pattern.compile(
          "data|(.*\\.)?(flinkConfiguration|nodeSelector)|.*triggers\\[\\d+]\\.metadata");

  /** Annotations that nobody else makes. */
  private static final Pattern ANNOTATIONS =
      Pattern.compile(
          "(.*\\.)?annotations\\.(tailrace\\.io/.*|autoscaling\\.keda\\.sh/paused.*"
              + "|eks\\.amazonaws\\.com/.*|iam\\.gke\\.io/.*)");

  private static final Pattern MAPS =
      Pattern.compile("data|(.*\\.)?(flinkConfiguration|nodeSelector|annotations)");

  /** What a cluster says of a kind that it does not know, or that somebody may not look at. */
  private static final Set<Integer> NO_SUCH_KIND = Set.of(403, 404);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final KubernetesClient client;
  private final String namespace;

  ClusterDifference(KubernetesClient client, String namespace) {
    this.client = client;
    this.namespace = namespace;
  }

  /**
   * Returns a sentence for each difference: what is missing, what has another value, and what is
   * there of ours that the manifests don't have.
   *
   * @throws io.fabric8.kubernetes.client.KubernetesClientException if the cluster does not answer
   */
  List<String> of(List<ObjectNode> manifests) {
    List<String> differences = new ArrayList<>();
    Set<String> wanted = new TreeSet<>();
    for (ObjectNode manifest : manifests) {
      String kind = manifest.path("kind").asText();
      String name = manifest.at("/metadata/name").asText();
      wanted.add(kind + "/" + name);
      boolean isNamespaced = manifest.at("/metadata").has("namespace");
      ResourceDefinitionContext context =
          context(kind, manifest.path("apiVersion").asText(), isNamespaced);
      GenericKubernetesResource found =
          isNamespaced
              ? client
                  .genericKubernetesResources(context)
                  .inNamespace(namespace)
                  .withName(name)
                  .get()
              : client.genericKubernetesResources(context).withName(name).get();
      if (found == null) {
        differences.add(kind + "/" + name + " is not there, and would be made");
      } else {
        compare(kind + "/" + name, "", manifest, JSON.valueToTree(found), differences);
      }
    }
    KINDS.forEach(
        (kind, api) -> {
          boolean isMade = manifests.stream().anyMatch(it -> it.path("kind").asText().equals(kind));
          for (GenericKubernetesResource found : ours(kind, api, isMade)) {
            String name = found.getMetadata().getName();
            if (!wanted.contains(kind + "/" + name)) {
              differences.add(
                  kind
                      + "/"
                      + name
                      + " is there and not in the file: it stays until somebody deletes it");
            }
          }
        });
    return differences;
  }

  private List<GenericKubernetesResource> ours(String kind, String api, boolean isMade) {
    try {
      return client
          .genericKubernetesResources(context(kind, api, true))
          .inNamespace(namespace)
          .withLabels(Manifests.LABELS)
          .list()
          .getItems();
    } catch (KubernetesClientException e) {
      if (!isMade && NO_SUCH_KIND.contains(e.getCode())) {
        // A cluster without KEDA knows nothing of its kinds, nor that anybody might look at them.
        return List.of();
      }
      throw e;
    }
  }

  private static ResourceDefinitionContext context(String kind, String api, boolean isNamespaced) {
    int slash = api.indexOf('/');
    return new ResourceDefinitionContext.Builder()
        .withGroup(slash < 0 ? "" : api.substring(0, slash))
        .withVersion(api.substring(slash + 1))
        .withKind(kind)
        .withPlural(PLURALS.getOrDefault(kind, kind.toLowerCase(Locale.ROOT) + "s"))
        .withNamespaced(isNamespaced)
        .build();
  }

  private static void compare(
      String object, String path, JsonNode wanted, JsonNode found, List<String> differences) {
    if (wanted.isObject() && found.isObject()) {
      compareOthers(object, path, wanted, found, differences);
      for (Iterator<Map.Entry<String, JsonNode>> each = wanted.fields(); each.hasNext(); ) {
        Map.Entry<String, JsonNode> field = each.next();
        compare(
            object,
            within(path, field.getKey()),
            field.getValue(),
            found.path(field.getKey()),
            differences);
      }
    } else if (wanted.isArray() && found.isArray() && wanted.size() == found.size()) {
      for (int i = 0; i < wanted.size(); i++) {
        compare(object, path + "[" + i + "]", wanted.get(i), found.get(i), differences);
      }
    } else if (!isSame(wanted, found)) {
      differences.add(
          object
              + ": "
              + path
              + (found.isMissingNode() ? " is not there" : " is " + text(found))
              + ", and would be "
              + text(wanted));
    }
  }

  /** Looks at what is there and not wanted, where that is ours. */
  private static void compareOthers(
      String object, String path, JsonNode wanted, JsonNode found, List<String> differences) {
    for (Iterator<Map.Entry<String, JsonNode>> each = found.fields(); each.hasNext(); ) {
      Map.Entry<String, JsonNode> field = each.next();
      String name = within(path, field.getKey());
      if (wanted.has(field.getKey())) {
        continue;
      }
      if (WHOLE.matcher(path).matches() || ANNOTATIONS.matcher(name).matches()) {
        differences.add(
            object + ": " + name + " is " + text(field.getValue()) + ", and is not in the file");
      } else if (MAPS.matcher(name).matches()) {
        compareOthers(object, name, JSON.createObjectNode(), field.getValue(), differences);
      }
    }
  }

  private static String within(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** An amount may be written in several ways, and nothing may be left out. */
  private static boolean isSame(JsonNode wanted, JsonNode found) {
    if (wanted.equals(found) || (found.isValueNode() && wanted.asText().equals(found.asText()))) {
      return true;
    }
    if (found.isMissingNode()) {
      return wanted.isContainerNode() && wanted.isEmpty();
    }
    try {
      return wanted.isValueNode()
          && found.isValueNode()
          && Quantity.bytes(wanted.asText()).compareTo(Quantity.bytes(found.asText())) == 0;
    } catch (IllegalArgumentException e) {
      // No amounts.
      return false;
    }
  }

  private static String text(JsonNode node) {
    return node.isValueNode() ? node.asText() : node.toString();
  }
}
