package io.tailrace.bus.pubsub;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What Pub/Sub says of a topic or a subscription. Immutable. */
record PubSubResource(Struct fields) {
  private static final long NANOS = 1_000_000_000L;

  /** Returns a text; empty where there is none. */
  String text(String name) {
    Value value = fields.getFieldsOrDefault(name, Value.getDefaultInstance());
    return value.getStringValue();
  }

  boolean isTrue(String name) {
    return fields.getFieldsOrDefault(name, Value.getDefaultInstance()).getBoolValue();
  }

  /** Returns a whole number, if it is there. */
  Optional<Integer> number(String name) {
    Value value = fields.getFieldsOrDefault(name, Value.getDefaultInstance());
    return value.hasNumberValue() ? Optional.of((int) value.getNumberValue()) : Optional.empty();
  }

  /** Returns the texts of an array. */
  List<String> texts(String name) {
    return fields
        .getFieldsOrDefault(name, Value.getDefaultInstance())
        .getListValue()
        .getValuesList()
        .stream()
        .map(Value::getStringValue)
        .toList();
  }

  /** Returns an object within; one without fields where there is none. */
  PubSubResource in(String name) {
    return new PubSubResource(
        fields.getFieldsOrDefault(name, Value.getDefaultInstance()).getStructValue());
  }

  /** Returns whether it has no field at all. */
  boolean isEmpty() {
    return fields.getFieldsCount() == 0;
  }

  /** Returns its fields that are texts. */
  Map<String, String> texts() {
    Map<String, String> texts = new TreeMap<>();
    fields.getFieldsMap().forEach((name, value) -> texts.put(name, value.getStringValue()));
    return texts;
  }

  /** Returns a time as Pub/Sub writes it, {@code 604800s}, if it is there. */
  Optional<Duration> duration(String name) {
    String text = text(name);
    if (!text.matches("\\d{1,12}(\\.\\d{1,9})?s")) {
      return Optional.empty();
    }
    double seconds = Double.parseDouble(text.substring(0, text.length() - 1));
    return Optional.of(Duration.ofNanos((long) (seconds * NANOS)));
  }
}
