package io.tailrace.offline.warehouse;

import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.OfflineTables;
import io.tailrace.parquet.QueryLog;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Key;
import io.tailrace.sql.Layout;
import io.tailrace.sql.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The tables of an environment in a warehouse. The rows of all features with keys of one type and
 * values of one type are in one table, such as {@code rows_string_int64}, deletions in {@code
 * rows_string_deleted}; the feature's own table, {@code user__age}, is a view over them. No feature
 * can have one of these names, as all of theirs have {@code __} in them. Stateless and thread-safe.
 */
public final class WarehouseTables {
  /** Which staged files were loaded. */
  public static final Table LEDGER = ledger("staged_files");

  /** Which files with results were. */
  public static final Table BULK_LEDGER = ledger("bulk_files");

  private static Table ledger(String name) {
    return new Table(
        name,
        List.of(
            Column.required("name", ColumnType.TEXT),
            Column.required("loaded_at", ColumnType.TIMESTAMP),
            Column.required("load_id", ColumnType.TEXT),
            Column.required("rejected", ColumnType.TEXT),
            Column.optional("refused", ColumnType.TEXT)),
        Key.NONE);
  }

  /**
   * One row, which each load updates in its transaction: so one waits for the other. The row comes
   * with the table.
   */
  public static final Table LOCK =
      new Table(
          "load_lock",
          List.of(
              Column.optional("name", ColumnType.TEXT),
              Column.optional("session", ColumnType.TEXT),
              Column.optional("taken_at", ColumnType.TIMESTAMP)),
          Key.NONE);

  /** The name of a staged row's file, within the stage. */
  static final Column FILE = Column.optional("staged_file", ColumnType.TEXT);

  /** The number of a staged row in its file. */
  static final Column ROW = Column.optional("staged_row", ColumnType.BIGINT);

  private static final List<String> OF_FEATURE = List.of("namespace", "feature");

  private WarehouseTables() {}

  /** Returns the table of rows with keys and values of some types; empty for deletions. */
  public static Table rows(boolean stringKeys, Optional<ValueType> valueType) {
    List<Column> columns = new ArrayList<>();
    OF_FEATURE.forEach(name -> columns.add(Column.required(name, ColumnType.TEXT)));
    columns.add(Column.required("observation_id", ColumnType.UUID));
    columns.add(Column.required("pkey", stringKeys ? ColumnType.TEXT : ColumnType.BIGINT));
    valueType.ifPresent(type -> columns.add(Column.optional("value", OfflineTables.type(type))));
    columns.add(Column.required("observed_at", ColumnType.TIMESTAMP));
    columns.add(Column.stamped("inserted_at"));
    columns.add(Column.optional("resolver_fqn", ColumnType.TEXT));
    columns.add(Column.optional("deployment_id", ColumnType.TEXT));
    columns.add(Column.required("operation_id", ColumnType.TEXT));
    columns.add(Column.required("deleted", ColumnType.BOOLEAN));
    return new Table(
        "rows_"
            + (stringKeys ? "string" : "int64")
            + "_"
            + valueType.map(type -> type.name().toLowerCase(Locale.ROOT)).orElse("deleted"),
        columns,
        Key.NONE);
  }

  /** Returns the table of a feature's rows. */
  static Table rows(FeatureTable feature) {
    return rows(feature.stringKeys(), feature.valueType());
  }

  /** Returns the log of queries. */
  public static Table queries() {
    return OfflineTables.of(QueryLog.CURRENT, Key.NONE);
  }

  /** Returns the columns of a table that staged files have, too, with where each row is from. */
  static Table staged(Table table) {
    return new Table(
        "staged_" + table.name(),
        Stream.concat(
                table.columns().stream().filter(column -> column.rule() != Column.Rule.STAMPED),
                Stream.of(FILE, ROW))
            .toList(),
        Key.NONE,
        Optional.empty(),
        Layout.PLAIN);
  }

  /** Returns the columns of a feature's view. */
  static List<Column> ofFeature(Table rows) {
    return rows.columns().stream().filter(it -> !OF_FEATURE.contains(it.name())).toList();
  }
}
