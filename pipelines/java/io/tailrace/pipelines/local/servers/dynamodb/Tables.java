package io.tailrace.pipelines.local.servers.dynamodb;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/** The tables, and the operations of the service over them. Used under the lock of its server. */
final class Tables {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_READ = 100;
  private static final int MAX_WRITTEN = 25;

  /** Bytes of the items in one answer. */
  private static final long MAX_ANSWER = 16 << 20;

  private final Map<String, Table> tables = new TreeMap<>();
  private final BooleanSupplier partial;
  private String account = "000000000000";

  /** A table. */
  static final class Table {
    final Items items;
    final ObjectNode description;
    String ttl = "";

    Table(Items items, ObjectNode description) {
      this.items = items;
      this.description = description;
    }
  }

  /**
   * Makes none yet.
   *
   * @param partial whether the next operation over several items carries out a part of it only
   */
  Tables(BooleanSupplier partial) {
    this.partial = partial;
  }

  /** Has the tables that are created from now on be an account's. */
  void account(String number) {
    account = number;
  }

  Map<String, Table> all() {
    return tables;
  }

  /** Carries out an operation. */
  ObjectNode answer(String operation, JsonNode request) throws Refusal {
    return switch (operation) {
      case "CreateTable" -> createTable(request);
      case "DescribeTable" -> described("Table", table(request));
      case "UpdateTimeToLive" -> updateTimeToLive(request);
      case "DescribeTimeToLive" -> describeTimeToLive(request);
      case "PutItem" -> written(request, table(request).items.put(request));
      case "UpdateItem" -> written(request, table(request).items.update(request));
      case "DeleteItem" -> written(request, table(request).items.delete(request));
      case "GetItem" -> getItem(request);
      case "BatchGetItem" -> batchGet(request);
      case "BatchWriteItem" -> batchWrite(request);
      default -> throw Refusal.of("UnknownOperationException", "not simulated: " + operation);
    };
  }

  private Table table(JsonNode request) throws Refusal {
    return table(request.path("TableName").asText());
  }

  private Table table(String name) throws Refusal {
    Table table = tables.get(name);
    if (table == null) {
      throw Refusal.of(
          "ResourceNotFoundException",
          "Requested resource not found: Table: " + name + " not found");
    }
    return table;
  }

  ObjectNode createTable(JsonNode request) throws Refusal {
    String name = request.path("TableName").asText();
    if (tables.containsKey(name)) {
      throw Refusal.of("ResourceInUseException", "Table already exists: " + name);
    }
    List<String> keys = new ArrayList<>();
    request.path("KeySchema").forEach(key -> keys.add(key.path("AttributeName").asText()));
    ObjectNode description = JSON.createObjectNode();
    description.put("TableName", name);
    description.put("TableStatus", "ACTIVE");
    description.put("TableId", UUID.randomUUID().toString());
    description.put("TableArn", "arn:aws:dynamodb:eu-west-1:" + account + ":table/" + name);
    description.set("KeySchema", request.path("KeySchema"));
    description.set("AttributeDefinitions", request.path("AttributeDefinitions"));
    description
        .putObject("BillingModeSummary")
        .put("BillingMode", request.path("BillingMode").asText("PROVISIONED"));
    Table table = new Table(new Items(keys), description);
    tables.put(name, table);
    return described("TableDescription", table);
  }

  private static ObjectNode described(String field, Table table) {
    ObjectNode answer = JSON.createObjectNode();
    answer.set(field, table.description);
    return answer;
  }

  private ObjectNode updateTimeToLive(JsonNode request) throws Refusal {
    Table table = table(request);
    JsonNode wanted = request.path("TimeToLiveSpecification");
    boolean isOn = wanted.path("Enabled").asBoolean();
    if (isOn != table.ttl.isEmpty()) {
      throw Refusal.invalid("TimeToLive is already " + (isOn ? "enabled" : "disabled"));
    }
    table.ttl = isOn ? wanted.path("AttributeName").asText() : "";
    ObjectNode answer = JSON.createObjectNode();
    answer.set("TimeToLiveSpecification", wanted);
    return answer;
  }

  private ObjectNode describeTimeToLive(JsonNode request) throws Refusal {
    Table table = table(request);
    ObjectNode answer = JSON.createObjectNode();
    ObjectNode found = answer.putObject("TimeToLiveDescription");
    found.put("TimeToLiveStatus", table.ttl.isEmpty() ? "DISABLED" : "ENABLED");
    if (!table.ttl.isEmpty()) {
      found.put("AttributeName", table.ttl);
    }
    return answer;
  }

  private static ObjectNode written(JsonNode request, Items.Written written) {
    ObjectNode answer = JSON.createObjectNode();
    if (request.path("ReturnValues").asText("").equals("ALL_OLD") && written.before() != null) {
      answer.set("Attributes", written.before());
    }
    consumed(request, answer, written.units());
    return answer;
  }

  private static void consumed(JsonNode request, ObjectNode answer, double units) {
    if (request.path("ReturnConsumedCapacity").asText("NONE").equals("TOTAL")) {
      answer
          .putObject("ConsumedCapacity")
          .put("TableName", request.path("TableName").asText())
          .put("CapacityUnits", units);
    }
  }

  private ObjectNode getItem(JsonNode request) throws Refusal {
    Items items = table(request).items;
    double before = items.readUnits();
    ObjectNode item = items.get(request.path("Key"), request.path("ConsistentRead").asBoolean());
    ObjectNode answer = JSON.createObjectNode();
    if (item != null) {
      answer.set("Item", item);
    }
    consumed(request, answer, items.readUnits() - before);
    return answer;
  }

  private ObjectNode batchGet(JsonNode request) throws Refusal {
    int most = partial.getAsBoolean() ? 1 : MAX_READ;
    ObjectNode answer = JSON.createObjectNode();
    ObjectNode responses = answer.putObject("Responses");
    ObjectNode left = answer.putObject("UnprocessedKeys");
    ArrayNode capacity = JSON.createArrayNode();
    long bytes = 0;
    for (Map.Entry<String, JsonNode> each : request.path("RequestItems").properties()) {
      JsonNode keys = each.getValue().path("Keys");
      checkCount(keys, MAX_READ, "Too many items requested for the BatchGetItem call");
      Items items = table(each.getKey()).items;
      boolean consistent = each.getValue().path("ConsistentRead").asBoolean();
      double before = items.readUnits();
      ArrayNode found = responses.putArray(each.getKey());
      ArrayNode open = JSON.createArrayNode();
      Set<JsonNode> seen = new HashSet<>();
      for (JsonNode key : keys) {
        if (!seen.add(key)) {
          throw Refusal.invalid("Provided list of item keys contains duplicates");
        }
        if (seen.size() > most || bytes > MAX_ANSWER) {
          open.add(key);
          continue;
        }
        ObjectNode item = items.get(key, consistent);
        if (item != null) {
          found.add(item);
          bytes += Values.size(item);
        }
      }
      if (!open.isEmpty()) {
        ObjectNode again = (ObjectNode) each.getValue().deepCopy();
        again.set("Keys", open);
        left.set(each.getKey(), again);
      }
      capacity
          .addObject()
          .put("TableName", each.getKey())
          .put("CapacityUnits", items.readUnits() - before);
    }
    if (request.path("ReturnConsumedCapacity").asText("NONE").equals("TOTAL")) {
      answer.set("ConsumedCapacity", capacity);
    }
    return answer;
  }

  private static void checkCount(JsonNode list, int most, String otherwise) throws Refusal {
    if (list.isEmpty() || list.size() > most) {
      throw Refusal.invalid(otherwise);
    }
  }

  private ObjectNode batchWrite(JsonNode request) throws Refusal {
    boolean isPart = partial.getAsBoolean();
    ObjectNode answer = JSON.createObjectNode();
    ObjectNode left = answer.putObject("UnprocessedItems");
    for (Map.Entry<String, JsonNode> each : request.path("RequestItems").properties()) {
      checkCount(
          each.getValue(), MAX_WRITTEN, "Too many items requested for the BatchWriteItem call");
      Items items = table(each.getKey()).items;
      ArrayNode open = JSON.createArrayNode();
      Set<List<JsonNode>> seen = new HashSet<>();
      int done = 0;
      for (JsonNode write : each.getValue()) {
        if (!seen.add(items.keyOf(write))) {
          throw Refusal.invalid("Provided list of item keys contains duplicates");
        }
        if (isPart && done > 0) {
          open.add(write);
        } else if (write.has("PutRequest")) {
          var unused = items.put(write.get("PutRequest"));
        } else {
          var unused = items.delete(write.path("DeleteRequest"));
        }
        done++;
      }
      if (!open.isEmpty()) {
        left.set(each.getKey(), open);
      }
    }
    return answer;
  }
}
