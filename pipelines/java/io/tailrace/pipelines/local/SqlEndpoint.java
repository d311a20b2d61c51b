package io.tailrace.pipelines.local;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets other processes of this machine query an offline store that only this process can open, as
 * DuckDB allows one process per file.
 *
 * <p>It speaks HTTP on the loopback address, on a free port: {@code POST /sql?limit=N} with one
 * statement as UTF-8 and {@code Authorization: Bearer TOKEN}. The answer is {@code
 * {"columns":["a"],"rows":[["1"],[null]],"complete":true}}, or with another status than 200 {@code
 * {"error":"a sentence"}}. Whoever has the token may read everything that the store holds.
 *
 * <p>Thread-safe. Its threads are daemons, and neither they nor a running query outlast or hold up
 * the process.
 */
public final class SqlEndpoint implements AutoCloseable {
  /** How many rows an answer has at most; they are held in memory here and there. */
  public static final int MAX_ROWS = 100_000;

  /** How long a statement may be, in bytes. */
  public static final int MAX_STATEMENT_BYTES = 1 << 20;

  private static final String PATH = "/sql";
  private static final Pattern LIMIT = Pattern.compile("limit=(\\d{1,9})");
  private static final int TOKEN_BYTES = 32;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** A second query must not wait for a long one; more would take the writers' processors away. */
  private static final int THREADS = 2;

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES);

  private static final Logger log = LoggerFactory.getLogger(SqlEndpoint.class);

  private final OfflineReader store;
  private final String token;
  private final HttpServer server;
  private final ExecutorService threads;

  private SqlEndpoint(OfflineReader store, HttpServer server) {
    this.store = store;
    this.server = server;
    byte[] random = new byte[TOKEN_BYTES];
    new SecureRandom().nextBytes(random);
    token = HexFormat.of().formatHex(random);
    threads =
        Executors.newFixedThreadPool(
            THREADS,
            task -> {
              Thread thread = new Thread(task, "sql-endpoint");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Starts to listen. The store remains its owner's, to be closed after this.
   *
   * @throws UncheckedIOException if no port is free
   */
  public static SqlEndpoint start(OfflineReader store) {
    HttpServer server;
    try {
      server = LoopbackHttp.create();
    } catch (IOException e) {
      throw new UncheckedIOException("No port is free for queries: " + e.getMessage(), e);
    }
    SqlEndpoint endpoint = new SqlEndpoint(store, server);
    server.createContext("/", endpoint::handle);
    server.setExecutor(endpoint.threads);
    // The server's own thread is a daemon if the thread that starts it is one.
    CompletableFuture.runAsync(server::start, endpoint.threads).join();
    return endpoint;
  }

  /** Returns where it listens: {@code http://127.0.0.1:port/sql}. */
  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + PATH;
  }

  /** Returns the secret that a query must come with. */
  public String token() {
    return token;
  }

  /** Returns the URI of the store. */
  public String offlineStore() {
    return store.uri();
  }

  /** Stops listening, without waiting for queries that run. */
  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  /**
   * Runs a query at the endpoint of another process.
   *
   * @param limit how many rows to return at most, up to {@link #MAX_ROWS}
   * @throws UnavailableException if the process does not answer, or its store refuses the
   *     statement; then the message says what is wrong with it
   */
  public static OfflineReader.Table query(RunningStack.Sql at, String statement, int limit)
      throws UnavailableException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(at.url() + "?limit=" + limit))
            .header("Authorization", "Bearer " + at.token())
            .POST(BodyPublishers.ofString(statement))
            .build();
    // Without a proxy: neither the token nor the rows leave this machine.
    HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
    try {
      HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        if (response.statusCode() == 200) {
          return JSON.readValue(body, OfflineReader.Table.class);
        }
        JsonNode error = JSON.readTree(body).path("error");
        throw new UnavailableException(
            error.isTextual()
                ? error.textValue()
                : at.url() + " answers with HTTP status " + response.statusCode());
      }
    } catch (IOException e) {
      throw new UnavailableException(
          "The 'local' that runs on this machine does not answer at "
              + at.url()
              + (e.getMessage() == null ? "" : " (" + e.getMessage() + ")")
              + "; if it goes on, start it anew",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("Interrupted while the query runs", e);
    }
  }

  /** What is answered: a {@link OfflineReader.Table}, or an error. */
  private record Reply(int status, Object body) {
    static Reply error(int status, String message) {
      return new Reply(status, Map.of("error", message));
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    try {
      Reply reply = reply(exchange);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(reply.status(), 0);
      JSON.writeValue(exchange.getResponseBody(), reply.body());
    } finally {
      exchange.close();
    }
  }

  private Reply reply(HttpExchange exchange) throws IOException {
    if (!PATH.equals(exchange.getRequestURI().getPath())) {
      return Reply.error(404, "There is only " + PATH);
    }
    if (!exchange.getRequestMethod().equals("POST")) {
      exchange.getResponseHeaders().set("Allow", "POST");
      return Reply.error(405, "A statement comes with POST");
    }
    if (!isAllowed(exchange.getRequestHeaders().getFirst("Authorization"))) {
      exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
      return Reply.error(401, "The token is missing or wrong: 'local' writes it to a file");
    }
    Matcher limit = LIMIT.matcher(String.valueOf(exchange.getRequestURI().getRawQuery()));
    int rows = limit.matches() ? Integer.parseInt(limit.group(1)) : 0;
    if (rows < 1 || rows > MAX_ROWS) {
      return Reply.error(400, "limit must be from 1 to " + MAX_ROWS + ": " + PATH + "?limit=100");
    }
    byte[] body = exchange.getRequestBody().readNBytes(MAX_STATEMENT_BYTES + 1);
    if (body.length > MAX_STATEMENT_BYTES) {
      return Reply.error(400, "The statement is longer than " + MAX_STATEMENT_BYTES + " bytes");
    }
    try {
      String statement =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
      return new Reply(200, store.query(statement, rows));
    } catch (CharacterCodingException e) {
      return Reply.error(400, "The statement is not UTF-8");
    } catch (UnavailableException e) {
      return Reply.error(400, String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      log.warn("A query has failed", e);
      return Reply.error(500, "The query has failed: " + e);
    }
  }

  private boolean isAllowed(@Nullable String authorization) {
    // In constant time, so that nobody can find the token out byte by byte.
    return authorization != null
        && MessageDigest.isEqual(
            authorization.getBytes(StandardCharsets.UTF_8),
            ("Bearer " + token).getBytes(StandardCharsets.UTF_8));
  }
}
