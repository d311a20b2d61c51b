package io.tailrace.metrics.postgres;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.metrics.MetricsView;
import io.tailrace.metrics.postgres.PostgresMetricsAddress.Partitions;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.SqlState;
import io.tailrace.v1.MetricsSummary;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates the schema, its tables, views and partitions, and drops what is older than the retention.
 * What is there is seen in the catalog, without a lock; what is not is created by one session at a
 * time. Not thread-safe.
 */
final class PostgresMetricsTables {
  private static final Logger LOG = LoggerFactory.getLogger(PostgresMetricsTables.class);

  /** With a number for the schema, the lock that whoever creates something holds. */
  private static final int LOCK = 0x7461696c;

  /** How long one attempt to change a table waits for those who use it. */
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(2);

  private static final Duration BETWEEN_DROPS = Duration.ofHours(1);

  /** Days outside of these have no partitions of their own. */
  private static final LocalDate FIRST_DAY = LocalDate.of(2000, 1, 1);

  private static final LocalDate END_DAY = LocalDate.of(2100, 1, 1);

  private static final long MICROS_PER_DAY = Duration.ofDays(1).toNanos() / 1_000;

  private static final Pattern DAY = Pattern.compile("_(\\d{4}_\\d{2}_\\d{2})$");

  /** After so many attempts to create what is missing, somebody else must be dropping it. */
  private static final int ATTEMPTS = 5;

  /** Days that one transaction creates, each of which takes some ten locks. */
  private static final int DAYS_PER_TRANSACTION = 50;

  private static final String FIND =
      "SELECT c.relname, c.relkind, array_agg(a.attname::text ORDER BY a.attnum),"
          + " array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)"
          + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          + " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
          + " WHERE n.nspname = ? AND c.relname = ANY (?) GROUP BY c.oid, c.relname, c.relkind";

  private static final String FIND_PARTITIONS =
      "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
          + " JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace"
          + " WHERE n.nspname = ? AND p.relname = ?";

  private static final String FIND_SCHEMA = "SELECT nspname FROM pg_namespace WHERE nspname = ?";

  private static final String FIND_TIMESCALE =
      "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n"
          + " ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'";

  private static final String FIND_HYPERTABLE =
      "SELECT 1 FROM timescaledb_information.hypertables"
          + " WHERE hypertable_schema = ? AND hypertable_name = ?";

  private static final String FIND_POLICY =
      "SELECT 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
          + " AND hypertable_schema = ? AND hypertable_name = ?"
          + " AND (config->>'drop_after')::interval = ?::interval";

  private final PostgresMetricsAddress address;
  private final PostgresSession session;

  /** What the tables are; empty: not known. */
  private Map<MetricsTable, Kind> kinds = Map.of();

  /** Days whose partitions are known to be there. */
  private final Map<MetricsTable, Set<LocalDate>> days = new EnumMap<>(MetricsTable.class);

  private Instant droppedAt = Instant.MIN;

  /** What a table is. */
  private enum Kind {
    PLAIN,
    DAILY,
    HYPERTABLE
  }

  /** A relation as the catalog has it: its kind, and the types of its columns. */
  private record Found(String kind, Map<String, String> columns) {
    Optional<String> conflict(MetricsTable table) {
      if (!kind.equals("r") && !kind.equals("p")) {
        return Optional.of("is no table");
      }
      List<String> conflicts = new ArrayList<>();
      for (MetricsTable.Column column : table.columns()) {
        String type = columns.get(column.name());
        if (type == null) {
          conflicts.add("lacks the column " + column.name());
        } else if (!type.equals(catalogType(column))) {
          conflicts.add("has " + column.name() + " " + type + ", not " + catalogType(column));
        }
      }
      return conflicts.isEmpty() ? Optional.empty() : Optional.of(String.join(" and ", conflicts));
    }
  }

  /**
   * What is there, and what is to be done about it.
   *
   * @param kinds what the tables are that are there
   * @param conflicts what is wrong with them
   * @param statements what creates the rest
   */
  private record Plan(
      Map<MetricsTable, Kind> kinds, List<String> conflicts, List<String> statements) {}

  PostgresMetricsTables(PostgresMetricsAddress address, PostgresSession session) {
    this.address = address;
    this.session = session;
  }

  private static String catalogType(MetricsTable.Column column) {
    return switch (column.type()) {
      case "float8" -> "double precision";
      case "timestamptz" -> "timestamp with time zone";
      default -> column.type();
    };
  }

  /** Forgets what is known of the tables, as it turned out not to be so. */
  void forget() {
    kinds = Map.of();
    days.clear();
  }

  /** Creates whatever is missing for rows to be written. */
  void prepareFor(List<MetricsSummary> summaries) throws UnavailableException {
    if (kinds.isEmpty()) {
      kinds = createTables();
    }
    Map<MetricsTable, Set<LocalDate>> wanted = new EnumMap<>(MetricsTable.class);
    for (MetricsSummary summary : summaries) {
      MetricsTable table = MetricsTable.of(summary);
      if (kinds.get(table) == Kind.DAILY) {
        LocalDate day = LocalDate.ofEpochDay(Math.floorDiv(summary.getMinute(), MICROS_PER_DAY));
        if (!day.isBefore(FIRST_DAY) && day.isBefore(END_DAY)) {
          wanted.computeIfAbsent(table, unused -> new TreeSet<>()).add(day);
        }
      }
    }
    for (Map.Entry<MetricsTable, Set<LocalDate>> each : wanted.entrySet()) {
      Set<LocalDate> known = days.computeIfAbsent(each.getKey(), unused -> new HashSet<>());
      each.getValue().removeAll(known);
      for (List<LocalDate> some :
          Lists.partition(List.copyOf(each.getValue()), DAYS_PER_TRANSACTION)) {
        createDays(each.getKey(), some);
        known.addAll(some);
      }
    }
  }

  private Map<MetricsTable, Kind> createTables() throws UnavailableException {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      Plan plan = read(this::plan);
      if (!plan.conflicts.isEmpty()) {
        throw new UnavailableException(
            address.text()
                + ": "
                + String.join("; ", plan.conflicts)
                + "; rename it, and another one is created");
      }
      if (plan.statements.isEmpty()) {
        return plan.kinds;
      }
      // Under the lock, others may have been faster.
      write(connection -> plan(connection).statements);
    }
    throw new UnavailableException(
        address.text()
            + ": the tables of the schema '"
            + address.schema()
            + "' vanish when created");
  }

  private Plan plan(Connection connection) throws SQLException {
    Map<String, Found> found = find(connection);
    Optional<String> timescale = strings(connection, FIND_TIMESCALE).stream().findFirst();
    Map<MetricsTable, Kind> there = new EnumMap<>(MetricsTable.class);
    List<String> conflicts = new ArrayList<>();
    List<String> statements = new ArrayList<>();
    if (found.isEmpty() && strings(connection, FIND_SCHEMA, address.schema()).isEmpty()) {
      statements.add("CREATE SCHEMA IF NOT EXISTS \"" + address.schema() + '"');
    }
    for (MetricsTable table : MetricsTable.values()) {
      Found relation = found.get(table.table());
      if (relation == null) {
        addTable(statements, table, timescale);
        continue;
      }
      relation
          .conflict(table)
          .ifPresent(
              conflict ->
                  conflicts.add("the table " + address.place(table.table()) + " " + conflict));
      there.put(table, kind(connection, table, relation, timescale));
      switch (there.get(table)) {
        case PLAIN -> {
          if (address.partitions() == Partitions.AUTO) {
            timescale.ifPresent(schema -> addHypertable(statements, table, schema));
          }
        }
        case HYPERTABLE -> addPolicyIfOther(connection, statements, table, timescale.orElseThrow());
        case DAILY -> {}
      }
    }
    for (MetricsView view : MetricsView.values()) {
      if (!found.containsKey(view.view())) {
        statements.add(view.create(address::place));
      }
    }
    return new Plan(there, conflicts, statements);
  }

  private Map<String, Found> find(Connection connection) throws SQLException {
    List<String> names = new ArrayList<>();
    for (MetricsTable table : MetricsTable.values()) {
      names.add(table.table());
    }
    for (MetricsView view : MetricsView.values()) {
      names.add(view.view());
    }
    Map<String, Found> found = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setString(1, address.schema());
      statement.setArray(2, connection.createArrayOf("text", names.toArray()));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          String[] columns = (String[]) rows.getArray(3).getArray();
          String[] types = (String[]) rows.getArray(4).getArray();
          Map<String, String> byName = new HashMap<>();
          for (int i = 0; i < columns.length; i++) {
            byName.put(columns[i], types[i]);
          }
          found.put(rows.getString(1), new Found(rows.getString(2), byName));
        }
      }
    }
    return found;
  }

  private Kind kind(
      Connection connection, MetricsTable table, Found relation, Optional<String> timescale)
      throws SQLException {
    if (relation.kind.equals("p")) {
      return Kind.DAILY;
    }
    return timescale.isPresent()
            && !strings(connection, FIND_HYPERTABLE, address.schema(), table.table()).isEmpty()
        ? Kind.HYPERTABLE
        : Kind.PLAIN;
  }

  private void addTable(List<String> statements, MetricsTable table, Optional<String> timescale) {
    String create = table.create(address.place(table.table()));
    boolean hypertable = address.partitions() == Partitions.AUTO && timescale.isPresent();
    if (hypertable || address.partitions() == Partitions.NONE) {
      statements.add(create);
      timescale
          .filter(unused -> hypertable)
          .ifPresent(schema -> addHypertable(statements, table, schema));
      return;
    }
    statements.add(create + " PARTITION BY RANGE (minute)");
    addPartition(
        statements,
        table,
        table.table() + "_before_" + FIRST_DAY.getYear(),
        "MINVALUE",
        bound(FIRST_DAY));
    addPartition(
        statements,
        table,
        table.table() + "_from_" + END_DAY.getYear(),
        bound(END_DAY),
        "MAXVALUE");
  }

  private void addHypertable(List<String> statements, MetricsTable table, String timescale) {
    statements.add(
        "SELECT "
            + timescale
            + ".create_hypertable("
            + regclass(table)
            + ", 'minute'::name, chunk_time_interval => INTERVAL '1 day',"
            + " create_default_indexes => false, if_not_exists => true, migrate_data => true)");
    address.retention().ifPresent(retention -> addPolicy(statements, table, timescale, retention));
  }

  private void addPolicyIfOther(
      Connection connection, List<String> statements, MetricsTable table, String timescale)
      throws SQLException {
    if (address.retention().isPresent()) {
      Duration retention = address.retention().get();
      if (strings(connection, FIND_POLICY, address.schema(), table.table(), interval(retention))
          .isEmpty()) {
        addPolicy(statements, table, timescale, retention);
      }
    }
  }

  private void addPolicy(
      List<String> statements, MetricsTable table, String timescale, Duration retention) {
    statements.add(
        "SELECT "
            + timescale
            + ".remove_retention_policy("
            + regclass(table)
            + ", if_exists => true)");
    statements.add(
        "SELECT "
            + timescale
            + ".add_retention_policy("
            + regclass(table)
            + ", INTERVAL '"
            + interval(retention)
            + "')");
  }

  private static String interval(Duration duration) {
    return duration.toSeconds() + " seconds";
  }

  private String regclass(MetricsTable table) {
    return "'" + address.place(table.table()) + "'::regclass";
  }

  private void createDays(MetricsTable table, List<LocalDate> wanted) throws UnavailableException {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (read(connection -> missing(connection, table, wanted)).isEmpty()) {
        return;
      }
      write(
          connection -> {
            List<String> statements = new ArrayList<>();
            for (LocalDate day : missing(connection, table, wanted)) {
              addPartition(
                  statements, table, partition(table, day), bound(day), bound(day.plusDays(1)));
            }
            return statements;
          });
    }
    throw new UnavailableException(
        address.text()
            + ": one of the tables "
            + address.place(partition(table, wanted.get(0)))
            + " to "
            + address.place(partition(table, wanted.get(wanted.size() - 1)))
            + " is there, and is no partition: rename or drop it");
  }

  private List<LocalDate> missing(Connection connection, MetricsTable table, List<LocalDate> wanted)
      throws SQLException {
    List<LocalDate> missing = new ArrayList<>(wanted);
    missing.removeAll(partitions(connection, table));
    return missing;
  }

  private List<LocalDate> partitions(Connection connection, MetricsTable table)
      throws SQLException {
    List<LocalDate> found = new ArrayList<>();
    for (String name : strings(connection, FIND_PARTITIONS, address.schema(), table.table())) {
      Matcher day = DAY.matcher(name);
      if (day.find() && name.startsWith(table.table())) {
        found.add(LocalDate.parse(day.group(1).replace('_', '-')));
      }
    }
    return found;
  }

  private static String partition(MetricsTable table, LocalDate day) {
    return table.table() + "_" + day.toString().replace('-', '_');
  }

  private static String bound(LocalDate day) {
    return "'" + day + " 00:00:00+00'";
  }

  /**
   * Attaches it when it is made: to create it in place would keep out all who read or write the
   * table, and wait for them.
   */
  private void addPartition(
      List<String> statements, MetricsTable table, String name, String from, String to) {
    String parent = address.place(table.table());
    statements.add("CREATE TABLE " + address.place(name) + " (LIKE " + parent + ")");
    statements.add(
        "ALTER TABLE "
            + parent
            + " ATTACH PARTITION "
            + address.place(name)
            + " FOR VALUES FROM ("
            + from
            + ") TO ("
            + to
            + ")");
  }

  /**
   * Drops what is older than the retention, at most once an hour; TimescaleDB does so by itself.
   * Rows are written without that, so that a failure is said, and tried again an hour later.
   */
  void dropOld() {
    if (address.retention().isEmpty()
        || Duration.between(droppedAt, Instant.now()).compareTo(BETWEEN_DROPS) < 0) {
      return;
    }
    droppedAt = Instant.now();
    String oldest = "now() - INTERVAL '" + interval(address.retention().get()) + "'";
    try {
      for (MetricsTable table : MetricsTable.values()) {
        switch (kinds.getOrDefault(table, Kind.HYPERTABLE)) {
          case PLAIN ->
              write(
                  connection ->
                      List.of(
                          "DELETE FROM "
                              + address.place(table.table())
                              + " WHERE minute < "
                              + oldest));
          case DAILY -> {
            days.remove(table);
            write(connection -> dropDays(connection, table, oldest));
          }
          case HYPERTABLE -> {}
        }
      }
    } catch (UnavailableException e) {
      LOG.warn("Rows older than the retention are kept for now: {}", e.getMessage());
    }
  }

  private List<String> dropDays(Connection connection, MetricsTable table, String oldest)
      throws SQLException {
    // The last day that has ended.
    LocalDate end =
        LocalDate.parse(
            strings(connection, "SELECT ((" + oldest + ") AT TIME ZONE 'UTC')::date::text").get(0));
    List<String> statements = new ArrayList<>();
    for (LocalDate day : partitions(connection, table)) {
      if (day.isBefore(end)) {
        statements.add("DROP TABLE IF EXISTS " + address.place(partition(table, day)));
      }
    }
    return statements;
  }

  private static List<String> strings(Connection connection, String sql, String... parameters)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setString(i + 1, parameters[i]);
      }
      try (ResultSet rows = statement.executeQuery()) {
        List<String> found = new ArrayList<>();
        while (rows.next()) {
          found.add(rows.getString(1));
        }
        return found;
      }
    }
  }

  private <T> T read(PostgresSession.Work<T> work) throws UnavailableException {
    try {
      return session.read(work);
    } catch (RefusedException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
    }
  }

  /** Runs statements under the lock; that others were faster is not an error, but to be seen. */
  private void write(PostgresSession.Work<List<String>> statements) throws UnavailableException {
    try {
      long unused =
          session.write(
              connection -> {
                try (Statement statement = connection.createStatement()) {
                  statement.execute(
                      "SELECT pg_advisory_xact_lock("
                          + LOCK
                          + ", "
                          + address.schema().hashCode()
                          + "); SET LOCAL lock_timeout = "
                          // Whoever wants a table waits behind one who waits to alter it.
                          + LOCK_TIMEOUT.toMillis());
                  for (String sql : statements.run(connection)) {
                    statement.execute(sql);
                  }
                }
                return 0L;
              });
    } catch (RefusedException e) {
      if (!SqlState.isThere(e.refusal())) {
        throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
      }
    }
  }
}
