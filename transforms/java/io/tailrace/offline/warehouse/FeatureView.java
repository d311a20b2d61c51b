package io.tailrace.offline.warehouse;

import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Catalog.Difference;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.OfflineTables;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Label;
import io.tailrace.sql.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The view that is a feature's table to its readers: its rows, and those that record deletions. Its
 * comment says whose it is. Immutable.
 *
 * @param feature as it is wanted
 * @param schema the schema of its environment
 */
record FeatureView(FeatureTable feature, WarehouseDialect dialect, String schema) {
  private String place() {
    return dialect.place(schema, feature.table());
  }

  private Label label() {
    return OfflineTables.label(feature);
  }

  List<String> create() {
    return dialect.createView(place(), query(), label().line());
  }

  /** Returns the statements that give one for deletions alone its values. */
  List<String> replace(FoundTable there) {
    return dialect.replaceView(
        place(), query(), new Label(label().owner(), label().over(there.said())).line());
  }

  private String query() {
    String where =
        " WHERE "
            + dialect.is("namespace", feature.feature().namespace())
            + " AND "
            + dialect.is("feature", feature.feature().text());
    Table deletions = WarehouseTables.rows(feature.stringKeys(), Optional.empty());
    String deleted = " FROM " + dialect.place(schema, deletions.name()) + where;
    Table rows = WarehouseTables.rows(feature);
    if (rows.equals(deletions)) {
      return "SELECT " + names(rows) + deleted;
    }
    return "SELECT "
        + names(rows)
        + " FROM "
        + dialect.place(schema, rows.name())
        + where
        + " UNION ALL SELECT "
        + WarehouseTables.ofFeature(rows).stream()
            .map(
                column ->
                    column.name().equals("value")
                        ? "CAST(NULL AS " + dialect.sql().type(column.type()) + ") AS value"
                        : column.name())
            .collect(Collectors.joining(", "))
        + deleted;
  }

  private static String names(Table rows) {
    return WarehouseTables.ofFeature(rows).stream()
        .map(Column::name)
        .collect(Collectors.joining(", "));
  }

  /** Returns why what is there is not this view; empty: it is, or can become so. */
  Optional<Conflict> conflict(FoundTable there) {
    Map<String, String> said = there.said();
    if (there.kind() != FoundTable.Kind.VIEW || said.isEmpty()) {
      return Optional.of(
          Conflict.ofTable(feature, "is no view that says whose it is: rename or drop it"));
    }
    Label label = label();
    if (!label.owner().entrySet().stream()
        .allMatch(is -> is.getValue().equals(said.get(is.getKey())))) {
      return Optional.of(
          Conflict.ofOwner(
              feature, said.getOrDefault("namespace", ""), said.getOrDefault("name", "")));
    }
    List<Difference> differences = new ArrayList<>();
    String key = feature.stringKeys() ? "string" : "int64";
    if (!said.getOrDefault("key", key).equals(key)) {
      differences.add(difference("pkey", keyType(said.get("key")), keyType(key), said.get("key")));
    }
    String value = feature.valueType().map(FeatureView::name).orElse("");
    String saidValue = said.getOrDefault("value", "");
    if (!value.isEmpty() && !saidValue.isEmpty() && !saidValue.equals(value)) {
      differences.add(difference("value", valueType(saidValue), valueType(value), saidValue));
    }
    return differences.isEmpty()
        ? Optional.empty()
        : Optional.of(Conflict.ofTypes(feature, differences));
  }

  /** Types that are one to the warehouse are told apart by what we call them. */
  private static Difference difference(
      String column, String found, String wanted, @Nullable String said) {
    return new Difference(column, found.equals(wanted) ? found + " of " + said : found, wanted);
  }

  private String keyType(@Nullable String said) {
    return dialect.sql().type("int64".equals(said) ? ColumnType.BIGINT : ColumnType.TEXT);
  }

  private String valueType(String said) {
    for (ValueType type : ValueType.values()) {
      if (name(type).equals(said)) {
        return dialect.sql().type(OfflineTables.type(type));
      }
    }
    return said;
  }

  private static String name(ValueType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** Returns whether it has values, and what is there has none yet. */
  boolean isMoreThan(FoundTable there) {
    return feature.valueType().isPresent() && !there.said().containsKey("value");
  }
}
