package io.tailrace.offline;

import com.google.common.collect.ImmutableMap;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Key;
import io.tailrace.sql.Label;
import io.tailrace.sql.Layout;
import io.tailrace.sql.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The tables of an environment, as every database should have them: the log of queries, those of
 * features, and a list of the latter for people. Stateless and thread-safe.
 *
 * <p>The table of a feature says in its comment whose it is, as a {@link Label}: {@code
 * {"tailrace":"feature","namespace":"user","name":"age","key":"string","value":"int64"}}. The key
 * is {@code string} or {@code int64}, the value is absent while only deletions were recorded.
 */
public final class OfflineTables {
  private static final String FEATURE = "feature";

  private OfflineTables() {}

  /**
   * Returns the table of a feature.
   *
   * @param key what keeps its rows apart
   */
  public static Table of(FeatureTable feature, Key key, Layout layout) {
    List<Column> columns = new ArrayList<>();
    columns.add(Column.required("observation_id", ColumnType.UUID));
    columns.add(
        Column.required("pkey", feature.stringKeys() ? ColumnType.TEXT : ColumnType.BIGINT));
    feature
        .valueType()
        .ifPresent(type -> columns.add(Column.optional("value", OfflineTables.type(type))));
    columns.add(Column.required("observed_at", ColumnType.TIMESTAMP));
    columns.add(Column.stamped("inserted_at"));
    columns.add(Column.optional("resolver_fqn", ColumnType.TEXT));
    columns.add(Column.optional("deployment_id", ColumnType.TEXT));
    columns.add(Column.required("operation_id", ColumnType.TEXT));
    columns.add(Column.required("deleted", ColumnType.BOOLEAN));
    return new Table(feature.table(), columns, key, Optional.of(label(feature)), layout);
  }

  /** Returns what the table of a feature says of itself. */
  public static Label label(FeatureTable feature) {
    Map<String, String> owner =
        ImmutableMap.of(
            Label.KIND,
            FEATURE,
            ListedTable.NAMESPACE,
            feature.feature().namespace(),
            ListedTable.NAME,
            feature.feature().name());
    ImmutableMap.Builder<String, String> facts = ImmutableMap.builder();
    facts.put(ListedTable.KEY, feature.stringKeys() ? "string" : "int64");
    feature
        .valueType()
        .ifPresent(type -> facts.put(ListedTable.VALUE, type.name().toLowerCase(Locale.ROOT)));
    return new Label(owner, facts.buildOrThrow());
  }

  /** Returns the column type for values of a type. */
  public static ColumnType type(ValueType type) {
    return switch (type) {
      case INT64 -> ColumnType.BIGINT;
      case FLOAT64 -> ColumnType.DOUBLE;
      case BOOL -> ColumnType.BOOLEAN;
      case STRING -> ColumnType.TEXT;
      case BYTES -> ColumnType.BYTES;
      case TIMESTAMP -> ColumnType.TIMESTAMP;
      case DATE -> ColumnType.DATE;
      case VECTOR -> ColumnType.FLOATS;
      case JSON -> ColumnType.JSON;
    };
  }

  /** Returns the log of queries. */
  public static Table of(QueryLog log, Key key) {
    return new Table(
        TableNames.QUERY_LOG,
        log.columns().stream()
            .map(
                column ->
                    new Column(
                        column.name(),
                        switch (column.type()) {
                          case TEXT -> ColumnType.TEXT;
                          case TIMESTAMP -> ColumnType.TIMESTAMP;
                          case TEXTS -> ColumnType.TEXTS;
                        },
                        column.required() ? Column.Rule.REQUIRED : Column.Rule.OPTIONAL))
            .toList(),
        key);
  }
}
