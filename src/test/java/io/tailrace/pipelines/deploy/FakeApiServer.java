package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Answers as an API server does when somebody asks for an object or for all of a kind; it checks
 * nothing and knows no labels. A fake: {@code ApiServerTest} asks a real one the same.
 */
final class FakeApiServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private volatile String forbidden = "";
  private final Map<String, ObjectNode> objects = new ConcurrentSkipListMap<>();

  FakeApiServer() throws IOException {
    server = LoopbackHttp.create();
    server.createContext("/", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Keeps an object, with what a cluster adds to it by itself. */
  void put(ObjectNode manifest) {
    ObjectNode kept = manifest.deepCopy();
    ((ObjectNode) kept.path("metadata")).put("uid", "1").put("resourceVersion", "2");
    kept.putObject("status").put("phase", "any");
    objects.put(path(manifest), kept);
  }

  /** Lets nobody look at the objects of some API, as for those without the right to it. */
  void forbid(String api) {
    forbidden = api;
  }

  void remove(ObjectNode manifest) {
    objects.remove(path(manifest));
  }

  private static String path(ObjectNode manifest) {
    String api = manifest.path("apiVersion").asText();
    String kind = manifest.path("kind").asText().toLowerCase(Locale.ROOT);
    String plural = kind.endsWith("y") ? kind.substring(0, kind.length() - 1) + "ies" : kind + "s";
    String namespace = manifest.at("/metadata/namespace").asText();
    return (api.contains("/") ? "/apis/" : "/api/")
        + api
        + (namespace.isEmpty() ? "" : "/namespaces/" + namespace)
        + "/"
        + plural
        + "/"
        + manifest.at("/metadata/name").asText();
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    ObjectNode found = objects.get(path);
    ObjectNode answer = JSON.createObjectNode();
    int status = 200;
    if (!forbidden.isEmpty() && path.startsWith("/apis/" + forbidden)) {
      status = 403;
      answer.put("kind", "Status").put("status", "Failure").put("code", status);
    } else if (found != null) {
      answer = found;
    } else if (exchange.getRequestURI().getQuery() != null) {
      answer.put("apiVersion", "v1").put("kind", "List").putObject("metadata");
      ArrayNode items = answer.putArray("items");
      objects.forEach(
          (each, object) -> {
            if (each.startsWith(path + "/")) {
              items.add(object);
            }
          });
    } else {
      status = 404;
      answer.put("kind", "Status").put("status", "Failure").put("code", status);
    }
    byte[] bytes = answer.toString().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /** Keeps all of them. */
  void putAll(List<ObjectNode> manifests) {
    manifests.forEach(this::put);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
