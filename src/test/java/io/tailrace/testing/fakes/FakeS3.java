package io.tailrace.testing.fakes;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.time.format.DateTimeFormatter.RFC_1123_DATE_TIME;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Simulates as much of S3 as is used: objects are put (at once or in parts, only if absent), read
 * (whole or a range), listed by pages and deleted, in path style. Signatures are not checked; who
 * signs with another key than the one it knows is refused. Thread-safe.
 */
public final class FakeS3 implements AutoCloseable {
  /** The id of the key that it knows. */
  public static final String ACCESS_KEY = "FAKEACCESSKEY";

  private static final Pattern KEYS = Pattern.compile("<Key>(.*?)</Key>", Pattern.DOTALL);
  private static final Pattern PARTS = Pattern.compile("<PartNumber>(\\d+)</PartNumber>");

  private record Stored(byte[] bytes, Instant at, String etag) {}

  /** What an object becomes after so many reads. */
  private record Replacement(int reads, byte[] bytes) {}

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool(FakeS3::thread);
  private final Map<String, SortedMap<String, Stored>> buckets = new HashMap<>();
  private final Map<String, SortedMap<Integer, byte[]>> uploads = new HashMap<>();
  private final AtomicInteger refusals = new AtomicInteger();
  private final AtomicInteger requests = new AtomicInteger();
  private final Map<String, Integer> refused = new HashMap<>();
  private final Map<String, Replacement> replacements = new HashMap<>();
  private int refusal;
  private int pageSize = 1_000;

  private FakeS3(HttpServer server) {
    this.server = server;
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "fake-s3");
    thread.setDaemon(true);
    return thread;
  }

  /** Starts a server with one bucket. */
  public static FakeS3 start(String bucket) throws IOException {
    FakeS3 fake = new FakeS3(LoopbackHttp.create());
    fake.buckets.put(bucket, new TreeMap<>());
    fake.server.createContext("/", fake::answer);
    fake.server.setExecutor(fake.threads);
    fake.server.start();
    return fake;
  }

  /** Returns the address that clients are given. */
  public String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers so many requests with a status, as a service does that is asked too much. */
  public void refuseNext(int count, int status) {
    refusal = status;
    refusals.set(count);
  }

  /**
   * Refuses to give an object, as of one that is archived.
   *
   * @param methods those that are answered so, such as {@code GET}
   */
  public synchronized void refuse(String key, List<String> methods, int status) {
    methods.forEach(method -> refused.put(method + " " + key, status));
  }

  /** Puts other bytes in the place of an object when it has been read so often, by anybody. */
  public synchronized void replaceAfter(int reads, String key, byte[] bytes) {
    replacements.put(key, new Replacement(reads, bytes));
  }

  /** Gives all objects again. */
  public synchronized void refuseNone() {
    refused.clear();
  }

  /** Lists so many objects in one answer. */
  public void pagesOf(int objects) {
    pageSize = objects;
  }

  /** Returns how many requests it has answered. */
  public int requests() {
    return requests.get();
  }

  /** Returns the bytes of an object. */
  public synchronized Optional<byte[]> object(String bucket, String key) {
    return Optional.ofNullable(buckets.getOrDefault(bucket, new TreeMap<>()).get(key))
        .map(Stored::bytes);
  }

  /** Returns the keys in a bucket. */
  public synchronized List<String> keys(String bucket) {
    return List.copyOf(buckets.getOrDefault(bucket, new TreeMap<>()).keySet());
  }

  /** Deletes all objects of a bucket. */
  public synchronized void clear(String bucket) {
    buckets.getOrDefault(bucket, new TreeMap<>()).clear();
  }

  /** Deletes an object, as somebody else does. */
  public synchronized void remove(String bucket, String key) {
    buckets.getOrDefault(bucket, new TreeMap<>()).remove(key);
  }

  /** Gives an object another ETag, as one that is uploaded anew in parts has. */
  public synchronized void touch(String bucket, String key) {
    buckets
        .getOrDefault(bucket, new TreeMap<>())
        .computeIfPresent(
            key, (name, is) -> new Stored(is.bytes, is.at, is.etag.replaceFirst("\"$", "-2\"")));
  }

  /** Puts an object, as somebody else does. */
  public synchronized void put(String bucket, String key, byte[] bytes) {
    put(bucket, key, bytes, Instant.now());
  }

  /** Puts an object that was written at a time. */
  public synchronized void put(String bucket, String key, byte[] bytes, Instant at) {
    store(buckets.computeIfAbsent(bucket, unused -> new TreeMap<>()), key, bytes, at);
  }

  private static String store(SortedMap<String, Stored> objects, String key, byte[] bytes) {
    return store(objects, key, bytes, Instant.now());
  }

  private static String store(
      SortedMap<String, Stored> objects, String key, byte[] bytes, Instant at) {
    String etag = '"' + HexFormat.of().formatHex(md5(bytes)) + '"';
    objects.put(key, new Stored(bytes, at.truncatedTo(ChronoUnit.MILLIS), etag));
    return etag;
  }

  private static byte[] md5(byte[] bytes) {
    try {
      return MessageDigest.getInstance("MD5").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private record Answer(int status, byte[] body, Map<String, String> headers) {
    static Answer of(int status, String xml) {
      return new Answer(status, xml.getBytes(UTF_8), Map.of("Content-Type", "application/xml"));
    }

    static Answer error(int status, String code) {
      return of(
          status,
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>"
              + code
              + "</Code><Message>"
              + code
              + " says the fake</Message></Error>");
    }

    static Answer empty(int status, String etag) {
      return new Answer(status, new byte[0], etag.isEmpty() ? Map.of() : Map.of("ETag", etag));
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    requests.incrementAndGet();
    byte[] body = exchange.getRequestBody().readAllBytes();
    Answer answer;
    if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      answer = Answer.error(refusal, refusal == 503 ? "SlowDown" : "InternalError");
    } else if (!isKnown(exchange)) {
      answer = Answer.error(403, "InvalidAccessKeyId");
    } else {
      answer = answer(exchange, unchunked(exchange, body));
    }
    answer.headers.forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
    boolean isHead = exchange.getRequestMethod().equals("HEAD");
    if (isHead) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(answer.body.length));
    }
    exchange.sendResponseHeaders(
        answer.status, isHead || answer.body.length == 0 ? -1 : answer.body.length);
    if (!isHead) {
      exchange.getResponseBody().write(answer.body);
    }
    exchange.close();
  }

  private static boolean isKnown(HttpExchange exchange) {
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    return authorization != null && authorization.contains("Credential=" + ACCESS_KEY + "/");
  }

  /** Clients send pieces, each behind a line with its length and signature. */
  private static byte[] unchunked(HttpExchange exchange, byte[] body) {
    String hash = exchange.getRequestHeaders().getFirst("x-amz-content-sha256");
    if (hash == null || !hash.startsWith("STREAMING-")) {
      return body;
    }
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    int at = 0;
    while (true) {
      int end = at;
      while (body[end] != '\r') {
        end++;
      }
      int length = Integer.parseInt(new String(body, at, end - at, UTF_8).split(";", -1)[0], 16);
      if (length == 0) {
        return whole.toByteArray();
      }
      whole.write(body, end + 2, length);
      at = end + 2 + length + 2;
    }
  }

  private static Map<String, String> query(HttpExchange exchange) {
    Map<String, String> query = new HashMap<>();
    String raw = exchange.getRequestURI().getRawQuery();
    for (String each : raw == null ? new String[0] : raw.split("&")) {
      String[] parts = each.split("=", 2);
      query.put(
          URLDecoder.decode(parts[0], UTF_8),
          parts.length < 2 ? "" : URLDecoder.decode(parts[1], UTF_8));
    }
    return query;
  }

  private synchronized Answer answer(HttpExchange exchange, byte[] body) {
    String path = exchange.getRequestURI().getPath().substring(1);
    int slash = path.indexOf('/');
    String bucket = slash < 0 ? path : path.substring(0, slash);
    String key = slash < 0 ? "" : path.substring(slash + 1);
    String method = exchange.getRequestMethod();
    if (method.equals("GET")) {
      replaceIfRead(bucket, key);
    }
    if (method.equals("PUT") && key.isEmpty()) {
      buckets.putIfAbsent(bucket, new TreeMap<>());
      return Answer.empty(200, "");
    }
    SortedMap<String, Stored> objects = buckets.get(bucket);
    if (objects == null) {
      return Answer.error(404, "NoSuchBucket");
    }
    Integer status = refused.get(method + " " + key);
    if (status != null) {
      return Answer.error(status, status == 403 ? "InvalidObjectState" : "InvalidRequest");
    }
    Map<String, String> query = query(exchange);
    if (query.containsKey("uploadId") || query.containsKey("uploads")) {
      return upload(method, key, query, body, objects);
    }
    return switch (method) {
      case "PUT" -> put(exchange, key, body, objects);
      case "GET", "HEAD" -> key.isEmpty() ? list(bucket, query, objects) : get(exchange, key);
      case "DELETE" -> {
        objects.remove(key);
        yield Answer.empty(204, "");
      }
      case "POST" -> delete(body, objects);
      default -> Answer.error(405, "MethodNotAllowed");
    };
  }

  private void replaceIfRead(String bucket, String key) {
    Replacement next = replacements.remove(key);
    if (next != null && next.reads == 0) {
      put(bucket, key, next.bytes);
    } else if (next != null) {
      replacements.put(key, new Replacement(next.reads - 1, next.bytes));
    }
  }

  private static Answer put(
      HttpExchange exchange, String key, byte[] body, SortedMap<String, Stored> objects) {
    if ("*".equals(exchange.getRequestHeaders().getFirst("If-None-Match"))
        && objects.containsKey(key)) {
      return Answer.error(412, "PreconditionFailed");
    }
    return Answer.empty(200, store(objects, key, body));
  }

  private Answer get(HttpExchange exchange, String key) {
    String path = exchange.getRequestURI().getPath().substring(1);
    Stored object = buckets.get(path.substring(0, path.indexOf('/'))).get(key);
    if (object == null) {
      return Answer.error(404, "NoSuchKey");
    }
    Map<String, String> headers = new HashMap<>();
    headers.put("ETag", object.etag);
    headers.put("Last-Modified", RFC_1123_DATE_TIME.format(object.at.atOffset(ZoneOffset.UTC)));
    headers.put("Accept-Ranges", "bytes");
    String range = exchange.getRequestHeaders().getFirst("Range");
    if (range == null) {
      return new Answer(200, object.bytes, headers);
    }
    String[] ends = range.substring("bytes=".length()).split("-", 2);
    int from = Integer.parseInt(ends[0]);
    int to =
        ends[1].isEmpty()
            ? object.bytes.length
            : Math.min(object.bytes.length, Integer.parseInt(ends[1]) + 1);
    if (from >= object.bytes.length) {
      return Answer.error(416, "InvalidRange");
    }
    headers.put("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + object.bytes.length);
    return new Answer(206, Arrays.copyOfRange(object.bytes, from, to), headers);
  }

  private Answer list(String bucket, Map<String, String> query, SortedMap<String, Stored> objects) {
    String prefix = query.getOrDefault("prefix", "");
    String after = query.getOrDefault("continuation-token", "");
    int max = Math.min(pageSize, Integer.parseInt(query.getOrDefault("max-keys", "1000")));
    StringBuilder contents = new StringBuilder();
    String last = "";
    int count = 0;
    boolean truncated = false;
    for (Map.Entry<String, Stored> object : objects.tailMap(prefix).entrySet()) {
      if (!object.getKey().startsWith(prefix)) {
        break;
      }
      if (object.getKey().compareTo(after) <= 0) {
        continue;
      }
      if (count == max) {
        truncated = true;
        break;
      }
      count++;
      last = object.getKey();
      contents
          .append("<Contents><Key>")
          .append(
              "url".equals(query.get("encoding-type"))
                  ? URLEncoder.encode(last, UTF_8)
                  : escaped(last))
          .append("</Key><LastModified>")
          .append(object.getValue().at)
          .append("</LastModified><ETag>")
          .append(escaped(object.getValue().etag))
          .append("</ETag><Size>")
          .append(object.getValue().bytes.length)
          .append("</Size><StorageClass>STANDARD</StorageClass></Contents>");
    }
    return Answer.of(
        200,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
            + "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>"
            + bucket
            + "</Name><Prefix>"
            + escaped(prefix)
            + "</Prefix><KeyCount>"
            + count
            + "</KeyCount><MaxKeys>"
            + max
            + "</MaxKeys><IsTruncated>"
            + truncated
            + "</IsTruncated>"
            + (query.containsKey("encoding-type") ? "<EncodingType>url</EncodingType>" : "")
            + (truncated
                ? "<NextContinuationToken>" + escaped(last) + "</NextContinuationToken>"
                : "")
            + contents
            + "</ListBucketResult>");
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  private static String unescaped(String text) {
    return text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
  }

  private static Answer delete(byte[] body, SortedMap<String, Stored> objects) {
    StringBuilder deleted = new StringBuilder();
    Matcher keys = KEYS.matcher(new String(body, UTF_8));
    while (keys.find()) {
      objects.remove(unescaped(keys.group(1)));
      deleted.append("<Deleted><Key>").append(keys.group(1)).append("</Key></Deleted>");
    }
    return Answer.of(
        200,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
            + "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + deleted
            + "</DeleteResult>");
  }

  private Answer upload(
      String method,
      String key,
      Map<String, String> query,
      byte[] body,
      SortedMap<String, Stored> objects) {
    if (query.containsKey("uploads")) {
      String id = "upload-" + requests.get();
      uploads.put(id, new TreeMap<>());
      return Answer.of(
          200,
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?><InitiateMultipartUploadResult><Key>"
              + escaped(key)
              + "</Key><UploadId>"
              + id
              + "</UploadId></InitiateMultipartUploadResult>");
    }
    String id = query.get("uploadId");
    SortedMap<Integer, byte[]> parts = uploads.get(id);
    if (parts == null) {
      return Answer.error(404, "NoSuchUpload");
    }
    switch (method) {
      case "PUT" -> {
        parts.put(Integer.parseInt(query.getOrDefault("partNumber", "1")), body);
        return Answer.empty(200, '"' + HexFormat.of().formatHex(md5(body)) + '"');
      }
      case "DELETE" -> {
        uploads.remove(id);
        return Answer.empty(204, "");
      }
      default -> {
        List<byte[]> listed = new ArrayList<>();
        Matcher numbers = PARTS.matcher(new String(body, UTF_8));
        while (numbers.find()) {
          byte[] part = parts.get(Integer.parseInt(numbers.group(1)));
          if (part == null) {
            return Answer.error(400, "InvalidPart");
          }
          listed.add(part);
        }
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        listed.forEach(whole::writeBytes);
        uploads.remove(id);
        return Answer.of(
            200,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><CompleteMultipartUploadResult><ETag>"
                + escaped(store(objects, key, whole.toByteArray()))
                + "</ETag></CompleteMultipartUploadResult>");
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
