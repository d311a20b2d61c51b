package io.tailrace.offline.duckdb;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.sql.duckdb.DuckDbFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Inserts into a DuckDB file: DuckDB reads the Parquet files itself, into a temporary table sorted
 * by feature, from which each feature's table gets what it does not have. Not thread-safe.
 */
final class DuckDbConnection implements BatchConnection {
  /** Tables that are committed together: what is not committed is held in memory. */
  private static final int TABLES_PER_COMMIT = 50;

  /** With fewer tables, looking at all staged rows for each of them is cheaper than sorting. */
  private static final int SORTED_FROM_TABLES = 20;

  /** DuckDB can't make a time of these, only store them. */
  private static final long FIRST_TIME = -9_223_372_022_400_000_000L;

  private static final long LAST_TIME = 9_223_372_036_854_775_806L;

  /** How far apart, in microseconds, the times may be that the parts of a query are given. */
  private static final long PARTS_APART = 3_600_000_000L;

  /** What goes wrong with the database rather than with the files that it reads. */
  private static final Set<String> NOT_THE_CONTENT =
      Set.of(
          "",
          "IO Error",
          "Out of Memory Error",
          "FATAL Error",
          "INTERNAL Error",
          "INTERRUPT Error",
          "TransactionContext Error",
          "Connection Error",
          "Catalog Error",
          "Permission Error");

  /** What only rows cause that are read already. */
  private static final Set<String> THE_ROWS =
      Set.of("Constraint Error", "Conversion Error", "Out of Range Error");

  private static final String COLUMNS =
      "observation_id, pkey, observed_at, resolver_fqn, deployment_id, operation_id, deleted";

  private final DuckDbOfflineStore store;
  private @Nullable DuckDbFile file;
  private @Nullable Connection connection;
  private String database = "";

  DuckDbConnection(DuckDbOfflineStore store) {
    this.store = store;
  }

  private interface Work<T> {
    T run(Statement statement) throws SQLException, ContentRejectedException, UnavailableException;
  }

  /**
   * Works with the connection, while others work with theirs; whatever fails, it is made anew for
   * the next.
   */
  private <T> T beside(Work<T> work) throws ContentRejectedException, UnavailableException {
    boolean done = false;
    try (Statement statement = connect().createStatement()) {
      T result = work.run(statement);
      done = true;
      return result;
    } catch (SQLException e) {
      if (THE_ROWS.contains(DuckDbFile.errorType(e))) {
        throw new ContentRejectedException(
            "DuckDB refuses a row: " + DuckDbFile.firstLine(String.valueOf(e.getMessage())), e);
      }
      throw requireNonNull(file).failure(e);
    } finally {
      if (!done) {
        disconnect();
      }
    }
  }

  /** Works alone on the file: nobody else changes it meanwhile. */
  private <T> T alone(Work<T> work) throws ContentRejectedException, UnavailableException {
    Connection unused = connect();
    DuckDbFile open = requireNonNull(file);
    T result;
    open.writing().lock();
    try {
      result = beside(work);
    } finally {
      open.writing().unlock();
    }
    open.changed();
    return result;
  }

  private Connection connect() throws UnavailableException {
    if (connection == null) {
      try {
        file = store.open();
        connection = file.duplicate();
        database = connection.getCatalog();
      } catch (SQLException e) {
        throw requireNonNull(file).failure(e);
      }
    }
    return connection;
  }

  @Override
  public List<Conflict> create(String environment, List<FeatureTable> tables)
      throws ContentRejectedException, UnavailableException {
    return alone(statement -> create(statement, place(environment), tables));
  }

  private static List<Conflict> create(Statement statement, Place place, List<FeatureTable> tables)
      throws SQLException {
    List<Conflict> conflicts = new ArrayList<>();
    Map<String, Map<String, String>> existing = columns(statement, place.schema);
    statement.execute("BEGIN");
    if (!existing.containsKey(TableNames.QUERY_LOG)) {
      statement.execute("CREATE SCHEMA IF NOT EXISTS " + place);
      statement.execute(
          "CREATE TABLE IF NOT EXISTS " + place.table(TableNames.QUERY_LOG) + queryLogColumns());
    }
    for (FeatureTable wanted : tables) {
      String name = wanted.table();
      String keyType = wanted.stringKeys() ? "VARCHAR" : "BIGINT";
      Optional<String> valueType = wanted.valueType().map(DuckDbConnection::sqlType);
      Map<String, String> columns = existing.get(name);
      if (columns == null) {
        statement.execute(
            "CREATE TABLE "
                + place.table(name)
                + "(observation_id UUID NOT NULL, pkey "
                + keyType
                + " NOT NULL, "
                + valueType.map(type -> "value " + type + ", ").orElse("")
                + "observed_at TIMESTAMPTZ NOT NULL,"
                + " inserted_at TIMESTAMPTZ NOT NULL DEFAULT current_timestamp,"
                + " resolver_fqn VARCHAR, deployment_id VARCHAR, operation_id VARCHAR NOT NULL,"
                + " deleted BOOLEAN NOT NULL)");
        Map<String, String> created = new HashMap<>(Map.of("pkey", keyType));
        valueType.ifPresent(type -> created.put("value", type));
        existing.put(name, created);
        continue;
      }
      String foundKey = columns.getOrDefault("pkey", "");
      String foundValue = columns.get("value");
      if (!foundKey.equals(keyType)) {
        conflicts.add(conflict(wanted, "pkey", foundKey, keyType));
      } else if (valueType.isPresent() && foundValue == null) {
        statement.execute(
            "ALTER TABLE "
                + place.table(name)
                + " ADD COLUMN IF NOT EXISTS value "
                + valueType.get());
        columns.put("value", valueType.get());
      } else if (valueType.isPresent() && !valueType.get().equals(foundValue)) {
        conflicts.add(conflict(wanted, "value", foundValue, valueType.get()));
      }
    }
    statement.execute("COMMIT");
    return conflicts;
  }

  private static Conflict conflict(
      FeatureTable table, String column, @Nullable String found, String wanted) {
    return Conflict.ofTypes(
        table, List.of(new Difference(column, found == null ? "" : found, wanted)));
  }

  /** Returns the types of the columns that tables of a schema have, by table and column. */
  private static Map<String, Map<String, String>> columns(Statement statement, String schema)
      throws SQLException {
    Map<String, Map<String, String>> tables = new HashMap<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT table_name, column_name, data_type FROM duckdb_columns()"
                + " WHERE database_name = current_database() AND schema_name = "
                + literal(schema))) {
      while (found.next()) {
        tables
            .computeIfAbsent(found.getString(1), unused -> new HashMap<>())
            .put(found.getString(2), typeName(found.getString(3)));
      }
    }
    return tables;
  }

  /** DuckDB names one type in two ways. */
  private static String typeName(String type) {
    return type.equals("TIMESTAMP WITH TIME ZONE") ? "TIMESTAMPTZ" : type;
  }

  private static String sqlType(ValueType type) {
    return switch (type) {
      case INT64 -> "BIGINT";
      case FLOAT64 -> "DOUBLE";
      case BOOL -> "BOOLEAN";
      case STRING -> "VARCHAR";
      case BYTES -> "BLOB";
      case TIMESTAMP -> "TIMESTAMPTZ";
      case DATE -> "DATE";
      case VECTOR -> "FLOAT[]";
      case JSON -> "JSON";
    };
  }

  private static String queryLogColumns() {
    return "(operation_id VARCHAR NOT NULL, environment_id VARCHAR NOT NULL, deployment_id VARCHAR,"
        + " operation_kind VARCHAR, query_timestamp TIMESTAMPTZ NOT NULL,"
        + " execution_started_at TIMESTAMPTZ, execution_finished_at TIMESTAMPTZ,"
        + " query_status VARCHAR, "
        + ObservationSchema.QUERY_TEXTS.keySet().stream()
            .filter(name -> !name.equals("deployment_id"))
            .map(name -> name + " VARCHAR")
            .collect(Collectors.joining(", "))
        + ", value_tables VARCHAR[] NOT NULL)";
  }

  @Override
  public BatchInserted insert(FileBatch batch)
      throws ContentRejectedException, UnavailableException {
    List<Path> paths = new ArrayList<>();
    Path directory;
    try {
      directory = Files.createTempDirectory("tailrace-insert-");
    } catch (IOException e) {
      throw new UnavailableException("no temporary directory can be made: " + e, e);
    }
    try {
      for (ObservationFile each : batch.files()) {
        Path path = directory.resolve(paths.size() + ".parquet");
        paths.add(path);
        Files.write(path, each.bytes());
      }
      return batch.kind() == Kind.QUERIES
          ? insertQueries(batch, paths)
          : insertObservations(batch, paths);
    } catch (IOException e) {
      throw new UnavailableException("files can't be written to " + directory + ": " + e, e);
    } finally {
      delete(paths, directory);
    }
  }

  private static void delete(List<Path> paths, Path directory) throws UnavailableException {
    try {
      for (Path path : paths) {
        Files.deleteIfExists(path);
      }
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new UnavailableException("files in " + directory + " can't be deleted: " + e, e);
    }
  }

  private BatchInserted insertObservations(FileBatch batch, List<Path> paths)
      throws ContentRejectedException, UnavailableException {
    boolean sorted = batch.tables().size() > SORTED_FROM_TABLES;
    String columns = COLUMNS + (batch.valueType().isPresent() ? ", value" : "");
    long staged =
        beside(
            statement -> {
              numberFeatures(statement, batch.tables().keySet());
              stage(
                  statement,
                  "SELECT number, "
                      + columns
                      + " FROM read_parquet("
                      + list(paths)
                      + ") JOIN temp.features USING (feature)"
                      + (sorted ? " ORDER BY number" : ""));
              return fold(statement, batch.valueType());
            });
    checkComplete(staged, batch.rowsOfTables());
    requireNonNull(file).awaitRoom(staged);
    return alone(statement -> insertStaged(statement, batch, columns, staged));
  }

  /** Statistics or columns that mislead DuckDB would make it read less than there is. */
  private static void checkComplete(long staged, long expected) throws ContentRejectedException {
    if (staged != expected) {
      throw new ContentRejectedException(
          "DuckDB reads "
              + staged
              + " of "
              + expected
              + " rows: the file's statistics or its order of columns mislead it");
    }
  }

  private BatchInserted insertStaged(
      Statement statement, FileBatch batch, String columns, long staged) throws SQLException {
    Place place = place(batch.environment());
    List<String> tables = List.copyOf(batch.tables().values());
    String range = range("observed_at", batch, 0);
    String insertColumns = "(" + columns + ", inserted_at)";
    DuckDbFile open = requireNonNull(file);
    long inserted = 0;
    statement.execute("BEGIN");
    for (int i = 0; i < tables.size(); i++) {
      String table = place.table(tables.get(i));
      long rows =
          statement.executeLargeUpdate(
              "INSERT INTO "
                  + table
                  + insertColumns
                  + " SELECT "
                  + columns
                  + ", current_timestamp FROM temp.staged WHERE number = "
                  + i
                  + " AND observation_id NOT IN (SELECT observation_id FROM "
                  + table
                  + " WHERE "
                  + range
                  + ")");
      open.inserted(table, rows);
      inserted += rows;
      if ((i + 1) % TABLES_PER_COMMIT == 0) {
        statement.execute("COMMIT");
        open.limitChangedTables(statement);
        statement.execute("BEGIN");
      }
    }
    statement.execute("COMMIT");
    statement.execute("DROP TABLE temp.staged");
    return new BatchInserted(inserted, staged - inserted, List.of());
  }

  /** Gives each feature its number: rows of others are left out. */
  private static void numberFeatures(Statement statement, Iterable<String> features)
      throws SQLException {
    statement.execute("CREATE OR REPLACE TEMP TABLE features(feature VARCHAR, number INTEGER)");
    try (PreparedStatement insert =
        statement.getConnection().prepareStatement("INSERT INTO temp.features VALUES (?, ?)")) {
      int number = 0;
      for (String feature : features) {
        insert.setString(1, feature);
        insert.setInt(2, number++);
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  /** Reads the files: whatever goes wrong here and is not the database's fault is theirs. */
  private static void stage(Statement statement, String select)
      throws SQLException, ContentRejectedException {
    try {
      statement.execute("CREATE OR REPLACE TEMP TABLE staged AS " + select);
    } catch (SQLException e) {
      if (NOT_THE_CONTENT.contains(DuckDbFile.errorType(e))) {
        throw e;
      }
      throw new ContentRejectedException(
          "DuckDB can't read the file: " + DuckDbFile.firstLine(String.valueOf(e.getMessage())), e);
    }
  }

  /** Leaves the greatest of the staged rows with the same id, and returns how many were staged. */
  private static long fold(Statement statement, Optional<ValueType> type) throws SQLException {
    long staged;
    long distinct;
    try (ResultSet counts =
        statement.executeQuery(
            "SELECT count(*), count(DISTINCT observation_id) FROM temp.staged")) {
      counts.next();
      staged = counts.getLong(1);
      distinct = counts.getLong(2);
    }
    if (distinct < staged) {
      statement.execute(
          "DELETE FROM temp.staged WHERE rowid IN (SELECT id FROM (SELECT rowid AS id,"
              + " row_number() OVER (PARTITION BY observation_id ORDER BY "
              + type.map(it -> "(value IS NULL) DESC, " + cellOrder(it)).orElse("deleted")
              + ") AS place FROM temp.staged WHERE observation_id IN (SELECT observation_id FROM"
              + " temp.staged GROUP BY observation_id HAVING count(*) > 1)) WHERE place > 1)");
    }
    return staged;
  }

  /** Sorts values as the bytes of a cell compare, the greatest first. */
  private static String cellOrder(ValueType type) {
    return switch (type) {
      // As unsigned numbers, negative ones are the greatest.
      case INT64 -> "(value < 0) DESC, value DESC";
      case TIMESTAMP -> "(epoch_us(value) < 0) DESC, epoch_us(value) DESC";
      case DATE -> "(value < DATE '1970-01-01') DESC, value DESC";
      case FLOAT64 -> "signbit(value) DESC, abs(value) DESC";
      case VECTOR ->
          "list_transform(value, lambda number: {'sign': signbit(number), 'size': abs(number)})"
              + " DESC";
      case BOOL, BYTES -> "value DESC";
      case STRING, JSON -> "encode(value::VARCHAR) DESC";
    };
  }

  /**
   * Returns the condition that a time is one of a batch's. An id has one time only, so that rows of
   * a table outside of them need not be looked at.
   *
   * @param slack by how many microseconds the time may be outside
   */
  private static String range(String time, FileBatch batch, long slack) {
    StringBuilder range = new StringBuilder("true");
    if (batch.earliest() >= FIRST_TIME + slack) {
      range.append(" AND ").append(time).append(" >= make_timestamptz(");
      range.append(Math.min(batch.earliest() - slack, LAST_TIME)).append(')');
    }
    if (batch.latest() <= LAST_TIME - slack) {
      range.append(" AND ").append(time).append(" <= make_timestamptz(");
      range.append(Math.max(batch.latest() + slack, FIRST_TIME)).append(')');
    }
    return range.toString();
  }

  private BatchInserted insertQueries(FileBatch batch, List<Path> paths)
      throws ContentRejectedException, UnavailableException {
    List<String> others = new ArrayList<>(List.of("environment_id", "operation_kind"));
    others.addAll(
        List.of(
            "query_timestamp", "execution_started_at", "execution_finished_at", "query_status"));
    others.addAll(ObservationSchema.QUERY_TEXTS.keySet());
    // The parts of a result are one query, whose tables are those of all parts.
    String select =
        "SELECT operation_id, count(*) AS parts, "
            + others.stream()
                .map(name -> "any_value(" + name + ") AS " + name)
                .collect(Collectors.joining(", "))
            + ", list_sort(list_distinct(flatten(list(value_tables)))) AS value_tables"
            + " FROM read_parquet("
            + list(paths)
            + ") GROUP BY operation_id";
    long staged =
        beside(
            statement -> {
              stage(statement, select);
              try (ResultSet counts =
                  statement.executeQuery("SELECT coalesce(sum(parts), 0) FROM temp.staged")) {
                counts.next();
                return counts.getLong(1);
              }
            });
    checkComplete(staged, batch.rows());
    return alone(statement -> insertStagedQueries(statement, batch, others, staged));
  }

  private BatchInserted insertStagedQueries(
      Statement statement, FileBatch batch, List<String> others, long staged) throws SQLException {
    String log = place(batch.environment()).table(TableNames.QUERY_LOG);
    String columns = "operation_id, " + String.join(", ", others) + ", value_tables";
    statement.execute("BEGIN");
    String same =
        "known.operation_id = staged.operation_id AND "
            + range("known.query_timestamp", batch, PARTS_APART);
    statement.execute(
        "UPDATE "
            + log
            + " AS known SET value_tables = list_sort(list_distinct(list_concat("
            + "known.value_tables, staged.value_tables))) FROM temp.staged WHERE "
            + same
            + " AND NOT list_has_all(known.value_tables, staged.value_tables)");
    statement.execute("DELETE FROM temp.staged USING " + log + " AS known WHERE " + same);
    long inserted =
        statement.executeLargeUpdate(
            "INSERT INTO " + log + "(" + columns + ") SELECT " + columns + " FROM temp.staged");
    statement.execute("COMMIT");
    requireNonNull(file).inserted(log, inserted);
    statement.execute("DROP TABLE temp.staged");
    return new BatchInserted(inserted, staged - inserted, List.of());
  }

  /** Where tables are: with the database's name, as a schema may have the same. */
  private record Place(String database, String schema) {
    String table(String name) {
      return this + "." + quoted(name);
    }

    @Override
    public String toString() {
      return quoted(database) + "." + quoted(schema);
    }
  }

  private Place place(String environment) {
    return new Place(database, store.schema(environment));
  }

  private static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  private static String literal(String text) {
    return '\'' + text.replace("'", "''") + '\'';
  }

  private static String list(List<Path> paths) {
    return paths.stream()
        .map(path -> literal(path.toString()))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private void disconnect() throws UnavailableException {
    Connection open = connection;
    DuckDbFile used = file;
    connection = null;
    file = null;
    try {
      if (open != null) {
        open.close();
      }
    } catch (SQLException e) {
      throw new UnavailableException(store.uri() + ": " + e.getMessage(), e);
    } finally {
      if (used != null) {
        release(used);
      }
    }
  }

  private static void release(DuckDbFile file) throws UnavailableException {
    file.release();
  }

  @Override
  public void close() {
    try {
      disconnect();
    } catch (UnavailableException e) {
      throw new IllegalStateException(e);
    }
  }
}
