package io.tailrace.shelf;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.FeatureTable;
import io.tailrace.parquet.QueryLog;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The tables on the shelf. */
record ShelfCatalog(ShelfDatabase database) implements Catalog {
  @Override
  public List<Conflict> create(String environment, List<FeatureTable> tables)
      throws UnavailableException {
    return database.transaction(statement -> create(statement, environment, tables));
  }

  static List<Conflict> create(Statement statement, String schema, List<FeatureTable> tables)
      throws SQLException {
    statement.execute("CREATE SCHEMA IF NOT EXISTS " + schema);
    statement.execute(
        "CREATE TABLE IF NOT EXISTS "
            + schema
            + ".query_log("
            + QueryLog.CURRENT.columns().stream()
                .map(column -> column.name() + " " + type(column))
                .collect(Collectors.joining(", "))
            + ")");
    Map<String, String> optional = new LinkedHashMap<>();
    QueryLog.CURRENT.columns().forEach(column -> optional.put(column.name(), type(column)));
    addMissing(statement, schema, "query_log", optional);
    List<Conflict> conflicts = new ArrayList<>();
    for (FeatureTable table : tables) {
      Map<String, String> found = columns(statement, schema, table.table());
      Map<String, String> wanted = new HashMap<>();
      wanted.put("pkey", table.stringKeys() ? "VARCHAR" : "BIGINT");
      table.valueType().ifPresent(type -> wanted.put("value", ShelfDatabase.type(type)));
      if (found.isEmpty()) {
        statement.execute(
            "CREATE TABLE "
                + schema
                + "."
                + table.table()
                + "(observation_id UUID, pkey "
                + wanted.get("pkey")
                + (wanted.containsKey("value") ? ", value " + wanted.get("value") : "")
                + ", observed_at TIMESTAMPTZ, inserted_at TIMESTAMPTZ DEFAULT current_timestamp,"
                + " resolver_fqn VARCHAR, deployment_id VARCHAR, operation_id VARCHAR,"
                + " deleted BOOLEAN)");
        continue;
      }
      if (!found.containsKey("value") && wanted.containsKey("value")) {
        addMissing(statement, schema, table.table(), Map.of("value", wanted.get("value")));
        found.put("value", wanted.get("value"));
      }
      List<Difference> differences = new ArrayList<>();
      wanted.forEach(
          (column, type) -> {
            if (!type.equals(found.get(column))) {
              differences.add(new Difference(column, found.getOrDefault(column, ""), type));
            }
          });
      if (!differences.isEmpty()) {
        conflicts.add(Conflict.ofTypes(table, differences));
      }
      addMissing(
          statement,
          schema,
          table.table(),
          Map.of("resolver_fqn", "VARCHAR", "deployment_id", "VARCHAR"));
    }
    return conflicts;
  }

  private static void addMissing(
      Statement statement, String schema, String table, Map<String, String> columns)
      throws SQLException {
    for (Map.Entry<String, String> column : columns.entrySet()) {
      statement.execute(
          "ALTER TABLE "
              + schema
              + "."
              + table
              + " ADD COLUMN IF NOT EXISTS "
              + column.getKey()
              + " "
              + column.getValue());
    }
  }

  private static String type(QueryLog.Column column) {
    return switch (column.type()) {
      case TEXT -> "VARCHAR";
      case TIMESTAMP -> "TIMESTAMPTZ";
      case TEXTS -> "VARCHAR[]";
    };
  }

  private static Map<String, String> columns(Statement statement, String schema, String table)
      throws SQLException {
    Map<String, String> columns = new HashMap<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = "
                + ShelfDatabase.literal(schema)
                + " AND table_name = "
                + ShelfDatabase.literal(table))) {
      while (found.next()) {
        columns.put(found.getString(1), found.getString(2));
      }
    }
    return columns;
  }

  @Override
  public void close() {}
}
