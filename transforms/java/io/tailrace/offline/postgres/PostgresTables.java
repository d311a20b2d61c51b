package io.tailrace.offline.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.ListedTable;
import io.tailrace.offline.OfflineTables;
import io.tailrace.offline.TablePlan;
import io.tailrace.offline.postgres.PostgresAddress.Index;
import io.tailrace.offline.postgres.PostgresAddress.Partitions;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Key;
import io.tailrace.sql.Layout;
import io.tailrace.sql.Layout.Span;
import io.tailrace.sql.Table;
import io.tailrace.sql.postgres.Part;
import io.tailrace.sql.postgres.PostgresCatalog;
import io.tailrace.sql.postgres.PostgresCatalog.Plan;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.SqlState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Creates schemas, tables and partitions of an offline store. Not thread-safe. */
final class PostgresTables {
  private final PostgresAddress address;
  private final PostgresSession session;
  private final PostgresCatalog catalog;
  private final Table log;

  PostgresTables(PostgresAddress address, PostgresSession session, QueryLog log) {
    this.address = address;
    this.session = session;
    this.catalog = new PostgresCatalog(address.server(), session, new Names());
    this.log = OfflineTables.of(log, Key.of(QueryLog.KEY));
  }

  /** See {@link io.tailrace.offline.Catalog#create}. */
  List<Conflict> create(String schema, List<FeatureTable> tables)
      throws ContentRejectedException, UnavailableException {
    try {
      return createAll(schema, tables);
    } catch (RefusedException e) {
      if (tables.isEmpty()) {
        throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
      }
    }
    // Whatever is wrong with one of them, the others are created, and the log is.
    List<Conflict> conflicts = new ArrayList<>(create(schema, List.of()));
    createOneByOne(schema, tables, conflicts);
    return conflicts;
  }

  private void createOneByOne(String schema, List<FeatureTable> tables, List<Conflict> conflicts)
      throws ContentRejectedException, UnavailableException {
    try {
      conflicts.addAll(createAll(schema, tables));
    } catch (RefusedException e) {
      if (tables.size() > 1) {
        createOneByOne(schema, tables.subList(0, tables.size() / 2), conflicts);
        createOneByOne(schema, tables.subList(tables.size() / 2, tables.size()), conflicts);
        return;
      }
      if (SqlState.isBadName(e.refusal())) {
        throw new ContentRejectedException(SqlState.sentence(address.server(), e.refusal()), e);
      }
      conflicts.add(
          Conflict.ofTable(
              tables.get(0), "can't be created or changed: " + SqlState.message(e.refusal())));
    }
  }

  private List<Conflict> createAll(String schema, List<FeatureTable> tables)
      throws RefusedException, UnavailableException {
    Map<FeatureTable, Table> wanted = new LinkedHashMap<>();
    // All sessions alter tables in the same order, so that none waits for another in a circle.
    tables.stream()
        .sorted(Comparator.comparing(FeatureTable::table))
        .forEach(feature -> wanted.put(feature, table(feature)));
    TablePlan done =
        catalog.bringAbout(
            schema,
            connection -> {
              TablePlan plan = plan(connection, schema, wanted);
              return new Plan<>(steps(connection, schema, plan), plan);
            });
    return done.conflicts();
  }

  private Table table(FeatureTable feature) {
    Layout layout = Layout.PLAIN;
    if (address.index() == Index.PKEY) {
      layout = layout.index("pkey", "observed_at");
    }
    if (address.partitions() == Partitions.MONTHLY) {
      layout = layout.by("observed_at", Span.MONTH);
    }
    return OfflineTables.of(feature, Key.of("observation_id").determining("observed_at"), layout);
  }

  private TablePlan plan(Connection connection, String schema, Map<FeatureTable, Table> wanted)
      throws SQLException {
    Set<String> names = wanted.values().stream().map(Table::name).collect(Collectors.toSet());
    List<String> all = new ArrayList<>(names);
    all.add(TableNames.QUERY_LOG);
    all.add(ListedTable.LIST.name());
    Map<String, FoundTable> found = catalog.find(connection, schema, all);
    Map<String, ListedTable> listed;
    try (Statement statement = connection.createStatement()) {
      String list = POSTGRES.place(schema, ListedTable.LIST.name());
      listed = ListedTable.read(POSTGRES, statement, found, list, names);
    }
    return TablePlan.of(POSTGRES, wanted, List.of(log, ListedTable.LIST), found, listed);
  }

  private List<List<String>> steps(Connection connection, String schema, TablePlan plan)
      throws SQLException {
    List<List<String>> steps = new ArrayList<>(catalog.steps(connection, schema, plan.tables()));
    if (!plan.rows().isEmpty()) {
      steps.add(
          List.of(
              ListedTable.write(
                  POSTGRES, POSTGRES.place(schema, ListedTable.LIST.name()), plan.rows())));
    }
    return steps;
  }

  /** Looks tables up, by their names. */
  Map<String, TableFacts> facts(String schema, Collection<String> tables)
      throws UnavailableException {
    try {
      return session.read(connection -> TableFacts.find(connection, schema, tables));
    } catch (RefusedException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
    }
  }

  /**
   * Creates the partitions that rows need and that are missing.
   *
   * @return why they can't be created, by the names of tables
   */
  Map<String, String> createPartitions(String schema, List<TableRows> rows)
      throws UnavailableException {
    Map<String, Set<Part>> wanted = new LinkedHashMap<>();
    for (TableRows some : rows) {
      some.month()
          .flatMap(Part::of)
          .ifPresent(
              part ->
                  wanted.computeIfAbsent(some.table(), unused -> new LinkedHashSet<>()).add(part));
    }
    try {
      return catalog.createParts(schema, wanted);
    } catch (RefusedException e) {
      // Whatever is wrong with one of the tables, the others get theirs.
      Map<String, String> refused = new HashMap<>();
      for (Map.Entry<String, Set<Part>> table : wanted.entrySet()) {
        try {
          refused.putAll(catalog.createParts(schema, Map.of(table.getKey(), table.getValue())));
        } catch (RefusedException ofTable) {
          refused.put(
              table.getKey(),
              "it can't be given a partition: " + SqlState.message(ofTable.refusal()));
        }
      }
      return refused;
    }
  }

  /** See {@link io.tailrace.offline.BatchConnection#deleteOld}. */
  void deleteOld(String schema, String table, Duration age) throws UnavailableException {
    try {
      long unused =
          session.write(
              connection -> {
                try (Statement statement = connection.createStatement()) {
                  // Rows that go are not to be counted.
                  boolean unusedToo =
                      statement.execute(
                          "DELETE FROM "
                              + POSTGRES.place(schema, table)
                              + " WHERE inserted_at < now() - INTERVAL '"
                              + age.toSeconds()
                              + " seconds'");
                  return 0L;
                }
              });
    } catch (RefusedException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
    }
  }

  /** Returns whether the server lets a row be written into the list of tables. */
  boolean takesRows(String schema) throws UnavailableException {
    String list = POSTGRES.place(schema, ListedTable.LIST.name());
    String names = ListedTable.LIST.names();
    try {
      long unused =
          session.write(
              connection -> {
                try (Statement statement = connection.createStatement()) {
                  return (long)
                      statement.executeUpdate(
                          "INSERT INTO "
                              + list
                              + " ("
                              + names
                              + ") SELECT "
                              + names
                              + " FROM "
                              + list
                              + " LIMIT 1 ON CONFLICT (table_name)"
                              + " DO UPDATE SET table_name = excluded.table_name");
                }
              });
      return true;
    } catch (RefusedException e) {
      return false;
    }
  }
}
