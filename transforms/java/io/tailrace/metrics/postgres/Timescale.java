package io.tailrace.metrics.postgres;

import static io.tailrace.sql.postgres.PostgresCatalog.strings;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The extension TimescaleDB of a database: tables in chunks of a day, which it drops by itself.
 * Immutable.
 *
 * @param address where tables are
 * @param schema the extension's own, as it stands in a statement
 */
record Timescale(PostgresMetricsAddress address, String schema) {
  private static final String FIND =
      "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n"
          + " ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'";

  private static final String FIND_HYPERTABLE =
      "SELECT 1 FROM timescaledb_information.hypertables"
          + " WHERE hypertable_schema = ? AND hypertable_name = ?";

  private static final String FIND_POLICY =
      "SELECT 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
          + " AND hypertable_schema = ? AND hypertable_name = ?"
          + " AND (config->>'drop_after')::interval = ?::interval";

  static Optional<Timescale> find(Connection connection, PostgresMetricsAddress address)
      throws SQLException {
    return strings(connection, FIND).stream()
        .findFirst()
        .map(schema -> new Timescale(address, schema));
  }

  boolean isHypertable(Connection connection, String table) throws SQLException {
    return !strings(connection, FIND_HYPERTABLE, address.schema(), table).isEmpty();
  }

  /** Returns the statements that make a hypertable of a table, with its rows. */
  List<String> createHypertable(String table) {
    List<String> statements = new ArrayList<>();
    statements.add(
        "SELECT "
            + schema
            + ".create_hypertable("
            + regclass(table)
            + ", 'minute'::name, chunk_time_interval => INTERVAL '1 day',"
            + " create_default_indexes => false, if_not_exists => true, migrate_data => true)");
    address.retention().ifPresent(retention -> statements.addAll(setPolicy(table, retention)));
    return statements;
  }

  /**
   * Returns the statements that give a hypertable the retention that is asked for, if it has not.
   */
  List<String> setPolicyIfOther(Connection connection, String table) throws SQLException {
    if (address.retention().isPresent()) {
      Duration retention = address.retention().get();
      if (strings(connection, FIND_POLICY, address.schema(), table, interval(retention))
          .isEmpty()) {
        return setPolicy(table, retention);
      }
    }
    return List.of();
  }

  private List<String> setPolicy(String table, Duration retention) {
    return List.of(
        "SELECT " + schema + ".remove_retention_policy(" + regclass(table) + ", if_exists => true)",
        "SELECT "
            + schema
            + ".add_retention_policy("
            + regclass(table)
            + ", INTERVAL '"
            + interval(retention)
            + "')");
  }

  static String interval(Duration duration) {
    return duration.toSeconds() + " seconds";
  }

  private String regclass(String table) {
    return "'" + address.place(table) + "'::regclass";
  }
}
