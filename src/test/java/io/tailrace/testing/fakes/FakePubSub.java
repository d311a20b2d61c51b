package io.tailrace.testing.fakes;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.zip.GZIPInputStream;

/**
 * A server that speaks Pub/Sub's REST protocol, as far as Tailrace and {@code PubsubIO} do: a fake,
 * held to Google's emulator by the tests that run against both. It refuses what Pub/Sub refuses
 * (the emulator takes more): attributes that are too long or too many, requests over 10 MB,
 * messages with nothing in them. Thread-safe.
 */
public final class FakePubSub implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final int MAX_REQUEST = 10_000_000;
  private static final int MAX_RESPONSE = 10_000_000;

  /** A refusal. */
  private static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final int code;

    Refusal(int code, String message) {
      super(message);
      this.code = code;
    }
  }

  /** A message in a subscription. */
  private static final class Waiting {
    private final ObjectNode message;
    private String ackId = "";
    private long leasedUntilNanos;
    private int deliveries;

    Waiting(ObjectNode message) {
      this.message = message;
    }
  }

  private static final class Subscription {
    private final ObjectNode resource;
    private final List<Waiting> waiting = new ArrayList<>();

    Subscription(ObjectNode resource) {
      this.resource = resource;
    }
  }

  private final HttpServer server;
  private final Map<String, ObjectNode> topics = new LinkedHashMap<>();
  private final Map<String, Subscription> subscriptions = new LinkedHashMap<>();
  private final Map<String, Integer> calls = new HashMap<>();
  private final Map<String, Long> kilobytes = new HashMap<>();
  private final Set<String> denied = ConcurrentHashMap.newKeySet();
  private final Random random = new Random(7);
  private long lastId;
  private double twice;
  private boolean shuffled;
  private int silent;
  private boolean isDown;
  private boolean refusesToAcknowledge;

  private FakePubSub(HttpServer server) {
    this.server = server;
  }

  /** Starts one. */
  public static FakePubSub start() throws IOException {
    HttpServer server = LoopbackHttp.create();
    FakePubSub fake = new FakePubSub(server);
    server.createContext("/v1/", fake::handle);
    server.setExecutor(
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "fake-pubsub");
              thread.setDaemon(true);
              return thread;
            }));
    server.start();
    return fake;
  }

  /** Returns where it listens, as {@code PUBSUB_EMULATOR_HOST} has it. */
  public String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  /** Delivers messages in no order from now on, and this part of them twice at once. */
  public synchronized FakePubSub disorderly(double part) {
    shuffled = true;
    twice = part;
    return this;
  }

  /** Answers so many pulls that there is nothing, as Pub/Sub does now and then. */
  public synchronized void silent(int pulls) {
    silent = pulls;
  }

  /** Answers 503 from now on, or no longer. */
  public synchronized void down(boolean down) {
    isDown = down;
  }

  /** Takes no acknowledgement from now on, or does again; all else goes on. */
  public synchronized void refuseToAcknowledge(boolean refuses) {
    refusesToAcknowledge = refuses;
  }

  /** Refuses a right, such as {@code pubsub.subscriptions.get}, from now on. */
  public void deny(String right) {
    denied.add(right);
  }

  /** Sets fields of a subscription or a topic that no call of ours can set, as JSON. */
  public synchronized void set(String path, String fields) {
    try {
      resource(path).setAll((ObjectNode) JSON.readTree(fields));
    } catch (IOException e) {
      throw new IllegalArgumentException(fields, e);
    }
  }

  /** Returns a topic or a subscription. */
  public synchronized JsonNode get(String path) {
    return resource(path).deepCopy();
  }

  /** Ends all leases at once, as if their time were over. */
  public synchronized void expireLeases() {
    subscriptions.values().stream()
        .flatMap(each -> each.waiting.stream())
        .forEach(
            waiting -> {
              waiting.ackId = "";
              waiting.leasedUntilNanos = 0;
            });
  }

  /** Returns how many messages of a subscription are not acknowledged. */
  public synchronized int unacknowledged(String path) {
    return subscriptions.get(path).waiting.size();
  }

  /** Returns how many messages of a subscription are leased to somebody. */
  public synchronized long leased(String path) {
    long now = System.nanoTime();
    return subscriptions.get(path).waiting.stream()
        .filter(each -> !each.ackId.isEmpty() && each.leasedUntilNanos - now > 0)
        .count();
  }

  /** Returns for how long at least the messages of a subscription are leased from now on. */
  public synchronized long leasedForSeconds(String path) {
    long now = System.nanoTime();
    return subscriptions.get(path).waiting.stream()
        .mapToLong(each -> (each.leasedUntilNanos - now) / 1_000_000_000L)
        .min()
        .orElse(0);
  }

  /** Returns the messages of a subscription that are not acknowledged. */
  public synchronized List<JsonNode> messages(String path) {
    return subscriptions.get(path).waiting.stream()
        .map(each -> (JsonNode) each.message.deepCopy())
        .toList();
  }

  /** Returns the greatest number of times that a message which is still there was delivered. */
  public synchronized int deliveries(String path) {
    return subscriptions.get(path).waiting.stream().mapToInt(it -> it.deliveries).max().orElse(0);
  }

  /** Returns how often a call was made: {@code publish}, {@code pull}, {@code patch}. */
  public synchronized int calls(String name) {
    return calls.getOrDefault(name, 0);
  }

  /** Returns the kilobytes of a call's requests and answers, each counted as one at least. */
  public synchronized long kilobytes(String name) {
    return kilobytes.getOrDefault(name, 0L);
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    // Google's own clients compress.
    boolean isCompressed = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
    InputStream content = exchange.getRequestBody();
    byte[] request = (isCompressed ? new GZIPInputStream(content) : content).readAllBytes();
    String path = exchange.getRequestURI().getPath().substring("/v1/".length());
    int code = 200;
    byte[] answer;
    try {
      JsonNode body = request.length == 0 ? JSON.createObjectNode() : JSON.readTree(request);
      answer =
          JSON.writeValueAsBytes(answer(exchange.getRequestMethod(), path, body, request.length));
    } catch (Refusal e) {
      code = e.code;
      ObjectNode error = JSON.createObjectNode();
      error.putObject("error").put("code", e.code).put("message", e.getMessage());
      answer = JSON.writeValueAsBytes(error);
    }
    count(exchange.getRequestMethod(), path, request.length + answer.length);
    exchange.getResponseHeaders().set("Content-Type", "application/json; charset=UTF-8");
    exchange.sendResponseHeaders(code, answer.length);
    exchange.getResponseBody().write(answer);
    exchange.close();
  }

  private synchronized void count(String method, String path, int bytes) {
    int colon = path.lastIndexOf(':');
    String call = colon < 0 ? method.toLowerCase(Locale.ROOT) : path.substring(colon + 1);
    calls.merge(call, 1, Integer::sum);
    kilobytes.merge(call, Math.max(1, bytes / 1_000L), Long::sum);
  }

  private synchronized JsonNode answer(String method, String path, JsonNode body, int bytes) {
    if (isDown) {
      throw new Refusal(503, "The service is currently unavailable");
    }
    int colon = path.lastIndexOf(':');
    String name = colon < 0 ? path : path.substring(0, colon);
    if (colon < 0) {
      return plain(method, name, body);
    }
    return switch (path.substring(colon + 1)) {
      case "publish" -> publish(name, body, bytes);
      case "pull" -> pull(name, body);
      case "acknowledge" -> acknowledge(name, body);
      case "modifyAckDeadline" -> modify(name, body);
      case "testIamPermissions" -> rights(body);
      default -> throw new Refusal(404, "no such call: " + path);
    };
  }

  private JsonNode plain(String method, String path, JsonNode body) {
    boolean isTopic = path.contains("/topics/");
    if (path.endsWith("/subscriptions") && isTopic) {
      check("pubsub.topics.get");
      String topic = path.substring(0, path.lastIndexOf('/'));
      resource(topic);
      ObjectNode list = JSON.createObjectNode();
      ArrayNode names = list.putArray("subscriptions");
      subscriptions.forEach(
          (name, each) -> {
            if (each.resource.path("topic").asText().equals(topic)) {
              names.add(name);
            }
          });
      return names.isEmpty() ? JSON.createObjectNode() : list;
    }
    return switch (method) {
      case "PUT" -> isTopic ? newTopic(path, body) : newSubscription(path, body);
      case "GET" -> {
        check(isTopic ? "pubsub.topics.get" : "pubsub.subscriptions.get");
        yield resource(path);
      }
      case "PATCH" -> {
        check("pubsub.subscriptions.update");
        for (String field : body.path("updateMask").asText().split(",", -1)) {
          resource(path).set(field, body.path("subscription").path(field));
        }
        yield resource(path);
      }
      case "DELETE" -> {
        resource(path);
        topics.remove(path);
        subscriptions.remove(path);
        yield JSON.createObjectNode();
      }
      default -> throw new Refusal(404, "no such call: " + method + " " + path);
    };
  }

  private void check(String right) {
    if (denied.contains(right)) {
      throw new Refusal(403, "User not authorized to perform this action: " + right);
    }
  }

  private ObjectNode resource(String path) {
    Subscription subscription = subscriptions.get(path);
    ObjectNode topic = topics.get(path);
    if (subscription == null && topic == null) {
      throw new Refusal(404, "Resource not found (resource=" + path + ")");
    }
    return subscription == null ? topic : subscription.resource;
  }

  private ObjectNode newTopic(String path, JsonNode body) {
    if (topics.containsKey(path)) {
      throw new Refusal(409, "Topic already exists");
    }
    ObjectNode topic = body.deepCopy();
    topic.put("name", path);
    topics.put(path, topic);
    return topic;
  }

  private ObjectNode newSubscription(String path, JsonNode body) {
    if (!topics.containsKey(body.path("topic").asText())) {
      throw new Refusal(404, "Resource not found (resource=" + body.path("topic").asText() + ")");
    }
    if (subscriptions.containsKey(path)) {
      throw new Refusal(409, "Subscription already exists");
    }
    ObjectNode subscription = body.deepCopy();
    subscription.put("name", path);
    subscription.put("messageRetentionDuration", "604800s");
    subscription.put("ackDeadlineSeconds", body.path("ackDeadlineSeconds").asInt(10));
    subscription.putObject("pushConfig");
    subscriptions.put(path, new Subscription(subscription));
    return subscription;
  }

  private ObjectNode publish(String path, JsonNode body, int bytes) {
    check("pubsub.topics.publish");
    resource(path);
    if (bytes > MAX_REQUEST || body.path("messages").size() > 1_000) {
      throw new Refusal(400, "Request payload size exceeds the limit: 10485760 bytes.");
    }
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode ids = answer.putArray("messageIds");
    List<ObjectNode> messages = new ArrayList<>();
    for (JsonNode each : body.path("messages")) {
      checkMessage(each);
      ObjectNode message = each.deepCopy();
      message.put("messageId", Long.toString(++lastId));
      message.put("publishTime", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
      ids.add(message.path("messageId"));
      messages.add(message);
    }
    for (Subscription subscription : subscriptions.values()) {
      if (subscription.resource.path("topic").asText().equals(path)) {
        messages.forEach(message -> subscription.waiting.add(new Waiting(message)));
      }
    }
    return answer;
  }

  private static void checkMessage(JsonNode message) {
    JsonNode attributes = message.path("attributes");
    if (message.path("data").asText().isEmpty() && attributes.isEmpty()) {
      throw new Refusal(400, "Some messages are empty");
    }
    try {
      Base64.getDecoder().decode(message.path("data").asText());
    } catch (IllegalArgumentException e) {
      throw new Refusal(400, "data: " + e.getMessage());
    }
    if (attributes.size() > 100) {
      throw new Refusal(400, "The value for message_attributes is too large: 100 at most");
    }
    attributes
        .fields()
        .forEachRemaining(
            each -> {
              int name = each.getKey().getBytes(UTF_8).length;
              int value = each.getValue().asText().getBytes(UTF_8).length;
              if (name == 0 || name > 256 || value > 1_024 || each.getKey().startsWith("goog")) {
                throw new Refusal(400, "The attribute " + each.getKey() + " is invalid");
              }
            });
  }

  private ObjectNode pull(String path, JsonNode body) {
    check("pubsub.subscriptions.consume");
    Subscription subscription = subscription(path);
    if (silent > 0) {
      silent--;
      return JSON.createObjectNode();
    }
    long now = System.nanoTime();
    int lease = subscription.resource.path("ackDeadlineSeconds").asInt();
    List<Waiting> there = new ArrayList<>(subscription.waiting);
    if (shuffled) {
      Collections.shuffle(there, random);
    }
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode received = JSON.createArrayNode();
    int bytes = 0;
    for (Waiting each : there) {
      if (received.size() == body.path("maxMessages").asInt() || bytes > MAX_RESPONSE) {
        break;
      }
      if (each.ackId.isEmpty() || each.leasedUntilNanos - now <= 0) {
        each.deliveries++;
        // One that is to come twice is leased to nobody.
        boolean again = each.deliveries == 1 && random.nextDouble() < twice;
        each.ackId = path + ":" + each.message.path("messageId").asText() + "-" + each.deliveries;
        each.leasedUntilNanos = again ? now : now + lease * 1_000_000_000L;
        received.addObject().put("ackId", each.ackId).set("message", each.message);
        bytes += each.message.path("data").asText().length();
      }
    }
    if (!received.isEmpty()) {
      answer.set("receivedMessages", received);
    }
    return answer;
  }

  private Subscription subscription(String path) {
    resource(path);
    return subscriptions.get(path);
  }

  private ObjectNode acknowledge(String path, JsonNode body) {
    check("pubsub.subscriptions.consume");
    if (refusesToAcknowledge) {
      throw new Refusal(503, "The service was unable to fulfill your request");
    }
    Set<String> ids = ids(path, body);
    subscription(path).waiting.removeIf(each -> ids.contains(each.ackId));
    return JSON.createObjectNode();
  }

  private ObjectNode modify(String path, JsonNode body) {
    Set<String> ids = ids(path, body);
    long seconds = body.path("ackDeadlineSeconds").asLong();
    if (seconds > 600) {
      throw new Refusal(400, "Invalid ack deadline given");
    }
    for (Waiting each : subscription(path).waiting) {
      if (ids.contains(each.ackId)) {
        each.leasedUntilNanos = System.nanoTime() + seconds * 1_000_000_000L;
      }
    }
    return JSON.createObjectNode();
  }

  private static Set<String> ids(String path, JsonNode body) {
    Set<String> ids = ConcurrentHashMap.newKeySet();
    for (Iterator<JsonNode> all = body.path("ackIds").elements(); all.hasNext(); ) {
      String id = all.next().asText();
      if (!id.startsWith(path + ":")) {
        throw new Refusal(400, "Invalid ack id (ack_id=" + id + ")");
      }
      ids.add(id);
    }
    return ids;
  }

  private ObjectNode rights(JsonNode body) {
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode granted = JSON.createArrayNode();
    for (JsonNode each : body.path("permissions")) {
      if (!denied.contains(each.asText())) {
        granted.add(each);
      }
    }
    if (!granted.isEmpty()) {
      answer.set("permissions", granted);
    }
    return answer;
  }
}
