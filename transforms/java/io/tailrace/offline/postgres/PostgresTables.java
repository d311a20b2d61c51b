package io.tailrace.offline.postgres;

import static io.tailrace.offline.postgres.Names.quoted;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Lists;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Catalog.Difference;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.postgres.PostgresAddress.Index;
import io.tailrace.offline.postgres.PostgresAddress.Partitions;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.SqlState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Creates schemas, tables and partitions. What is there is seen in the catalog, without a lock;
 * what is not is created by one session at a time. Not thread-safe.
 */
final class PostgresTables {
  /** Columns of every table of a feature, with their types; pkey and value have their own. */
  private static final Map<String, String> COLUMNS =
      ImmutableMap.of(
          "observation_id", "uuid",
          "observed_at", "timestamp with time zone",
          "inserted_at", "timestamp with time zone",
          "resolver_fqn", "text",
          "deployment_id", "text",
          "operation_id", "text",
          "deleted", "boolean");

  /** Months outside of these have no partitions of their own. */
  private static final YearMonth FIRST_MONTH = YearMonth.of(2000, 1);

  private static final YearMonth END_MONTH = YearMonth.of(2100, 1);

  /**
   * Tables or partitions that one transaction creates, each of which takes some fifteen locks: the
   * server has room for some thousands.
   */
  private static final int PER_TRANSACTION = 50;

  /** With a number for the schema, the lock that whoever creates something holds. */
  private static final int LOCK = 0x7461696c;

  /** How long one attempt to alter a table waits for those who use it. */
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(2);

  /** After so many attempts to create what is missing, somebody else must be dropping it. */
  private static final int ATTEMPTS = 5;

  private static final String FIND =
      "SELECT c.relname, c.relkind,"
          + " array_agg(a.attname::text ORDER BY a.attnum),"
          + " array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum),"
          + " ARRAY(SELECT (SELECT string_agg(k.attname, ',' ORDER BY k.attname)"
          + " FROM pg_attribute k"
          + " WHERE k.attrelid = c.oid AND k.attnum = ANY (i.indkey::smallint[]))"
          + " FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid"
          + " AND i.indpred IS NULL AND i.indexprs IS NULL)"
          + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          + " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
          + " WHERE n.nspname = ? AND c.relname = ANY (?) GROUP BY c.oid, c.relname, c.relkind";

  private static final String FIND_SCHEMA = "SELECT 1 FROM pg_namespace WHERE nspname = ?";

  private static final String FIND_PARTITIONED =
      "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          + " WHERE n.nspname = ? AND c.relname = ANY (?) AND c.relkind = 'p'";

  private static final String FIND_PARTITIONS =
      "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          + " WHERE n.nspname = ? AND c.relname = ANY (?) AND c.relispartition";

  private final PostgresAddress address;
  private final PostgresSession session;

  PostgresTables(PostgresAddress address, PostgresSession session) {
    this.address = address;
    this.session = session;
  }

  /** A month's partition of a table. */
  private record Partition(String table, YearMonth month) {}

  /** A relation as the catalog has it: its kind, its columns' types, its unique keys. */
  private record Found(String kind, Map<String, String> columns, List<String> uniqueKeys) {
    boolean isTable() {
      return kind.equals("r") || kind.equals("p");
    }
  }

  /** What is missing, and what is in the way of it. */
  private record Plan(
      boolean schemaIsMissing,
      boolean logIsMissing,
      List<Difference> logConflict,
      List<FeatureTable> tablesMissing,
      List<FeatureTable> valuesMissing,
      List<Conflict> conflicts) {
    boolean isDone() {
      return !schemaIsMissing
          && !logIsMissing
          && tablesMissing.isEmpty()
          && valuesMissing.isEmpty();
    }
  }

  /** See {@link Catalog#create}. */
  List<Conflict> create(String schema, List<FeatureTable> tables)
      throws ContentRejectedException, UnavailableException {
    // All sessions alter tables in the same order, so that none waits for another in a circle.
    List<FeatureTable> sorted =
        tables.stream().sorted(Comparator.comparing(FeatureTable::feature)).toList();
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        Plan plan = session.read(connection -> plan(connection, schema, sorted));
        if (!plan.logConflict.isEmpty()) {
          throw new UnavailableException(
              address.text()
                  + ": the table "
                  + quoted(schema, TableNames.QUERY_LOG)
                  + " "
                  + Difference.words(plan.logConflict)
                  + "; rename it, and another one is created");
        }
        if (plan.isDone()) {
          return plan.conflicts;
        }
        List<FeatureTable> missing = new ArrayList<>(plan.tablesMissing);
        missing.addAll(plan.valuesMissing);
        for (List<FeatureTable> some :
            missing.isEmpty() ? List.of(missing) : Lists.partition(missing, PER_TRANSACTION)) {
          long unused =
              session.write(
                  connection -> {
                    lock(connection, schema);
                    execute(connection, statements(schema, plan(connection, schema, some)));
                    return 0L;
                  });
        }
      } catch (RefusedException e) {
        // A program that does not know of the lock may have been faster.
        if (SqlState.isBadName(e.refusal())) {
          throw new ContentRejectedException(SqlState.sentence(address.server(), e.refusal()), e);
        }
        if (!SqlState.isThere(e.refusal())) {
          throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
        }
      }
    }
    throw new UnavailableException(
        address.text() + ": the tables of the schema '" + schema + "' vanish when created");
  }

  private Plan plan(Connection connection, String schema, List<FeatureTable> tables)
      throws SQLException {
    List<String> names = new ArrayList<>(tables.stream().map(FeatureTable::table).toList());
    names.add(TableNames.QUERY_LOG);
    Map<String, Found> found = find(connection, schema, names);
    Map<String, FeatureTable> missing = new LinkedHashMap<>();
    Map<String, FeatureTable> valueless = new LinkedHashMap<>();
    List<Conflict> conflicts = new ArrayList<>();
    for (FeatureTable table : tables) {
      Found there = found.get(table.table());
      if (there == null) {
        // Of two that want one table to be different, the second meets that of the first.
        missing.putIfAbsent(table.table(), table);
        continue;
      }
      List<Difference> differences = differences(table, there);
      if (!differences.isEmpty()) {
        conflicts.add(Conflict.ofTypes(table, differences));
      } else if (table.valueType().isPresent() && !there.columns.containsKey("value")) {
        valueless.putIfAbsent(table.table(), table);
      }
    }
    Found log = found.get(TableNames.QUERY_LOG);
    return new Plan(
        found.isEmpty() && !exists(connection, schema),
        log == null,
        log == null ? List.of() : differences(log, QueryLog.COLUMNS, List.of(QueryLog.KEY)),
        List.copyOf(missing.values()),
        List.copyOf(valueless.values()),
        conflicts);
  }

  private static List<Difference> differences(FeatureTable wanted, Found there) {
    Map<String, String> columns = new LinkedHashMap<>();
    columns.put("pkey", PostgresType.ofKeys(wanted.stringKeys()));
    wanted
        .valueType()
        .filter(any -> there.columns.containsKey("value"))
        .ifPresent(type -> columns.put("value", PostgresType.of(type)));
    columns.putAll(COLUMNS);
    return differences(there, columns, List.of("observation_id", "observation_id,observed_at"));
  }

  private static List<Difference> differences(
      Found there, Map<String, String> columns, List<String> uniqueKeys) {
    if (!there.isTable()) {
      return List.of(Difference.ofTable("is no table"));
    }
    List<Difference> differences = new ArrayList<>();
    columns.forEach(
        (name, type) -> {
          String other = there.columns.getOrDefault(name, "");
          if (!other.equals(type)) {
            differences.add(new Difference(name, other, type));
          }
        });
    if (there.uniqueKeys.stream().noneMatch(uniqueKeys::contains)) {
      differences.add(Difference.ofTable("has no primary key on " + uniqueKeys.get(0)));
    }
    return differences;
  }

  private static Map<String, Found> find(Connection connection, String schema, List<String> names)
      throws SQLException {
    Map<String, Found> found = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setString(1, schema);
      statement.setArray(2, connection.createArrayOf("text", names.toArray()));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          String[] columns = (String[]) rows.getArray(3).getArray();
          String[] types = (String[]) rows.getArray(4).getArray();
          Map<String, String> byName = new HashMap<>();
          for (int i = 0; i < columns.length; i++) {
            byName.put(columns[i], types[i]);
          }
          List<String> keys = List.of((String[]) rows.getArray(5).getArray());
          found.put(rows.getString(1), new Found(rows.getString(2), byName, keys));
        }
      }
    }
    return found;
  }

  private static boolean exists(Connection connection, String schema) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(FIND_SCHEMA)) {
      statement.setString(1, schema);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next();
      }
    }
  }

  private static void lock(Connection connection, String schema) throws SQLException {
    execute(
        connection,
        List.of(
            "SELECT pg_advisory_xact_lock(" + LOCK + ", " + schema.hashCode() + ")",
            // Whoever wants a table waits behind one who waits to alter it.
            "SET LOCAL lock_timeout = " + LOCK_TIMEOUT.toMillis()));
  }

  private static void execute(Connection connection, List<String> statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      boolean unused = statement.execute(String.join(";\n", statements));
    }
  }

  private List<String> statements(String schema, Plan plan) {
    List<String> statements = new ArrayList<>();
    if (plan.schemaIsMissing) {
      statements.add("CREATE SCHEMA IF NOT EXISTS " + quoted(schema));
    }
    if (plan.logIsMissing) {
      statements.add(QueryLog.createTable(schema));
    }
    for (FeatureTable table : plan.tablesMissing) {
      addTable(statements, schema, table);
    }
    for (FeatureTable table : plan.valuesMissing) {
      statements.add(
          "ALTER TABLE "
              + quoted(schema, table.table())
              + " ADD COLUMN IF NOT EXISTS value "
              + PostgresType.of(table.valueType().orElseThrow()));
    }
    return statements;
  }

  private void addTable(List<String> statements, String schema, FeatureTable table) {
    String name = table.table();
    boolean monthly = address.partitions() == Partitions.MONTHLY;
    statements.add(
        "CREATE TABLE IF NOT EXISTS "
            + quoted(schema, name)
            + " (observation_id uuid NOT NULL, pkey "
            + PostgresType.ofKeys(table.stringKeys())
            + " NOT NULL, "
            + table.valueType().map(type -> "value " + PostgresType.of(type) + ", ").orElse("")
            + "observed_at timestamptz NOT NULL,"
            + " inserted_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
            + " resolver_fqn text, deployment_id text, operation_id text NOT NULL,"
            + " deleted boolean NOT NULL, CONSTRAINT "
            + quoted(Names.primaryKey(name))
            + " PRIMARY KEY (observation_id"
            + (monthly ? ", observed_at)) PARTITION BY RANGE (observed_at)" : "))"));
    if (address.index() == Index.PKEY) {
      statements.add(
          "CREATE INDEX IF NOT EXISTS "
              + quoted(Names.index(name))
              + " ON "
              + quoted(schema, name)
              + " (pkey, observed_at)");
    }
    if (monthly) {
      addPartition(
          statements,
          schema,
          name,
          Names.part(name, "before_" + FIRST_MONTH.getYear()),
          "MINVALUE",
          bound(FIRST_MONTH));
      addPartition(
          statements,
          schema,
          name,
          Names.part(name, "from_" + END_MONTH.getYear()),
          bound(END_MONTH),
          "MAXVALUE");
    }
  }

  /**
   * Attaches it when it is made: to create it in place would keep out all who read or write the
   * table, and wait for them.
   */
  private static void addPartition(
      List<String> statements, String schema, String table, String name, String from, String to) {
    statements.add(
        "CREATE TABLE "
            + quoted(schema, name)
            + " (LIKE "
            + quoted(schema, table)
            + " INCLUDING DEFAULTS)");
    statements.add(
        "ALTER TABLE "
            + quoted(schema, table)
            + " ATTACH PARTITION "
            + quoted(schema, name)
            + " FOR VALUES FROM ("
            + from
            + ") TO ("
            + to
            + ")");
  }

  private static String bound(YearMonth month) {
    return String.format(
        Locale.ROOT, "'%04d-%02d-01 00:00:00+00'", month.getYear(), month.getMonthValue());
  }

  /** Returns which of some tables are partitioned, however that came to be. */
  Set<String> partitioned(String schema, Collection<String> tables) throws UnavailableException {
    try {
      return session.read(connection -> names(connection, FIND_PARTITIONED, schema, tables));
    } catch (RefusedException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
    }
  }

  private static Set<String> names(
      Connection connection, String query, String schema, Collection<String> names)
      throws SQLException {
    Set<String> found = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(query)) {
      statement.setString(1, schema);
      statement.setArray(2, connection.createArrayOf("text", names.toArray()));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          found.add(rows.getString(1));
        }
      }
    }
    return found;
  }

  /** Creates the partitions that rows need and that are missing. */
  void createPartitions(String schema, List<TableRows> rows) throws UnavailableException {
    Map<String, Partition> wanted = new LinkedHashMap<>();
    for (TableRows some : rows) {
      some.month()
          .filter(month -> !month.isBefore(FIRST_MONTH) && month.isBefore(END_MONTH))
          .ifPresent(
              month ->
                  wanted.put(
                      Names.partition(some.table(), month), new Partition(some.table(), month)));
    }
    for (List<String> names : Lists.partition(List.copyOf(wanted.keySet()), PER_TRANSACTION)) {
      try {
        long unused =
            session.write(
                connection -> {
                  lock(connection, schema);
                  Map<String, Partition> missing = new LinkedHashMap<>(wanted);
                  missing.keySet().retainAll(names);
                  missing.keySet().removeAll(names(connection, FIND_PARTITIONS, schema, names));
                  execute(connection, statements(schema, missing));
                  return 0L;
                });
      } catch (RefusedException e) {
        throw new UnavailableException(
            SqlState.sentence(address.server(), e.refusal())
                + (SqlState.isThere(e.refusal())
                    ? ", and is no longer a partition: rename or drop it"
                    : ""),
            e);
      }
    }
  }

  private static List<String> statements(String schema, Map<String, Partition> partitions) {
    List<String> statements = new ArrayList<>();
    partitions.forEach(
        (name, partition) ->
            addPartition(
                statements,
                schema,
                partition.table,
                name,
                bound(partition.month),
                bound(partition.month.plusMonths(1))));
    return statements;
  }
}
