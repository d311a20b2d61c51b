package io.tailrace.pipelines.local.servers.dynamodb;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The items of a table, and what may be done with them. Used under the lock of its server. */
final class Items {
  static final int MAX_BYTES = 400 << 10;
  private static final int MAX_PARTITION_KEY = 2_048;
  private static final int MAX_NAME = 65_535;
  private static final int MAX_SORT_KEY = 1_024;
  private static final int WRITE_UNIT = 1 << 10;
  private static final int READ_UNIT = 4 << 10;

  private final Map<List<JsonNode>, ObjectNode> items = new HashMap<>();
  private final List<String> keys;
  private double writeUnits;
  private double readUnits;

  /**
   * What a write did.
   *
   * @param before null: there was no item
   */
  record Written(@Nullable ObjectNode before, double units) {}

  Items(List<String> keys) {
    this.keys = keys;
  }

  double writeUnits() {
    return writeUnits;
  }

  double readUnits() {
    return readUnits;
  }

  List<ObjectNode> all() {
    return List.copyOf(items.values());
  }

  void clear() {
    items.clear();
  }

  private List<JsonNode> key(JsonNode attributes, boolean alone) throws Refusal {
    if (alone && attributes.size() != keys.size()) {
      throw Refusal.invalid("The provided key element does not match the schema");
    }
    List<JsonNode> key = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      JsonNode part = attributes.get(keys.get(i));
      if (part == null || !part.has("S")) {
        throw Refusal.invalid(
            alone
                ? "The provided key element does not match the schema"
                : "One or more parameter values were invalid: Missing the key "
                    + keys.get(i)
                    + " in the item");
      }
      int bytes = part.get("S").asText().getBytes(UTF_8).length;
      if (bytes == 0) {
        throw Refusal.invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute"
                + " cannot contain an empty string value. Key: "
                + keys.get(i));
      }
      int most = i == 0 ? MAX_PARTITION_KEY : MAX_SORT_KEY;
      if (bytes > most) {
        throw Refusal.invalid(
            "One or more parameter values were invalid: "
                + (i == 0
                    ? "Size of hashkey has exceeded the maximum size limit of2048 bytes"
                    : "Aggregated size of all range keys has exceeded the size limit of 1024"
                        + " bytes"));
      }
      key.add(part);
    }
    return key;
  }

  /** Returns the key of a write of a list of them. */
  List<JsonNode> keyOf(JsonNode write) throws Refusal {
    return write.has("PutRequest")
        ? key(write.path("PutRequest").path("Item"), false)
        : key(write.path("DeleteRequest").path("Key"), true);
  }

  @Nullable ObjectNode get(JsonNode key, boolean consistent) throws Refusal {
    ObjectNode item = items.get(key(key, true));
    long size = item == null ? 0 : Values.size(item);
    readUnits += readUnits(size, consistent);
    return item;
  }

  static double readUnits(long size, boolean consistent) {
    double units = Math.max(1, Math.ceil((double) size / READ_UNIT));
    return consistent ? units : units / 2;
  }

  private static double writeUnits(@Nullable ObjectNode before, @Nullable ObjectNode after) {
    long size =
        Math.max(before == null ? 0 : Values.size(before), after == null ? 0 : Values.size(after));
    return Math.max(1, Math.ceil((double) size / WRITE_UNIT));
  }

  Written put(JsonNode request) throws Refusal {
    ObjectNode item = (ObjectNode) request.path("Item").deepCopy();
    List<JsonNode> key = key(item, false);
    ObjectNode before = items.get(key);
    check(request, before, "");
    checkSize(item, "Item size has exceeded the maximum allowed size");
    return replace(key, before, item);
  }

  Written update(JsonNode request) throws Refusal {
    List<JsonNode> key = key(request.path("Key"), true);
    ObjectNode before = items.get(key);
    String update = request.path("UpdateExpression").asText("");
    check(request, before, update);
    ObjectNode seen = before == null ? JsonNodeFactory.instance.objectNode() : before;
    ObjectNode after = seen;
    if (!update.isEmpty()) {
      after = Expression.updated(update, new Expression.Placeholders(request), seen);
    }
    for (int i = 0; i < keys.size(); i++) {
      if (before == null ? after.has(keys.get(i)) : !key.get(i).equals(after.get(keys.get(i)))) {
        throw Refusal.invalid(
            "One or more parameter values were invalid: Cannot update attribute "
                + keys.get(i)
                + ". This attribute is part of the key");
      }
    }
    if (before == null) {
      after = after.deepCopy();
      for (int i = 0; i < keys.size(); i++) {
        after.set(keys.get(i), key.get(i));
      }
    }
    checkSize(after, "Item size to update has exceeded the maximum allowed size");
    return replace(key, before, after);
  }

  Written delete(JsonNode request) throws Refusal {
    List<JsonNode> key = key(request.path("Key"), true);
    ObjectNode before = items.get(key);
    check(request, before, "");
    double units = writeUnits(before, null);
    writeUnits += units;
    items.remove(key);
    return new Written(before, units);
  }

  private Written replace(List<JsonNode> key, @Nullable ObjectNode before, ObjectNode after) {
    double units = writeUnits(before, after);
    writeUnits += units;
    items.put(key, after);
    return new Written(before, units);
  }

  private static void checkSize(ObjectNode item, String otherwise) throws Refusal {
    for (String name : (Iterable<String>) item::fieldNames) {
      if (name.getBytes(UTF_8).length > MAX_NAME) {
        throw Refusal.invalid("Attribute name is too large, must be less than 65536 bytes");
      }
    }
    if (Values.size(item) > MAX_BYTES) {
      throw Refusal.invalid(otherwise);
    }
  }

  /** Looks at the condition; that of a write that fails is paid for, too. */
  private void check(JsonNode request, @Nullable ObjectNode before, String update) throws Refusal {
    String condition = request.path("ConditionExpression").asText("");
    Expression.Placeholders placeholders = new Expression.Placeholders(request);
    ObjectNode item = before == null ? JsonNodeFactory.instance.objectNode() : before;
    boolean holds = condition.isEmpty() || Expression.isTrue(condition, placeholders, item);
    if (!update.isEmpty()) {
      try {
        var unused = Expression.updated(update, placeholders, item);
      } catch (Refusal e) {
        if (holds) {
          throw e;
        }
      }
    }
    placeholders.checkAllUsed();
    if (!holds) {
      writeUnits += writeUnits(before, null);
      boolean asked =
          request.path("ReturnValuesOnConditionCheckFailure").asText("").equals("ALL_OLD");
      throw new Refusal(
          400,
          "ConditionalCheckFailedException",
          "The conditional request failed",
          asked ? before : null);
    }
  }

  /** Removes what a table's TTL would, once it gets there. */
  void expire(String attribute, long nowSeconds) {
    items
        .values()
        .removeIf(
            item ->
                item.path(attribute).has("N")
                    && Values.number(item.get(attribute)).longValue() <= nowSeconds);
  }
}
