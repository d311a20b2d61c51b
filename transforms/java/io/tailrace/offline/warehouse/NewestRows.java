package io.tailrace.offline.warehouse;

import com.google.common.collect.ImmutableMap;
import io.tailrace.offline.OfflineTables;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Key;
import io.tailrace.sql.Label;
import io.tailrace.sql.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The newest observation of each entity and feature, tall: a table that each load merges into
 * beside those of history, and a view for each namespace, in which deletions count. Which of two
 * observations is the newer says the rule of cells: by time, then a value before a null before a
 * deletion, then by type and the bytes of the value. So any order and any repetition of loads ends
 * in the same rows. The deletion of a whole entity is the row of the feature with the empty name,
 * which takes away what is not newer. Stateless and thread-safe.
 */
final class NewestRows {
  /** What a row is, in the order of cells. */
  private static final int VALUE = 0;

  private static final int NULL = 1;
  private static final int DELETED = 2;

  private static final List<String> KEYS = List.of("namespace", "feature", "key_type", "pkey");
  private static final List<String> FACTS =
      List.of("resolver_fqn", "deployment_id", "operation_id");

  static final Table TABLE = table();

  private NewestRows() {}

  private static Table table() {
    List<Column> columns = new ArrayList<>();
    KEYS.forEach(name -> columns.add(Column.required(name, ColumnType.TEXT)));
    columns.add(Column.required("observed_at", ColumnType.TIMESTAMP));
    columns.add(Column.required("kind", ColumnType.BIGINT));
    columns.add(Column.required("type_code", ColumnType.BIGINT));
    columns.add(Column.optional("value_type", ColumnType.TEXT));
    for (ValueType type : ValueType.values()) {
      columns.add(Column.optional(column(type), storedAs(type)));
    }
    FACTS.forEach(name -> columns.add(Column.optional(name, ColumnType.TEXT)));
    columns.add(Column.stamped("updated_at"));
    return new Table("newest_rows", columns, Key.NONE);
  }

  /** The text of JSON, as its bytes decide which of two is the greater. */
  private static ColumnType storedAs(ValueType type) {
    return type == ValueType.JSON ? ColumnType.TEXT : OfflineTables.type(type);
  }

  private static String name(ValueType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private static String column(ValueType type) {
    return "value_" + name(type);
  }

  /** Returns the name of the view of a namespace. */
  static String viewName(String namespace) {
    return TableNames.ofLatest(namespace);
  }

  /** Says whose the view of a namespace is. */
  static Label label(String namespace) {
    return new Label(ImmutableMap.of(Label.KIND, "latest", "namespace", namespace), Map.of());
  }

  /** Returns the query of the view of a namespace. */
  static String view(WarehouseDialect dialect, String schema, String namespace) {
    String place = dialect.place(schema, TABLE.name());
    return "SELECT r.pkey, r.key_type, r.feature, r.value_type, "
        + Arrays.stream(ValueType.values())
            .map(type -> "r." + column(type))
            .collect(Collectors.joining(", "))
        + ", r.observed_at, r.updated_at, "
        + FACTS.stream().map(name -> "r." + name).collect(Collectors.joining(", "))
        + " FROM "
        + place
        + " r LEFT JOIN "
        + place
        + " e ON "
        + dialect.same("e.namespace", "r.namespace")
        + " AND "
        + dialect.is("e.feature", namespace + ".")
        + " AND e.key_type = r.key_type AND "
        + dialect.same("e.pkey", "r.pkey")
        + " WHERE "
        + dialect.is("r.namespace", namespace)
        + " AND r.kind < "
        + DELETED
        + " AND (e.pkey IS NULL OR e.observed_at < r.observed_at)";
  }

  /**
   * Returns the statements that merge staged rows: the newest of each entity and feature, where it
   * is newer than what is there.
   */
  static List<String> merge(
      WarehouseDialect dialect, String schema, StagedFile.Type type, String temporary) {
    Map<String, String> values = new LinkedHashMap<>();
    TABLE.columns().forEach(column -> values.put(column.name(), "s." + column.name()));
    values.put("updated_at", dialect.now());
    return dialect.mergeNewest(
        dialect.place(schema, TABLE.name()),
        newest(dialect, type, temporary),
        KEYS,
        isNewer(
            greatness(dialect, type.valueType(), "s."), greatness(dialect, type.valueType(), "t.")),
        values);
  }

  /** Returns what is compared, one after the other; the greater is the newer. */
  private static List<String> greatness(
      WarehouseDialect dialect, Optional<ValueType> type, String alias) {
    List<String> all =
        new ArrayList<>(List.of(alias + "observed_at", alias + "kind", alias + "type_code"));
    type.ifPresent(value -> all.addAll(dialect.greatness(value, alias + column(value))));
    return all;
  }

  private static String isNewer(List<String> ours, List<String> theirs) {
    int last = ours.size() - 1;
    String condition = ours.get(last) + " > " + theirs.get(last);
    for (int i = last - 1; i >= 0; i--) {
      condition =
          ours.get(i)
              + " > "
              + theirs.get(i)
              + " OR ("
              + ours.get(i)
              + " = "
              + theirs.get(i)
              + " AND ("
              + condition
              + "))";
    }
    return condition;
  }

  private static String newest(WarehouseDialect dialect, StagedFile.Type type, String temporary) {
    Map<String, String> columns = new LinkedHashMap<>();
    columns.put("namespace", "namespace");
    columns.put("feature", "feature");
    columns.put("key_type", type.stringKeys() ? "'string'" : "'int64'");
    columns.put("pkey", "CAST(pkey AS " + dialect.sql().type(ColumnType.TEXT) + ")");
    columns.put("observed_at", "observed_at");
    columns.put(
        "kind",
        type.valueType().isEmpty()
            ? String.valueOf(DELETED)
            : "CASE WHEN value IS NULL THEN " + NULL + " ELSE " + VALUE + " END");
    columns.put("type_code", String.valueOf(type.valueType().map(ValueType::code).orElse(0)));
    columns.put(
        "value_type",
        type.valueType()
            .map(value -> "'" + name(value) + "'")
            .orElse(nothing(dialect, ColumnType.TEXT)));
    for (ValueType value : ValueType.values()) {
      columns.put(
          column(value),
          type.valueType().filter(value::equals).isPresent()
              ? "value"
              : nothing(dialect, storedAs(value)));
    }
    FACTS.forEach(name -> columns.put(name, name));
    String selected =
        columns.entrySet().stream()
            .map(each -> each.getValue() + " AS " + each.getKey())
            .collect(Collectors.joining(", "));
    List<String> order = new ArrayList<>();
    greatness(dialect, type.valueType(), "c.").forEach(each -> order.add(each + " DESC"));
    order.add("c.operation_id DESC");
    order.add("COALESCE(c.resolver_fqn, '') DESC");
    return "SELECT * FROM (SELECT c.*, ROW_NUMBER() OVER (PARTITION BY "
        + dialect.together(KEYS.stream().map(key -> "c." + key).toList())
        + " ORDER BY "
        + String.join(", ", order)
        + ") AS place_of_key FROM (SELECT "
        + selected
        + " FROM "
        + temporary
        + ") c) f WHERE place_of_key = 1";
  }

  private static String nothing(WarehouseDialect dialect, ColumnType type) {
    return "CAST(NULL AS " + dialect.sql().type(type) + ")";
  }
}
