package io.tailrace.sql.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.sql.Column;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.FoundTable.Kind;
import io.tailrace.sql.Label;
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
 * DuckDbFile#writing lock of writers} and a transaction, and forgets the catalog if that is rolled
 * back. Not thread-safe.
 */
public final class DuckDbCatalog {
  /** DuckDB names one type in two ways. */
  private static final Map<String, String> OTHER_NAMES =
      Map.of("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ");

  private final String database;
  private final String schema;

  /**
   * What tables say, by name. To ask for it takes DuckDB as long for one as for all, 50 ms for
   * thousands; what a table says is changed by writers only to say more.
   */
  private final Map<String, String> comments = new HashMap<>();

  /**
   * Creates one.
   *
   * @param database the file's name within the instance: a schema may have the same name, and what
   *     is without it would be ambiguous
   * @param schema the schema's name
   */
  public DuckDbCatalog(String database, String schema) {
    this.database = database;
    this.schema = schema;
  }

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
    while (true) {
      Tables tables = Tables.compare(DUCKDB, wanted, find(statement, wanted));
      if (tables.areDone()) {
        return tables;
      }
      run(statement, tables);
    }
  }

  /** Forgets what tables say: a transaction that changed them was rolled back. */
  public void forget() {
    comments.clear();
  }

  /** Creates what is missing, and adds columns and comments. */
  public void run(Statement statement, Tables tables) throws SQLException {
    if (!tables.missing().isEmpty()) {
      statement.execute("CREATE SCHEMA IF NOT EXISTS " + place());
    }
    for (Table table : tables.missing()) {
      for (String sql : DUCKDB.create(place(table.name()), table)) {
        statement.execute(sql);
      }
      comments.put(table.name(), table.label().map(Label::line).orElse(""));
    }
    for (Tables.Addition addition : tables.additions()) {
      add(statement, addition);
    }
    for (Tables.Comment comment : tables.comments()) {
      String name = comment.table().name();
      statement.execute(DUCKDB.comment(place(name), comment.text()));
      comments.put(name, comment.text());
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

  /** Returns what there is of the names of some tables. */
  public Map<String, FoundTable> find(Statement statement, Collection<Table> wanted)
      throws SQLException {
    Set<String> names = wanted.stream().map(Table::name).collect(Collectors.toSet());
    Map<String, Map<String, String>> columns = columns(statement, names);
    Set<String> views = views(statement, names);
    Map<String, FoundTable> found = new HashMap<>();
    for (Table table : wanted) {
      String name = table.name();
      Map<String, String> has = columns.get(name);
      if (has == null || found.containsKey(name)) {
        continue;
      }
      if (views.contains(name)) {
        found.put(name, new FoundTable(Kind.VIEW, has, Set.of(), ""));
      } else {
        Set<Set<String>> keys = table.key().isNone() ? Set.of() : Set.of(key(statement, name));
        found.put(name, new FoundTable(Kind.TABLE, has, keys, comment(statement, name)));
      }
    }
    return found;
  }

  /** Returns which of some names are taken, each with the columns of a view; none of a table. */
  public Map<String, Set<String>> columnsOfViews(Statement statement, Collection<String> names)
      throws SQLException {
    Set<String> views = views(statement, names);
    Map<String, Set<String>> columns = new HashMap<>();
    columns(statement, names)
        .forEach(
            (name, types) -> columns.put(name, views.contains(name) ? types.keySet() : Set.of()));
    return columns;
  }

  private Set<String> views(Statement statement, Collection<String> names) throws SQLException {
    return texts(
        statement, "SELECT view_name FROM duckdb_views() WHERE " + here("view_name", names));
  }

  private String comment(Statement statement, String table) throws SQLException {
    if (!comments.containsKey(table)) {
      try (ResultSet found =
          statement.executeQuery(
              "SELECT table_name, coalesce(comment, '') FROM duckdb_tables() WHERE " + here())) {
        while (found.next()) {
          comments.put(found.getString(1), found.getString(2));
        }
      }
    }
    return comments.getOrDefault(table, "");
  }

  private Set<String> key(Statement statement, String table) throws SQLException {
    String name = DUCKDB.literal(place(table));
    return texts(statement, "SELECT name FROM pragma_table_info(" + name + ") WHERE pk");
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

  private String here() {
    return "database_name = "
        + DUCKDB.literal(database)
        + " AND schema_name = "
        + DUCKDB.literal(schema);
  }

  private String here(String column, Collection<String> names) {
    return here()
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
