package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tailrace.endpoint.Durations;
import io.tailrace.pipelines.Nearest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * An object in a file, whose keys are taken out one by one. What has the wrong type is a problem
 * with its path, and comes back empty, so that the others can be looked at too; {@link #finish}
 * refuses the keys that nobody has asked for. Not thread-safe.
 */
final class Section {
  private final JsonNode node;
  private final String path;
  private final Problems problems;
  private final Set<String> known = new LinkedHashSet<>();

  private Section(JsonNode node, String path, Problems problems) {
    this.node = node;
    this.path = path;
    this.problems = problems;
  }

  /** Takes the whole of a file. */
  static Section of(JsonNode file, Problems problems) {
    if (!file.isObject()) {
      problems.add("", "the file must hold an object, not " + said(file));
    }
    return new Section(file, "", problems);
  }

  /** Returns the path to a key, for a problem. */
  String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** Adds a problem of a key. */
  void problem(String key, String sentence) {
    problems.add(at(key), sentence);
  }

  /** Adds a problem of another place in the same file. */
  void problemOfFile(String otherPath, String sentence) {
    problems.add(otherPath, sentence);
  }

  /** Returns whether a key is there. */
  boolean has(String key) {
    known.add(key);
    return node.has(key);
  }

  private Optional<JsonNode> take(String key) {
    known.add(key);
    JsonNode value = node.get(key);
    if (value != null && value.isNull()) {
      problem(key, "has no value: give it one, or leave it out");
      return Optional.empty();
    }
    return Optional.ofNullable(value);
  }

  private Optional<JsonNode> take(String key, boolean isRight, String wanted) {
    if (!isRight) {
      problem(key, "must be " + wanted + ", not " + said(node.get(key)));
      return Optional.empty();
    }
    return Optional.ofNullable(node.get(key));
  }

  /** Takes a text. */
  Optional<String> text(String key) {
    return take(key)
        .flatMap(value -> take(key, value.isTextual(), "text"))
        .map(JsonNode::textValue)
        .filter(
            text -> {
              if (text.isBlank()) {
                problem(key, "is empty: give it a value, or leave it out");
              }
              return !text.isBlank();
            });
  }

  /** Takes a text, or a number as it would be written. */
  Optional<String> scalar(String key) {
    return take(key)
        .flatMap(value -> take(key, value.isTextual() || value.isNumber(), "text or a number"))
        .map(JsonNode::asText);
  }

  /** Takes a text that another place gives a meaning to. */
  <T> Optional<T> parsed(String key, Function<String, T> parser) {
    return scalar(key)
        .flatMap(
            text -> {
              try {
                return Optional.of(parser.apply(text));
              } catch (IllegalArgumentException e) {
                problem(key, String.valueOf(e.getMessage()));
                return Optional.empty();
              }
            });
  }

  /** Takes a duration above zero, such as {@code 10s}. */
  Optional<Duration> duration(String key) {
    return parsed(key, Durations::parse);
  }

  /** Takes a whole number. */
  Optional<Long> number(String key, long min, long max) {
    return take(key)
        .flatMap(
            value ->
                take(
                    key,
                    value.isIntegralNumber()
                        && value.canConvertToLong()
                        && value.longValue() >= min
                        && value.longValue() <= max,
                    "a whole number between " + min + " and " + max))
        .map(JsonNode::longValue);
  }

  /** Takes a list of whole numbers. */
  Set<Integer> numbers(String key, int min, int max) {
    Set<Integer> numbers = new LinkedHashSet<>();
    take(key)
        .flatMap(value -> take(key, value.isArray(), "a list of numbers"))
        .ifPresent(
            list -> {
              for (JsonNode each : list) {
                if (each.isInt() && each.intValue() >= min && each.intValue() <= max) {
                  numbers.add(each.intValue());
                } else {
                  problem(
                      key,
                      "must hold whole numbers between "
                          + min
                          + " and "
                          + max
                          + ", and has "
                          + said(each));
                }
              }
            });
    return numbers;
  }

  /** Takes true or false. */
  Optional<Boolean> flag(String key) {
    return take(key)
        .flatMap(value -> take(key, value.isBoolean(), "true or false"))
        .map(JsonNode::booleanValue);
  }

  /** Takes an object of texts, numbers and switches under names of their own, all as text. */
  Map<String, String> texts(String key) {
    Map<String, String> texts = new LinkedHashMap<>();
    object(key)
        .ifPresent(
            object ->
                object
                    .fields()
                    .forEachRemaining(
                        field -> {
                          if (field.getValue().isValueNode() && !field.getValue().isNull()) {
                            texts.put(field.getKey(), field.getValue().asText());
                          } else {
                            problem(
                                key + "." + field.getKey(),
                                "must be text, a number or true or false, not "
                                    + said(field.getValue()));
                          }
                        }));
    return texts;
  }

  private Optional<JsonNode> object(String key) {
    return take(key).flatMap(value -> take(key, value.isObject(), "an object"));
  }

  /** Takes an object whose keys are known. */
  Optional<Section> section(String key) {
    return object(key).map(value -> new Section(value, at(key), problems));
  }

  /** Takes an object whose keys are known; where it is not there, one without keys. */
  Section sectionOrEmpty(String key) {
    return section(key)
        .orElseGet(() -> new Section(JsonNodeFactory.instance.objectNode(), at(key), problems));
  }

  /** Takes a list of objects. */
  List<Section> sections(String key) {
    List<Section> sections = new ArrayList<>();
    take(key)
        .flatMap(value -> take(key, value.isArray(), "a list"))
        .ifPresent(
            list -> {
              for (int i = 0; i < list.size(); i++) {
                String each = key + "[" + i + "]";
                if (list.get(i).isObject()) {
                  sections.add(new Section(list.get(i), at(each), problems));
                } else {
                  problem(each, "must be an object, not " + said(list.get(i)));
                }
              }
            });
    return sections;
  }

  /** Returns the keys that nobody has asked for, and asks for them. */
  List<String> rest() {
    List<String> rest = new ArrayList<>();
    node.fieldNames()
        .forEachRemaining(
            key -> {
              if (!known.contains(key)) {
                rest.add(key);
              }
            });
    return rest;
  }

  /** Refuses the keys that nobody has asked for. */
  void finish() {
    for (String key : rest()) {
      problem(key, "there is no such key" + Nearest.question(key, known));
    }
  }

  private static String said(JsonNode node) {
    String text = node.toString();
    return text.length() > 60 ? text.substring(0, 60) + "…" : text;
  }
}
