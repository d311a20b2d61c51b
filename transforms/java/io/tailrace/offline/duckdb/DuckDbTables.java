package io.tailrace.offline.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.ListedTable;
import io.tailrace.offline.OfflineTables;
import io.tailrace.offline.TablePlan;
import io.tailrace.parquet.QueryLog;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Key;
import io.tailrace.sql.Layout;
import io.tailrace.sql.Table;
import io.tailrace.sql.duckdb.DuckDbCatalog;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Creates schemas and tables of an offline store. The database keeps no rows apart: an index of all
 * ids would have to be in memory, and inserts look for theirs in the time that they are of. Whoever
 * calls it works alone on the file. Immutable.
 *
 * @param catalog the environment's schema
 * @param log the log of queries
 */
record DuckDbTables(DuckDbCatalog catalog, Table log) {
  static DuckDbTables in(DuckDbCatalog catalog, QueryLog log) {
    return new DuckDbTables(catalog, OfflineTables.of(log, Key.NONE));
  }

  /** See {@link io.tailrace.offline.Catalog#create}. */
  List<Conflict> create(Open open, List<FeatureTable> tables) throws SQLException {
    try {
      return createAll(open.statement(), tables);
    } catch (SQLException e) {
      Refusals.rollBack(open, e);
      catalog.forget();
      if (tables.isEmpty()) {
        throw e;
      }
    }
    // Whatever is wrong with one of them, the others are created, and the log is.
    List<Conflict> conflicts = new ArrayList<>(create(open, List.of()));
    for (FeatureTable table : tables) {
      try {
        conflicts.addAll(createAll(open.statement(), List.of(table)));
      } catch (SQLException e) {
        Refusals.rollBack(open, e);
        catalog.forget();
        conflicts.add(
            Conflict.ofTable(
                table,
                "can't be created or changed: "
                    + DuckDbFile.cause(String.valueOf(e.getMessage()))));
      }
    }
    return conflicts;
  }

  private List<Conflict> createAll(Statement statement, List<FeatureTable> tables)
      throws SQLException {
    Map<FeatureTable, Table> wanted = new LinkedHashMap<>();
    for (FeatureTable feature : tables) {
      wanted.put(feature, OfflineTables.of(feature, Key.NONE, Layout.PLAIN));
    }
    Set<String> names = wanted.values().stream().map(Table::name).collect(Collectors.toSet());
    statement.execute("BEGIN");
    TablePlan plan = plan(statement, wanted, names);
    if (!plan.conflicts().isEmpty()) {
      // Somebody may have put another table into the place of the one whose words are remembered.
      catalog.forget();
      plan = plan(statement, wanted, names);
    }
    run(statement, plan);
    // Of several that want one table, the others are compared with what the first has made.
    while (names.size() < wanted.size() && !plan.tables().areDone()) {
      plan = plan(statement, wanted, names);
      run(statement, plan);
    }
    statement.execute("COMMIT");
    return plan.conflicts();
  }

  private TablePlan plan(Statement statement, Map<FeatureTable, Table> wanted, Set<String> names)
      throws SQLException {
    List<Table> others = List.of(log, ListedTable.LIST);
    List<Table> all = new ArrayList<>(wanted.values());
    all.addAll(others);
    Map<String, FoundTable> found = catalog.find(statement, all);
    String list = catalog.place(ListedTable.LIST.name());
    Map<String, ListedTable> listed = ListedTable.read(DUCKDB, statement, found, list, names);
    return TablePlan.of(DUCKDB, wanted, others, found, listed);
  }

  private void run(Statement statement, TablePlan plan) throws SQLException {
    catalog.run(statement, plan.tables());
    if (!plan.rows().isEmpty()) {
      statement.execute(
          ListedTable.write(DUCKDB, catalog.place(ListedTable.LIST.name()), plan.rows()));
    }
  }
}
