package io.tailrace.testing.fakes;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.duckdb.DuckDBConnection;

/**
 * Simulates a SQL warehouse of Databricks for its real driver: sessions and statements by JSON, the
 * files of volumes, tokens; each statement is a transaction of a DuckDB, with whose words it is
 * run. COPY INTO reads volumes, each name once a table unless it is forced, and refuses what Spark
 * can't read. Thread-safe.
 */
public final class FakeDatabricks implements AutoCloseable {
  /** The token that it knows. */
  public static final String TOKEN = "dapi-fake";

  /** The service principal that it knows, and its secret. */
  public static final String CLIENT = "principal";

  public static final String CLIENT_SECRET = "principal's secret";

  /** The catalog that it has. */
  public static final String CATALOG = "features";

  private static final ObjectMapper JSON = new ObjectMapper();

  private record Stored(byte[] bytes, Instant at) {}

  private record Fault(String text, int status, String code, boolean afterwards) {}

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool(FakeDatabricks::thread);
  private final Connection database;
  private final Path directory;
  private final Map<String, Connection> sessions = new ConcurrentHashMap<>();
  private final SortedMap<String, Stored> files = new TreeMap<>();
  private final Map<String, BiFunction<String, String, Optional<byte[]>>> locations =
      new ConcurrentHashMap<>();
  private final Map<String, Set<String>> copied = new HashMap<>();
  private final Queue<Fault> faults = new ConcurrentLinkedQueue<>();
  private final List<String> statements = new ArrayList<>();
  private final Object running = new Object();
  private volatile boolean isDown;
  private volatile int pageSize = 1_000;

  private FakeDatabricks(HttpServer server, Connection database, Path directory) {
    this.server = server;
    this.database = database;
    this.directory = directory;
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "fake-databricks");
    thread.setDaemon(true);
    return thread;
  }

  /** Starts one, which keeps its catalog in a directory. */
  public static FakeDatabricks start(Path directory) throws IOException, SQLException {
    Connection database = DriverManager.getConnection("jdbc:duckdb:");
    try (Statement statement = database.createStatement()) {
      statement.execute("SET threads=2");
      statement.execute("ATTACH '" + directory.resolve("catalog.db") + "' AS " + CATALOG);
      statement.execute("CREATE TABLE memory.main.altered (place VARCHAR, altered_at TIMESTAMPTZ)");
    }
    FakeDatabricks fake = new FakeDatabricks(LoopbackHttp.create(), database, directory);
    fake.server.createContext("/", fake::serve);
    fake.server.setExecutor(fake.threads);
    fake.server.start();
    return fake;
  }

  public int port() {
    return server.getAddress().getPort();
  }

  /** Returns the address of its HTTP services. */
  public String endpoint() {
    return "http://127.0.0.1:" + port();
  }

  /** Refuses the next request or statement that holds a text, before anything is done. */
  public void refuse(String text, int status, String code) {
    faults.add(new Fault(text, status, code, false));
  }

  /** Does what the next statement that holds a text says, and answers with an error. */
  public void loseAnswerTo(String text) {
    faults.add(new Fault(text, 502, "BAD_GATEWAY", true));
  }

  /** Returns whether all that was to go wrong has. */
  public boolean isHarmless() {
    return faults.isEmpty();
  }

  /** Whatever was to go wrong does not. */
  public void forgetFaults() {
    faults.clear();
  }

  /** Answers nothing but errors, or answers again. */
  public void beDown(boolean down) {
    isDown = down;
  }

  /** Forgets the files of volumes. */
  public synchronized void clearFiles() {
    files.clear();
  }

  /** Runs statements of the DuckDB behind it. */
  public void execute(String... statements) throws SQLException {
    try (Connection other = database.unwrap(DuckDBConnection.class).duplicate();
        Statement statement = other.createStatement()) {
      statement.execute("USE " + CATALOG);
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  /** Says of a table that nobody has altered it for days; of others it says that it is new. */
  public void age(String place, int days) throws SQLException {
    execute(
        "INSERT INTO memory.main.altered VALUES ('"
            + place
            + "', now() - INTERVAL "
            + days
            + " DAYS)");
  }

  /** Lists so many files of a volume in one answer. */
  public void pagesOf(int entries) {
    pageSize = entries;
  }

  /** Ends all sessions. */
  public void endSessions() throws SQLException {
    for (String each : List.copyOf(sessions.keySet())) {
      sessions.remove(each).close();
    }
  }

  /** Returns the statements that were sent, and forgets them. */
  public synchronized List<String> takeStatements() {
    List<String> taken = List.copyOf(statements);
    statements.clear();
    return taken;
  }

  /** Returns the paths of the files in volumes. */
  public synchronized List<String> files() {
    return List.copyOf(files.keySet());
  }

  /** An answer that is no success. */
  private static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;
    private final int status;
    private final String code;

    RefusedException(int status, String code, String message) {
      super(message);
      this.status = status;
      this.code = code;
    }
  }

  private record Answer(int status, byte[] body, Map<String, String> headers) {
    static Answer of(JsonNode body) {
      return new Answer(
          200, body.toString().getBytes(UTF_8), Map.of("Content-Type", "application/json"));
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    if ("gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))) {
      body = new GZIPInputStream(new ByteArrayInputStream(body)).readAllBytes();
    }
    Answer answer;
    try {
      answer = answer(exchange, body);
    } catch (RefusedException e) {
      ObjectNode error = JSON.createObjectNode();
      error.put("error_code", e.code);
      error.put("message", e.getMessage());
      answer =
          new Answer(
              e.status,
              error.toString().getBytes(UTF_8),
              e.status == 429 || e.status == 503
                  ? Map.of("Content-Type", "application/json", "Retry-After", "1")
                  : Map.of("Content-Type", "application/json"));
    }
    answer.headers.forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
    boolean bodiless =
        exchange.getRequestMethod().equals("HEAD")
            || answer.body.length == 0
            || answer.status == 204;
    exchange.sendResponseHeaders(answer.status, bodiless ? -1 : answer.body.length);
    if (!bodiless) {
      exchange.getResponseBody().write(answer.body);
    }
    exchange.close();
  }

  private Answer answer(HttpExchange exchange, byte[] body) throws RefusedException {
    String method = exchange.getRequestMethod();
    String path = exchange.getRequestURI().getPath();
    if (isDown) {
      throw new RefusedException(503, "TEMPORARILY_UNAVAILABLE", "it is down");
    }
    if (path.equals("/oidc/v1/token")) {
      return token(exchange, new String(body, UTF_8));
    }
    if (path.equals("/oidc/.well-known/oauth-authorization-server")) {
      ObjectNode places = JSON.createObjectNode();
      places.put("authorization_endpoint", endpoint() + "/oidc/v1/authorize");
      places.put("token_endpoint", endpoint() + "/oidc/v1/token");
      return Answer.of(places);
    }
    if (!path.startsWith("/api/2.0/")) {
      throw new RefusedException(404, "NOT_FOUND", "no such place: " + path);
    }
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    if (!("Bearer " + TOKEN).equals(authorization)) {
      throw new RefusedException(401, "UNAUTHENTICATED", "the token is not known");
    }
    Fault fault = faults.peek();
    if (fault != null && !fault.afterwards && path.contains(fault.text) && faults.remove(fault)) {
      throw new RefusedException(fault.status, fault.code, fault.code + " says the fake");
    }
    if (path.startsWith("/api/2.0/fs/files/")) {
      return file(method, path.substring("/api/2.0/fs/files".length()), body);
    }
    if (path.startsWith("/api/2.0/fs/directories/")) {
      return directory(
          method, path.substring("/api/2.0/fs/directories".length()), exchange.getRequestURI());
    }
    try {
      JsonNode request = body.length == 0 ? JSON.createObjectNode() : JSON.readTree(body);
      if (path.matches("/api/2.0/sql/.*sessions/?") && method.equals("POST")) {
        return openSession(request);
      }
      if (path.matches("/api/2.0/sql/.*sessions/.+") && method.equals("DELETE")) {
        Connection session = sessions.remove(path.replaceFirst(".*/", ""));
        if (session != null) {
          session.close();
        }
        return Answer.of(JSON.createObjectNode());
      }
      if (path.matches("/api/2.0/sql/statements/?") && method.equals("POST")) {
        return statement(request);
      }
      if (path.startsWith("/api/2.0/sql/statements/")) {
        return Answer.of(JSON.createObjectNode());
      }
    } catch (IOException | SQLException e) {
      throw new RefusedException(400, "BAD_REQUEST", String.valueOf(e.getMessage()));
    }
    throw new RefusedException(404, "NOT_FOUND", method + " " + path);
  }

  private static Answer token(HttpExchange exchange, String form) throws RefusedException {
    String basic =
        Base64.getEncoder().encodeToString((CLIENT + ":" + CLIENT_SECRET).getBytes(UTF_8));
    boolean isKnown =
        ("Basic " + basic).equals(exchange.getRequestHeaders().getFirst("Authorization"))
            || (form.contains("client_id=" + CLIENT)
                && form.contains("client_secret=" + URLEncoder.encode(CLIENT_SECRET, UTF_8)));
    if (!isKnown || !form.contains("grant_type=client_credentials")) {
      throw new RefusedException(401, "invalid_client", "the principal is not known");
    }
    ObjectNode token = JSON.createObjectNode();
    token.put("access_token", TOKEN);
    token.put("token_type", "Bearer");
    token.put("expires_in", 3_600);
    return Answer.of(token);
  }

  private Answer openSession(JsonNode request) throws SQLException {
    String id = UUID.randomUUID().toString();
    Connection session = database.unwrap(DuckDBConnection.class).duplicate();
    try (Statement statement = session.createStatement()) {
      statement.execute("SET TimeZone='UTC'");
      for (String sql :
          List.of(
              "CREATE OR REPLACE TEMP MACRO array_union(a, b) AS list_distinct(list_concat(a, b))",
              "CREATE OR REPLACE TEMP MACRO spark_type(t) AS CASE t WHEN 'VARCHAR' THEN 'string'"
                  + " WHEN 'BLOB' THEN 'binary' WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'timestamp'"
                  + " WHEN 'FLOAT[]' THEN 'array<float>' WHEN 'VARCHAR[]' THEN 'array<string>'"
                  + " ELSE lower(t) END",
              "CREATE OR REPLACE TEMP VIEW of_schema_tables AS SELECT schema_name AS table_schema,"
                  + " table_name, 'MANAGED' AS table_type, comment, coalesce((SELECT"
                  + " min(altered_at) FROM memory.main.altered WHERE place = schema_name || '.' ||"
                  + " table_name), now()) AS last_altered FROM duckdb_tables() WHERE database_name"
                  + " = '"
                  + CATALOG
                  + "' UNION ALL SELECT schema_name, view_name, 'VIEW', comment, now() FROM"
                  + " duckdb_views() WHERE database_name = '"
                  + CATALOG
                  + "'",
              "CREATE OR REPLACE TEMP VIEW of_schema_catalogs AS SELECT '"
                  + CATALOG
                  + "' AS catalog_name, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS created",
              "CREATE OR REPLACE TEMP VIEW of_schema_columns AS SELECT schema_name AS table_schema,"
                  + " table_name, column_name, spark_type(data_type) AS full_data_type,"
                  + " column_index AS ordinal_position FROM duckdb_columns() WHERE database_name ="
                  + " '"
                  + CATALOG
                  + "'",
              // Who names no catalog is in that of the workspace.
              "USE " + (CATALOG.equals(request.path("catalog").asText()) ? CATALOG : "memory"))) {
        statement.execute(sql);
      }
    }
    sessions.put(id, session);
    ObjectNode answer = JSON.createObjectNode();
    answer.put("session_id", id);
    return Answer.of(answer);
  }

  private Answer statement(JsonNode request) throws RefusedException, IOException {
    String sql = request.path("statement").asText();
    synchronized (this) {
      statements.add(sql);
    }
    Connection session = sessions.get(request.path("session_id").asText());
    if (session == null) {
      throw new RefusedException(
          404, "NOT_FOUND", "SESSION_NOT_FOUND: " + request.path("session_id").asText());
    }
    Fault fault = faults.peek();
    boolean isHit = fault != null && sql.contains(fault.text) && faults.remove(fault);
    if (isHit && !fault.afterwards) {
      if (fault.status == 200) {
        return failed(fault.code, "[" + fault.code + "] says the fake");
      }
      throw new RefusedException(fault.status, fault.code, fault.code + " says the fake");
    }
    Answer answer;
    try (Statement statement = session.createStatement()) {
      // Tables are serializable there.
      synchronized (running) {
        answer = run(statement, sql);
      }
    } catch (SQLException e) {
      String message = String.valueOf(e.getMessage());
      String code =
          message.contains("onflict")
              ? "DELTA_CONCURRENT_APPEND"
              : message.contains("already exists")
                  ? "TABLE_OR_VIEW_ALREADY_EXISTS"
                  : message.contains("does not exist") ? "TABLE_OR_VIEW_NOT_FOUND" : "FAILED";
      return failed(code, "[" + code + "] " + message);
    } catch (DatabricksSql.UnknownStatementException e) {
      return failed("PARSE_SYNTAX_ERROR", String.valueOf(e.getMessage()));
    }
    if (isHit) {
      throw new RefusedException(fault.status, fault.code, "the answer is lost");
    }
    return answer;
  }

  private static final Map<String, String> STATES =
      Map.of(
          "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07",
          "TABLE_OR_VIEW_NOT_FOUND", "42P01",
          "PARSE_SYNTAX_ERROR", "42601",
          "DELTA_CONCURRENT_APPEND", "2D521",
          "PARQUET_TYPE_ILLEGAL", "42846");

  private static Answer failed(String code, String message) {
    ObjectNode answer = JSON.createObjectNode();
    answer.put("statement_id", UUID.randomUUID().toString());
    ObjectNode status = answer.putObject("status");
    status.put("state", "FAILED");
    status.put("sql_state", STATES.getOrDefault(code, "XX000"));
    ObjectNode error = status.putObject("error");
    error.put("error_code", "BAD_REQUEST");
    error.put("message", message);
    return Answer.of(answer);
  }

  private static Answer rows(List<String> names, List<String> types, List<List<String>> rows) {
    ObjectNode answer = JSON.createObjectNode();
    answer.put("statement_id", UUID.randomUUID().toString());
    answer.putObject("status").put("state", "SUCCEEDED");
    ObjectNode manifest = answer.putObject("manifest");
    manifest.put("format", "JSON_ARRAY");
    ObjectNode schema = manifest.putObject("schema");
    schema.put("column_count", names.size());
    ArrayNode columns = schema.putArray("columns");
    for (int i = 0; i < names.size(); i++) {
      String type = types.get(i);
      ObjectNode column = columns.addObject();
      column.put("name", names.get(i));
      column.put("position", i);
      column.put("type_name", type.startsWith("ARRAY") ? "ARRAY" : type);
      column.put("type_text", type.equals("LONG") ? "BIGINT" : type);
    }
    manifest.put("total_chunk_count", 1);
    manifest.put("total_row_count", rows.size());
    manifest.put("truncated", false);
    manifest
        .putArray("chunks")
        .addObject()
        .put("chunk_index", 0)
        .put("row_offset", 0)
        .put("row_count", rows.size());
    ObjectNode result = answer.putObject("result");
    result.put("chunk_index", 0);
    result.put("row_offset", 0);
    result.put("row_count", rows.size());
    ArrayNode data = result.putArray("data_array");
    for (List<String> row : rows) {
      ArrayNode values = data.addArray();
      row.forEach(values::add);
    }
    return Answer.of(answer);
  }

  private static Answer affected(long rows) {
    return rows(
        List.of("num_affected_rows"), List.of("LONG"), List.of(List.of(Long.toString(rows))));
  }

  /** In a statement of its own: DuckDB closes one that fails, and says that instead. */
  private static void alone(Statement other, String sql) throws SQLException {
    try (Statement statement = other.getConnection().createStatement()) {
      statement.execute(sql);
    }
  }

  private Answer run(Statement statement, String sql)
      throws SQLException, IOException, RefusedException {
    DatabricksSql.Copy copy = DatabricksSql.Copy.of(sql).orElse(null);
    if (copy != null) {
      return copy(statement, copy);
    }
    String first = sql.strip().split("\\W+", 2)[0].toUpperCase(Locale.ROOT);
    if (first.equals("LIST")) {
      Optional<Stored> unused =
          external(DatabricksSql.text(sql.replaceFirst("(?s).*?('.*').*", "$1")));
      return rows(List.of(), List.of(), List.of());
    }
    if (first.equals("SET") || first.equals("USE")) {
      return rows(List.of(), List.of(), List.of());
    }
    List<String> translated = DatabricksSql.translate(sql);
    if (translated.size() > 1) {
      statement.execute("BEGIN");
      try {
        for (String each : translated) {
          alone(statement, each);
        }
        alone(statement, "COMMIT");
      } catch (SQLException e) {
        alone(statement, "ROLLBACK");
        throw e;
      }
      return rows(List.of(), List.of(), List.of());
    }
    if (Set.of("INSERT", "UPDATE", "DELETE", "MERGE").contains(first)) {
      return affected(statement.executeLargeUpdate(translated.get(0)));
    }
    if (!statement.execute(translated.get(0)) || !Set.of("SELECT", "WITH").contains(first)) {
      return rows(List.of(), List.of(), List.of());
    }
    try (ResultSet found = statement.getResultSet()) {
      return rows(found);
    }
  }

  private static Answer rows(ResultSet found) throws SQLException {
    ResultSetMetaData facts = found.getMetaData();
    List<String> names = new ArrayList<>();
    List<String> types = new ArrayList<>();
    for (int i = 1; i <= facts.getColumnCount(); i++) {
      names.add(facts.getColumnLabel(i));
      types.add(
          switch (facts.getColumnTypeName(i)) {
            case "BIGINT", "HUGEINT" -> "LONG";
            case "INTEGER" -> "INT";
            case "DOUBLE" -> "DOUBLE";
            case "FLOAT" -> "FLOAT";
            case "BOOLEAN" -> "BOOLEAN";
            case "BLOB" -> "BINARY";
            case "DATE" -> "DATE";
            case "TIMESTAMP WITH TIME ZONE" -> "TIMESTAMP";
            case "FLOAT[]" -> "ARRAY<FLOAT>";
            case "VARCHAR[]" -> "ARRAY<STRING>";
            default -> "STRING";
          });
    }
    List<List<String>> rows = new ArrayList<>();
    while (found.next()) {
      List<String> row = new ArrayList<>();
      for (int i = 1; i <= names.size(); i++) {
        row.add(text(found, i, types.get(i - 1)));
      }
      rows.add(row);
    }
    return rows(names, types, rows);
  }

  private static String text(ResultSet found, int column, String type) throws SQLException {
    Object value = found.getObject(column);
    if (value == null) {
      return null;
    }
    if (type.equals("TIMESTAMP")) {
      return found.getObject(column, OffsetDateTime.class).toInstant().toString();
    }
    if (type.equals("BINARY")) {
      Blob blob = found.getBlob(column);
      return Base64.getEncoder().encodeToString(blob.getBytes(1, (int) blob.length()));
    }
    if (type.startsWith("ARRAY")) {
      ArrayNode array = JSON.createArrayNode();
      for (Object each : (Object[]) found.getArray(column).getArray()) {
        if (each instanceof Float number) {
          array.add(number);
        } else {
          array.add(String.valueOf(each));
        }
      }
      return array.toString();
    }
    return found.getString(column);
  }

  /** Lets it read what is in a location of a bucket, such as {@code s3://bucket/folder/}. */
  public void allow(String location, BiFunction<String, String, Optional<byte[]>> bucket) {
    locations.put(location, bucket);
  }

  private Optional<Stored> external(String uri) throws RefusedException {
    for (Map.Entry<String, BiFunction<String, String, Optional<byte[]>>> each :
        locations.entrySet()) {
      if (uri.startsWith(each.getKey())) {
        String[] parts = uri.replaceFirst("^[a-z0-9]+://", "").split("/", 2);
        return each.getValue().apply(parts[0], parts[1]).map(it -> new Stored(it, Instant.now()));
      }
    }
    throw new RefusedException(
        400, "PERMISSION_DENIED", "no external location that may be read has " + uri);
  }

  private Answer copy(Statement statement, DatabricksSql.Copy copy)
      throws SQLException, IOException, RefusedException {
    List<Path> paths = new ArrayList<>();
    Path folder = Files.createTempDirectory(directory, "copy");
    Set<String> names = new HashSet<>();
    synchronized (this) {
      Set<String> before = copied.computeIfAbsent(copy.table(), unused -> new HashSet<>());
      for (String name : copy.files()) {
        String path = copy.from().replaceFirst("^dbfs:", "").replaceFirst("/+$", "") + "/" + name;
        Stored file = path.startsWith("/") ? files.get(path) : external(path).orElse(null);
        if (file == null) {
          return failed("PATH_NOT_FOUND", "[PATH_NOT_FOUND] Path does not exist: dbfs:" + path);
        }
        if (copy.force() || !before.contains(path)) {
          names.add(path);
          Path local = folder.resolve(paths.size() + ".parquet");
          Files.write(local, file.bytes);
          paths.add(local);
        }
      }
    }
    long rows = 0;
    if (!paths.isEmpty()) {
      String list =
          paths.stream().map(path -> "'" + path + "'").collect(Collectors.joining(", ", "[", "]"));
      try (ResultSet illegal =
          statement.executeQuery(
              "SELECT name FROM parquet_schema("
                  + list
                  + ") WHERE type = 'FIXED_LEN_BYTE_ARRAY' AND logical_type IS NOT NULL")) {
        if (illegal.next()) {
          return failed(
              "PARQUET_TYPE_ILLEGAL",
              "[PARQUET_TYPE_ILLEGAL] Illegal Parquet type: FIXED_LEN_BYTE_ARRAY (UUID).");
        }
      }
      rows =
          statement.executeLargeUpdate(
              "INSERT INTO "
                  + copy.table()
                  + " BY NAME "
                  + copy.select()
                  + " FROM read_parquet("
                  + list
                  + ", union_by_name = true, hive_partitioning = false)");
    }
    synchronized (this) {
      copied.get(copy.table()).addAll(names);
    }
    for (Path each : paths) {
      Files.delete(each);
    }
    return affected(rows);
  }

  private synchronized Answer file(String method, String path, byte[] body)
      throws RefusedException {
    if (!path.matches("/Volumes/[^/]+/[^/]+/[^/]+/.+")) {
      throw new RefusedException(400, "INVALID_PARAMETER_VALUE", path + " is in no volume");
    }
    if (path.startsWith("/Volumes/" + CATALOG + "/missing/")) {
      throw new RefusedException(404, "NOT_FOUND", "Volume 'missing' does not exist");
    }
    switch (method) {
      case "PUT" -> {
        files.put(path, new Stored(body, Instant.now()));
        return new Answer(204, new byte[0], Map.of());
      }
      case "DELETE" -> {
        if (files.remove(path) == null) {
          throw new RefusedException(404, "NOT_FOUND", "The file does not exist");
        }
        return new Answer(204, new byte[0], Map.of());
      }
      default -> {
        Stored file = files.get(path);
        if (file == null) {
          throw new RefusedException(404, "NOT_FOUND", "The file does not exist");
        }
        return new Answer(200, file.bytes, Map.of("Content-Type", "application/octet-stream"));
      }
    }
  }

  private synchronized Answer directory(String method, String path, URI uri)
      throws RefusedException {
    if (method.equals("PUT")) {
      return new Answer(204, new byte[0], Map.of());
    }
    String from = path.replaceFirst("/*$", "/");
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode contents = answer.putArray("contents");
    Set<String> folders = new HashSet<>();
    for (Map.Entry<String, Stored> each : files.tailMap(from).entrySet()) {
      if (!each.getKey().startsWith(from)) {
        break;
      }
      String rest = each.getKey().substring(from.length());
      int slash = rest.indexOf('/');
      if (slash >= 0) {
        if (folders.add(rest.substring(0, slash))) {
          contents
              .addObject()
              .put("path", from + rest.substring(0, slash))
              .put("name", rest.substring(0, slash))
              .put("is_directory", true);
        }
      } else {
        contents
            .addObject()
            .put("path", each.getKey())
            .put("name", rest)
            .put("is_directory", false)
            .put("file_size", each.getValue().bytes.length)
            .put("last_modified", each.getValue().at.toEpochMilli());
      }
    }
    answer.set("contents", page(contents, uri, answer));
    if (contents.isEmpty() && !from.matches("/Volumes/[^/]+/[^/]+/[^/]+/")) {
      throw new RefusedException(404, "NOT_FOUND", "The directory does not exist");
    }
    return Answer.of(answer);
  }

  /** A token is any text: one that is not encoded in the address comes back as another. */
  private ArrayNode page(ArrayNode all, URI uri, ObjectNode answer) throws RefusedException {
    int from = 0;
    if (uri.getRawQuery() != null) {
      String token =
          URLDecoder.decode(
              uri.getRawQuery().replaceFirst("^page_token=", ""), StandardCharsets.UTF_8);
      if (!token.matches("[0-9]+\\+/&=")) {
        throw new RefusedException(400, "INVALID_PARAMETER_VALUE", "no page token: " + token);
      }
      from = Integer.parseInt(token.replaceAll("[^0-9]", ""));
    }
    int to = Math.min(all.size(), from + pageSize);
    if (to < all.size()) {
      answer.put("next_page_token", to + "+/&=");
    }
    ArrayNode some = JSON.createArrayNode();
    for (int i = from; i < to; i++) {
      some.add(all.get(i));
    }
    return some;
  }

  @Override
  public void close() throws SQLException {
    server.stop(0);
    threads.shutdownNow();
    endSessions();
    database.close();
  }
}
