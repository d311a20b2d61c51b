package io.tailrace.offline.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.OfflineTables;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.Column;
import io.tailrace.sql.Key;
import io.tailrace.sql.duckdb.DuckDbCatalog;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The statements that insert rows of the log of queries. Where a query is there already, it gets
 * the union of the tables that hold its values. Immutable.
 *
 * @param columns of the log, of which files may lack those that are optional
 */
record QueryInsert(List<Column> columns) {
  private static final String TABLES = "value_tables";

  static QueryInsert into(QueryLog log) {
    return new QueryInsert(OfflineTables.of(log, Key.NONE).columns());
  }

  private List<String> others() {
    return columns.stream()
        .map(Column::name)
        .filter(name -> !name.equals(QueryLog.KEY) && !name.equals(TABLES))
        .toList();
  }

  /**
   * Returns the query that reads files. The parts of a result are one query, whose tables are those
   * of all parts.
   *
   * @param files a list of their paths
   */
  String select(String files) {
    return "SELECT operation_id, count(*) AS parts, "
        + others().stream()
            .map(name -> "any_value(" + name + ") AS " + name)
            .collect(Collectors.joining(", "))
        + ", list_sort(list_distinct(flatten(list(value_tables)))) AS value_tables FROM ("
        // A column that a file of another version lacks is null.
        + columns.stream()
            .filter(Column::isOptional)
            .map(column -> "NULL::" + DUCKDB.type(column.type()) + " AS " + column.name())
            .collect(Collectors.joining(", ", "SELECT ", " WHERE false"))
        + " UNION ALL BY NAME SELECT * FROM read_parquet("
        + files
        + ", union_by_name = true)) GROUP BY operation_id";
  }

  /**
   * Inserts what was staged. A query is known by its id alone: the parts of one may come at any
   * time and say any.
   *
   * @param staged how many rows were staged
   */
  BatchInserted insert(Open open, DuckDbCatalog catalog, long staged) throws SQLException {
    Statement statement = open.statement();
    String log = catalog.place(TableNames.QUERY_LOG);
    String all = "operation_id, " + String.join(", ", others()) + ", value_tables";
    statement.execute("BEGIN");
    // Once: the whole log is looked through, and what is found is nearly always nothing.
    statement.execute(
        "CREATE OR REPLACE TEMP TABLE known AS SELECT log.rowid AS place, operation_id,"
            + " log.value_tables FROM "
            + log
            + " AS log JOIN temp.staged USING (operation_id)");
    if (isThere(statement, "temp.known")) {
      statement.execute(
          "UPDATE "
              + log
              + " AS log SET value_tables = list_sort(list_distinct(list_concat("
              + "log.value_tables, staged.value_tables))) FROM temp.staged JOIN temp.known"
              + " USING (operation_id) WHERE log.rowid = known.place"
              + " AND NOT list_has_all(log.value_tables, staged.value_tables)");
      statement.execute(
          "DELETE FROM temp.staged WHERE operation_id IN (SELECT operation_id FROM temp.known)");
    }
    long inserted =
        statement.executeLargeUpdate(
            "INSERT INTO " + log + "(" + all + ") SELECT " + all + " FROM temp.staged");
    statement.execute("COMMIT");
    open.file().inserted(log, inserted);
    statement.execute("DROP TABLE temp.staged");
    statement.execute("DROP TABLE temp.known");
    return new BatchInserted(inserted, staged - inserted, List.of());
  }

  private static boolean isThere(Statement statement, String rowsOf) throws SQLException {
    try (ResultSet found = statement.executeQuery("SELECT 1 FROM " + rowsOf + " LIMIT 1")) {
      return found.next();
    }
  }
}
