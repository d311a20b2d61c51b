package io.tailrace.pipelines.local.servers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.flink.api.common.JobID;

/** Asks Flink what only its REST endpoint tells. Thread-safe. */
final class FlinkRest {
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final ObjectMapper json = new ObjectMapper();

  private final String url;
  private final HttpClient http = HttpClient.newHttpClient();

  /**
   * Asks nothing yet.
   *
   * @param address {@code host:port}
   */
  FlinkRest(String address) {
    url = "http://" + address;
  }

  /** See {@link LocalFlink#counters}. */
  Map<String, Long> counters(JobID job, Predicate<String> names) {
    Map<String, Long> counters = new TreeMap<>();
    for (JsonNode vertex :
        get("/jobs/" + job).map(it -> it.path("vertices")).orElse(json.nullNode())) {
      String metrics =
          "/jobs/" + job + "/vertices/" + vertex.path("id").asText() + "/subtasks/metrics";
      String wanted =
          get(metrics).stream()
              .flatMap(FlinkRest::elements)
              .map(metric -> metric.path("id").asText())
              .filter(id -> names.test(ownName(id)))
              .map(id -> URLEncoder.encode(id, StandardCharsets.UTF_8))
              .collect(Collectors.joining(","));
      if (!wanted.isEmpty()) {
        get(metrics + "?agg=sum&get=" + wanted).stream()
            .flatMap(FlinkRest::elements)
            .forEach(
                metric ->
                    counters.merge(
                        ownName(metric.path("id").asText()),
                        metric.path("sum").asLong(),
                        Long::sum));
      }
    }
    return counters;
  }

  private static String ownName(String id) {
    return id.substring(id.lastIndexOf('.') + 1);
  }

  private static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  /** See {@link LocalFlink#metric}. */
  OptionalDouble metric(JobID job, String name) {
    String query = "metrics?get=" + URLEncoder.encode(name, StandardCharsets.UTF_8);
    return get("/jobs/" + job + "/" + query).stream()
        .flatMap(FlinkRest::elements)
        .map(metric -> metric.path("value"))
        .filter(value -> !value.isMissingNode())
        .mapToDouble(JsonNode::asDouble)
        .findFirst();
  }

  /** The endpoint's answer, unless it is an error. */
  Optional<JsonNode> get(String path) {
    HttpResponse<String> response = exchange(HttpRequest.newBuilder(URI.create(url + path)));
    return response.statusCode() == 200 ? Optional.of(tree(response)) : Optional.empty();
  }

  /**
   * Has the endpoint do something.
   *
   * @return its answer
   * @throws IllegalStateException if it refuses
   */
  JsonNode send(String method, String path, String body) {
    HttpResponse<String> response =
        exchange(
            HttpRequest.newBuilder(URI.create(url + path))
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body)));
    if (response.statusCode() >= 300) {
      throw new IllegalStateException("Flink refuses: " + response.body());
    }
    return tree(response);
  }

  private HttpResponse<String> exchange(HttpRequest.Builder request) {
    HttpRequest built = request.timeout(REQUEST_TIMEOUT).build();
    try {
      return http.send(built, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot ask " + built.uri(), e);
    } catch (InterruptedException e) {
      throw LocalFlink.interrupted(e);
    }
  }

  private static JsonNode tree(HttpResponse<String> response) {
    try {
      return json.readTree(response.body());
    } catch (IOException e) {
      throw new UncheckedIOException("Flink answers no JSON", e);
    }
  }

  /**
   * Waits for slots. The endpoint answers before it has found the parts of the cluster to which it
   * passes jobs.
   */
  void awaitSlots(int slots) {
    long deadline = System.nanoTime() + REQUEST_TIMEOUT.toNanos();
    while (get("/overview").map(all -> all.path("slots-total").asInt()).orElse(0) < slots) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("Flink has no task slots after " + REQUEST_TIMEOUT);
      }
      try {
        Thread.sleep(POLL.toMillis());
      } catch (InterruptedException e) {
        throw LocalFlink.interrupted(e);
      }
    }
  }

  /** A reporter that can't start is no reason for Flink not to: it only writes to its log. */
  void checkMetrics(String metricsUrl) throws IOException {
    URI uri = URI.create(metricsUrl);
    try {
      HttpResponse<Void> response =
          http.send(
              HttpRequest.newBuilder(uri).timeout(REQUEST_TIMEOUT).build(),
              HttpResponse.BodyHandlers.discarding());
      if (response.statusCode() != 200) {
        throw new IOException(uri + " answers " + response.statusCode());
      }
    } catch (InterruptedException e) {
      throw LocalFlink.interrupted(e);
    }
  }
}
