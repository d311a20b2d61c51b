package io.tailrace.pipelines.local.servers.snowflake;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A session: runs statements in a connection of its own to the one DuckDB, with Snowflake's
 * transactions: a definition ends the one that is open, and whoever updates, merges into or deletes
 * from a table has it until the end. One statement at a time.
 */
final class FakeSession implements AutoCloseable {
  private static final Pattern NAME =
      Pattern.compile(
          "^(?:UPDATE|MERGE INTO|DELETE FROM) ((?:\"?\\w+\"?\\.)*\"?\\w+\"?)",
          Pattern.CASE_INSENSITIVE);
  private static final Pattern TEMPORARY =
      Pattern.compile("TEMPORARY TABLE ((?:\"\\w+\"\\.)*)(\"\\w+\")");
  private static final Pattern COPY = Pattern.compile("^COPY INTO (\\S+) FROM");
  private static final Pattern INTEGRATION = Pattern.compile(" STORAGE_INTEGRATION = (\\w+)");
  private static final Pattern ARRAY_COLUMN = Pattern.compile("(\"\\w+\") ARRAY\\b");
  private static final Pattern PLACE = Pattern.compile("TABLE (?:IF NOT EXISTS )?(\\S+)");

  private final long id;
  private final Connection duckDb;
  private final TableLocks locks;
  private final Path stages;
  private final Buckets buckets;
  private final Map<String, String> parameters;
  private final Map<String, String> temporary = new HashMap<>();
  private boolean inTransaction;
  private boolean begun;

  /**
   * What sessions of an account share.
   *
   * @param stages a directory with a directory for each stage
   * @param buckets what it may read beside these
   */
  record Account(TableLocks locks, Path stages, Buckets buckets) {}

  FakeSession(long id, Connection duckDb, Account account, Map<String, String> parameters) {
    this.id = id;
    this.duckDb = duckDb;
    this.locks = account.locks;
    this.stages = account.stages;
    this.buckets = account.buckets;
    this.parameters = Map.copyOf(parameters);
  }

  long id() {
    return id;
  }

  Map<String, String> parameters() {
    return parameters;
  }

  /** Runs a statement and returns the answer's data. */
  synchronized ObjectNode run(String text) throws SQLException, FakeSnowflake.RefusedException {
    SnowflakeSql sql = SnowflakeSql.parse(text);
    return switch (sql.verb()) {
      case "BEGIN" -> {
        inTransaction = true;
        yield Answer.done(Answer.TCL);
      }
      case "COMMIT" -> end("COMMIT");
      case "ROLLBACK" -> end("ROLLBACK");
      case "PUT" -> put(sql);
      case "GET" -> get(sql);
      case "LIST" -> list(sql);
      case "REMOVE" -> remove(sql);
      case "COPY" -> copy(sql);
      case "ALTER", "CREATE", "COMMENT", "DROP" -> {
        end("COMMIT");
        define(sql);
        yield Answer.done(Answer.DDL);
      }
      case "INSERT", "UPDATE", "MERGE", "DELETE" -> change(sql);
      case "SHOW" ->
          Answer.rows(
              Answer.SELECT,
              List.of("resource", "type", "transaction", "status", "acquired_on"),
              locks.all().entrySet().stream()
                  .map(
                      lock ->
                          List.of(
                              lock.getKey().replace("\"", ""),
                              "PARTITIONS",
                              Long.toString(lock.getValue().id()),
                              "HOLDING",
                              Answer.seconds(locks.takenAt(lock.getKey()))))
                  .toList());
      case "DESCRIBE" -> {
        String name =
            sql.skeleton().replaceFirst("^DESCRIBE INTEGRATION ", "").toUpperCase(Locale.ROOT);
        yield Answer.rows(
            Answer.SELECT,
            List.of("property", "property_type", "property_value", "property_default"),
            List.of(
                List.of("ENABLED", "Boolean", "true", "false"),
                List.of("STORAGE_ALLOWED_LOCATIONS", "List", buckets.allowed(name), "[]")));
      }
      default -> sql.skeleton().contains("SYSTEM$ABORT_TRANSACTION") ? abort(sql) : select(sql);
    };
  }

  private ObjectNode end(String how) throws SQLException {
    inTransaction = false;
    try {
      if (begun) {
        begun = false;
        execute(how);
      }
    } finally {
      locks.releaseAll(this);
    }
    return Answer.done(Answer.TCL);
  }

  private void begin() throws SQLException {
    if (inTransaction && !begun) {
      execute("BEGIN");
      begun = true;
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = duckDb.createStatement()) {
      statement.execute(sql);
    }
  }

  private String forDuckDb(SnowflakeSql sql) {
    String skeleton =
        sql.skeleton()
            .replace("CURRENT_SESSION()", Long.toString(id))
            .replace("CURRENT_ACCOUNT()", "sf_account()");
    for (Map.Entry<String, String> table : temporary.entrySet()) {
      skeleton = skeleton.replace(table.getKey(), table.getValue());
    }
    return sql.withSkeleton(skeleton).forDuckDb();
  }

  private void define(SnowflakeSql sql) throws SQLException {
    if (sql.skeleton().startsWith("CREATE STAGE") || sql.skeleton().startsWith("ALTER SESSION")) {
      return;
    }
    Matcher table = TEMPORARY.matcher(sql.skeleton());
    boolean isTemporary = table.find();
    if (isTemporary) {
      temporary.put(table.group(1) + table.group(2), "temp.main." + table.group(2));
    }
    String comment = sql.textBehind(" COMMENT = ");
    // Definitions don't meet each other in Snowflake.
    synchronized (locks) {
      execute(forDuckDb(sql.without(" COMMENT = ")));
      if (!comment.isEmpty()) {
        String place = sql.skeleton().replaceFirst("^CREATE (?:OR REPLACE )?VIEW (\\S+).*", "$1");
        execute("COMMENT ON VIEW " + place + " IS '" + comment.replace("'", "''") + "'");
      }
      Matcher place = PLACE.matcher(sql.skeleton());
      if (place.find() && !isTemporary) {
        Matcher array = ARRAY_COLUMN.matcher(sql.skeleton());
        while (array.find()) {
          execute("COMMENT ON COLUMN " + place.group(1) + "." + array.group(1) + " IS 'ARRAY'");
        }
      }
    }
  }

  private ObjectNode change(SnowflakeSql sql) throws SQLException, FakeSnowflake.RefusedException {
    Matcher name = NAME.matcher(sql.skeleton());
    boolean alone = !inTransaction;
    if (name.find() && !temporary.containsKey(name.group(1))) {
      locks.take(this, name.group(1).toUpperCase(Locale.ROOT), lockTimeout());
    }
    try {
      begin();
      try (Statement statement = duckDb.createStatement()) {
        long rows = statement.executeUpdate(forDuckDb(sql));
        return Answer.changed(sql.verb(), rows);
      }
    } catch (SQLException e) {
      if (!alone) {
        // As TRANSACTION_ABORT_ON_ERROR has it; DuckDB does so, too.
        end("ROLLBACK");
      }
      throw e;
    } finally {
      if (alone) {
        locks.releaseAll(this);
      }
    }
  }

  private Duration lockTimeout() {
    return Duration.ofSeconds(Long.parseLong(parameters.getOrDefault("LOCK_TIMEOUT", "43200")));
  }

  /** A transaction is called as its session here. */
  private ObjectNode abort(SnowflakeSql sql) throws SQLException {
    String transaction = sql.skeleton().replaceAll("\\D", "");
    for (FakeSession holder : List.copyOf(locks.all().values())) {
      if (Long.toString(holder.id()).equals(transaction)) {
        ObjectNode unused = holder.aborted();
      }
    }
    return Answer.rows(Answer.SELECT, List.of("aborted"), List.of(List.of("true")));
  }

  private synchronized ObjectNode aborted() throws SQLException {
    return end("ROLLBACK");
  }

  private ObjectNode select(SnowflakeSql sql) throws SQLException, FakeSnowflake.RefusedException {
    if (sql.skeleton().contains("SYSTEM$VALIDATE_STORAGE_INTEGRATION")) {
      return Answer.rows(
          Answer.SELECT,
          List.of("validation"),
          List.of(List.of(buckets.validate(sql.texts().get(0), sql.texts().get(1)))));
    }
    begin();
    try (Statement statement = duckDb.createStatement();
        ResultSet found = statement.executeQuery(forDuckDb(sql))) {
      return Answer.result(found);
    }
  }

  /** Reads files as Parquet into the columns that the table has. */
  private ObjectNode copy(SnowflakeSql sql) throws SQLException, FakeSnowflake.RefusedException {
    Matcher into = COPY.matcher(sql.skeleton());
    if (!into.find()) {
      throw new SQLException("Parser Error: " + sql.skeleton());
    }
    List<String> names = sql.textsIn(" FILES = ");
    String from = sql.textBehind(" FROM ");
    Matcher integration = INTEGRATION.matcher(sql.skeleton());
    boolean isBucket = integration.find();
    // Files of a bucket are called by all of their folders.
    Path root = isBucket ? stages.resolve("bucket-" + from.split("/", 4)[2]) : directory(from);
    Path stage = isBucket ? root.resolve(from.split("/", 4)[3]) : root;
    if (isBucket) {
      buckets.fetch(integration.group(1).toUpperCase(Locale.ROOT), from, names, root);
    }
    for (String name : names) {
      if (!Files.exists(stage.resolve(name))) {
        throw new FakeSnowflake.RefusedException(
            "091016", "22000", "Remote file '" + name + "' was not found.");
      }
    }
    String table = temporary.getOrDefault(into.group(1), into.group(1));
    begin();
    String files =
        names.stream()
            .map(name -> "'" + stage.resolve(name) + "'")
            .collect(Collectors.joining(", ", "[", "]"));
    String read =
        "read_parquet("
            + files
            + ", filename = true, file_row_number = true, union_by_name = true,"
            + " hive_partitioning = false)";
    Map<String, String> found = new HashMap<>();
    try (Statement statement = duckDb.createStatement();
        ResultSet columns = statement.executeQuery("DESCRIBE SELECT * FROM " + read)) {
      while (columns.next()) {
        found.put(columns.getString(1), columns.getString(2));
      }
    }
    boolean tellsCapitals = sql.skeleton().contains(" MATCH_BY_COLUMN_NAME = CASE_SENSITIVE");
    List<String> targets = new ArrayList<>();
    List<String> values = new ArrayList<>();
    try (Statement statement = duckDb.createStatement();
        ResultSet columns = statement.executeQuery("DESCRIBE " + table)) {
      while (columns.next()) {
        String column = columns.getString(1);
        // Names of files are in small letters, unless capitals are told apart.
        String lower = tellsCapitals ? column : column.toLowerCase(Locale.ROOT);
        if (lower.equals("staged_file")) {
          targets.add(column);
          values.add("substr(filename, " + (root.toString().length() + 2) + ")");
        } else if (lower.equals("staged_row")) {
          targets.add(column);
          values.add("file_row_number");
        } else if (found.containsKey(lower)) {
          checkCalendar(read, quoted(lower), columns.getString(2));
          targets.add(quoted(column));
          values.add(cast(quoted(lower), found.get(lower), columns.getString(2)));
        }
      }
    }
    try (Statement statement = duckDb.createStatement()) {
      long rows =
          statement.executeUpdate(
              "INSERT INTO "
                  + table
                  + " ("
                  + String.join(", ", targets)
                  + ") SELECT "
                  + String.join(", ", values)
                  + " FROM "
                  + read);
      return Answer.rows(
          Answer.COPY,
          List.of("file", "status", "rows_loaded"),
          List.of(List.of(names.get(0), "LOADED", Long.toString(rows))));
    }
  }

  private static String quoted(String column) {
    return '"' + column.replace("\"", "\"\"") + '"';
  }

  private void checkCalendar(String read, String column, String type)
      throws SQLException, FakeSnowflake.RefusedException {
    if (!type.equals("DATE") && !type.equals("TIMESTAMP WITH TIME ZONE")) {
      return;
    }
    try (Statement statement = duckDb.createStatement();
        ResultSet found =
            statement.executeQuery(
                "SELECT count(*) FROM "
                    + read
                    + " WHERE year("
                    + column
                    + ") NOT BETWEEN 1 AND 9999")) {
      found.next();
      if (found.getLong(1) > 0) {
        throw new FakeSnowflake.RefusedException(
            "100035", "22007", "Timestamp or date in " + column + " is not recognized");
      }
    }
  }

  private static String cast(String column, String from, String to) {
    if (from.equals("UUID")) {
      return "unhex(replace(" + column + "::VARCHAR, '-', ''))";
    }
    return to.equals("JSON") ? "to_json(" + column + ")" : column;
  }

  private Path directory(String stage) {
    String[] parts = stage.replaceFirst("^@", "").split("/", 2);
    return parts.length == 1 || parts[1].isEmpty()
        ? stages.resolve(parts[0])
        : stages.resolve(parts[0]).resolve(parts[1]);
  }

  private ObjectNode put(SnowflakeSql sql) throws SQLException {
    return transfer(
        "UPLOAD",
        List.of(sql.texts().get(0).replaceFirst("^file://", "")),
        created(directory(sql.texts().get(1))));
  }

  private static Path created(Path directory) throws SQLException {
    try {
      return Files.createDirectories(directory);
    } catch (IOException e) {
      throw new SQLException(e);
    }
  }

  private ObjectNode get(SnowflakeSql sql) {
    Path file = directory(sql.texts().get(0));
    ObjectNode data =
        transfer(
            "DOWNLOAD",
            Files.exists(file) ? List.of(file.getFileName().toString()) : List.of(),
            file.resolveSibling(""));
    data.put("localLocation", sql.texts().get(1).replaceFirst("^file://", ""));
    return data;
  }

  private static ObjectNode transfer(String command, List<String> files, Path directory) {
    ObjectNode data = Answer.JSON.createObjectNode();
    data.put("command", command);
    ArrayNode sources = data.putArray("src_locations");
    files.forEach(sources::add);
    data.put("parallel", 4);
    data.put("autoCompress", false);
    data.put("overwrite", true);
    data.put("sourceCompression", "none");
    ObjectNode stage = data.putObject("stageInfo");
    stage.put("locationType", "LOCAL_FS");
    stage.put("location", directory + "/");
    stage.put("path", "");
    stage.putObject("creds");
    data.put("queryId", "01234567-0000-0000-0000-000000000000");
    return data;
  }

  private ObjectNode list(SnowflakeSql sql) {
    Path stage = directory(sql.texts().get(0));
    List<List<String>> rows = new ArrayList<>();
    if (Files.exists(stage)) {
      String name = stage.getFileName().toString();
      String prefix = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
      try (Stream<Path> files = Files.walk(stage)) {
        for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
          rows.add(
              List.of(
                  prefix + "/" + stage.relativize(file),
                  Long.toString(Files.size(file)),
                  "",
                  DateTimeFormatter.RFC_1123_DATE_TIME.format(
                      Files.getLastModifiedTime(file).toInstant().atOffset(ZoneOffset.UTC))));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return Answer.rows(Answer.SELECT, List.of("name", "size", "md5", "last_modified"), rows);
  }

  private ObjectNode remove(SnowflakeSql sql) {
    Path folder = directory(sql.texts().get(0));
    Pattern pattern = Pattern.compile(sql.textBehind(" PATTERN = "));
    List<List<String>> removed = new ArrayList<>();
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          if (pattern.matcher(stages.relativize(file).toString()).matches()) {
            Files.delete(file);
            removed.add(List.of(stages.relativize(file).toString(), "removed"));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return Answer.rows(Answer.SELECT, List.of("name", "result"), removed);
  }

  @Override
  public synchronized void close() throws SQLException {
    try {
      ObjectNode unused = end("ROLLBACK");
    } finally {
      duckDb.close();
    }
  }
}
