package io.tailrace.offline.bigquery;

import static io.tailrace.sql.bigquery.BigQueryDialect.BIGQUERY;

import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.OfflineTables;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.Key;
import io.tailrace.sql.Layout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The views in front of the tables of rows, as queries of GoogleSQL: what readers see. Immutable.
 *
 * @param address where the tables are
 * @param dataset the environment's
 */
record Views(BigQueryAddress address, String dataset) {
  private static final List<String> BEHIND_VALUE =
      List.of(
          "observed_at", "inserted_at", "resolver_fqn", "deployment_id", "operation_id", "deleted");

  /** Returns the names of the columns that the view of a feature has. */
  static List<String> columns(FeatureTable feature) {
    return OfflineTables.of(feature, Key.NONE, Layout.PLAIN).columns().stream()
        .map(Column::name)
        .toList();
  }

  /**
   * Returns the view of a feature: each id once, that which was inserted first. Rows of one id that
   * came together, of which the writer leaves the greatest, may come twice all the same: then the
   * greatest stands. The time is among what tells ids apart, as an id fixes it, so that who asks
   * for a span of time reads only its partitions.
   */
  String feature(FeatureTable feature) {
    String deletions =
        "SELECT observation_id, pkey, "
            + feature
                .valueType()
                .map(
                    type ->
                        "CAST(NULL AS " + BIGQUERY.type(OfflineTables.type(type)) + ") AS value, ")
                .orElse("")
            + "observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, TRUE AS deleted"
            + "\n  FROM "
            + place(TableDesign.deletionsName(feature.stringKeys()))
            + "\n  WHERE namespace = "
            + BIGQUERY.literal(feature.feature().namespace())
            + " AND feature = "
            + BIGQUERY.literal(feature.feature().text());
    String rows =
        feature.valueType().map(type -> values(feature, type) + "\n  UNION ALL\n  ").orElse("");
    return "SELECT "
        + String.join(", ", columns(feature))
        + "\nFROM (\n  "
        + rows
        + deletions
        + "\n)\nWHERE TRUE\nQUALIFY ROW_NUMBER() OVER (\n"
        + "  PARTITION BY observation_id, observed_at, pkey\n"
        + "  ORDER BY inserted_at"
        + feature.valueType().map(Views::greatestFirst).orElse("")
        + ", resolver_fqn DESC, deployment_id DESC) = 1";
  }

  private String values(FeatureTable feature, ValueType type) {
    // An array is never null; a vector is never empty.
    String value =
        type == ValueType.VECTOR ? "IF(ARRAY_LENGTH(value) = 0, NULL, value) AS value" : "value";
    return "SELECT observation_id, pkey, "
        + value
        + ", "
        + String.join(", ", BEHIND_VALUE)
        + "\n  FROM "
        + place(feature.table() + TableDesign.ROWS);
  }

  private static String greatestFirst(ValueType type) {
    String value = type == ValueType.VECTOR ? "TO_JSON_STRING(value)" : "value";
    return ", deleted DESC, value IS NULL DESC, " + value + " DESC";
  }

  /** Returns the log of queries: the parts of a result are one row, with the tables of all. */
  String queries() {
    List<String> outer = new ArrayList<>();
    List<String> inner = new ArrayList<>();
    for (QueryLog.Column column : QueryLog.CURRENT.columns()) {
      String name = column.name();
      if (column.type() == QueryLog.Type.TEXTS) {
        inner.add("ARRAY_CONCAT_AGG(" + name + ") AS " + name);
        outer.add(
            "ARRAY(SELECT DISTINCT part FROM UNNEST("
                + name
                + ") AS part ORDER BY part) AS "
                + name);
      } else {
        inner.add(
            name.equals(QueryLog.KEY)
                ? name
                : "ANY_VALUE(" + name + " HAVING MIN inserted_at) AS " + name);
        outer.add(name);
      }
    }
    return "SELECT\n  "
        + String.join(",\n  ", outer)
        + "\nFROM (\n  SELECT\n    "
        + String.join(",\n    ", inner)
        + "\n  FROM "
        + place(TableNames.QUERY_LOG + TableDesign.ROWS)
        + "\n  GROUP BY operation_id\n)";
  }

  /**
   * Returns the newest observation of each entity and feature of a namespace, without those that
   * are deleted, and without those of an entity that was deleted at their time or later.
   */
  String latest(String namespace) {
    String rows = place(TableDesign.latestName(namespace));
    String values =
        Arrays.stream(ValueType.values())
            .map(
                type ->
                    type == ValueType.VECTOR
                        ? "IF(ARRAY_LENGTH(newest.vector_value) = 0, NULL, newest.vector_value)"
                            + " AS vector_value"
                        : "newest." + TableDesign.latestColumn(type))
            .collect(Collectors.joining(",\n  "));
    return "SELECT\n  newest.pkey,\n  newest.feature,\n  newest.key_type,\n  newest.value_type,\n  "
        + values
        + ",\n  newest.observed_at,\n  newest.resolver_fqn,\n  newest.deployment_id,\n"
        + "  newest.operation_id\nFROM "
        + rows
        + " AS newest\nLEFT JOIN (\n  SELECT pkey, key_type, observed_at FROM "
        + rows
        + " WHERE feature = '' AND deleted\n) AS fence\n"
        + "ON fence.pkey = newest.pkey AND fence.key_type = newest.key_type\n"
        + "WHERE newest.feature != '' AND NOT newest.deleted\n"
        + "  AND (fence.observed_at IS NULL OR newest.observed_at > fence.observed_at)";
  }

  private String place(String table) {
    return address.place(dataset, table);
  }
}
