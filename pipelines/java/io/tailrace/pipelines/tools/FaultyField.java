package io.tailrace.pipelines.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the field because of which JSON is not a message: protobuf says what is wrong, but not
 * where. It takes the JSON apart and parses each field alone until one fails that has no fields
 * itself.
 *
 * @param path for example {@code frames[0].columns[3].type}; empty if the JSON as a whole is at
 *     fault
 * @param message what is wrong with it
 */
record FaultyField(String path, String message) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Looks for the field in JSON that is no message of a type, for a reason that protobuf gave. */
  static FaultyField find(String json, Descriptor type, String reason) {
    try {
      return in(JSON.readTree(json), type, "").orElse(new FaultyField("", firstLine(reason)));
    } catch (JsonProcessingException e) {
      return new FaultyField(
          "",
          "not JSON: "
              + firstLine(e.getOriginalMessage()).replaceFirst(" \\(start marker.*", "")
              + " at column "
              + e.getLocation().getColumnNr());
    }
  }

  private static Optional<FaultyField> in(JsonNode object, Descriptor type, String parent) {
    if (!object.isObject()) {
      return Optional.of(new FaultyField(parent, "expected an object, found " + object));
    }
    for (Map.Entry<String, JsonNode> entry : object.properties()) {
      Optional<FieldDescriptor> field =
          type.getFields().stream()
              .filter(
                  it ->
                      it.getJsonName().equals(entry.getKey())
                          || it.getName().equals(entry.getKey()))
              .findFirst();
      String path = parent + (parent.isEmpty() ? "" : ".") + entry.getKey();
      if (field.isEmpty()) {
        return Optional.of(new FaultyField(path, "there is no such field"));
      }
      Optional<FaultyField> faulty =
          inField(entry.getValue(), field.get(), parent + (parent.isEmpty() ? "" : "."));
      if (faulty.isPresent()) {
        return faulty;
      }
    }
    return Optional.empty();
  }

  private static Optional<FaultyField> inField(
      JsonNode value, FieldDescriptor field, String parent) {
    String path = parent + field.getName();
    if (field.isRepeated() && value.isArray()) {
      for (int i = 0; i < value.size(); i++) {
        JsonNode one = JSON.createArrayNode().add(value.get(i));
        Optional<FaultyField> faulty = alone(value.get(i), one, field, path + "[" + i + "]");
        if (faulty.isPresent()) {
          return faulty;
        }
      }
      return Optional.empty();
    }
    return alone(value, value, field, path);
  }

  private static Optional<FaultyField> alone(
      JsonNode value, JsonNode wrapped, FieldDescriptor field, String path) {
    JsonNode only = JSON.createObjectNode().set(field.getJsonName(), wrapped);
    try {
      JsonFormat.parser()
          .merge(only.toString(), DynamicMessage.newBuilder(field.getContainingType()));
      return Optional.empty();
    } catch (InvalidProtocolBufferException e) {
      if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        Optional<FaultyField> inner = in(value, field.getMessageType(), path);
        if (inner.isPresent()) {
          return inner;
        }
      }
      return Optional.of(new FaultyField(path, firstLine(String.valueOf(e.getMessage()))));
    }
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse(text);
  }
}
