package io.tailrace.offline.duckdb;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.BatchConnection.SickTable;
import io.tailrace.offline.Dividing.Divided;
import io.tailrace.offline.Dividing.Refusal;
import io.tailrace.offline.Dividing.Refused;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.result.ValueType;
import io.tailrace.sql.duckdb.DuckDbCatalog;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * Inserts observations: DuckDB reads the files itself, into a temporary table sorted by feature,
 * from which each feature's table gets what it does not have. Not thread-safe.
 */
final class ObservationInsert {
  /** Tables that are committed together: what is not committed is held in memory. */
  private static final int TABLES_PER_COMMIT = 50;

  /** With fewer tables, looking at all staged rows for each of them is cheaper than sorting. */
  private static final int SORTED_FROM_TABLES = 20;

  private static final String COLUMNS =
      "observation_id, pkey, observed_at, resolver_fqn, deployment_id, operation_id, deleted";

  private final FileBatch batch;
  private final List<Feature> features;
  private final List<String> tables;
  private final String columns;
  private final List<Rejected> rejected = new ArrayList<>();
  private final List<SickTable> sick = new ArrayList<>();
  private boolean whole;
  private long inserted;
  private long refused;

  ObservationInsert(FileBatch batch) {
    this.batch = batch;
    this.features = List.copyOf(batch.tables().keySet());
    this.tables = List.copyOf(batch.tables().values());
    this.columns = COLUMNS + (batch.valueType().isPresent() ? ", value" : "");
  }

  /**
   * Returns the query that reads files; {@link #numberFeatures} comes before it.
   *
   * @param files a list of their paths
   */
  String select(String files) {
    return "SELECT number, "
        + columns
        + " FROM read_parquet("
        + files
        // Nothing of a path is data, whatever the temporary directory is called.
        + ", hive_partitioning = false) JOIN temp.features USING (namespace, feature)"
        + (tables.size() > SORTED_FROM_TABLES ? " ORDER BY number" : "");
  }

  /** Gives each feature its number: rows of others are left out. */
  void numberFeatures(Statement statement) throws SQLException {
    statement.execute(
        "CREATE OR REPLACE TEMP TABLE features(namespace VARCHAR, feature VARCHAR,"
            + " number INTEGER)");
    try (PreparedStatement insert =
        statement.getConnection().prepareStatement("INSERT INTO temp.features VALUES (?, ?, ?)")) {
      int number = 0;
      for (Feature feature : features) {
        insert.setString(1, feature.namespace());
        insert.setString(2, feature.text());
        insert.setInt(3, number++);
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  /** Leaves the greatest of the staged rows with the same id, and returns how many were staged. */
  long fold(Statement statement) throws SQLException {
    long staged;
    long distinct;
    try (ResultSet counts =
        statement.executeQuery(
            "SELECT count(*), count(DISTINCT observation_id) FROM temp.staged")) {
      counts.next();
      staged = counts.getLong(1);
      distinct = counts.getLong(2);
    }
    if (distinct < staged) {
      statement.execute(
          "DELETE FROM temp.staged WHERE rowid IN (SELECT id FROM (SELECT rowid AS id,"
              + " row_number() OVER (PARTITION BY number, observation_id ORDER BY "
              + batch
                  .valueType()
                  .map(it -> "(value IS NULL) DESC, " + cellOrder(it))
                  .orElse("deleted")
              + ") AS place FROM temp.staged WHERE observation_id IN (SELECT observation_id FROM"
              + " temp.staged GROUP BY number, observation_id HAVING count(*) > 1)) WHERE place >"
              + " 1)");
    }
    return staged;
  }

  /** Sorts values as the bytes of a cell compare, the greatest first. */
  private static String cellOrder(ValueType type) {
    return switch (type) {
      // As unsigned numbers, negative ones are the greatest.
      case INT64 -> "(value < 0) DESC, value DESC";
      case TIMESTAMP -> "(epoch_us(value) < 0) DESC, epoch_us(value) DESC";
      case DATE -> "(value < DATE '1970-01-01') DESC, value DESC";
      case FLOAT64 -> "signbit(value) DESC, abs(value) DESC";
      case VECTOR ->
          "list_transform(value, lambda number: {'sign': signbit(number), 'size': abs(number)})"
              + " DESC";
      case BOOL, BYTES -> "value DESC";
      case STRING, JSON -> "encode(value::VARCHAR) DESC";
    };
  }

  /**
   * Inserts what was staged.
   *
   * @param staged how many rows were
   * @param last what is done in the last transaction, if no table has refused
   */
  BatchInserted insert(Open open, DuckDbCatalog catalog, long staged, Last last)
      throws SQLException, UnavailableException {
    whole = true;
    List<String> ranges = ranges(open.statement());
    for (int from = 0; from < tables.size(); from += TABLES_PER_COMMIT) {
      int to = Math.min(tables.size(), from + TABLES_PER_COMMIT);
      Last then = whole && to == tables.size() ? last : () -> {};
      if (!insertTogether(open, catalog, ranges.subList(from, to), from, then)) {
        whole = false;
        for (int table = from; table < to; table++) {
          insertAlone(open, catalog.place(tables.get(table)), ranges.get(table), table);
        }
      }
      if (to < tables.size()) {
        open.file().limitChangedTables(open.statement());
      }
    }
    open.statement().execute("DROP TABLE temp.staged");
    return new BatchInserted(inserted, staged - inserted - refused, rejected, sick, List.of());
  }

  /** What is done in a transaction. */
  @FunctionalInterface
  interface Last {
    /** Does it. */
    void run() throws SQLException;
  }

  /** Returns whether no table has refused. */
  boolean isWhole() {
    return whole;
  }

  /** Inserts into some tables in one transaction, and returns whether none of them refused. */
  private boolean insertTogether(
      Open open, DuckDbCatalog catalog, List<String> ranges, int from, Last last)
      throws SQLException {
    int to = from + ranges.size();
    Statement statement = open.statement();
    long[] rows = new long[to - from];
    statement.execute("BEGIN");
    try {
      for (int i = from; i < to; i++) {
        rows[i - from] =
            statement.executeLargeUpdate(
                insertion(
                    catalog.place(tables.get(i)),
                    "temp.staged WHERE number = " + i,
                    ranges.get(i - from)));
      }
      last.run();
      statement.execute("COMMIT");
    } catch (SQLException e) {
      Refusals.rollBack(open, e);
      return false;
    }
    for (int i = from; i < to; i++) {
      open.file().inserted(catalog.place(tables.get(i)), rows[i - from]);
      inserted += rows[i - from];
    }
    return true;
  }

  private String insertion(String table, String from, String range) {
    return "INSERT INTO "
        + table
        + "("
        + columns
        + ", inserted_at) SELECT "
        + columns
        + ", current_timestamp FROM "
        + from
        + " AND observation_id NOT IN (SELECT observation_id FROM "
        + table
        + " WHERE "
        + range
        + ")";
  }

  private void insertAlone(Open open, String table, String range, int number)
      throws SQLException, UnavailableException {
    Statement statement = open.statement();
    // In the order of their ids, which says nothing of them.
    statement.execute(
        "CREATE OR REPLACE TEMP TABLE divided AS SELECT *, row_number() OVER (ORDER BY"
            + " observation_id) - 1 AS place FROM temp.staged WHERE number = "
            + number);
    int rows = (int) number(statement, "SELECT count(*) FROM temp.divided");
    Divided divided =
        Refusals.divide(
            open,
            rows,
            (from, to) -> {
              Statement inserting = open.statement();
              String some = "temp.divided WHERE place >= " + from + " AND place < " + to;
              inserting.execute("BEGIN");
              long count = inserting.executeLargeUpdate(insertion(table, some, range));
              inserting.execute("COMMIT");
              open.file().inserted(table, count);
              inserted += count;
            });
    for (Refused each : divided.refused()) {
      refuse(open.statement(), divided, each, number);
    }
    open.statement().execute("DROP TABLE temp.divided");
  }

  /** Names the rows of the files that have the ids of staged ones. */
  private void refuse(Statement statement, Divided divided, Refused some, int number)
      throws SQLException {
    Set<UUID> ids = new HashSet<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT observation_id::VARCHAR FROM temp.divided WHERE place >= "
                + some.from()
                + " AND place < "
                + some.to())) {
      while (found.next()) {
        ids.add(UUID.fromString(found.getString(1)));
      }
    }
    String table = tables.get(number);
    Refusal refusal = some.refusal();
    String message = GroupedInserts.sentence(table, refusal.why());
    List<Rejected> rows = new ArrayList<>();
    for (int file = 0; file < batch.files().size(); file++) {
      RowNumbers found = rows(batch.files().get(file), features.get(number), ids);
      if (found.count() > 0) {
        rows.add(new Rejected(file, refusal.reason(), found, message));
        refused += found.count();
      }
    }
    if (divided.isSick()) {
      sick.add(new SickTable(table, refusal.why(), rows));
    } else {
      rejected.addAll(rows);
    }
  }

  private static RowNumbers rows(ObservationFile file, Feature feature, Set<UUID> ids) {
    List<Integer> found = new ArrayList<>();
    try {
      ObservationRows rows = file.rows();
      RowNumbers.of(file, feature).stream()
          .filter(
              row -> {
                ByteBuffer id = rows.id(row);
                return ids.contains(new UUID(id.getLong(0), id.getLong(Long.BYTES)));
              })
          .forEach(found::add);
    } catch (IOException e) {
      throw new UncheckedIOException("a file that was staged can't be decoded", e);
    }
    return RowNumbers.of(found);
  }

  /**
   * Returns, for each feature, the condition that a time is one of its staged rows'. An id has one
   * time only, so that rows of a table outside of them need not be looked at: of its own, as one
   * old row among those of many features must not make all their tables be read.
   */
  private List<String> ranges(Statement statement) throws SQLException {
    List<String> ranges = new ArrayList<>(Collections.nCopies(tables.size(), "false"));
    try (ResultSet found =
        statement.executeQuery(
            "SELECT number, epoch_us(min(observed_at)), epoch_us(max(observed_at))"
                + " FROM temp.staged GROUP BY number")) {
      while (found.next()) {
        ranges.set(
            found.getInt(1),
            "observed_at BETWEEN make_timestamptz("
                + found.getLong(2)
                + ") AND make_timestamptz("
                + found.getLong(3)
                + ")");
      }
    }
    return ranges;
  }

  private static long number(Statement statement, String query) throws SQLException {
    try (ResultSet found = statement.executeQuery(query)) {
      found.next();
      return found.getLong(1);
    }
  }
}
