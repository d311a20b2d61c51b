package io.tailrace.offline.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.Finishing;
import io.tailrace.offline.ListedTable;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.QueryLog;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSession;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Inserts into a DuckDB file: DuckDB reads the Parquet files itself, into a temporary table sorted
 * by feature, from which each feature's table gets what it does not have. Not thread-safe.
 */
final class DuckDbConnection implements BatchConnection {
  private final DuckDbOfflineStore store;
  private final QueryLog log;
  private final DuckDbSession session;
  private final DuckDbLedger ledger;
  private final DuckDbCounters counters = new DuckDbCounters();

  DuckDbConnection(DuckDbOfflineStore store, QueryLog log) {
    this.store = store;
    this.log = log;
    this.session = new DuckDbSession(store::open);
    this.ledger = new DuckDbLedger(DuckDbLedger.Files.BULK, store, session);
  }

  /** Returns the session that it works in. */
  DuckDbSession session() {
    return session;
  }

  private interface Work<T> {
    T run(Open open) throws SQLException, ContentRejectedException, UnavailableException;

    /** Runs it; what is too much for DuckDB's memory is not DuckDB's fault. */
    default T judged(Open open)
        throws SQLException, ContentRejectedException, UnavailableException {
      try {
        return run(open);
      } catch (SQLException e) {
        if (Refusals.isOutOfMemory(e)) {
          throw new TooMuchException(e);
        }
        throw e;
      }
    }
  }

  /** Files take more memory than DuckDB may. */
  private static final class TooMuchException extends RuntimeException {
    private static final long serialVersionUID = 1;

    TooMuchException(SQLException cause) {
      super(DuckDbFile.cause(String.valueOf(cause.getMessage())), cause);
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
        open -> DuckDbTables.in(open.catalog(store.schema(environment)), log).create(open, tables));
  }

  /** Returns the ledger of files with results, which is kept in the same session. */
  DuckDbLedger ledger() {
    return ledger;
  }

  @Override
  public BatchInserted insert(FileBatch batch)
      throws ContentRejectedException, UnavailableException {
    return insert(batch, Optional.empty());
  }

  @Override
  public BatchInserted insert(FileBatch batch, Finishing finishing)
      throws ContentRejectedException, UnavailableException {
    return insert(batch, Optional.of(finishing));
  }

  private BatchInserted insert(FileBatch batch, Optional<Finishing> finishing)
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
      return insert(batch, paths, finishing);
    } catch (IOException e) {
      throw new UnavailableException("files can't be written to " + directory + ": " + e, e);
    } finally {
      delete(paths, directory);
    }
  }

  private BatchInserted insert(FileBatch batch, List<Path> paths, Optional<Finishing> finishing)
      throws ContentRejectedException, UnavailableException {
    try {
      return insertAll(batch, paths, finishing);
    } catch (TooMuchException e) {
      if (batch.files().size() > 1) {
        throw tooMuch(e);
      }
    }
    // It may have been others that had taken the memory. If even this fails, DuckDB is at fault.
    boolean unused =
        session.alone(
            open -> {
              open.writeBack();
              return true;
            });
    try {
      return insertAll(batch, paths, finishing);
    } catch (TooMuchException e) {
      throw tooMuch(e);
    }
  }

  private ContentRejectedException tooMuch(TooMuchException e) {
    return new ContentRejectedException(
        "it takes more memory than memoryLimit="
            + store.memoryLimit()
            + " lets DuckDB have: "
            + e.getMessage()
            + "; raise memoryLimit in the store's URI and replay this letter",
        e);
  }

  private BatchInserted insertAll(FileBatch batch, List<Path> paths, Optional<Finishing> finishing)
      throws ContentRejectedException, UnavailableException {
    return batch.kind() == Kind.QUERIES
        ? insertQueries(batch, paths)
        : insertObservations(batch, paths, finishing);
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

  private BatchInserted insertObservations(
      FileBatch batch, List<Path> paths, Optional<Finishing> finishing)
      throws ContentRejectedException, UnavailableException {
    ObservationInsert insert = new ObservationInsert(batch);
    long staged =
        beside(
            open -> {
              counters.count(open.file());
              insert.numberFeatures(open.statement());
              stage(open.statement(), insert.select(list(paths)));
              return insert.fold(open.statement());
            });
    checkComplete(staged, batch.rows());
    beside(
        open -> {
          open.file().awaitRoom(staged);
          return staged;
        });
    return alone(
        open -> {
          if (finishing.isPresent()) {
            ledger.create(open, finishing.get().environment());
          }
          BatchInserted inserted =
              insert.insert(
                  open,
                  open.catalog(store.schema(batch.environment())),
                  staged,
                  () -> {
                    if (finishing.isPresent()) {
                      ledger.enter(open, finishing.get().environment(), finishing.get().entries());
                    }
                  });
          if (insert.isWhole()) {
            finishing.ifPresent(Finishing::finish);
          }
          return inserted;
        });
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

  /** Reads the files: whatever goes wrong here and is not the database's fault is theirs. */
  private static void stage(Statement statement, String select)
      throws SQLException, ContentRejectedException {
    try {
      statement.execute("CREATE OR REPLACE TEMP TABLE staged AS " + select);
    } catch (SQLException e) {
      String type = DuckDbFile.errorType(e);
      if (Refusals.isOfDatabase(e)
          || type.equals("Catalog Error")
          || type.equals("Permission Error")) {
        throw e;
      }
      throw new ContentRejectedException(
          "DuckDB can't read the file: " + DuckDbFile.cause(String.valueOf(e.getMessage())), e);
    }
  }

  private BatchInserted insertQueries(FileBatch batch, List<Path> paths)
      throws ContentRejectedException, UnavailableException {
    QueryInsert insert = QueryInsert.into(log);
    long staged =
        beside(
            open -> {
              counters.count(open.file());
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
        open ->
            insert.insert(
                open, open.catalog(store.schema(batch.environment())), batch.files(), staged));
  }

  @Override
  public boolean takesRows(String environment) throws UnavailableException {
    return session.alone(
        open -> {
          String list = open.catalog(store.schema(environment)).place(ListedTable.LIST.name());
          try {
            open.statement()
                .execute(
                    "UPDATE "
                        + list
                        + " SET name = name WHERE table_name = (SELECT"
                        + " min(table_name) FROM "
                        + list
                        + ")");
            return true;
          } catch (SQLException e) {
            if (Refusals.isOfDatabase(e)) {
              throw e;
            }
            return false;
          }
        });
  }

  @Override
  public void deleteOld(String environment, String table, Duration age)
      throws UnavailableException {
    int unused =
        session.transaction(
            open ->
                open.statement()
                    .executeUpdate(
                        "DELETE FROM "
                            + open.catalog(store.schema(environment)).place(table)
                            + " WHERE inserted_at < now() - INTERVAL '"
                            + age.toSeconds()
                            + " seconds'"));
  }

  /** Nobody else can open the file, and mend a table, as long as this process has it. */
  @Override
  public Duration patience() {
    return Duration.ZERO;
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
