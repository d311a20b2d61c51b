package io.tailrace.offline.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;
import static java.util.Objects.requireNonNull;

import io.tailrace.offline.OfflineTables;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.result.ValueType;
import io.tailrace.sql.ColumnType;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Inserts observations: by a {@code COPY} of rows of many features into a temporary table, and from
 * there by an {@code INSERT … SELECT … ON CONFLICT DO NOTHING} into each table.
 *
 * <p>Measured on PostgreSQL 16: of 11 µs that a row takes the server, the {@code COPY} takes a
 * quarter, whether the temporary table has an index or not, and the index on pkey and observed_at
 * another one. A {@code COPY} straight into the table, which fails if one row is there, and an
 * anti-join instead of {@code ON CONFLICT} were no faster; without the temporary table's index, 100
 * features took three times as long.
 *
 * <p>A batch takes several transactions, as one holds locks for each table, partition and index
 * that it touches, of which a server has some thousands for all its sessions. Not thread-safe.
 */
final class ObservationInsert extends BatchInsert {
  /** Tables or partitions of one transaction; each has two indexes. */
  private static final int MAX_TABLES = 100;

  private final BatchRows batch;
  private final List<TableRows> tables;
  private final Into into;
  private final Last last;
  private final boolean stringKeys;
  private final Optional<ValueType> valueType;
  private final String staging;
  private final List<String> columns = new ArrayList<>();
  private final Map<String, String> types = new LinkedHashMap<>();
  // What the next transaction begins with.
  private int firstTable;
  private int firstRow;
  // What the one after it does.
  private int nextTable;
  private int nextRow;

  /** What is done in a transaction. */
  @FunctionalInterface
  interface Last {
    /** Does it. */
    void run(Connection connection) throws SQLException;
  }

  /**
   * The tables.
   *
   * @param facts by their names
   */
  record Into(String schema, Map<String, TableFacts> facts) {
    String place(String table) {
      return POSTGRES.place(schema, table);
    }

    TableFacts of(String table) {
      return requireNonNull(facts.get(table), table);
    }
  }

  /**
   * Creates one.
   *
   * @param tables the rows of the batch, in the order of tables that all sessions have
   * @param last what is done at the end of the last transaction
   */
  ObservationInsert(BatchRows batch, List<TableRows> tables, Into into, Last last) {
    this.last = last;
    this.batch = batch;
    this.tables = tables;
    this.into = into;
    this.stringKeys = batch.stringKeys();
    this.valueType = batch.valueType();
    this.staging =
        "pg_temp.tailrace_"
            + (stringKeys ? "text_" : "bigint_")
            + valueType.map(ValueType::name).orElse("deletion").toLowerCase(Locale.ROOT);
    columns.addAll(List.of("observation_id", "pkey"));
    valueType.ifPresent(any -> columns.add("value"));
    columns.addAll(
        List.of("observed_at", "resolver_fqn", "deployment_id", "operation_id", "deleted"));
    types.put("observation_id", POSTGRES.type(ColumnType.UUID));
    types.put("pkey", POSTGRES.type(stringKeys ? ColumnType.TEXT : ColumnType.BIGINT));
    valueType.ifPresent(type -> types.put("value", POSTGRES.type(OfflineTables.type(type))));
    types.put("observed_at", POSTGRES.type(ColumnType.TIMESTAMP));
    for (String text : List.of("resolver_fqn", "deployment_id", "operation_id")) {
      types.put(text, POSTGRES.type(ColumnType.TEXT));
    }
    types.put("deleted", POSTGRES.type(ColumnType.BOOLEAN));
  }

  /** Returns what the next transaction begins with, and all that follows it. */
  List<TableRows> rest() {
    return tables.subList(firstTable, tables.size());
  }

  /** Returns how many tables the transaction had that was run last. */
  int attempted() {
    return endTable() - firstTable;
  }

  @Override
  boolean isDone() {
    return firstTable == tables.size();
  }

  @Override
  void advance() {
    firstTable = nextTable;
    firstRow = nextRow;
  }

  @Override
  long insertSome(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      boolean unused = statement.execute(createStaging());
      copy(connection);
      for (int table = firstTable; table < endTable(); table++) {
        statement.addBatch(insert(table));
      }
      long inserted = 0;
      for (int rows : statement.executeBatch()) {
        inserted += rows;
      }
      Map<String, TableFacts> written = new HashMap<>();
      for (int table = firstTable; table < endTable(); table++) {
        String name = tables.get(table).table();
        written.put(into.place(name), into.of(name));
      }
      TableFacts.check(connection, written, types);
      if (nextTable == tables.size()) {
        last.run(connection);
      }
      return inserted;
    }
  }

  private int endTable() {
    return nextRow > 0 ? nextTable + 1 : nextTable;
  }

  private String createStaging() {
    return LOCK_TIMEOUT
        + "CREATE TEMPORARY TABLE IF NOT EXISTS "
        + staging
        + " (part integer, observation_id uuid, pkey "
        + POSTGRES.type(stringKeys ? ColumnType.TEXT : ColumnType.BIGINT)
        + valueType.map(type -> ", value " + POSTGRES.type(OfflineTables.type(type))).orElse("")
        + ", observed_at timestamptz, resolver_fqn text, deployment_id text, operation_id text,"
        + " deleted boolean, PRIMARY KEY (part, observation_id)) ON COMMIT DELETE ROWS";
  }

  private String insert(int table) {
    String all = String.join(", ", columns);
    return "INSERT INTO "
        + into.place(tables.get(table).table())
        + " ("
        + all
        + ") SELECT "
        + all
        + " FROM "
        + staging
        + (endTable() == firstTable + 1 ? "" : " WHERE part = " + table)
        + " ON CONFLICT ("
        + into.of(tables.get(table).table()).conflictTarget()
        + ") DO NOTHING";
  }

  private void copy(Connection connection) throws SQLException {
    List<String> copied = new ArrayList<>(columns);
    copied.add(0, "part");
    try (CopyStream to = new CopyStream(connection, staging, copied)) {
      int table = firstTable;
      int row = firstRow;
      while (table < tables.size() && table - firstTable < MAX_TABLES && to.bytes() < MAX_BYTES) {
        long[] rows = tables.get(table).rows();
        while (row < rows.length && to.bytes() < MAX_BYTES) {
          copy(table, rows[row], to);
          row++;
        }
        if (row == rows.length) {
          table++;
          row = 0;
        }
      }
      to.end();
      nextTable = table;
      nextRow = row;
    }
  }

  private void copy(int table, long place, CopyStream to) throws SQLException {
    ObservationRows rows = batch.file(place);
    int row = BatchRows.row(place);
    to.beginRow(columns.size() + 1);
    to.putInt(table);
    to.putUuid(rows.id(row));
    if (stringKeys) {
      to.putBytes(rows.stringKey(row));
    } else {
      to.putLong(rows.integerKey(row));
    }
    if (valueType.isPresent()) {
      copyValue(rows, row, valueType.get(), to);
    }
    to.putLong(Storable.time(rows.observedAt(row)));
    copyOptional(rows.resolverFqn(row), to);
    copyOptional(rows.deploymentId(row), to);
    to.putBytes(rows.operationId(row));
    to.putBoolean(rows.isDeleted(row));
  }

  private static void copyValue(ObservationRows rows, int row, ValueType type, CopyStream to)
      throws SQLException {
    if (!rows.hasValue(row)) {
      to.putNull();
      return;
    }
    switch (type) {
      case INT64 -> to.putLong(rows.number(row));
      case FLOAT64 -> to.putLong(Double.doubleToLongBits(rows.float64(row)));
      case BOOL -> to.putBoolean(rows.number(row) != 0);
      case TIMESTAMP -> to.putLong(Storable.time(rows.number(row)));
      case DATE -> to.putInt(Storable.day(rows.number(row)));
      case STRING, BYTES, JSON -> to.putBytes(rows.bytes(row));
      case VECTOR -> to.putFloats(rows.bytes(row));
    }
  }

  private static void copyOptional(byte[] text, CopyStream to) throws SQLException {
    if (text.length == 0) {
      to.putNull();
    } else {
      to.putBytes(text);
    }
  }
}
