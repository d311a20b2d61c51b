package io.tailrace.offline.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.QueryLog;
import io.tailrace.result.ValueType;
import io.tailrace.sql.duckdb.DuckDbCatalog;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSession;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Inserts into a DuckDB file: DuckDB reads the Parquet files itself, into a temporary table sorted
 * by feature, from which each feature's table gets what it does not have. Not thread-safe.
 */
final class DuckDbConnection implements BatchConnection {
  /** Tables that are committed together: what is not committed is held in memory. */
  private static final int TABLES_PER_COMMIT = 50;

  /** With fewer tables, looking at all staged rows for each of them is cheaper than sorting. */
  private static final int SORTED_FROM_TABLES = 20;

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
  private final QueryLog log;
  private final DuckDbSession session;

  DuckDbConnection(DuckDbOfflineStore store, QueryLog log) {
    this.store = store;
    this.log = log;
    this.session = new DuckDbSession(store::open);
  }

  /** Returns the session that it works in. */
  DuckDbSession session() {
    return session;
  }

  private interface Work<T> {
    T run(Open open) throws SQLException, ContentRejectedException, UnavailableException;

    /** Runs it; what only rows cause is their fault. */
    default T judged(Open open)
        throws SQLException, ContentRejectedException, UnavailableException {
      try {
        return run(open);
      } catch (SQLException e) {
        if (THE_ROWS.contains(DuckDbFile.errorType(e))) {
          throw new ContentRejectedException(
              "DuckDB refuses a row: " + DuckDbFile.firstLine(String.valueOf(e.getMessage())), e);
        }
        throw e;
      }
    }
  }

  private <T> T beside(Work<T> work) throws ContentRejectedException, UnavailableException {
    return session.beside(work::judged);
  }

  private <T> T alone(Work<T> work) throws ContentRejectedException, UnavailableException {
    return session.alone(work::judged);
  }

  @Override
  public List<Conflict> create(String environment, List<FeatureTable> tables)
      throws ContentRejectedException, UnavailableException {
    return alone(
        open ->
            DuckDbTables.in(open.catalog(store.schema(environment)), log)
                .create(open.statement(), tables));
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
            open -> {
              Statement statement = open.statement();
              numberFeatures(statement, batch.tables().keySet());
              stage(
                  statement,
                  "SELECT number, "
                      + columns
                      + " FROM read_parquet("
                      + list(paths)
                      + ") JOIN temp.features USING (namespace, feature)"
                      + (sorted ? " ORDER BY number" : ""));
              return fold(statement, batch.valueType());
            });
    checkComplete(staged, batch.rowsOfTables());
    beside(
        open -> {
          open.file().awaitRoom(staged);
          return staged;
        });
    return alone(open -> insertStaged(open, batch, columns, staged));
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

  private BatchInserted insertStaged(Open open, FileBatch batch, String columns, long staged)
      throws SQLException {
    Statement statement = open.statement();
    DuckDbCatalog catalog = open.catalog(store.schema(batch.environment()));
    List<String> tables = List.copyOf(batch.tables().values());
    List<String> ranges = ranges(statement, tables.size());
    String insertColumns = "(" + columns + ", inserted_at)";
    long inserted = 0;
    statement.execute("BEGIN");
    for (int i = 0; i < tables.size(); i++) {
      String table = catalog.place(tables.get(i));
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
                  + ranges.get(i)
                  + ")");
      open.file().inserted(table, rows);
      inserted += rows;
      if ((i + 1) % TABLES_PER_COMMIT == 0) {
        statement.execute("COMMIT");
        open.file().limitChangedTables(statement);
        statement.execute("BEGIN");
      }
    }
    statement.execute("COMMIT");
    statement.execute("DROP TABLE temp.staged");
    return new BatchInserted(inserted, staged - inserted, List.of());
  }

  /**
   * Returns, for each feature, the condition that a time is one of its staged rows'. An id has one
   * time only, so that rows of a table outside of them need not be looked at: of its own, as one
   * old row among those of many features must not make all their tables be read.
   */
  private static List<String> ranges(Statement statement, int features) throws SQLException {
    List<String> ranges = new ArrayList<>(Collections.nCopies(features, "false"));
    try (ResultSet found =
        statement.executeQuery(
            "SELECT number, epoch_us(min(observed_at)), epoch_us(max(observed_at))"
                + " FROM temp.staged GROUP BY number")) {
      while (found.next()) {
        ranges.set(
            found.getInt(1),
            "observed_at BETWEEN make_timestamptz("
                + found.getLong(2)
                + ") AND make_timestamptz("
                + found.getLong(3)
                + ")");
      }
    }
    return ranges;
  }

  /** Gives each feature its number: rows of others are left out. */
  private static void numberFeatures(Statement statement, Iterable<Feature> features)
      throws SQLException {
    statement.execute(
        "CREATE OR REPLACE TEMP TABLE features(namespace VARCHAR, feature VARCHAR,"
            + " number INTEGER)");
    try (PreparedStatement insert =
        statement.getConnection().prepareStatement("INSERT INTO temp.features VALUES (?, ?, ?)")) {
      int number = 0;
      for (Feature feature : features) {
        insert.setString(1, feature.namespace());
        insert.setString(2, feature.text());
        insert.setInt(3, number++);
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
              + " row_number() OVER (PARTITION BY number, observation_id ORDER BY "
              + type.map(it -> "(value IS NULL) DESC, " + cellOrder(it)).orElse("deleted")
              + ") AS place FROM temp.staged WHERE observation_id IN (SELECT observation_id FROM"
              + " temp.staged GROUP BY number, observation_id HAVING count(*) > 1)) WHERE place >"
              + " 1)");
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

  private BatchInserted insertQueries(FileBatch batch, List<Path> paths)
      throws ContentRejectedException, UnavailableException {
    QueryInsert insert = QueryInsert.into(log);
    long staged =
        beside(
            open -> {
              stage(open.statement(), insert.select(list(paths)));
              try (ResultSet counts =
                  open.statement()
                      .executeQuery("SELECT coalesce(sum(parts), 0) FROM temp.staged")) {
                counts.next();
                return counts.getLong(1);
              }
            });
    checkComplete(staged, batch.rows());
    return alone(
        open -> insert.insert(open, open.catalog(store.schema(batch.environment())), staged));
  }

  private static String list(List<Path> paths) {
    return paths.stream()
        .map(path -> DUCKDB.literal(path.toString()))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  @Override
  public void close() {
    session.close();
  }
}
