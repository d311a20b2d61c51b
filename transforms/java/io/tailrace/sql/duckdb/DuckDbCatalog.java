package io.tailrace.sql.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.sql.Column;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Table;
import io.tailrace.sql.Tables;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tables of a schema of a DuckDB file. Whoever changes them holds the {@linkplain
 * DuckDbFile#writing lock of writers} and a transaction. Immutable.
 *
 * @param database the file's name within the instance: a schema may have the same name, and what is
 *     without it would be ambiguous
 * @param schema the schema's name
 */
public record DuckDbCatalog(String database, String schema) {
  /** DuckDB names one type in two ways. */
  private static final Map<String, String> OTHER_NAMES =
      Map.of("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ");

  /** Returns the name of the schema as it stands in a statement. */
  public String place() {
    return DUCKDB.quoted(database) + "." + DUCKDB.quoted(schema);
  }

  /** Returns the name of a table or view as it stands in a statement. */
  public String place(String name) {
    return place() + "." + DUCKDB.quoted(name);
  }

  /**
   * Sees to it that there are tables as they are wanted: creates what is missing and adds columns.
   *
   * @return what is in the way; nothing else is left to be done
   */
  public Tables bringAbout(Statement statement, Collection<Table> wanted) throws SQLException {
    statement.execute("CREATE SCHEMA IF NOT EXISTS " + place());
    while (true) {
      Set<String> names = wanted.stream().map(Table::name).collect(Collectors.toSet());
      Tables tables = Tables.compare(DUCKDB, wanted, find(statement, names));
      if (tables.areDone()) {
        return tables;
      }
      for (Table table : tables.missing()) {
        for (String sql : DUCKDB.create(place(table.name()), table)) {
          statement.execute(sql);
        }
      }
      for (Tables.Addition addition : tables.additions()) {
        add(statement, addition);
      }
      for (Tables.Comment comment : tables.comments()) {
        statement.execute(DUCKDB.comment(place(comment.table().name()), comment.text()));
      }
    }
  }

  /**
   * Adds columns to a table; those that are there lose what the first version gave them as a
   * default. If the process were killed before the log of it is written back, DuckDB could not read
   * the log of a table that is altered and has a default with a function.
   */
  private void add(Statement statement, Tables.Addition addition) throws SQLException {
    String table = addition.table().name();
    for (String column : withDefaults(statement, table)) {
      statement.execute(
          "ALTER TABLE "
              + place(table)
              + " ALTER COLUMN "
              + DUCKDB.quoted(column)
              + " DROP DEFAULT");
    }
    for (Column column : addition.columns()) {
      statement.execute(DUCKDB.addColumn(place(table), column));
    }
  }

  private Set<String> withDefaults(Statement statement, String table) throws SQLException {
    return texts(
        statement,
        "SELECT column_name FROM duckdb_columns() WHERE "
            + here("table_name", List.of(table))
            + " AND column_default IS NOT NULL");
  }

  /** Returns what there is of some names. */
  public Map<String, FoundTable> find(Statement statement, Collection<String> names)
      throws SQLException {
    Map<String, FoundTable> found = new HashMap<>();
    Map<String, Map<String, String>> columns = columns(statement, names);
    Map<String, Set<Set<String>>> keys = keys(statement, names);
    try (ResultSet tables =
        statement.executeQuery(
            "SELECT table_name, coalesce(comment, '') FROM duckdb_tables() WHERE "
                + here("table_name", names))) {
      while (tables.next()) {
        String name = tables.getString(1);
        found.put(
            name,
            new FoundTable(
                FoundTable.Kind.TABLE,
                columns.getOrDefault(name, Map.of()),
                keys.getOrDefault(name, Set.of()),
                tables.getString(2)));
      }
    }
    for (String view :
        texts(
            statement, "SELECT view_name FROM duckdb_views() WHERE " + here("view_name", names))) {
      found.put(
          view,
          new FoundTable(FoundTable.Kind.VIEW, columns.getOrDefault(view, Map.of()), Set.of(), ""));
    }
    return found;
  }

  private Map<String, Map<String, String>> columns(Statement statement, Collection<String> names)
      throws SQLException {
    Map<String, Map<String, String>> columns = new HashMap<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE "
                + here("table_name", names))) {
      while (found.next()) {
        String type = found.getString(3);
        columns
            .computeIfAbsent(found.getString(1), unused -> new HashMap<>())
            .put(found.getString(2), OTHER_NAMES.getOrDefault(type, type));
      }
    }
    return columns;
  }

  private Map<String, Set<Set<String>>> keys(Statement statement, Collection<String> names)
      throws SQLException {
    Map<String, Map<Long, Set<String>>> keys = new HashMap<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT table_name, constraint_index, unnest(constraint_column_names)"
                + " FROM duckdb_constraints() WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE')"
                + " AND "
                + here("table_name", names))) {
      while (found.next()) {
        keys.computeIfAbsent(found.getString(1), unused -> new HashMap<>())
            .computeIfAbsent(found.getLong(2), unused -> new HashSet<>())
            .add(found.getString(3));
      }
    }
    Map<String, Set<Set<String>>> sets = new HashMap<>();
    keys.forEach((table, each) -> sets.put(table, new HashSet<>(each.values())));
    return sets;
  }

  private String here(String column, Collection<String> names) {
    return "database_name = "
        + DUCKDB.literal(database)
        + " AND schema_name = "
        + DUCKDB.literal(schema)
        + " AND "
        + column
        + names.stream().map(DUCKDB::literal).collect(Collectors.joining(", ", " IN (", ")"));
  }

  private static Set<String> texts(Statement statement, String query) throws SQLException {
    Set<String> texts = new HashSet<>();
    try (ResultSet found = statement.executeQuery(query)) {
      while (found.next()) {
        texts.add(found.getString(1));
      }
    }
    return texts;
  }
}
