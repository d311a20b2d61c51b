package io.tailrace.testing.fakes;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.pipelines.local.servers.LoopbackServer;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.Reader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * Simulates Redshift: stands between its driver and a real PostgreSQL, whose words it puts in the
 * place of Redshift's, and answers COPY with the files of a simulated S3, in the session's own
 * transaction. What is stored, locked, committed and lost is PostgreSQL's. Thread-safe.
 */
public final class FakeRedshift implements AutoCloseable {
  /** The only role that may read the bucket. */
  public static final String ROLE = "arn:aws:iam::123456789012:role/tailrace-copy";

  private static final Set<String> UNKNOWN_TO_POSTGRES =
      Set.of(
          "driver_version",
          "os_version",
          "client_protocol_version",
          "driver_discovery_version",
          "plugin_name",
          "idp_type",
          "token_type",
          "idc_client_display_name",
          "provider_name",
          "idc_region");

  private static final List<String> FUNCTIONS =
      List.of(
          "CREATE SCHEMA copied",
          "CREATE FUNCTION redshift_type(t oid, m integer) RETURNS text STABLE LANGUAGE sql AS"
              + " 'SELECT CASE format_type(t, m) WHEN ''bytea'' THEN ''binary varying(1024000)''"
              + " WHEN ''jsonb'' THEN ''super'' WHEN ''bpchar'' THEN ''character varying(65535)''"
              + " ELSE format_type(t, m) END'",
          "CREATE FUNCTION datediff_us(a timestamp, b timestamp) RETURNS bigint IMMUTABLE LANGUAGE"
              + " sql AS 'SELECT (EXTRACT(EPOCH FROM b) * 1000000 - EXTRACT(EPOCH FROM a) *"
              + " 1000000)::bigint'",
          "CREATE FUNCTION varchar_of(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN IF"
              + " octet_length(t) > 65535 THEN RAISE EXCEPTION USING ERRCODE = ''22001'', MESSAGE ="
              + " ''Value too long for type character varying(65535)''; END IF; RETURN t; END'",
          "CREATE FUNCTION to_hex(b bytea) RETURNS text IMMUTABLE LANGUAGE sql AS"
              + " 'SELECT varchar_of(encode(b, ''hex''))'",
          // Of a text that is compared without its blanks; as text, it has none.
          "CREATE FUNCTION to_varbyte(t bpchar, form text) RETURNS bytea IMMUTABLE LANGUAGE sql AS"
              + " 'SELECT bpcharsend(t)'",
          "CREATE FUNCTION to_varbyte(t text, form text) RETURNS bytea IMMUTABLE LANGUAGE sql AS"
              + " 'SELECT convert_to(t, ''UTF8'')'",
          "CREATE VIEW stv_recents AS SELECT pid, CASE state WHEN 'active' THEN 'Running' ELSE"
              + " 'Done' END AS status FROM pg_stat_activity",
          "CREATE FUNCTION from_hex(t text) RETURNS bytea IMMUTABLE LANGUAGE sql AS"
              + " 'SELECT decode(t, ''hex'')'",
          "CREATE FUNCTION json_parse(t text) RETURNS jsonb IMMUTABLE LANGUAGE sql AS"
              + " 'SELECT t::jsonb'",
          "CREATE FUNCTION json_serialize(j jsonb) RETURNS text IMMUTABLE LANGUAGE sql AS"
              + " 'SELECT varchar_of(j::text)'",
          "CREATE FUNCTION json_serialize_to_varbyte(j jsonb) RETURNS bytea IMMUTABLE LANGUAGE sql"
              + " AS 'SELECT convert_to(j::text, ''UTF8'')'",
          "CREATE FUNCTION array_sort(j jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS"
              + " 'SELECT coalesce(jsonb_agg(e ORDER BY e), ''[]'') FROM jsonb_array_elements(j)"
              + " AS e'",
          "CREATE FUNCTION array_union(a jsonb, b jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS"
              + " 'SELECT coalesce(jsonb_agg(DISTINCT e), ''[]'') FROM jsonb_array_elements(a || b)"
              + " AS e'");

  private static final int JSONB = 3802;
  private static final int SUPER = 4000;

  private final LocalPostgres postgres;
  private final FakeS3 s3;
  private final Path directory;
  private final LoopbackServer listening = LoopbackServer.start("fake-redshift", this::serve);
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger copies = new AtomicInteger();
  private final Queue<Fault> faults = new ConcurrentLinkedQueue<>();
  private final List<String> statements = new ArrayList<>();
  private volatile @Nullable String unreadable;
  private volatile boolean ignoresBlanks;

  /**
   * What goes wrong with the next statement that holds a text.
   *
   * @param kind in which way
   * @param answer the server's state and words, where it answers
   */
  private record Fault(String text, Kind kind, String answer) {
    enum Kind {
      LOST_BEFORE,
      LOST_ANSWER,
      REFUSED
    }
  }

  private FakeRedshift(LocalPostgres postgres, FakeS3 s3, Path directory) {
    this.postgres = postgres;
    this.s3 = s3;
    this.directory = directory;
  }

  /**
   * Starts one.
   *
   * @param s3 where COPY reads
   * @param directory for PostgreSQL and for files
   */
  public static FakeRedshift start(FakeS3 s3, Path directory) throws IOException, SQLException {
    LocalPostgres postgres =
        LocalPostgres.in(directory.resolve("postgres"))
            .setting("fsync", "off")
            // As Redshift has it.
            .setting("standard_conforming_strings", "off")
            .setting("escape_string_warning", "off")
            .start();
    FakeRedshift fake = new FakeRedshift(postgres, s3, directory);
    // Redshift's driver does not know how PostgreSQL asks for passwords now.
    Path access = directory.resolve("postgres/data/pg_hba.conf");
    Files.writeString(access, Files.readString(access).replace("scram-sha-256", "password"));
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement()) {
      for (String function : FUNCTIONS) {
        statement.execute(function);
      }
      statement.execute("SELECT pg_reload_conf()");
    }
    return fake;
  }

  public int port() {
    return listening.port();
  }

  /** Returns the user, and the place of the password. */
  public String login() {
    return "user=tailrace&password=file:" + postgres.passwordFile();
  }

  /** Returns the database behind it. */
  public LocalPostgres postgres() {
    return postgres;
  }

  /** Breaks the connection before the next statement that holds a text is run. */
  public void loseBefore(String text) {
    faults.add(new Fault(text, Fault.Kind.LOST_BEFORE, ""));
  }

  /** Breaks the connection after the next statement that holds a text was run. */
  public void loseAnswerTo(String text) {
    faults.add(new Fault(text, Fault.Kind.LOST_ANSWER, ""));
  }

  /** Refuses the next statement that holds a text. */
  public void refuse(String text, String sqlState, String message) {
    faults.add(new Fault(text, Fault.Kind.REFUSED, sqlState + message));
  }

  /**
   * Compares texts as Redshift does, without the blanks at their ends, in tables that are created
   * until faults are forgotten: as PostgreSQL does with bpchar, which loses them where it becomes a
   * text.
   */
  public void ignoreBlanks() {
    ignoresBlanks = true;
  }

  /** Redshift can't read files, and says so in a context, until faults are forgotten. */
  public void cantRead(String context) {
    unreadable = context;
  }

  /** Returns whether all that was to go wrong has. */
  public boolean isHarmless() {
    return faults.isEmpty();
  }

  /** Whatever was to go wrong does not. */
  public void forgetFaults() {
    unreadable = null;
    ignoresBlanks = false;
    faults.clear();
  }

  /** Breaks all connections: sessions are over. */
  public void endSessions() throws IOException {
    for (Socket each : open) {
      each.close();
    }
  }

  /** Returns the statements of Redshift that were sent, and forgets them. */
  public synchronized List<String> takeStatements() {
    List<String> taken = List.copyOf(statements);
    statements.clear();
    return taken;
  }

  /** One client's connection. */
  private final class Session {
    private final Socket client;
    private final Socket server;
    private volatile boolean losesAnswer;

    Session(Socket client, Socket server) {
      this.client = client;
      this.server = server;
    }

    void passAnswers() throws IOException {
      try (client;
          server) {
        DataInputStream in = new DataInputStream(new BufferedInputStream(server.getInputStream()));
        DataOutputStream out =
            new DataOutputStream(new BufferedOutputStream(client.getOutputStream()));
        int type;
        while ((type = in.read()) >= 0) {
          int length = in.readInt();
          byte[] body = in.readNBytes(length - Integer.BYTES);
          if (losesAnswer) {
            return;
          }
          if (type == 'T') {
            describeSuper(ByteBuffer.wrap(body));
          }
          out.writeByte(type);
          out.writeInt(length);
          out.write(body);
          if (in.available() == 0) {
            out.flush();
          }
        }
      } finally {
        open.remove(client);
      }
    }

    /** PostgreSQL's number for the type is not Redshift's. */
    private static void describeSuper(ByteBuffer description) {
      int columns = description.getShort();
      for (int i = 0; i < columns; i++) {
        while (description.get() != 0) {
          // Its name.
        }
        int place = description.position() + Integer.BYTES + Short.BYTES;
        if (description.getInt(place) == JSONB) {
          description.putInt(place, SUPER);
        }
        description.position(place + 2 * Integer.BYTES + 2 * Short.BYTES);
      }
    }

    void passQuestions(DataInputStream in, DataOutputStream out) throws IOException {
      while (true) {
        int type = in.read();
        if (type < 0) {
          throw new EOFException();
        }
        byte[] body = new byte[in.readInt() - Integer.BYTES];
        in.readFully(body);
        if (type == 'Q') {
          body = (translated(new String(body, 0, body.length - 1, UTF_8)) + '\0').getBytes(UTF_8);
        } else if (type == 'P') {
          body = parsed(body);
        }
        out.writeByte(type);
        out.writeInt(body.length + Integer.BYTES);
        out.write(body);
        if (in.available() == 0) {
          out.flush();
        }
      }
    }

    private byte[] parsed(byte[] body) throws IOException {
      int name = 0;
      while (body[name] != 0) {
        name++;
      }
      int end = name + 1;
      while (body[end] != 0) {
        end++;
      }
      ByteArrayOutputStream changed = new ByteArrayOutputStream();
      changed.write(body, 0, name + 1);
      changed.writeBytes(
          translated(new String(body, name + 1, end - name - 1, UTF_8)).getBytes(UTF_8));
      changed.write(body, end, body.length - end);
      return changed.toByteArray();
    }

    private String translated(String sql) throws IOException {
      synchronized (FakeRedshift.this) {
        statements.add(sql);
      }
      Fault fault = faults.peek();
      if (fault != null && sql.contains(fault.text) && faults.remove(fault)) {
        switch (fault.kind) {
          case LOST_BEFORE -> throw new EOFException("as it was asked");
          case LOST_ANSWER -> losesAnswer = true;
          case REFUSED -> {
            return raise(fault.answer.substring(0, 5), fault.answer.substring(5));
          }
        }
      }
      String context = unreadable;
      if (context != null && RedshiftSql.Copy.of(sql).isPresent()) {
        return refuseScan(context);
      }
      try {
        RedshiftSql.Copy copy = RedshiftSql.Copy.of(sql).orElse(null);
        String translated = copy == null ? RedshiftSql.translate(sql) : copy(copy);
        return ignoresBlanks ? translated.replace("VARCHAR(65535)", "bpchar") : translated;
      } catch (RedshiftSql.UnknownStatementException e) {
        return raise("42601", String.valueOf(e.getMessage()));
      } catch (SQLException e) {
        return raise("XX000", "Spectrum Scan Error: " + e.getMessage());
      } catch (RefusedException e) {
        return raise("XX000", String.valueOf(e.getMessage()));
      }
    }
  }

  private static String raise(String state, String message) {
    return raise(state, message, "");
  }

  private static String raise(String state, String message, String detail) {
    return "DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''"
        + state
        + "'', MESSAGE = ''"
        + message.replace("'", "''''")
        + "'', DETAIL = ''"
        + detail.replace("'", "''''")
        + "''; END'";
  }

  /** What the layer that reads files says, in a box. */
  private static String refuseScan(String context) {
    return raise(
        "XX000",
        "Spectrum Scan Error",
        "\n  ----\n  error:  Spectrum Scan Error\n  code:      15001\n  context:   "
            + context
            + "\n  query:     1\n  location:  dory_util.cpp:1450\n  process:   worker_thread\n");
  }

  private void serve(Socket client) throws IOException {
    // Otherwise each answer waits for 40 ms.
    client.setTcpNoDelay(true);
    open.add(client);
    try (client) {
      DataInputStream in = new DataInputStream(client.getInputStream());
      int length = in.readInt();
      int code = in.readInt();
      while (code >> 16 == 1234) {
        // It asks for TLS.
        client.getOutputStream().write('N');
        length = in.readInt();
        code = in.readInt();
      }
      byte[] rest = new byte[length - 2 * Integer.BYTES];
      in.readFully(rest);
      try (Socket server = new Socket(InetAddress.getLoopbackAddress(), postgres.port())) {
        server.setTcpNoDelay(true);
        DataOutputStream out = new DataOutputStream(server.getOutputStream());
        byte[] known = known(rest);
        out.writeInt(known.length + 2 * Integer.BYTES);
        out.writeInt(code);
        out.write(known);
        out.flush();
        Session session = new Session(client, server);
        listening.inThread(session::passAnswers);
        session.passQuestions(
            in, new DataOutputStream(new BufferedOutputStream(server.getOutputStream())));
      }
    }
  }

  private static byte[] known(byte[] parameters) {
    String[] texts = new String(parameters, UTF_8).split("\0", -1);
    StringBuilder known = new StringBuilder();
    for (int i = 0; !texts[i].isEmpty(); i += 2) {
      if (!UNKNOWN_TO_POSTGRES.contains(texts[i])) {
        known.append(texts[i]).append('\0').append(texts[i + 1]).append('\0');
      }
    }
    return known.append('\0').toString().getBytes(UTF_8);
  }

  /** Something that Redshift refuses in a COPY. */
  private static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;

    RefusedException(String message) {
      super(message);
    }
  }

  /** Puts files into a table, from which the session's own transaction takes them. */
  private String copy(RedshiftSql.Copy copy) throws IOException, SQLException, RefusedException {
    if (!copy.role().equals(ROLE)) {
      throw new RefusedException("The specified IAM role is not authorized: " + copy.role());
    }
    List<Path> files = new ArrayList<>();
    Path folder = Files.createTempDirectory(directory, "copy");
    for (Map.Entry<String, Long> each : files(copy).entrySet()) {
      byte[] bytes = object(each.getKey());
      if (each.getValue() >= 0 && bytes.length != each.getValue()) {
        throw new RefusedException(
            "The length of the file " + each.getKey() + " is not what the manifest says");
      }
      Path file = folder.resolve(files.size() + ".parquet");
      files.add(file);
      Files.write(file, bytes);
    }
    String table = "copied.c" + copies.incrementAndGet();
    try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = duckDb.createStatement();
        Connection connection = postgres.connect();
        Statement creating = connection.createStatement()) {
      statement.execute("SET TimeZone='UTC'");
      statement.execute("SET threads=1");
      Path csv = folder.resolve("rows.csv");
      String definitions = write(statement, copy, files, csv);
      creating.execute("CREATE TABLE " + table + " (" + definitions + ")");
      try (Reader rows = Files.newBufferedReader(csv)) {
        long unused =
            connection
                .unwrap(PGConnection.class)
                .getCopyAPI()
                .copyIn("COPY " + table + " FROM STDIN (FORMAT csv)", rows);
      }
      Files.delete(csv);
    } finally {
      for (Path each : files) {
        Files.deleteIfExists(each);
      }
    }
    // As strict about the number and the types of columns as Redshift is.
    return "INSERT INTO "
        + copy.table()
        + " SELECT * FROM "
        + table
        + " UNION ALL SELECT * FROM "
        + copy.table()
        + " WHERE false";
  }

  private Map<String, Long> files(RedshiftSql.Copy copy) throws IOException, RefusedException {
    Map<String, Long> files = new LinkedHashMap<>();
    if (!copy.options().contains("MANIFEST")) {
      String bucket = copy.from().substring("s3://".length()).split("/", 2)[0];
      String prefix = copy.from().substring(("s3://" + bucket + "/").length());
      s3.keys(bucket).stream()
          .filter(key -> key.startsWith(prefix))
          .forEach(key -> files.put("s3://" + bucket + "/" + key, -1L));
      if (files.isEmpty()) {
        throw new RefusedException("The specified S3 prefix '" + prefix + "' does not exist");
      }
      return files;
    }
    for (JsonNode entry : new ObjectMapper().readTree(object(copy.from())).get("entries")) {
      if (!entry.path("meta").path("content_length").isNumber()) {
        throw new RefusedException("The manifest lacks meta.content_length, which Parquet needs");
      }
      files.put(entry.get("url").asText(), entry.get("meta").get("content_length").asLong());
    }
    return files;
  }

  private byte[] object(String url) throws RefusedException {
    String[] parts = url.substring("s3://".length()).split("/", 2);
    return s3.object(parts[0], parts[1])
        .orElseThrow(() -> new RefusedException("The S3 object " + url + " does not exist"));
  }

  private static String write(
      Statement statement, RedshiftSql.Copy copy, List<Path> files, Path csv)
      throws SQLException, RefusedException {
    StringBuilder list = new StringBuilder();
    for (Path file : files) {
      list.append(list.length() == 0 ? "[" : ", ").append('\'').append(file).append('\'');
    }
    String from = "read_parquet(" + list + "], hive_partitioning = false)";
    try (ResultSet codecs =
        statement.executeQuery(
            "SELECT DISTINCT compression FROM parquet_metadata(" + list + "])")) {
      while (codecs.next()) {
        if (!Set.of("SNAPPY", "GZIP", "UNCOMPRESSED").contains(codecs.getString(1))) {
          throw new RefusedException("Spectrum Scan Error: compression " + codecs.getString(1));
        }
      }
    }
    List<String> definitions = new ArrayList<>();
    List<String> columns = new ArrayList<>();
    try (ResultSet described = statement.executeQuery("DESCRIBE SELECT * FROM " + from)) {
      while (described.next()) {
        String name = '"' + described.getString(1).replace("\"", "\"\"") + '"';
        String type = described.getString(2);
        switch (type) {
          case "VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE" -> {
            definitions.add(name + " " + (type.equals("DOUBLE") ? "double precision" : type));
            columns.add(name);
          }
          case "JSON" -> {
            definitions.add(name + " VARCHAR");
            columns.add(name + "::VARCHAR");
          }
          case "FLOAT" -> {
            definitions.add(name + " real");
            columns.add(name);
          }
          case "BLOB" -> {
            definitions.add(name + " bytea");
            columns.add("'\\x' || hex(" + name + ")");
          }
          case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE" -> {
            definitions.add(name + " timestamp");
            columns.add("(" + name + " AT TIME ZONE 'UTC')::VARCHAR");
          }
          default -> {
            if (!type.endsWith("[]") || !copy.options().contains("SERIALIZETOJSON")) {
              throw new RefusedException(
                  "Spectrum Scan Error: the column " + name + " has an incompatible type: " + type);
            }
            definitions.add(name + " jsonb");
            columns.add("to_json(" + name + ")::VARCHAR");
          }
        }
      }
    }
    statement.execute(
        "COPY (SELECT "
            + String.join(", ", columns)
            + " FROM "
            + from
            + ") TO '"
            + csv
            + "' (FORMAT csv, HEADER false, FORCE_QUOTE *)");
    return String.join(", ", definitions);
  }

  @Override
  public void close() throws IOException {
    listening.close();
    endSessions();
    postgres.close();
  }
}
