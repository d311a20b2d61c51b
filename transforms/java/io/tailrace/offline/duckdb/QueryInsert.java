package io.tailrace.offline.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.BatchConnection.SickTable;
import io.tailrace.offline.Dividing.Divided;
import io.tailrace.offline.Dividing.Refused;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.OfflineTables;
import io.tailrace.offline.RowNumbers;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.QueryRow;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.Column;
import io.tailrace.sql.Key;
import io.tailrace.sql.duckdb.DuckDbCatalog;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
        + ", union_by_name = true, hive_partitioning = false)) GROUP BY operation_id";
  }

  /**
   * Inserts what was staged. A query is known by its id alone: the parts of one may come at any
   * time and say any.
   *
   * @param files what was staged
   * @param staged how many rows were
   */
  BatchInserted insert(Open open, DuckDbCatalog catalog, List<ObservationFile> files, long staged)
      throws SQLException, UnavailableException {
    String log = catalog.place(TableNames.QUERY_LOG);
    long inserted;
    try {
      inserted = insert(open, log);
    } catch (SQLException e) {
      Refusals.rollBack(open, e);
      return divide(open, log, files, staged);
    }
    open.statement().execute("DROP TABLE temp.staged");
    return new BatchInserted(inserted, staged - inserted, List.of());
  }

  private long insert(Open open, String log) throws SQLException {
    Statement statement = open.statement();
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
    }
    long inserted =
        statement.executeLargeUpdate(
            "INSERT INTO "
                + log
                + "("
                + all
                + ") SELECT "
                + all
                + " FROM temp.staged WHERE operation_id NOT IN (SELECT operation_id FROM"
                + " temp.known)");
    statement.execute("DROP TABLE temp.known");
    statement.execute("COMMIT");
    open.file().inserted(log, inserted);
    return inserted;
  }

  private BatchInserted divide(Open open, String log, List<ObservationFile> files, long staged)
      throws SQLException, UnavailableException {
    Statement statement = open.statement();
    statement.execute(
        "CREATE OR REPLACE TEMP TABLE divided AS SELECT *, row_number() OVER (ORDER BY"
            + " md5(operation_id)) - 1 AS place FROM temp.staged");
    List<String> ids = new ArrayList<>();
    try (ResultSet found =
        statement.executeQuery("SELECT operation_id FROM temp.divided ORDER BY place")) {
      while (found.next()) {
        ids.add(found.getString(1));
      }
    }
    long[] inserted = {0};
    Divided divided =
        Refusals.divide(
            open,
            ids.size(),
            (from, to) -> {
              open.statement()
                  .execute(
                      "CREATE OR REPLACE TEMP TABLE staged AS SELECT * EXCLUDE (place) FROM"
                          + " temp.divided WHERE place >= "
                          + from
                          + " AND place < "
                          + to);
              inserted[0] += insert(open, log);
            });
    long refused = 0;
    List<Rejected> rejected = new ArrayList<>();
    List<SickTable> sick = new ArrayList<>();
    for (Refused some : divided.refused()) {
      String why = some.refusal().why();
      Set<String> of = new HashSet<>(ids.subList(some.from(), some.to()));
      List<Rejected> rows = rows(files, of, GroupedInserts.sentence(TableNames.QUERY_LOG, why));
      refused += rows.stream().mapToLong(each -> each.rows().count()).sum();
      if (divided.isSick()) {
        sick.add(new SickTable(TableNames.QUERY_LOG, why, rows));
      } else {
        rejected.addAll(rows);
      }
    }
    open.statement().execute("DROP TABLE temp.divided");
    open.statement().execute("DROP TABLE temp.staged");
    return new BatchInserted(
        inserted[0], staged - inserted[0] - refused, rejected, sick, List.of());
  }

  private static List<Rejected> rows(List<ObservationFile> files, Set<String> ids, String why) {
    List<Rejected> rows = new ArrayList<>();
    for (int file = 0; file < files.size(); file++) {
      List<Integer> found = new ArrayList<>();
      try {
        List<QueryRow> queries = files.get(file).queries();
        for (int row = 0; row < queries.size(); row++) {
          if (ids.contains(queries.get(row).operationId())) {
            found.add(row);
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException("a file that was staged can't be decoded", e);
      }
      if (!found.isEmpty()) {
        rows.add(new Rejected(file, Reason.TABLE_REFUSES, RowNumbers.of(found), why));
      }
    }
    return rows;
  }

  private static boolean isThere(Statement statement, String rowsOf) throws SQLException {
    try (ResultSet found = statement.executeQuery("SELECT 1 FROM " + rowsOf + " LIMIT 1")) {
      return found.next();
    }
  }
}
