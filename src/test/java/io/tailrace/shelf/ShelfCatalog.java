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
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The tables on the shelf; each always has a column of values. */
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
                + ", value "
                + wanted.getOrDefault("value", "VARCHAR")
                + ", observed_at TIMESTAMPTZ, inserted_at TIMESTAMPTZ DEFAULT current_timestamp,"
                + " resolver_fqn VARCHAR, deployment_id VARCHAR, operation_id VARCHAR,"
                + " deleted BOOLEAN)");
        continue;
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
    }
    return conflicts;
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
