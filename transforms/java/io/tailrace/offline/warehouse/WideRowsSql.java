package io.tailrace.offline.warehouse;

import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.parquet.WideLayout;
import io.tailrace.parquet.WideLayout.Form;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.sql.ColumnType;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The statements that make rows of features from a table of wide rows, with the ids that every
 * other way gives them. Immutable.
 *
 * @param place the table of wide rows
 * @param names what its columns are called, by their names in the files
 */
record WideRowsSql(
    WarehouseDialect dialect, Contents contents, String place, Map<String, String> names) {

  /** Returns whether values of a column are as they are stored, but for signs and sizes. */
  static boolean isPlain(FeatureColumn column, WideLayout layout) {
    Form form = layout.form(column.column());
    return switch (column.kind().type()) {
      case INT64 -> form == Form.INT32 || form == Form.INT64;
      case FLOAT64 -> form == Form.FLOAT || form == Form.DOUBLE;
      case BOOL -> form == Form.BOOLEAN;
      case STRING -> form == Form.TEXT;
      case BYTES -> form == Form.BYTES;
      case TIMESTAMP -> form == Form.TIMESTAMP;
      case DATE -> form == Form.DATE;
      // Elements may be null, or a zero with a sign; and JSON may be none.
      case VECTOR, JSON -> false;
    };
  }

  /** Returns whether keys and times are as they are stored. */
  static boolean hasPlainKeys(Contents contents, boolean stringKeys, WideLayout layout) {
    Form key = layout.form(contents.mapping().keyColumn());
    return (stringKeys ? key == Form.TEXT : key == Form.INT32 || key == Form.INT64)
        && contents
            .mapping()
            .time()
            .named()
            .map(time -> layout.form(time) == Form.TIMESTAMP)
            .orElse(true);
  }

  private String column(String name) {
    return String.valueOf(names.get(name));
  }

  private String key(boolean stringKeys) {
    String name = column(contents.mapping().keyColumn());
    return stringKeys ? name : cast(name, ColumnType.BIGINT);
  }

  private String time() {
    return contents
        .mapping()
        .time()
        .named()
        .map(this::column)
        .orElseGet(() -> dialect.time(contents.mapping().time().constant()));
  }

  private String cast(String expression, ColumnType type) {
    return "CAST(" + expression + " AS " + dialect.sql().type(type) + ")";
  }

  /**
   * Returns the query for what tells whether all keys and times are right: rows, pairs of both, of
   * these those with a key and with a time and with an empty key, and the least and the greatest
   * time.
   */
  String survey(boolean stringKeys) {
    return "SELECT COALESCE(SUM(n), 0), COUNT(*), COUNT(k), COUNT(t), COALESCE(SUM(CASE WHEN "
        + (stringKeys ? "k = ''" : "k IS NULL")
        + " THEN 1 ELSE 0 END), 0), COALESCE(MIN("
        + dialect.micros("t")
        + "), 0), COALESCE(MAX("
        + dialect.micros("t")
        + "), 0) FROM (SELECT k, t, COUNT(*) AS n FROM (SELECT "
        + key(stringKeys)
        + " AS k, "
        + time()
        + " AS t FROM "
        + place
        + ") w GROUP BY k, t) g";
  }

  /**
   * Returns the statement that inserts the rows of some features, whose values are of one type.
   *
   * @param into a table of rows
   */
  String insertion(String into, boolean stringKeys, List<FeatureColumn> columns) {
    return "INSERT INTO "
        + into
        + " (namespace, feature, observation_id, pkey, value, observed_at, resolver_fqn,"
        + " deployment_id, operation_id, deleted) "
        + columns.stream()
            .map(column -> rows(column, stringKeys))
            .collect(Collectors.joining(" UNION ALL "));
  }

  private String rows(FeatureColumn column, boolean stringKeys) {
    String value = column(column.column());
    String key = key(stringKeys);
    return "SELECT "
        + literal(column.namespace())
        + ", "
        + literal(column.feature())
        + ", "
        + dialect.id("h")
        + ", k, v, t, "
        + orNull(column.resolverFqn())
        + ", "
        + orNull(contents.deploymentId())
        + ", "
        + literal(contents.operationId())
        + ", FALSE FROM (SELECT "
        + dialect.hash(
            literal(prefix(contents.operationId()) + prefix(column.feature()))
                + " || "
                + text(stringKeys ? key : cast(key, ColumnType.TEXT))
                + " || "
                + text(cast(dialect.micros(time()), ColumnType.TEXT)))
        + " AS h, "
        + key
        + " AS k, "
        + stored(column, value)
        + " AS v, "
        + time()
        + " AS t FROM "
        + place
        + (column.kind().nulls() == Nulls.COMPUTED ? "" : " WHERE " + value + " IS NOT NULL")
        + ") r";
  }

  private String stored(FeatureColumn column, String value) {
    return switch (column.kind().type()) {
      case INT64 -> cast(value, ColumnType.BIGINT);
      // There is one zero.
      case FLOAT64 ->
          "CASE WHEN "
              + value
              + " = 0 THEN "
              + cast("0", ColumnType.DOUBLE)
              + " ELSE "
              + cast(value, ColumnType.DOUBLE)
              + " END";
      default -> value;
    };
  }

  private static String prefix(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length + ":" + text;
  }

  /** A text behind its length in bytes, as ids are made of them. */
  private String text(String expression) {
    return cast("OCTET_LENGTH(" + expression + ")", ColumnType.TEXT) + " || ':' || " + expression;
  }

  private String literal(String text) {
    return dialect.sql().literal(text);
  }

  private String orNull(String text) {
    return Optional.of(text)
        .filter(it -> !it.isEmpty())
        .map(this::literal)
        .orElseGet(() -> cast("NULL", ColumnType.TEXT));
  }
}
