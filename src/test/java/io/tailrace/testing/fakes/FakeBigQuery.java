package io.tailrace.testing.fakes;

import com.google.api.client.json.GenericJson;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.services.bigquery.model.Dataset;
import com.google.api.services.bigquery.model.Job;
import com.google.api.services.bigquery.model.JobReference;
import com.google.api.services.bigquery.model.JobStatistics;
import com.google.api.services.bigquery.model.JobStatistics2;
import com.google.api.services.bigquery.model.QueryRequest;
import com.google.api.services.bigquery.model.Table;
import com.google.api.services.bigquery.model.TableReference;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import io.tailrace.testing.fakes.FakeBigQueryTables.FaultException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;

/**
 * A simulated BigQuery: a server that speaks the part of its REST interface that is used, for the
 * real client library. Queries and views run in DuckDB; what is written by streams comes over
 * {@link #storageWrite}. Thread-safe.
 */
public final class FakeBigQuery implements AutoCloseable {
  // By their projects, for whoever knows a URI alone.
  private static final Map<String, FakeBigQuery> RUNNING = new ConcurrentHashMap<>();

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final FakeBigQueryTables tables = new FakeBigQueryTables();
  private final FakeStorageWrite storageWrite = FakeStorageWrite.over(tables);
  private final AtomicInteger toThrottle = new AtomicInteger();
  private final AtomicInteger calls = new AtomicInteger();
  // Beam keeps connections of a process by the names of their tables.
  private final String project = "fake-" + System.nanoTime();
  private volatile boolean isDown;
  private volatile String forbidden = "";

  private FakeBigQuery() throws IOException {
    server = LoopbackHttp.create();
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
    RUNNING.put(project, this);
  }

  /** Returns the one with a project. */
  static FakeBigQuery of(String project) {
    return RUNNING.get(project);
  }

  /** Starts one. */
  public static FakeBigQuery start() throws IOException {
    return new FakeBigQuery();
  }

  /** Returns the URI of a store in it, with more parameters, each behind an ampersand. */
  public String uri(String dataset, String parameters) {
    return "bigquery://"
        + project
        + "/"
        + dataset
        + "?endpoint=http://127.0.0.1:"
        + server.getAddress().getPort()
        + parameters;
  }

  /** Returns the only project. */
  public String project() {
    return project;
  }

  /** Returns what streams write to. */
  public FakeStorageWrite storageWrite() {
    return storageWrite;
  }

  /** Returns what it holds. */
  public FakeBigQueryTables tables() {
    return tables;
  }

  /** Answers so many calls that there are too many. */
  public void throttle(int count) {
    toThrottle.set(count);
  }

  /** Refuses everything, for a right that is missing. */
  public void forbid(String message) {
    forbidden = message;
  }

  /** Returns how many calls it has answered. */
  public int calls() {
    return calls.get();
  }

  /** Answers nothing any more, or again; its streams neither. */
  public void setDown(boolean down) {
    isDown = down;
    storageWrite.setDown(down);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = body(exchange);
      calls.incrementAndGet();
      if (isDown) {
        answer(exchange, 503, error(503, "backendError", "The service is unavailable"));
        return;
      }
      if (!forbidden.isEmpty()) {
        answer(exchange, 403, error(403, "accessDenied", forbidden));
        return;
      }
      if (toThrottle.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        answer(exchange, 403, error(403, "rateLimitExceeded", "Exceeded rate limits"));
        return;
      }
      try {
        GenericJson answer = answer(exchange, body);
        answer(exchange, 200, GsonFactory.getDefaultInstance().toString(answer));
      } catch (FaultException e) {
        answer(exchange, e.status(), error(e.status(), e.reason(), e.getMessage()));
      } catch (SQLException e) {
        answer(exchange, 400, error(400, "invalidQuery", e.getMessage()));
      } catch (RuntimeException e) {
        answer(exchange, 400, error(400, "invalid", e.toString()));
      }
    }
  }

  private static byte[] body(HttpExchange exchange) throws IOException {
    byte[] sent = exchange.getRequestBody().readAllBytes();
    return "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))
        ? new GZIPInputStream(new ByteArrayInputStream(sent)).readAllBytes()
        : sent;
  }

  private GenericJson answer(HttpExchange exchange, byte[] body)
      throws IOException, SQLException, FaultException {
    List<String> path =
        Arrays.asList(
            exchange
                .getRequestURI()
                .getPath()
                .replaceFirst("^/bigquery/v2/projects/", "")
                .split("/"));
    String method = exchange.getRequestMethod();
    String override = exchange.getRequestHeaders().getFirst("X-HTTP-Method-Override");
    if (override != null) {
      method = override;
    }
    String what = path.get(1);
    if (what.equals("queries") && method.equals("POST")) {
      QueryRequest request = parse(body, QueryRequest.class);
      return tables.query(request.getQuery(), request.getMaxResults());
    }
    if (what.equals("jobs") && method.equals("POST")) {
      Job job = parse(body, Job.class);
      return job.setJobReference(new JobReference().setProjectId(project).setJobId("dry"))
          .setStatistics(
              new JobStatistics()
                  .setQuery(
                      new JobStatistics2()
                          .setStatementType(
                              tables.statementType(job.getConfiguration().getQuery().getQuery()))));
    }
    if (path.size() == 2 && method.equals("POST")) {
      return tables.createDataset(parse(body, Dataset.class));
    }
    if (path.size() == 2) {
      String query = String.valueOf(exchange.getRequestURI().getQuery());
      return tables.list(
          Integer.parseInt(query.replaceFirst("(?s)^(?:.*pageToken=(\\d+).*|.*)$", "0$1")));
    }
    String dataset = path.get(2);
    if (path.size() == 3) {
      return tables.dataset(dataset);
    }
    if (path.size() == 4 && method.equals("POST")) {
      return tables.createTable(parse(body, Table.class));
    }
    TableReference table =
        new TableReference().setProjectId(project).setDatasetId(dataset).setTableId(path.get(4));
    if (method.equals("PATCH")) {
      String etag = exchange.getRequestHeaders().getFirst("If-Match");
      return tables.change(table, parse(body, Table.class), etag == null ? "" : etag);
    }
    return tables.table(table);
  }

  private static <T> T parse(byte[] body, Class<T> type) throws IOException {
    return GsonFactory.getDefaultInstance()
        .fromString(new String(body, StandardCharsets.UTF_8), type);
  }

  private static String error(int status, String reason, String message) {
    try {
      return GsonFactory.getDefaultInstance()
          .toString(
              new GenericJson()
                  .set(
                      "error",
                      new GenericJson()
                          .set("code", status)
                          .set("message", message)
                          .set(
                              "errors",
                              List.of(
                                  new GenericJson()
                                      .set("reason", reason)
                                      .set("message", message)))));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    RUNNING.remove(project);
    server.stop(0);
    threads.shutdownNow();
    storageWrite.close();
    tables.close();
  }
}
