package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What KEDA's own schema says of the kinds and of the scalers that are used here, for which there
 * are no classes: {@code keda-2.20.txt} has a line for each key, {@code kind path type
 * value,value}, and for each parameter of a scaler, whether a trigger says it or a
 * TriggerAuthentication ({@code login}).
 */
final class KedaFacts {
  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
  private static final Set<String> SCALERS = Set.of("kafka", "prometheus");

  private KedaFacts() {}

  /** Returns the lines of the resource. */
  static Map<String, String> known() throws IOException {
    Map<String, String> facts = new TreeMap<>();
    try (InputStream in = KedaFacts.class.getResourceAsStream("/keda-2.20.txt")) {
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split(" ", 3))
          .forEach(words -> facts.put(words[0] + " " + words[1], words[2]));
    }
    return facts;
  }

  /**
   * Looks at a manifest.
   *
   * @throws IOException naming a key or a value that KEDA does not know
   */
  static void check(JsonNode manifest) throws IOException {
    String kind = manifest.path("kind").asText();
    Map<String, String> found = new HashMap<>();
    walk(manifest.path("spec"), "", found);
    Map<String, String> known = known();
    List<String> wrong = new ArrayList<>();
    found.forEach(
        (path, value) -> {
          String fact = known.get(kind + " " + path);
          boolean isRight =
              fact != null
                  && switch (fact.split(" ", -1)[0]) {
                    case "integer" -> value.matches("-?\\d+");
                    case "boolean" -> value.matches("true|false");
                    default ->
                        !fact.contains(" ")
                            || List.of(fact.split(" ", -1)[1].split(",", -1))
                                .contains(value.replaceAll("^\"|\"$", ""));
                  };
          if (!isRight) {
            wrong.add(kind + " " + path + "=" + value);
          }
        });
    for (JsonNode trigger : manifest.path("spec").path("triggers")) {
      String scaler = trigger.path("type").asText();
      trigger
          .path("metadata")
          .fields()
          .forEachRemaining(
              field -> {
                String fact = known.get(scaler + " " + field.getKey());
                String[] words = fact == null ? new String[0] : fact.split(" ", -1);
                boolean isRight =
                    field.getValue().isTextual()
                        && words.length > 0
                        && (words.length == 1
                            || List.of(words[1].split(",", -1))
                                .contains(field.getValue().textValue()));
                if (!isRight) {
                  wrong.add(scaler + " " + field);
                }
              });
    }
    for (String list : List.of("secretTargetRef", "configMapTargetRef")) {
      for (JsonNode each : manifest.path("spec").path(list)) {
        if (!known.containsKey("login " + each.path("parameter").asText())) {
          wrong.add("login " + each.path("parameter").asText());
        }
      }
    }
    if (!wrong.isEmpty()) {
      throw new IOException("KEDA does not know " + wrong);
    }
  }

  private static void walk(JsonNode node, String path, Map<String, String> found) {
    if (path.endsWith("triggers[].metadata")) {
      return;
    }
    if (node.isObject()) {
      node.fields()
          .forEachRemaining(
              each ->
                  walk(
                      each.getValue(),
                      path.isEmpty() ? each.getKey() : path + "." + each.getKey(),
                      found));
    } else if (node.isArray()) {
      node.forEach(each -> walk(each, path + "[]", found));
    } else {
      found.put(path, node.toString());
    }
  }

  /** Returns what KEDA's own files in a directory say. */
  static Map<String, String> ofSchema(Path directory) throws IOException {
    Map<String, String> facts = new TreeMap<>();
    for (String kind : List.of("ScaledObject", "TriggerAuthentication")) {
      Path file = directory.resolve("keda.sh_" + kind.toLowerCase(Locale.ROOT) + "s.yaml");
      JsonNode schema =
          YAML.readTree(Files.readString(file))
              .at("/spec/versions/0/schema/openAPIV3Schema/properties/spec");
      schema(schema, kind, "", facts);
    }
    JsonNode scalers =
        new ObjectMapper()
            .readTree(Files.readString(directory.resolve("scalers-schema.json")))
            .path("scalers");
    for (JsonNode scaler : scalers) {
      String type = scaler.path("type").asText();
      if (SCALERS.contains(type)) {
        for (JsonNode parameter : scaler.path("parameters")) {
          String name = parameter.path("name").asText();
          String values = "string" + values(parameter.path("allowedValue"));
          if (parameter.path("metadataVariableReadable").asBoolean()) {
            facts.put(type + " " + name, values);
          }
          if (parameter.path("triggerAuthenticationVariableReadable").asBoolean()) {
            facts.put("login " + name, values);
          }
        }
      }
    }
    return facts;
  }

  private static void schema(JsonNode schema, String kind, String path, Map<String, String> facts) {
    String type = schema.path("type").asText("any");
    if (schema.has("properties")) {
      schema
          .path("properties")
          .fields()
          .forEachRemaining(
              each ->
                  schema(
                      each.getValue(),
                      kind,
                      path.isEmpty() ? each.getKey() : path + "." + each.getKey(),
                      facts));
    } else if (type.equals("array")) {
      schema(schema.path("items"), kind, path + "[]", facts);
    } else {
      facts.put(kind + " " + path, type + values(schema.path("enum")));
    }
  }

  private static String values(JsonNode list) {
    Set<String> values = new TreeSet<>();
    list.forEach(value -> values.add(value.asText()));
    return values.isEmpty() ? "" : " " + String.join(",", values);
  }
}
