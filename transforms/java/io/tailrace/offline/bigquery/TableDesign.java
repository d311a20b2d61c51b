package io.tailrace.offline.bigquery;

import static io.tailrace.sql.bigquery.BigQueryDialect.BIGQUERY;

import com.google.api.services.bigquery.model.Clustering;
import com.google.api.services.bigquery.model.TableConstraints;
import com.google.api.services.bigquery.model.TableFieldSchema;
import com.google.api.services.bigquery.model.TableReference;
import com.google.api.services.bigquery.model.TableSchema;
import com.google.api.services.bigquery.model.TimePartitioning;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.OfflineTables;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A table of rows, as it is created. Immutable.
 *
 * @param table its columns, and what its description says
 * @param partition the column by whose day it is partitioned; empty: not at all
 * @param clustering the columns by which it is clustered
 * @param primaryKey the columns by which a row takes another's place; empty: rows are only appended
 */
record TableDesign(
    Table table, String partition, List<String> clustering, List<String> primaryKey) {
  /** Behind the name of the view that is in front of a table of rows. */
  static final String ROWS = "__rows";

  /** Before the type of the keys: no feature has a name with two of these separators. */
  private static final String DELETIONS = "deletions__rows__";

  /** Before the name of a namespace. */
  private static final String LATEST = "latest__rows__";

  private static final String KEY = "key";
  private static final String OBSERVED_AT = "observed_at";

  /** Returns the table of a feature's values. */
  static TableDesign values(FeatureTable feature) {
    Table wanted = OfflineTables.of(feature, Key.NONE, Layout.PLAIN);
    Label label = OfflineTables.label(feature);
    Map<String, String> owner = new LinkedHashMap<>(label.owner());
    owner.put(Label.KIND, "rows");
    return new TableDesign(
        new Table(
            feature.table() + ROWS,
            wanted.columns(),
            Key.NONE,
            Optional.of(new Label(owner, label.facts())),
            Layout.PLAIN),
        OBSERVED_AT,
        List.of("pkey"),
        List.of());
  }

  /** Returns the name of the table of deletions. */
  static String deletionsName(boolean stringKeys) {
    return DELETIONS + keyType(stringKeys);
  }

  /** Returns the table of the deletions of all features, whatever is known of their values. */
  static TableDesign deletions(boolean stringKeys) {
    List<Column> columns = new ArrayList<>();
    columns.add(Column.required("namespace", ColumnType.TEXT));
    columns.add(Column.required("feature", ColumnType.TEXT));
    columns.add(Column.required("observation_id", ColumnType.UUID));
    columns.add(Column.required("pkey", stringKeys ? ColumnType.TEXT : ColumnType.BIGINT));
    columns.add(Column.required(OBSERVED_AT, ColumnType.TIMESTAMP));
    columns.add(Column.stamped("inserted_at"));
    columns.add(Column.optional("resolver_fqn", ColumnType.TEXT));
    columns.add(Column.optional("deployment_id", ColumnType.TEXT));
    columns.add(Column.required("operation_id", ColumnType.TEXT));
    return new TableDesign(
        new Table(
            deletionsName(stringKeys),
            columns,
            Key.NONE,
            Optional.of(
                new Label(Map.of(Label.KIND, "deletions"), Map.of(KEY, keyType(stringKeys)))),
            Layout.PLAIN),
        OBSERVED_AT,
        List.of("feature", "pkey"),
        List.of());
  }

  /** Returns the table of the rows of the log of queries. */
  static TableDesign queries() {
    List<Column> columns = new ArrayList<>(OfflineTables.of(QueryLog.CURRENT, Key.NONE).columns());
    columns.add(Column.stamped("inserted_at"));
    return new TableDesign(
        new Table(
            TableNames.QUERY_LOG + ROWS,
            columns,
            Key.NONE,
            Optional.of(new Label(Map.of(Label.KIND, "query_log"), Map.of())),
            Layout.PLAIN),
        "query_timestamp",
        List.of("operation_id"),
        List.of());
  }

  /** Returns the name of the table of the newest observations of a namespace. */
  static String latestName(String namespace) {
    return LATEST + TableNames.ofEnvironment(namespace);
  }

  /** Returns the table of the newest observations of a namespace. */
  static TableDesign latest(String namespace) {
    List<Column> columns = new ArrayList<>();
    columns.add(Column.required("pkey", ColumnType.TEXT));
    columns.add(Column.required("feature", ColumnType.TEXT));
    columns.add(Column.required("key_type", ColumnType.TEXT));
    columns.add(Column.optional("value_type", ColumnType.TEXT));
    for (ValueType type : ValueType.values()) {
      columns.add(Column.optional(latestColumn(type), OfflineTables.type(type)));
    }
    columns.add(Column.required(OBSERVED_AT, ColumnType.TIMESTAMP));
    columns.add(Column.optional("resolver_fqn", ColumnType.TEXT));
    columns.add(Column.optional("deployment_id", ColumnType.TEXT));
    columns.add(Column.required("operation_id", ColumnType.TEXT));
    columns.add(Column.required("deleted", ColumnType.BOOLEAN));
    return new TableDesign(
        new Table(
            latestName(namespace),
            columns,
            Key.NONE,
            Optional.of(
                new Label(Map.of(Label.KIND, "latest_rows", "namespace", namespace), Map.of())),
            Layout.PLAIN),
        "",
        List.of("pkey", "feature"),
        List.of("pkey", "feature"));
  }

  /** Returns the column of the latest table that holds values of a type. */
  static String latestColumn(ValueType type) {
    return type.name().toLowerCase(Locale.ROOT) + "_value";
  }

  /** Returns the columns that rows of a shape are written with: not those that BigQuery fills. */
  static TableSchema written(Shape shape) {
    List<TableFieldSchema> fields = new ArrayList<>();
    for (Column column : columns(shape)) {
      if (column.rule() != Column.Rule.STAMPED) {
        fields.add(field(column));
      }
    }
    return new TableSchema().setFields(fields);
  }

  private static List<Column> columns(Shape shape) {
    TableDesign design =
        switch (shape.kind()) {
          case VALUES ->
              values(
                  new FeatureTable(
                      Feature.named("any", "any"),
                      shape.stringKeys(),
                      Optional.of(shape.valueType())));
          case DELETIONS -> deletions(shape.stringKeys());
          case QUERIES -> queries();
          case LATEST -> latest("any");
        };
    return design.table.columns();
  }

  /** Returns it as it is created. */
  com.google.api.services.bigquery.model.Table created(TableReference reference) {
    com.google.api.services.bigquery.model.Table created =
        new com.google.api.services.bigquery.model.Table()
            .setTableReference(reference)
            .setSchema(new TableSchema().setFields(fields(table.columns())))
            .setClustering(new Clustering().setFields(clustering))
            .setDescription(table.label().orElseThrow().line());
    if (!partition.isEmpty()) {
      created.setTimePartitioning(new TimePartitioning().setType("DAY").setField(partition));
    }
    if (!primaryKey.isEmpty()) {
      created.setTableConstraints(constraints());
    }
    return created;
  }

  /** Returns by which columns a row takes another's place. */
  TableConstraints constraints() {
    return new TableConstraints()
        .setPrimaryKey(new TableConstraints.PrimaryKey().setColumns(primaryKey));
  }

  /** Returns columns as calls name them. */
  static List<TableFieldSchema> fields(List<Column> columns) {
    return columns.stream().map(TableDesign::field).toList();
  }

  private static TableFieldSchema field(Column column) {
    TableFieldSchema field = new TableFieldSchema().setName(column.name());
    String type = BIGQUERY.type(column.type());
    if (type.startsWith("ARRAY<")) {
      return field
          .setType(type.substring("ARRAY<".length(), type.length() - 1))
          .setMode("REPEATED");
    }
    field.setType(type).setMode(column.isOptional() ? "NULLABLE" : "REQUIRED");
    if (column.rule() == Column.Rule.STAMPED) {
      field.setDefaultValueExpression(BIGQUERY.stamp().orElseThrow());
    }
    return field;
  }

  private static String keyType(boolean stringKeys) {
    return stringKeys ? "string" : "int64";
  }
}
