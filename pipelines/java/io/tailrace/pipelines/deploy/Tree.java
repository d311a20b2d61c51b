package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Builds manifests, whose keys keep the order in which they are said. Stateless. */
final class Tree {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Tree() {}

  /**
   * Returns an object of keys, each followed by its value: text, a number, true or false, a list, a
   * map or a node. A key whose value is an empty Optional, map or list is left out.
   */
  static ObjectNode object(Object... keysAndValues) {
    ObjectNode object = JSON.createObjectNode();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      Object value = keysAndValues[i + 1];
      if (value instanceof Optional<?> optional) {
        if (optional.isEmpty()) {
          continue;
        }
        value = optional.get();
      }
      boolean isEmpty =
          (value instanceof Map<?, ?> map && map.isEmpty())
              || (value instanceof List<?> list && list.isEmpty());
      if (!isEmpty) {
        object.set((String) keysAndValues[i], JSON.<JsonNode>valueToTree(value));
      }
    }
    return object;
  }

  /** Returns an object without keys, where that has a meaning of its own: all, or any. */
  static ObjectNode nothing() {
    return JSON.createObjectNode();
  }

  /** Returns a manifest: its kind, its name and what else it has. */
  static ObjectNode manifest(
      String apiVersion, String kind, ObjectNode metadata, ObjectNode content) {
    ObjectNode manifest = object("apiVersion", apiVersion, "kind", kind, "metadata", metadata);
    manifest.setAll(content);
    return manifest;
  }
}
