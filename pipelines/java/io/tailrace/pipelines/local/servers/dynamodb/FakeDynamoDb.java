package io.tailrace.pipelines.local.servers.dynamodb;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Simulates as much of DynamoDB as is used: tables with two text keys; items that are put, updated,
 * deleted under conditions, read and scanned; sizes, limits and units as the service counts them.
 * Signatures are not checked. Thread-safe.
 */
public final class FakeDynamoDb implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TARGET = "DynamoDB_20120810.";
  private static final int MAX_READ = 100;
  private static final int MAX_WRITTEN = 25;

  /** Bytes of the items in one answer. */
  private static final long MAX_ANSWER = 16 << 20;

  private final ExecutorService threads = Executors.newCachedThreadPool(FakeDynamoDb::thread);
  private final Map<String, Table> tables = new TreeMap<>();
  private final Map<String, AtomicLong> requests = new TreeMap<>();
  private final AtomicInteger refusals = new AtomicInteger();
  private final AtomicInteger lostAnswers = new AtomicInteger();
  private final AtomicInteger unprocessed = new AtomicInteger();
  private volatile Refusal refusal = Refusal.of("", "");
  private HttpServer server;
  private int throttleEvery;
  private long throttled;
  private long conflicts;

  private static final class Table {
    final Items items;
    final ObjectNode description;
    String ttl = "";

    Table(Items items, ObjectNode description) {
      this.items = items;
      this.description = description;
    }
  }

  private FakeDynamoDb(int port) {
    // Otherwise each answer waits 40 ms for the client's acknowledgement of its head.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    server = listen(port);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "fake-dynamodb");
    thread.setDaemon(true);
    return thread;
  }

  /** Starts a server without a table. */
  public static FakeDynamoDb start() {
    return new FakeDynamoDb(0);
  }

  private HttpServer listen(int port) {
    try {
      HttpServer listening =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
      listening.createContext("/", this::answer);
      listening.setExecutor(threads);
      listening.start();
      return listening;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the address that clients are given. */
  public String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Goes away, and keeps what it has. */
  public void stop() {
    server.stop(0);
  }

  /** Comes back, at the same address. */
  public void restart() {
    server = listen(server.getAddress().getPort());
  }

  /** Answers so many requests with an error, such as 400 ThrottlingException. */
  public void refuseNext(int count, int status, String code) {
    refusal = new Refusal(status, code, code + " says the fake", null);
    refusals.set(count);
  }

  /** Throttles one of so many requests from now on. */
  public synchronized void refuseEvery(int requests) {
    throttleEvery = requests;
  }

  /**
   * What it was asked, and what it charges.
   *
   * @param conflicts writes whose condition did not hold
   */
  public record Counts(
      long requests, long conflicts, long throttled, double writeUnits, double readUnits) {
    /** Returns what came since then. */
    public Counts since(Counts before) {
      return new Counts(
          requests - before.requests,
          conflicts - before.conflicts,
          throttled - before.throttled,
          writeUnits - before.writeUnits,
          readUnits - before.readUnits);
    }
  }

  /** Returns what it was asked until now, and has charged. */
  public synchronized Counts counts() {
    return new Counts(requests(), conflicts, throttled, writeUnits(), readUnits());
  }

  /** Carries out so many requests and answers none of them. */
  public void loseAnswers(int count) {
    lostAnswers.set(count);
  }

  /** Carries out only a part of so many reads and writes of several items. */
  public void processInParts(int count) {
    unprocessed.set(count);
  }

  /** Removes all tables. */
  public synchronized void removeAll() {
    tables.clear();
  }

  /** Returns how many requests of a kind it was sent, such as {@code UpdateItem}. */
  public long requests(String operation) {
    AtomicLong count = requests.get(operation);
    return count == null ? 0 : count.get();
  }

  /** Returns how many requests it was sent. */
  public synchronized long requests() {
    return requests.values().stream().mapToLong(AtomicLong::get).sum();
  }

  /** Returns the write units of all tables. */
  public synchronized double writeUnits() {
    return tables.values().stream().mapToDouble(table -> table.items.writeUnits()).sum();
  }

  /** Returns the read units of all tables. */
  public synchronized double readUnits() {
    return tables.values().stream().mapToDouble(table -> table.items.readUnits()).sum();
  }

  /** Returns the items of a table, as they stand in messages. */
  public synchronized List<JsonNode> items(String table) {
    Table found = tables.get(table);
    return found == null ? List.of() : List.copyOf(found.items.all());
  }

  /** Returns the names of the tables. */
  public synchronized Set<String> tables() {
    return Set.copyOf(tables.keySet());
  }

  /** Puts an item, as somebody else does. */
  public synchronized void put(String table, String item) throws IOException {
    try {
      Table found = tables.get(table);
      if (found == null) {
        throw new IllegalArgumentException("there is no table " + table);
      }
      var unused = found.items.put(JSON.createObjectNode().set("Item", JSON.readTree(item)));
    } catch (Refusal e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** Creates a table whose two keys are texts. */
  public synchronized void createTable(String name, String partitionKey, String sortKey) {
    ObjectNode request = JSON.createObjectNode();
    request.put("TableName", name);
    ArrayNode keys = request.putArray("KeySchema");
    keys.addObject().put("AttributeName", partitionKey).put("KeyType", "HASH");
    keys.addObject().put("AttributeName", sortKey).put("KeyType", "RANGE");
    ArrayNode types = request.putArray("AttributeDefinitions");
    types.addObject().put("AttributeName", partitionKey).put("AttributeType", "S");
    types.addObject().put("AttributeName", sortKey).put("AttributeType", "S");
    try {
      var unused = createTable(request);
    } catch (Refusal e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** Says of a table that another region has a copy. */
  public synchronized void replicate(String table, String region) {
    Table found = tables.get(table);
    if (found != null) {
      found.description.putArray("Replicas").addObject().put("RegionName", region);
    }
  }

  /** Removes the items whose time is over, as a table does when it gets there. */
  public synchronized void expire(long nowSeconds) {
    tables.values().stream()
        .filter(table -> !table.ttl.isEmpty())
        .forEach(table -> table.items.expire(table.ttl, nowSeconds));
  }

  private void answer(HttpExchange exchange) throws IOException {
    String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
    String operation = target == null ? "" : target.replace(TARGET, "");
    JsonNode request = JSON.readTree(exchange.getRequestBody().readAllBytes());
    int status = 200;
    ObjectNode answer;
    try {
      synchronized (this) {
        requests.computeIfAbsent(operation, any -> new AtomicLong()).incrementAndGet();
        if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
          throw refusal;
        }
        if (throttleEvery > 0 && requests() % throttleEvery == 0) {
          throttled++;
          throw Refusal.of("ThrottlingException", "Rate exceeded");
        }
        answer = answer(operation, request);
      }
    } catch (Refusal e) {
      count(e);
      status = e.status();
      answer = JSON.createObjectNode();
      answer.put("__type", "com.amazonaws.dynamodb.v20120810#" + e.code());
      answer.put("message", e.getMessage());
      if (e.item().isPresent()) {
        answer.set("Item", e.item().get());
      }
    }
    if (lostAnswers.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      exchange.close();
      return;
    }
    byte[] body = JSON.writeValueAsBytes(answer);
    exchange.getResponseHeaders().set("Content-Type", "application/x-amz-json-1.0");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private synchronized void count(Refusal e) {
    if (e.code().equals("ConditionalCheckFailedException")) {
      conflicts++;
    }
  }

  private ObjectNode answer(String operation, JsonNode request) throws Refusal {
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

  private ObjectNode createTable(JsonNode request) throws Refusal {
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
    int most = takePart() ? 1 : MAX_READ;
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

  private boolean takePart() {
    return unprocessed.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
  }

  private static void checkCount(JsonNode list, int most, String otherwise) throws Refusal {
    if (list.isEmpty() || list.size() > most) {
      throw Refusal.invalid(otherwise);
    }
  }

  private ObjectNode batchWrite(JsonNode request) throws Refusal {
    boolean isPart = takePart();
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

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
