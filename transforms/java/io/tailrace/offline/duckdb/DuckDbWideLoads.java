package io.tailrace.offline.duckdb;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.bulk.WideLoads;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.sql.duckdb.DuckDbSession;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Loads wide files into a DuckDB file: DuckDB reads them into a temporary table, and from there a
 * column goes into the table of its feature, as far as that does not have it. Not thread-safe.
 */
final class DuckDbWideLoads implements WideLoads {
  /** Tables that are committed together: what is not committed is held in memory. */
  private static final int TABLES_PER_COMMIT = 50;

  private static final Most MOST = new Most(1_000, 64L << 20);

  private final DuckDbOfflineStore store;
  private final DuckDbConnection connection;
  private final DuckDbSession session;
  private final DuckDbLedger ledger;

  /** Loads in a connection, which is closed by whoever inserts in it. */
  DuckDbWideLoads(DuckDbOfflineStore store, DuckDbConnection connection, DuckDbLedger ledger) {
    this.store = store;
    this.connection = connection;
    this.ledger = ledger;
    this.session = connection.session();
  }

  @Override
  public Most most() {
    return MOST;
  }

  @Override
  public Loaded load(Batch batch) throws UnavailableException {
    List<Path> paths = new ArrayList<>();
    for (Source file : batch.files()) {
      paths.add(file.local());
    }
    WideTable table = new WideTable(batch, paths);
    Optional<WideTable.Survey> staged =
        session.beside(
            open -> {
              try {
                return table.stage(open.statement());
              } catch (SQLException e) {
                if (Refusals.isOfDatabase(e) && !Refusals.isOutOfMemory(e)) {
                  throw e;
                }
                // Whatever it is, it is found when the rows are decoded.
                return Optional.empty();
              }
            });
    if (staged.isEmpty()) {
      return Loaded.nothing(batch.contents().mapping().features());
    }
    Load load = new Load(batch, table, staged.get());
    load.createTables();
    load.prepareEntries();
    boolean unused =
        session.alone(
            open -> {
              load.insert(open);
              return true;
            });
    return load.loaded();
  }

  /** What becomes of the columns that were staged. */
  private final class Load {
    private final Batch batch;
    private final WideTable table;
    private final WideTable.Survey survey;
    private final Map<FeatureColumn, String> tables = new LinkedHashMap<>();
    private final List<RefusedColumn> refused = new ArrayList<>();
    private final Set<FeatureColumn> left;
    private long inserted;
    private long duplicates;
    private List<Ledger.Entry> entries = List.of();
    private boolean entered;

    Load(Batch batch, WideTable table, WideTable.Survey survey) {
      this.batch = batch;
      this.table = table;
      this.survey = survey;
      this.left = new HashSet<>(batch.contents().mapping().features());
    }

    Loaded loaded() {
      return new Loaded(inserted, duplicates, refused, left, entered);
    }

    /** Creates what columns need, and takes those out that have no table. */
    void createTables() throws UnavailableException {
      Map<FeatureTable, FeatureColumn> wanted = new LinkedHashMap<>();
      for (FeatureColumn column : survey.columns()) {
        wanted.put(
            new FeatureTable(
                new Feature(column.namespace(), column.feature()),
                batch.stringKeys(),
                Optional.of(column.kind().type())),
            column);
      }
      Map<FeatureTable, Conflict> conflicts = new HashMap<>();
      try {
        for (Conflict each :
            connection.create(batch.contents().environment(), List.copyOf(wanted.keySet()))) {
          conflicts.put(each.table(), each);
        }
      } catch (ContentRejectedException e) {
        return;
      }
      wanted.forEach(
          (feature, column) -> {
            Conflict conflict = conflicts.get(feature);
            if (conflict == null) {
              tables.put(column, feature.table());
            } else if (conflict.reason() != Reason.TABLE_REFUSES) {
              refuse(column, conflict);
            }
          });
    }

    /** What is to be entered is known where nothing is refused or left. */
    void prepareEntries() throws UnavailableException {
      if (refused.isEmpty() && tables.size() == left.size()) {
        entries = batch.closing().entries();
      }
    }

    private void refuse(FeatureColumn column, Conflict conflict) {
      left.remove(column);
      for (int file = 0; file < batch.files().size(); file++) {
        refused.add(new RefusedColumn(file, column, conflict, survey.cells(file, column)));
      }
    }

    void insert(Open open) throws SQLException {
      List<FeatureColumn> columns = List.copyOf(tables.keySet());
      if (!entries.isEmpty()) {
        ledger.create(open, batch.contents().environment());
      }
      for (int from = 0; from < columns.size(); from += TABLES_PER_COMMIT) {
        List<FeatureColumn> some =
            columns.subList(from, Math.min(columns.size(), from + TABLES_PER_COMMIT));
        if (!insert(open, some)) {
          // Of several, those that are at fault are found.
          for (FeatureColumn one : some.size() == 1 ? List.<FeatureColumn>of() : some) {
            boolean unused = insert(open, List.of(one));
          }
        }
        if (from + TABLES_PER_COMMIT < columns.size()) {
          open.file().limitChangedTables(open.statement());
        }
      }
      open.statement().execute("DROP TABLE temp.wide");
    }

    /** Inserts some columns in one transaction, and returns whether no table has refused. */
    private boolean insert(Open open, List<FeatureColumn> some) throws SQLException {
      String environment = batch.contents().environment();
      String schema = store.schema(environment);
      Map<FeatureColumn, Long> rows = new LinkedHashMap<>();
      // The last transaction says that all of it is there.
      boolean enters = !entries.isEmpty() && left.size() == some.size();
      open.statement().execute("BEGIN");
      try {
        for (FeatureColumn column : some) {
          String place = open.catalog(schema).place(requireNonNull(tables.get(column)));
          rows.put(
              column, open.statement().executeLargeUpdate(table.insertion(column, place, survey)));
        }
        if (enters) {
          ledger.enter(open, environment, entries);
        }
        open.statement().execute("COMMIT");
        entered = enters;
      } catch (SQLException e) {
        Refusals.rollBack(open, e);
        return false;
      }
      for (Map.Entry<FeatureColumn, Long> each : rows.entrySet()) {
        open.file()
            .inserted(
                open.catalog(schema).place(requireNonNull(tables.get(each.getKey()))),
                each.getValue());
        inserted += each.getValue();
        duplicates += survey.cells(each.getKey()) - each.getValue();
        left.remove(each.getKey());
      }
      return true;
    }
  }

  @Override
  public void close() {}
}
