package io.tailrace.sql.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;

import io.tailrace.sql.Key;
import io.tailrace.sql.Layout.Partitions;
import io.tailrace.sql.Table;
import io.tailrace.sql.postgres.PostgresCatalog.Plan;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Tables with what belongs to them: keys, indexes and partitions, which have names beside the
 * tables. They keep these when their table is renamed; the next table of its name then has them
 * with a number. Immutable.
 */
final class PostgresParts {
  /** Stands before the number of a name. */
  private static final String NUMBER = "#";

  private static final String FIND_NAMES =
      "SELECT c.relname, c.relkind = 'r' AND NOT c.relispartition"
          + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          + " WHERE n.nspname = ? AND c.relname = ANY (?)";

  private static final String FIND_PARTITIONS =
      "SELECT p.relname, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
          + " JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace"
          + " WHERE n.nspname = ? AND p.relname = ANY (?)";

  private final PartNames names;

  PostgresParts(PartNames names) {
    this.names = names;
  }

  /** Returns the statements that create a table, with its indexes and those parts it always has. */
  List<String> create(Connection connection, String schema, Table table) throws SQLException {
    Names free = new Names(connection, schema);
    String place = POSTGRES.place(schema, table.name());
    Optional<Partitions> partitions = table.layout().partitions();
    List<String> statements = new ArrayList<>();
    statements.add(
        "CREATE TABLE "
            + place
            + " ("
            + POSTGRES.definitions(table)
            + (table.key().isNone() ? "" : ", " + key(free, table))
            + ")"
            + partitions.map(by -> " PARTITION BY RANGE (" + by.column() + ")").orElse(""));
    table.label().ifPresent(label -> statements.add(POSTGRES.comment(place, label.line())));
    for (List<String> index : table.layout().indexes()) {
      statements.add(
          "CREATE INDEX "
              + POSTGRES.quoted(free.of(names.part(table.name(), index.get(0))))
              + " ON "
              + place
              + quoted(index));
    }
    if (partitions.isPresent()) {
      for (Part part : Part.ENDS) {
        String name = free.of(names.part(table.name(), part.name()));
        statements.addAll(attach(schema, table.name(), name, part));
      }
    }
    return statements;
  }

  private String key(Names free, Table table) throws SQLException {
    Key key = table.key();
    List<String> columns = new ArrayList<>(key.columns());
    // A key has to tell in which partition its row is.
    table
        .layout()
        .partitions()
        .map(Partitions::column)
        .filter(column -> !columns.contains(column))
        .ifPresent(columns::add);
    return "CONSTRAINT "
        + POSTGRES.quoted(free.of(names.key(table.name())))
        + " PRIMARY KEY"
        + quoted(columns);
  }

  private static String quoted(List<String> columns) {
    return columns.stream().map(POSTGRES::quoted).collect(Collectors.joining(", ", " (", ")"));
  }

  /**
   * Returns the statements that make a partition. It is attached when it is made: to create it in
   * place would keep out all who read or write the table, and wait for them.
   */
  private static List<String> attach(String schema, String table, String name, Part part) {
    return List.of(
        "CREATE TABLE "
            + POSTGRES.place(schema, name)
            + " (LIKE "
            + POSTGRES.place(schema, table)
            + " INCLUDING DEFAULTS)",
        "ALTER TABLE "
            + POSTGRES.place(schema, table)
            + " ATTACH PARTITION "
            + POSTGRES.place(schema, name)
            + " FOR VALUES FROM ("
            + part.from()
            + ") TO ("
            + part.to()
            + ")");
  }

  /** Plans parts that are missing; what comes out is the part of each table that can't be made. */
  Plan<Map<String, String>> plan(
      Connection connection, String schema, Map<String, ? extends Collection<Part>> wanted)
      throws SQLException {
    Names free = new Names(connection, schema);
    Map<String, Map<String, String>> there = partitions(connection, schema, wanted.keySet());
    List<List<String>> steps = new ArrayList<>();
    Map<String, String> blocked = new HashMap<>();
    for (Map.Entry<String, ? extends Collection<Part>> each : wanted.entrySet()) {
      String table = each.getKey();
      Collection<String> known = there.getOrDefault(table, Map.of()).values();
      for (Part part : each.getValue()) {
        String name = names.part(table, part.name());
        if (known.contains(name)) {
          continue;
        }
        if (free.isDetached(name)) {
          blocked.put(table, name);
        } else {
          steps.add(attach(schema, table, free.of(name), part));
        }
      }
    }
    return new Plan<>(steps, blocked);
  }

  /** Returns the names of a table's partitions with those that they would have without a number. */
  Map<String, String> of(Connection connection, String schema, String table) throws SQLException {
    return partitions(connection, schema, List.of(table)).getOrDefault(table, Map.of());
  }

  private static Map<String, Map<String, String>> partitions(
      Connection connection, String schema, Collection<String> tables) throws SQLException {
    Map<String, Map<String, String>> found = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(FIND_PARTITIONS)) {
      statement.setString(1, schema);
      statement.setArray(2, connection.createArrayOf("text", tables.toArray()));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          String name = rows.getString(2);
          found
              .computeIfAbsent(rows.getString(1), unused -> new LinkedHashMap<>())
              .put(name, name.replaceFirst(NUMBER + "\\d+$", ""));
        }
      }
    }
    return found;
  }

  /** What names there are. */
  private record Names(Connection connection, String schema) {
    /** Returns a name, with a number if something else has it. */
    String of(String name) throws SQLException {
      String free = name;
      for (int number = 2; find(free).isPresent(); number++) {
        free = name + NUMBER + number;
      }
      return free;
    }

    /** Returns whether a table has the name that is in no other, as one that was detached. */
    boolean isDetached(String name) throws SQLException {
      return find(name).orElse(false);
    }

    private Optional<Boolean> find(String name) throws SQLException {
      try (PreparedStatement statement = connection.prepareStatement(FIND_NAMES)) {
        statement.setString(1, schema);
        statement.setArray(2, connection.createArrayOf("text", new String[] {name}));
        try (ResultSet rows = statement.executeQuery()) {
          return rows.next() ? Optional.of(rows.getBoolean(2)) : Optional.empty();
        }
      }
    }
  }
}
