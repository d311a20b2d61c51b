package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Finds out how a namespace differs from manifests. What a cluster adds by itself, defaults and
 * status, is no difference. Thread-safe as its client is.
 */
final class ClusterDifference {
  /** Names of kinds in addresses, where they are not the kind's with an s. */
  private static final Map<String, String> PLURALS = Map.of("NetworkPolicy", "networkpolicies");

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
    Map<String, ObjectNode> kinds = new TreeMap<>();
    Set<String> wanted = new TreeSet<>();
    for (ObjectNode manifest : manifests) {
      String kind = manifest.path("kind").asText();
      String name = manifest.at("/metadata/name").asText();
      wanted.add(kind + "/" + name);
      boolean isNamespaced = manifest.at("/metadata").has("namespace");
      ResourceDefinitionContext context = context(manifest, isNamespaced);
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
      if (isNamespaced) {
        kinds.putIfAbsent(kind, manifest);
      }
    }
    kinds.forEach(
        (kind, example) -> {
          for (GenericKubernetesResource found :
              client
                  .genericKubernetesResources(context(example, true))
                  .inNamespace(namespace)
                  .withLabels(Manifests.LABELS)
                  .list()
                  .getItems()) {
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

  private static ResourceDefinitionContext context(ObjectNode manifest, boolean isNamespaced) {
    String api = manifest.path("apiVersion").asText();
    String kind = manifest.path("kind").asText();
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
      for (Iterator<Map.Entry<String, JsonNode>> each = wanted.fields(); each.hasNext(); ) {
        Map.Entry<String, JsonNode> field = each.next();
        compare(
            object,
            path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
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
