package io.tailrace.sql.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;

import com.google.common.collect.ImmutableList;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.sql.Column;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Table;
import io.tailrace.sql.Tables;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tables of schemas of PostgreSQL. What is there is seen in the catalog, without a lock; what
 * is not is created by one session at a time. Not thread-safe.
 */
public final class PostgresCatalog {
  /**
   * Steps of one transaction, such as tables or partitions that it creates, each of which takes
   * some fifteen locks: the server has room for some thousands.
   */
  private static final int PER_TRANSACTION = 50;

  /** With a number for the schema, the lock that whoever creates something holds. */
  private static final int LOCK = 0x7461696c;

  /** How long one attempt to alter a table waits for those who use it. */
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(2);

  /** After so many attempts to create what is missing, somebody else must be dropping it. */
  private static final int ATTEMPTS = 5;

  /** The SQLSTATE of a table that is not as somebody thought: to be looked up anew. */
  public static final String CHANGED = "42P01";

  private static final String FIND =
      "SELECT c.relname, c.relkind,"
          + " array_agg(a.attname::text ORDER BY a.attnum),"
          + " array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum),"
          + " ARRAY(SELECT (SELECT string_agg(k.attname, ',')"
          + " FROM pg_attribute k"
          + " WHERE k.attrelid = c.oid AND k.attnum = ANY (i.indkey::smallint[]))"
          + " FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid"
          + " AND i.indpred IS NULL AND i.indexprs IS NULL),"
          + " coalesce(obj_description(c.oid, 'pg_class'), '')"
          + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          + " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
          + " WHERE n.nspname = ? AND c.relname = ANY (?) GROUP BY c.oid, c.relname, c.relkind";

  private static final String FIND_SCHEMA = "SELECT nspname FROM pg_namespace WHERE nspname = ?";

  private final PostgresServer server;
  private final PostgresSession session;
  private final PostgresParts parts;

  /** Creates one, which names what belongs to a table in a way. */
  public PostgresCatalog(PostgresServer server, PostgresSession session, PartNames names) {
    this.server = server;
    this.session = session;
    this.parts = new PostgresParts(names);
  }

  /**
   * What is still to be done.
   *
   * @param steps the statements of each step, which are run in one transaction or not at all; none:
   *     all is done
   * @param outcome what is known when all is done
   */
  public record Plan<T>(List<List<String>> steps, T outcome) {
    /** Creates one. */
    public Plan {
      steps = ImmutableList.copyOf(steps);
    }
  }

  /** Looks at what is there, and says what is still to be done. */
  public interface Planner<T> {
    /** Looks at it; may be asked several times. */
    Plan<T> plan(Connection connection) throws SQLException;
  }

  /**
   * Does what a plan says until there is nothing left. It is made first without a lock, and again
   * with the lock of those who create something: others may have been faster.
   *
   * @throws RefusedException if the server refuses a statement, however often it is run
   */
  public <T> T bringAbout(String schema, Planner<T> planner)
      throws RefusedException, UnavailableException {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        Plan<T> plan = session.read(planner::plan);
        if (plan.steps.isEmpty()) {
          return plan.outcome;
        }
        for (int done = 0; done < plan.steps.size(); done += PER_TRANSACTION) {
          once(
              schema,
              connection ->
                  planner.plan(connection).steps.stream()
                      .limit(PER_TRANSACTION)
                      .flatMap(List::stream)
                      .toList());
        }
      } catch (RefusedException e) {
        // A program that does not know of the lock may have been faster.
        if (!SqlState.isThere(e.refusal())) {
          throw e;
        }
      }
    }
    throw new UnavailableException(
        server.text() + ": the tables of the schema '" + schema + "' vanish when created");
  }

  /**
   * Runs statements in one transaction, with the lock of those who create something.
   *
   * @throws RefusedException if the server refuses them, however often they are run
   */
  public void once(String schema, PostgresSession.Work<List<String>> statements)
      throws RefusedException, UnavailableException {
    long unused =
        session.write(
            connection -> {
              try (Statement statement = connection.createStatement()) {
                boolean unusedToo =
                    statement.execute(
                        "SELECT pg_advisory_xact_lock("
                            + LOCK
                            + ", "
                            + schema.hashCode()
                            // Whoever wants a table waits behind one who waits to alter it.
                            + "); SET LOCAL lock_timeout = "
                            + LOCK_TIMEOUT.toMillis());
                boolean unusedAlso =
                    statement.execute(String.join(";\n", statements.run(connection)));
                return 0L;
              }
            });
  }

  /** Returns what there is of some names. */
  public Map<String, FoundTable> find(
      Connection connection, String schema, Collection<String> names) throws SQLException {
    Map<String, FoundTable> found = new HashMap<>();
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
          String[] keys = (String[]) rows.getArray(5).getArray();
          found.put(
              rows.getString(1),
              new FoundTable(
                  kind(rows.getString(2)),
                  byName,
                  Arrays.stream(keys)
                      .map(key -> Set.copyOf(Arrays.asList(key.split(","))))
                      .collect(Collectors.toSet()),
                  rows.getString(6)));
        }
      }
    }
    return found;
  }

  private static FoundTable.Kind kind(String relkind) {
    return switch (relkind) {
      case "r" -> FoundTable.Kind.TABLE;
      case "p" -> FoundTable.Kind.PARTITIONED;
      case "v" -> FoundTable.Kind.VIEW;
      default -> FoundTable.Kind.OTHER;
    };
  }

  /**
   * Returns the steps that create what is missing and add what is lacking. Several are in the order
   * of the tables: all sessions alter tables in the same one, so that none waits for another in a
   * circle.
   */
  public List<List<String>> steps(Connection connection, String schema, Tables tables)
      throws SQLException {
    List<List<String>> steps = new ArrayList<>();
    for (Table table : tables.missing()) {
      steps.add(parts.create(connection, schema, table));
    }
    for (Tables.Addition addition : tables.additions()) {
      List<String> step = new ArrayList<>();
      for (Column column : addition.columns()) {
        step.add(POSTGRES.addColumn(POSTGRES.place(schema, addition.table().name()), column));
      }
      steps.add(step);
    }
    for (Tables.Comment comment : tables.comments()) {
      steps.add(
          List.of(
              POSTGRES.comment(POSTGRES.place(schema, comment.table().name()), comment.text())));
    }
    if (!steps.isEmpty() && strings(connection, FIND_SCHEMA, schema).isEmpty()) {
      steps.set(0, withSchema(schema, steps.get(0)));
    }
    return steps;
  }

  private static List<String> withSchema(String schema, List<String> step) {
    List<String> more = new ArrayList<>();
    more.add("CREATE SCHEMA IF NOT EXISTS " + POSTGRES.quoted(schema));
    more.addAll(step);
    return more;
  }

  /**
   * Creates the partitions that rows need and that are missing.
   *
   * @param wanted the parts of each table
   * @return what is in the way, by the names of tables, as a part of a sentence: another table has
   *     a partition's name
   */
  public Map<String, String> createParts(
      String schema, Map<String, ? extends Collection<Part>> wanted)
      throws RefusedException, UnavailableException {
    Map<String, String> blocked = new HashMap<>();
    bringAbout(schema, connection -> parts.plan(connection, schema, wanted))
        .forEach(
            (table, part) ->
                blocked.put(
                    table,
                    "the table "
                        + POSTGRES.place(schema, part)
                        + " is there, and is no longer a partition: rename or drop it"));
    return blocked;
  }

  /** Returns the names of a table's partitions with those of their parts. */
  public Map<String, String> partsOf(Connection connection, String schema, String table)
      throws SQLException {
    return parts.of(connection, schema, table);
  }

  /** Returns the first column of a query's rows. */
  public static List<String> strings(Connection connection, String sql, String... parameters)
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
}
