package io.tailrace.testing.fakes;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URLDecoder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Simulates as much of Google Cloud Storage as is used, by its JSON API: objects of one bucket are
 * uploaded in parts, looked at, read whole or from a place on, listed page by page, and deleted
 * many at once. It knows no rights but one that can be taken away. Thread-safe.
 */
public final class FakeGcs implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern OBJECT =
      Pattern.compile("(?:/download|/upload)?/storage/v1/b/([^/]+)(?:/o(?:/(.+))?)?");
  private static final Pattern DELETION =
      Pattern.compile("(?m)^DELETE \\S*/storage/v1/b/([^/\\s]+)/o/([^?\\s]+)");
  private static final Pattern RANGE = Pattern.compile("bytes[ =](\\d+)-(\\d*)(?:/(\\d+|[*]))?");

  private record Stored(byte[] bytes, Instant at, long generation, boolean composed) {}

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool(FakeGcs::thread);
  private final String bucket;
  private final SortedMap<String, Stored> objects = new TreeMap<>();
  private final Map<String, ByteArrayOutputStream> uploads = new HashMap<>();
  private final AtomicInteger refusals = new AtomicInteger();
  private long generation = 1_700_000_000_000_000L;
  private volatile int pageSize = 1_000;

  private FakeGcs(HttpServer server, String bucket) {
    this.server = server;
    this.bucket = bucket;
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "fake-gcs");
    thread.setDaemon(true);
    return thread;
  }

  /** Starts a server with one bucket. */
  public static FakeGcs start(String bucket) throws IOException {
    FakeGcs fake = new FakeGcs(LoopbackHttp.create(), bucket);
    fake.server.createContext("/", fake::answer);
    fake.server.setExecutor(fake.threads);
    fake.server.start();
    return fake;
  }

  /** Returns the address that Beam is given as {@code --gcsEndpoint}. */
  public String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/storage/v1/";
  }

  /** Lists so many objects in one answer. */
  public void pagesOf(int count) {
    pageSize = count;
  }

  /** Answers so many requests as one who may not do that. */
  public void denyNext(int count) {
    refusals.set(count);
  }

  /** Puts an object, as somebody else does. */
  public synchronized void put(String name, byte[] bytes) {
    put(name, bytes, Instant.now());
  }

  /** Puts an object, as somebody else has at a time. */
  public synchronized void put(String name, byte[] bytes, Instant at) {
    objects.put(name, new Stored(bytes, at, ++generation, false));
  }

  /** Makes an object anew of its parts: what is composed has no MD5. */
  public synchronized void compose(String name) {
    objects.computeIfPresent(
        name, (unused, is) -> new Stored(is.bytes, Instant.now(), ++generation, true));
  }

  /** Returns the bytes of an object. */
  public synchronized Optional<byte[]> object(String name) {
    return Optional.ofNullable(objects.get(name)).map(Stored::bytes);
  }

  /** Deletes an object, as somebody else does. */
  public synchronized void remove(String name) {
    objects.remove(name);
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      Matcher path = OBJECT.matcher(exchange.getRequestURI().getRawPath());
      Map<String, String> query = query(exchange);
      if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        refuse(exchange, 403, "forbidden", "writer does not have storage.objects.list access");
      } else if (exchange.getRequestURI().getPath().equals("/batch/storage/v1")) {
        delete(exchange, new String(body, UTF_8));
      } else if (!path.matches() || !path.group(1).equals(bucket)) {
        refuse(exchange, 404, "notFound", "The specified bucket does not exist.");
      } else {
        answer(exchange, Optional.ofNullable(path.group(2)).map(FakeGcs::decoded), query, body);
      }
    }
  }

  /** Answers each deletion of a batch with a part, in their order. */
  private synchronized void delete(HttpExchange exchange, String body) throws IOException {
    StringBuilder parts = new StringBuilder();
    int number = 0;
    for (MatchResult each : DELETION.matcher(body).results().toList()) {
      boolean was = each.group(1).equals(bucket) && objects.remove(decoded(each.group(2))) != null;
      parts
          .append("--batch\r\nContent-Type: application/http\r\nContent-ID: response-")
          .append(++number)
          .append("\r\n\r\nHTTP/1.1 ")
          .append(was ? "204 No Content" : "404 Not Found")
          .append("\r\nContent-Length: 0\r\n\r\n\r\n");
    }
    byte[] bytes = parts.append("--batch--").toString().getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "multipart/mixed; boundary=batch");
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static Map<String, String> query(HttpExchange exchange) {
    Map<String, String> query = new HashMap<>();
    String raw = exchange.getRequestURI().getRawQuery();
    for (String each : raw == null ? new String[0] : raw.split("&", -1)) {
      String[] parts = each.split("=", 2);
      query.put(parts[0], parts.length == 1 ? "" : decoded(parts[1]));
    }
    return query;
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text, UTF_8);
  }

  private synchronized void answer(
      HttpExchange exchange, Optional<String> name, Map<String, String> query, byte[] body)
      throws IOException {
    String method = exchange.getRequestMethod();
    if (method.equals("POST")) {
      String named = query.getOrDefault("name", JSON.readTree(body).path("name").asText());
      uploads.put(named, new ByteArrayOutputStream());
      exchange
          .getResponseHeaders()
          .set(
              "Location",
              "http://127.0.0.1:"
                  + server.getAddress().getPort()
                  + "/upload/storage/v1/b/"
                  + bucket
                  + "/o?upload_id="
                  + java.net.URLEncoder.encode(named, UTF_8));
      exchange.sendResponseHeaders(200, -1);
    } else if (method.equals("PUT")) {
      upload(exchange, query.getOrDefault("upload_id", ""), body);
    } else if (name.isEmpty()) {
      list(exchange, query);
    } else {
      Stored found = objects.get(name.get());
      if (found == null) {
        refuse(exchange, 404, "notFound", "No such object: " + bucket + "/" + name.get());
      } else if ("media".equals(query.get("alt"))) {
        read(exchange, found);
      } else {
        send(exchange, 200, described(name.get(), found));
      }
    }
  }

  /** A part that is the last says how long all is. */
  private void upload(HttpExchange exchange, String name, byte[] body) throws IOException {
    ByteArrayOutputStream all = uploads.get(name);
    all.writeBytes(body);
    String header = exchange.getRequestHeaders().getFirst("Content-Range");
    Matcher range = RANGE.matcher(header == null ? "" : header);
    if (range.matches() && "*".equals(range.group(3))) {
      exchange.getResponseHeaders().set("Range", "bytes=0-" + (all.size() - 1));
      exchange.sendResponseHeaders(308, -1);
      return;
    }
    put(name, all.toByteArray());
    send(exchange, 200, described(name, objects.get(name)));
  }

  private void list(HttpExchange exchange, Map<String, String> query) throws IOException {
    String prefix = query.getOrDefault("prefix", "");
    String from = query.getOrDefault("pageToken", prefix);
    ObjectNode page = JSON.createObjectNode();
    page.put("kind", "storage#objects");
    ArrayNode items = page.putArray("items");
    for (Map.Entry<String, Stored> each : objects.tailMap(from).entrySet()) {
      if (!each.getKey().startsWith(prefix)) {
        break;
      }
      if (items.size() == pageSize) {
        page.put("nextPageToken", each.getKey());
        break;
      }
      items.add(described(each.getKey(), each.getValue()));
    }
    send(exchange, 200, page);
  }

  private static void read(HttpExchange exchange, Stored found) throws IOException {
    String header = exchange.getRequestHeaders().getFirst("Range");
    Matcher range = RANGE.matcher(header == null ? "" : header);
    int length = found.bytes.length;
    exchange.getResponseHeaders().set("Content-Type", "application/octet-stream");
    exchange.getResponseHeaders().set("x-goog-generation", Long.toString(found.generation));
    if (!range.matches()) {
      exchange.sendResponseHeaders(200, length == 0 ? -1 : length);
      exchange.getResponseBody().write(found.bytes);
      return;
    }
    int first = Integer.parseInt(range.group(1));
    int last =
        range.group(2).isEmpty()
            ? length - 1
            : (int) Math.min(length - 1, Long.parseLong(range.group(2)));
    if (first >= length) {
      exchange.getResponseHeaders().set("Content-Range", "bytes */" + length);
      exchange.sendResponseHeaders(416, -1);
      return;
    }
    byte[] part = Arrays.copyOfRange(found.bytes, first, last + 1);
    exchange
        .getResponseHeaders()
        .set("Content-Range", "bytes " + first + "-" + last + "/" + length);
    exchange.sendResponseHeaders(206, part.length);
    exchange.getResponseBody().write(part);
  }

  private ObjectNode described(String name, Stored object) {
    ObjectNode described = JSON.createObjectNode();
    described.put("kind", "storage#object");
    described.put("id", bucket + "/" + name + "/" + object.generation);
    described.put("name", name);
    described.put("bucket", bucket);
    described.put("generation", Long.toString(object.generation));
    described.put("metageneration", "1");
    described.put("contentType", "application/octet-stream");
    described.put("storageClass", "STANDARD");
    described.put("size", Integer.toString(object.bytes.length));
    described.put("timeCreated", object.at.toString());
    described.put("updated", object.at.toString());
    described.put("etag", Long.toString(object.generation));
    if (object.composed) {
      return described;
    }
    try {
      described.put(
          "md5Hash",
          Base64.getEncoder()
              .encodeToString(MessageDigest.getInstance("MD5").digest(object.bytes)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    return described;
  }

  private static void refuse(HttpExchange exchange, int status, String reason, String message)
      throws IOException {
    ObjectNode answer = JSON.createObjectNode();
    ObjectNode error = answer.putObject("error");
    error.put("code", status);
    error.put("message", message);
    error
        .putArray("errors")
        .addObject()
        .put("domain", "global")
        .put("reason", reason)
        .put("message", message);
    send(exchange, status, answer);
  }

  private static void send(HttpExchange exchange, int status, ObjectNode body) throws IOException {
    byte[] bytes = body.toString().getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json; charset=UTF-8");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
