package io.tailrace.offline.postgres;

import static io.tailrace.offline.postgres.Names.quoted;

import io.tailrace.parquet.TableNames;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The table of the log of queries. Stateless and thread-safe. */
final class QueryLog {
  static final String KEY = "operation_id";

  private static final String TEXT = "text";
  private static final String TIME = "timestamp with time zone";

  /** Its columns with their types, in order. */
  static final Map<String, String> COLUMNS = columns();

  private static final Set<String> REQUIRED =
      Set.of(
          KEY,
          "environment_id",
          "operation_kind",
          "query_timestamp",
          "query_status",
          "value_tables");

  private QueryLog() {}

  private static Map<String, String> columns() {
    Map<String, String> columns = new LinkedHashMap<>();
    columns.put(KEY, TEXT);
    columns.put("environment_id", TEXT);
    columns.put("deployment_id", TEXT);
    columns.put("operation_kind", TEXT);
    columns.put("query_timestamp", TIME);
    columns.put("execution_started_at", TIME);
    columns.put("execution_finished_at", TIME);
    columns.put("query_status", TEXT);
    columns.put("query_name", TEXT);
    columns.put("query_name_version", TEXT);
    columns.put("branch_name", TEXT);
    columns.put("correlation_id", TEXT);
    columns.put("trace_id", TEXT);
    columns.put("agent_id", TEXT);
    columns.put("query_plan_id", TEXT);
    columns.put("meta_query_hash", TEXT);
    columns.put("value_tables", "text[]");
    return columns;
  }

  static String createTable(String schema) {
    return "CREATE TABLE IF NOT EXISTS "
        + quoted(schema, TableNames.QUERY_LOG)
        + definition().replaceFirst("\\)$", "")
        + ", CONSTRAINT "
        + quoted(Names.primaryKey(TableNames.QUERY_LOG))
        + " PRIMARY KEY ("
        + KEY
        + "))";
  }

  /** Returns the definition of its columns, in parentheses. */
  static String definition() {
    return COLUMNS.entrySet().stream()
        .map(
            column ->
                column.getKey()
                    + " "
                    + column.getValue()
                    + (REQUIRED.contains(column.getKey()) ? " NOT NULL" : ""))
        .collect(Collectors.joining(", ", " (", ")"));
  }
}
