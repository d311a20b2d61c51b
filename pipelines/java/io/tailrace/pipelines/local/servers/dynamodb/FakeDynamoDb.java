package io.tailrace.pipelines.local.servers.dynamodb;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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

  private final ExecutorService threads = Executors.newCachedThreadPool(FakeDynamoDb::thread);
  private final Map<String, AtomicLong> requests = new TreeMap<>();
  private final AtomicInteger refusals = new AtomicInteger();
  private final AtomicInteger lostAnswers = new AtomicInteger();
  private final AtomicInteger unprocessed = new AtomicInteger();
  private final Tables tables =
      new Tables(() -> unprocessed.getAndUpdate(left -> Math.max(0, left - 1)) > 0);
  private volatile Refusal refusal = Refusal.of("", "");
  private volatile String allowed = "";
  private HttpServer server;
  private int throttleEvery;
  private long throttled;
  private long conflicts;

  private FakeDynamoDb(int port) {
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
      HttpServer listening = LoopbackHttp.create(port);
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

  /** Denies everything from now on that is not about tables whose names begin so. */
  public void allowOnly(String prefix) {
    allowed = prefix;
  }

  /** Has the tables that are created from now on be an account's. */
  public synchronized void account(String number) {
    tables.account(number);
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
    tables.all().clear();
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
    return tables.all().values().stream().mapToDouble(table -> table.items.writeUnits()).sum();
  }

  /** Returns the read units of all tables. */
  public synchronized double readUnits() {
    return tables.all().values().stream().mapToDouble(table -> table.items.readUnits()).sum();
  }

  /** Returns the items of a table, as they stand in messages. */
  public synchronized List<JsonNode> items(String table) {
    Tables.Table found = tables.all().get(table);
    return found == null ? List.of() : List.copyOf(found.items.all());
  }

  /** Returns the names of the tables. */
  public synchronized Set<String> tables() {
    return Set.copyOf(tables.all().keySet());
  }

  /** Puts an item, as somebody else does. */
  public synchronized void put(String table, String item) throws IOException {
    try {
      Tables.Table found = tables.all().get(table);
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
      var unused = tables.createTable(request);
    } catch (Refusal e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** Says of a table that another region has a copy. */
  public synchronized void replicate(String table, String region) {
    Tables.Table found = tables.all().get(table);
    if (found != null) {
      found.description.putArray("Replicas").addObject().put("RegionName", region);
    }
  }

  /** Removes the items whose time is over, as a table does when it gets there. */
  public synchronized void expire(long nowSeconds) {
    tables.all().values().stream()
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
        checkRight(operation, request);
        answer = tables.answer(operation, request);
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

  private void checkRight(String operation, JsonNode request) throws Refusal {
    List<String> named = new ArrayList<>();
    request.path("RequestItems").fieldNames().forEachRemaining(named::add);
    if (request.has("TableName")) {
      named.add(request.path("TableName").asText());
    }
    for (String table : named) {
      if (!table.startsWith(allowed)) {
        throw Refusal.of(
            "AccessDeniedException",
            "not authorized to perform: dynamodb:" + operation + " on resource: table/" + table);
      }
    }
  }

  private synchronized void count(Refusal e) {
    if (e.code().equals("ConditionalCheckFailedException")) {
      conflicts++;
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
