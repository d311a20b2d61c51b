package io.tailrace.offline.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.WideLoads.Batch;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Nulls;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Wide files in a temporary table of DuckDB: the statements that read them, look whether all is
 * plainly right, and make a column rows of its feature. Not thread-safe.
 */
final class WideTable {
  private static final Set<String> INTEGERS =
      Set.of("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER");

  private static final String UTC = "TIMESTAMP WITH TIME ZONE";

  private final Batch batch;
  private final Contents contents;
  private final WideMapping mapping;
  private final List<Path> paths;
  // The columns that were staged, by what they are called in the table.
  private final Map<FeatureColumn, String> staged = new LinkedHashMap<>();

  WideTable(Batch batch, List<Path> paths) {
    this.batch = batch;
    this.contents = batch.contents();
    this.mapping = contents.mapping();
    this.paths = paths;
  }

  /**
   * What was staged, all of which is right.
   *
   * @param cells how many rows each of the columns becomes, file by file
   */
  record Survey(List<FeatureColumn> columns, List<Map<FeatureColumn, Long>> cells, String range) {
    long cells(int file, FeatureColumn column) {
      return cells.get(file).getOrDefault(column, 0L);
    }

    long cells(FeatureColumn column) {
      return cells.stream().mapToLong(each -> each.getOrDefault(column, 0L)).sum();
    }
  }

  private String files() {
    return "read_parquet("
        + paths.stream()
            .map(path -> DUCKDB.literal(path.toString()))
            .collect(Collectors.joining(", ", "[", "]"))
        // Nothing of a path is data.
        + ", hive_partitioning = false, filename = 'tailrace_file')";
  }

  private static String quoted(String column) {
    return '"' + column.replace("\"", "\"\"") + '"';
  }

  /** Reads the files; empty: their keys or times are not plainly right. */
  Optional<Survey> stage(Statement statement) throws SQLException {
    Map<String, String> types = new LinkedHashMap<>();
    Set<String> exact = batch.columns().exact();
    try (ResultSet columns = statement.executeQuery("DESCRIBE SELECT * FROM " + files())) {
      while (columns.next()) {
        String name = columns.getString(1);
        types.put(name, exact.contains(name) ? columns.getString(2) : "");
      }
    }
    if (types.size() > Set.copyOf(lower(types.keySet())).size() || !hasPlainKeys(types)) {
      // Of two columns that differ in case DuckDB renames one.
      return Optional.empty();
    }
    List<String> selected = new ArrayList<>();
    selected.add("tailrace_file AS file");
    String key = quoted(mapping.keyColumn());
    selected.add((batch.stringKeys() ? key : key + "::BIGINT") + " AS pkey");
    selected.add(
        mapping.time().named().map(WideTable::quoted).orElse(time(mapping.time().constant()))
            + " AS observed_at");
    for (FeatureColumn column : mapping.features()) {
      plain(column, types.getOrDefault(column.column(), ""))
          .ifPresent(
              expression -> {
                String name = "c" + staged.size();
                staged.put(column, name);
                selected.add(expression + " AS " + name);
              });
    }
    statement.execute(
        "CREATE OR REPLACE TEMP TABLE wide AS SELECT *, "
            + text(batch.stringKeys() ? "pkey" : "pkey::VARCHAR")
            + " || "
            + text("epoch_us(observed_at)::VARCHAR")
            + " AS id_text FROM (SELECT "
            + String.join(", ", selected)
            + " FROM "
            + files()
            + ")");
    return survey(statement);
  }

  private static List<String> lower(Set<String> names) {
    return names.stream().map(name -> name.toLowerCase(Locale.ROOT)).distinct().toList();
  }

  private boolean hasPlainKeys(Map<String, String> types) {
    String key = types.getOrDefault(mapping.keyColumn(), "");
    boolean keyIsPlain = batch.stringKeys() ? key.equals("VARCHAR") : INTEGERS.contains(key);
    return keyIsPlain
        && mapping.time().named().map(name -> UTC.equals(types.get(name))).orElse(true);
  }

  private static String time(long micros) {
    return "make_timestamptz(" + micros + ")";
  }

  /** A text behind its length in bytes, as ids are made of them. */
  private static String text(String expression) {
    return "(strlen(" + expression + ")::VARCHAR || ':' || " + expression + ")";
  }

  /** Returns a column's values as they are stored, where none of them can be wrong. */
  private static Optional<String> plain(FeatureColumn column, String type) {
    String name = quoted(column.column());
    boolean isPlain =
        switch (column.kind().type()) {
          case INT64 -> INTEGERS.contains(type);
          case FLOAT64 -> type.equals("DOUBLE") || type.equals("FLOAT");
          case BOOL -> type.equals("BOOLEAN");
          case STRING -> type.equals("VARCHAR");
          case BYTES -> type.equals("BLOB");
          case TIMESTAMP -> type.equals(UTC);
          case DATE -> type.equals("DATE");
          case VECTOR -> type.equals("FLOAT[]");
          // What every store takes for JSON is not what this one does.
          case JSON -> false;
        };
    if (!isPlain) {
      return Optional.empty();
    }
    return Optional.of(
        switch (column.kind().type()) {
          case INT64 -> name + "::BIGINT";
          case FLOAT64 -> number(name + "::DOUBLE", "DOUBLE");
          case VECTOR -> "list_transform(" + name + ", lambda x: " + number("x", "FLOAT") + ")";
          default -> name;
        });
  }

  /** There is one zero, and one NaN. */
  private static String number(String expression, String type) {
    return "CASE WHEN isnan("
        + expression
        + ") THEN 'nan'::"
        + type
        + " WHEN "
        + expression
        + " = 0 THEN 0::"
        + type
        + " ELSE "
        + expression
        + " END";
  }

  private Optional<Survey> survey(Statement statement) throws SQLException {
    List<FeatureColumn> columns = new ArrayList<>(staged.keySet());
    String whole =
        "SELECT count(*), count(pkey), count(observed_at), count(DISTINCT hash(id_text)),"
            + " coalesce(epoch_us(min(observed_at)), 0), coalesce(epoch_us(max(observed_at)), 0), "
            + (batch.stringKeys() ? "count(*) FILTER (pkey = '')" : "0")
            + columns.stream().map(this::faults).collect(Collectors.joining())
            + " FROM temp.wide";
    long from;
    long to;
    List<FeatureColumn> good = new ArrayList<>();
    try (ResultSet row = statement.executeQuery(whole)) {
      row.next();
      long rows = row.getLong(1);
      from = row.getLong(5);
      to = row.getLong(6);
      boolean isRight =
          row.getLong(2) == rows
              && row.getLong(3) == rows
              // Of two rows of one key and time the greater cell stands.
              && row.getLong(4) == rows
              && row.getLong(7) == 0
              && (rows == 0
                  || (ObservationSchema.isTime(from)
                      && ObservationSchema.isTime(to)
                      && to <= batch.observedUntil()));
      if (!isRight) {
        return Optional.empty();
      }
      for (int i = 0; i < columns.size(); i++) {
        if (row.getLong(8 + i) == 0) {
          good.add(columns.get(i));
        }
      }
    }
    return Optional.of(
        new Survey(
            good,
            cells(statement, good),
            "observed_at BETWEEN " + time(from) + " AND " + time(to)));
  }

  /** Counts the values of a column that must be looked at one by one. */
  private String faults(FeatureColumn column) {
    String name = staged.get(column);
    return switch (column.kind().type()) {
      case VECTOR -> ", count(*) FILTER (len(list_filter(" + name + ", lambda x: x IS NULL)) > 0)";
      case TIMESTAMP, DATE -> ", count(*) FILTER (NOT isfinite(" + name + "))";
      default -> ", 0";
    };
  }

  private List<Map<FeatureColumn, Long>> cells(Statement statement, List<FeatureColumn> columns)
      throws SQLException {
    Map<String, Map<FeatureColumn, Long>> byFile = new LinkedHashMap<>();
    paths.forEach(path -> byFile.put(path.toString(), Map.of()));
    try (ResultSet rows =
        statement.executeQuery(
            "SELECT file"
                + columns.stream()
                    .map(column -> ", count(" + (isWhole(column) ? "*" : staged.get(column)) + ")")
                    .collect(Collectors.joining())
                + " FROM temp.wide GROUP BY file")) {
      while (rows.next()) {
        Map<FeatureColumn, Long> cells = new LinkedHashMap<>();
        for (int i = 0; i < columns.size(); i++) {
          cells.put(columns.get(i), rows.getLong(2 + i));
        }
        byFile.put(rows.getString(1), cells);
      }
    }
    return List.copyOf(byFile.values());
  }

  private static boolean isWhole(FeatureColumn column) {
    return column.kind().nulls() == Nulls.COMPUTED;
  }

  /** Returns the statement that inserts those rows of a column that a table does not have. */
  String insertion(FeatureColumn column, String table, Survey survey) {
    String name = staged.get(column);
    return "INSERT INTO "
        + table
        + "(observation_id, pkey, value, observed_at, resolver_fqn, deployment_id, operation_id,"
        + " deleted, inserted_at) SELECT id, pkey, value, observed_at, "
        + orNull(column.resolverFqn())
        + ", "
        + orNull(contents.deploymentId())
        + ", "
        + DUCKDB.literal(contents.operationId())
        + ", false, current_timestamp FROM (SELECT md5("
        + DUCKDB.literal(prefix(contents.operationId()) + prefix(column.feature()))
        + " || id_text)::UUID AS id, pkey, observed_at, "
        + name
        + " AS value FROM temp.wide"
        + (isWhole(column) ? "" : " WHERE " + name + " IS NOT NULL")
        + ") WHERE id NOT IN (SELECT observation_id FROM "
        + table
        + " WHERE "
        + survey.range()
        + ")";
  }

  private static String prefix(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length + ":" + text;
  }

  private static String orNull(String text) {
    return text.isEmpty() ? "NULL" : DUCKDB.literal(text);
  }
}
