package io.tailrace.pipelines.local.servers.snowflake;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.zip.GZIPInputStream;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBDriver;
import org.jspecify.annotations.Nullable;

/**
 * A simulated Snowflake account on this machine: the vendor's own driver logs in, sends statements
 * and stages files; a DuckDB in this process runs what is sent, in the few words of Snowflake's SQL
 * that this project uses. It knows one user, and can be told to fail as the service does. For tests
 * and benchmarks. Thread-safe.
 */
public final class FakeSnowflake implements AutoCloseable {
  /** The database. */
  public static final String DATABASE = "FEATURES";

  private static final String[] SETUP = {
    "SET TimeZone='UTC'",
    "ATTACH ':memory:' AS \"FEATURES\"",
    "USE \"FEATURES\"",
    "CREATE MACRO sf_account() AS 'FAKE'",
    "CREATE MACRO to_timestamp_ltz(x, scale) AS make_timestamptz(x)",
    "CREATE MACRO array_cat(a, b) AS"
        + " to_json(list_concat(from_json(a, '[\"VARCHAR\"]'), from_json(b, '[\"VARCHAR\"]')))",
    "CREATE MACRO array_size(a) AS json_array_length(a)",
    "CREATE MACRO array_sort(a) AS to_json(list_sort(from_json(a, '[\"VARCHAR\"]')))",
    "CREATE MACRO array_distinct(a) AS to_json(list_distinct(from_json(a, '[\"VARCHAR\"]')))",
    "CREATE MACRO array_union_agg(a) AS"
        + " to_json(list_distinct(flatten(list(from_json(a, '[\"VARCHAR\"]')))))",
    "CREATE MACRO try_parse_json(x, options) AS CASE WHEN json_valid(x) THEN json(x) END",
    "CREATE MACRO md5_binary(x) AS unhex(md5(x))",
    "CREATE MACRO to_variant(x) AS to_json(x)",
    "CREATE MACRO to_varchar(x) AS x::VARCHAR",
    "CREATE VIEW sf_TABLES AS SELECT upper(schema_name) AS TABLE_SCHEMA, upper(table_name) AS"
        + " TABLE_NAME, 'BASE TABLE' AS TABLE_TYPE, comment AS COMMENT FROM duckdb_tables() WHERE"
        + " database_name = 'FEATURES' UNION ALL SELECT upper(schema_name), upper(view_name),"
        + " 'VIEW', comment FROM duckdb_views() WHERE database_name = 'FEATURES'",
    "CREATE VIEW sf_COLUMNS AS SELECT upper(schema_name) AS TABLE_SCHEMA, upper(table_name) AS"
        + " TABLE_NAME, upper(column_name) AS COLUMN_NAME, CASE data_type WHEN 'VARCHAR' THEN"
        + " 'TEXT' WHEN 'BIGINT' THEN 'NUMBER' WHEN 'DOUBLE' THEN 'FLOAT' WHEN 'BLOB' THEN 'BINARY'"
        + " WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_LTZ' WHEN 'JSON' THEN coalesce(comment,"
        + " 'VARIANT') ELSE data_type END AS DATA_TYPE, CASE data_type WHEN 'BIGINT' THEN 0 END AS"
        + " NUMERIC_SCALE, column_index AS ORDINAL_POSITION FROM duckdb_columns() WHERE"
        + " database_name = 'FEATURES'",
    "CREATE TABLE sf_DATABASES AS SELECT 'FEATURES' AS DATABASE_NAME, current_timestamp AS CREATED"
  };

  /** What the service tells the driver of a session. */
  private static final Map<String, Object> PARAMETERS =
      Map.of(
          "AUTOCOMMIT", true,
          "TIMEZONE", "UTC",
          "TIMESTAMP_OUTPUT_FORMAT", "YYYY-MM-DD HH24:MI:SS.FF6 TZHTZM",
          "TIMESTAMP_LTZ_OUTPUT_FORMAT", "",
          "TIMESTAMP_NTZ_OUTPUT_FORMAT", "",
          "TIMESTAMP_TZ_OUTPUT_FORMAT", "",
          "DATE_OUTPUT_FORMAT", "YYYY-MM-DD",
          "BINARY_OUTPUT_FORMAT", "HEX",
          "CLIENT_TELEMETRY_ENABLED", false,
          "CLIENT_RESULT_PREFETCH_THREADS", 1);

  /** What the service answers instead of doing something. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;
    private final String code;
    private final String sqlState;

    RefusedException(String code, String sqlState, String message) {
      super(message);
      this.code = code;
      this.sqlState = sqlState;
    }

    ObjectNode answer() {
      return Answer.failure(code, sqlState, String.valueOf(getMessage()));
    }
  }

  private final FakeSession.Account account;
  private final DuckDBConnection duckDb;
  private final HttpServer http;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, FakeSession> sessions = new ConcurrentHashMap<>();
  private final Map<String, String> masters = new ConcurrentHashMap<>();
  private final Map<String, String> answered = new ConcurrentHashMap<>();
  private final List<String> statements = new ArrayList<>();
  private final Faults faults = new Faults();
  private final AtomicLong ids = new AtomicLong(1_000);
  private final LongAdder busyNanos = new LongAdder();

  private FakeSnowflake(Path stages, DuckDBConnection duckDb, HttpServer http) {
    this.account = new FakeSession.Account(new TableLocks(), stages, new Buckets());
    this.duckDb = duckDb;
    this.http = http;
  }

  /**
   * Starts one.
   *
   * @param stages a directory in which staged files are kept
   */
  public static FakeSnowflake start(Path stages) throws IOException {
    try {
      DuckDBConnection duckDb =
          (DuckDBConnection) new DuckDBDriver().connect("jdbc:duckdb:", new Properties());
      try (Statement statement = duckDb.createStatement()) {
        for (String sql : SETUP) {
          statement.execute(sql);
        }
      }
      HttpServer http = LoopbackHttp.create();
      FakeSnowflake fake = new FakeSnowflake(stages, duckDb, http);
      http.setExecutor(fake.threads);
      http.createContext("/", fake::answer);
      http.start();
      return fake;
    } catch (SQLException e) {
      throw new IOException(e);
    }
  }

  /** Returns where it listens, as a URI's {@code endpoint}. */
  public String endpoint() {
    return "http://127.0.0.1:" + http.getAddress().getPort();
  }

  /** Returns what it can be told to fail with. */
  public Faults faults() {
    return faults;
  }

  /** Says of all locks that are taken now that they were taken earlier. */
  public void ageLocks(Duration by) {
    account.locks().age(by);
  }

  /** Returns which buckets it may read. */
  public Buckets buckets() {
    return account.buckets();
  }

  /** Returns all statements that were sent, in their order. */
  public List<String> statements() {
    synchronized (statements) {
      return List.copyOf(statements);
    }
  }

  /** Forgets the statements that were sent. */
  public void clearStatements() {
    synchronized (statements) {
      statements.clear();
    }
  }

  /** Returns the parameters of the sessions that are open. */
  public List<Map<String, String>> sessionParameters() {
    return sessions.values().stream().map(FakeSession::parameters).toList();
  }

  /** Ends all sessions and their transactions, as when they were idle for too long. */
  public void endSessions() {
    masters.clear();
    for (String token : List.copyOf(sessions.keySet())) {
      end(token);
    }
  }

  /** Lets the tokens of all sessions expire; they can be renewed. */
  public void expireTokens() {
    for (Map.Entry<String, FakeSession> each : Map.copyOf(sessions).entrySet()) {
      sessions.remove(each.getKey());
      sessions.put("expired-" + each.getKey(), each.getValue());
    }
  }

  /** Runs statements of DuckDB, as somebody who looks after the database. */
  public void execute(String... sql) throws SQLException {
    try (Connection connection = duckDb.duplicate();
        Statement statement = connection.createStatement()) {
      statement.execute("USE \"FEATURES\"");
      for (String each : sql) {
        statement.execute(each);
      }
    }
  }

  private void end(String token) {
    FakeSession session = sessions.remove(token);
    if (session != null) {
      try {
        session.close();
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Returns how long it took to answer, over all requests. */
  public Duration busy() {
    return Duration.ofNanos(busyNanos.sum());
  }

  private void answer(HttpExchange exchange) throws IOException {
    long start = System.nanoTime();
    try (exchange) {
      JsonNode request = read(exchange);
      String path = exchange.getRequestURI().getPath();
      if (faults.isThrottled(path)) {
        exchange.sendResponseHeaders(faults.status(), -1);
        return;
      }
      String requestId = parameter(exchange, "requestId");
      @Nullable ObjectNode answer;
      switch (path) {
        case "/session/v1/login-request" -> answer = login(request);
        case "/session/token-request" -> answer = renew(exchange);
        case "/queries/v1/query-request" -> {
          String before = answered.get(requestId);
          answer =
              before == null
                  ? query(exchange, request.path("sqlText").asText())
                  : (ObjectNode) Answer.JSON.readTree(before);
          if (answer == null) {
            // The connection is gone, and the session with it.
            return;
          }
          if (answer.path("success").asBoolean()) {
            answered.put(requestId, answer.toString());
          }
        }
        case "/session" -> {
          end(token(exchange));
          answer = Answer.success(Answer.JSON.createObjectNode());
        }
        default -> answer = Answer.success(Answer.JSON.createObjectNode());
      }
      byte[] bytes = Answer.JSON.writeValueAsBytes(answer);
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
    } catch (RuntimeException e) {
      exchange.sendResponseHeaders(500, -1);
      throw e;
    } finally {
      busyNanos.add(System.nanoTime() - start);
    }
  }

  private static JsonNode read(HttpExchange exchange) throws IOException {
    boolean zipped =
        "gzip".equalsIgnoreCase(exchange.getRequestHeaders().getFirst("Content-Encoding"));
    try (InputStream body =
        zipped ? new GZIPInputStream(exchange.getRequestBody()) : exchange.getRequestBody()) {
      byte[] bytes = body.readAllBytes();
      return bytes.length == 0 ? Answer.JSON.createObjectNode() : Answer.JSON.readTree(bytes);
    }
  }

  private static String parameter(HttpExchange exchange, String name) {
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    for (String each : query.split("&", -1)) {
      if (each.startsWith(name + "=")) {
        return each.substring(name.length() + 1);
      }
    }
    return UUID.randomUUID().toString();
  }

  private static String token(HttpExchange exchange) {
    String header = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
    int from = header.indexOf('"');
    return from < 0 ? "" : header.substring(from + 1, header.lastIndexOf('"'));
  }

  private ObjectNode login(JsonNode request) {
    JsonNode asked = request.path("data");
    String refusal = faults.logins().refusal(asked);
    if (!refusal.isEmpty()) {
      return Answer.failure("390100", "08001", refusal);
    }
    Map<String, String> parameters = new HashMap<>();
    asked
        .path("SESSION_PARAMETERS")
        .fields()
        .forEachRemaining(each -> parameters.put(each.getKey(), each.getValue().asText()));
    ObjectNode data = Answer.JSON.createObjectNode();
    try {
      Connection connection = duckDb.duplicate();
      try (Statement statement = connection.createStatement()) {
        statement.execute("USE \"FEATURES\"");
        statement.execute("SET TimeZone='UTC'");
      }
      long id = ids.incrementAndGet();
      FakeSession session = new FakeSession(id, connection, account, parameters);
      String token = "token-" + UUID.randomUUID();
      sessions.put(token, session);
      masters.put("master-" + id, token);
      data.put("token", token);
      data.put("masterToken", "master-" + id);
      data.put("validityInSeconds", 3_600);
      data.put("masterValidityInSeconds", 14_400);
      data.put("sessionId", id);
      data.put("serverVersion", "9.0.0");
      ArrayNode shown = data.putArray("parameters");
      PARAMETERS.forEach(
          (name, value) -> shown.addObject().put("name", name).putPOJO("value", value));
      ObjectNode facts = data.putObject("sessionInfo");
      facts.put("databaseName", DATABASE);
      facts.putNull("schemaName");
      facts.put("warehouseName", "LOADING");
      facts.put("roleName", "TAILRACE");
    } catch (SQLException e) {
      return Answer.failure("390000", "08001", String.valueOf(e.getMessage()));
    }
    return Answer.success(data);
  }

  private ObjectNode renew(HttpExchange exchange) {
    String master = token(exchange);
    String token = masters.get(master);
    FakeSession session = token == null ? null : sessions.remove("expired-" + token);
    if (session == null) {
      return Answer.failure("390115", "08001", "Master token has expired.");
    }
    String renewed = "token-" + UUID.randomUUID();
    sessions.put(renewed, session);
    masters.put(master, renewed);
    ObjectNode data = Answer.JSON.createObjectNode();
    data.put("sessionToken", renewed);
    data.put("masterToken", master);
    data.put("validityInSecondsST", 3_600);
    data.put("validityInSecondsMT", 14_400);
    return Answer.success(data);
  }

  /** Returns the answer; null: there is none. */
  private @Nullable ObjectNode query(HttpExchange exchange, String sql) {
    String token = token(exchange);
    FakeSession session = sessions.get(token);
    if (session == null) {
      return sessions.containsKey("expired-" + token)
          ? Answer.failure("390112", "08001", "Your session has expired. Please login again.")
          : Answer.failure("390111", "08001", "Session no longer exists. New login required.");
    }
    synchronized (statements) {
      statements.add(sql);
    }
    Faults.Fault fault = faults.of(sql);
    try {
      switch (fault.kind()) {
        case CUT_BEFORE -> {
          end(token);
          return null;
        }
        case REFUSE -> throw new RefusedException(fault.code(), fault.sqlState(), fault.message());
        default -> {}
      }
      ObjectNode data = session.run(sql);
      if (fault.kind() == Faults.Kind.CUT_BEHIND) {
        end(token);
        return null;
      }
      return Answer.success(data);
    } catch (RefusedException e) {
      return e.answer();
    } catch (SQLException e) {
      return Faults.answer(e);
    }
  }

  @Override
  public void close() {
    http.stop(0);
    threads.shutdownNow();
    endSessions();
    try {
      duckDb.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
