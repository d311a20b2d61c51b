package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.RowNumbers;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.warehouse.WarehouseLoader.Latest;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.QueryLog;
import io.tailrace.sql.Column;
import io.tailrace.sql.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The rows of staged files of one type, in a table of the session: what is in them, and how they
 * get from there into the table of their type. Not thread-safe.
 */
final class StagedRows {
  private static final List<String> OBSERVATION = List.of("namespace", "feature", "observation_id");
  private static final List<String> FEATURE = List.of("namespace", "feature");
  private static final String TABLES = "value_tables";

  private final WarehouseDialect dialect;
  private final StagedFile.Type type;
  private final Table table;
  private final Table staged;
  private final String temporary;
  private long takenOut;

  /** What was copied. */
  record Survey(long rows, Map<FeatureTable, Long> features, TimeRanges times) {}

  /** Rows of a file. */
  record Found(String file, RowNumbers rows) {}

  private record Line(String namespace, String feature, long rows, long from, long to) {}

  StagedRows(WarehouseDialect dialect, String schema, StagedFile.Type type) {
    this.dialect = dialect;
    this.type = type;
    this.table =
        type.kind() == Kind.QUERIES
            ? WarehouseTables.queries()
            : WarehouseTables.rows(type.stringKeys(), type.valueType());
    Table raw = WarehouseTables.staged(table);
    this.staged =
        new Table(raw.name(), raw.columns().stream().map(dialect::staged).toList(), raw.key());
    this.temporary = dialect.temporary(schema, staged.name());
  }

  StagedFile.Type type() {
    return type;
  }

  Table table() {
    return table;
  }

  void create(Statements statements) throws SQLException {
    for (String statement : dialect.createTemporary(temporary, staged)) {
      statements.execute(statement);
    }
  }

  void copy(Statements statements, Stage.Connection stage, List<StagedFile> files)
      throws SQLException, UnavailableException {
    dialect.copy(statements, stage, temporary, files);
  }

  /** What inserts rows into a table. */
  @FunctionalInterface
  interface Insertion {
    /** Returns the statement that inserts them. */
    String into(String place);
  }

  void insert(Statements statements, Insertion insertion) throws SQLException {
    long unused = statements.update(insertion.into(temporary));
  }

  Survey survey(Statements statements) throws SQLException {
    if (type.kind() == Kind.QUERIES) {
      long rows =
          statements.query("SELECT COUNT(*) FROM " + temporary, row -> row.getLong(1)).get(0);
      return new Survey(rows, Map.of(), new TimeRanges(List.of()));
    }
    String micros = dialect.micros("observed_at");
    List<Line> lines =
        statements.query(
            "SELECT namespace, feature, COUNT(*), 0, 0 FROM "
                + temporary
                + " GROUP BY "
                + dialect.together(FEATURE)
                + " UNION ALL SELECT '', '', COUNT(*), MIN("
                + micros
                + "), MAX("
                + micros
                + ") FROM "
                + temporary
                + " GROUP BY FLOOR("
                + micros
                + " / "
                + TimeRanges.DAY
                + ")",
            row ->
                new Line(
                    row.getString(1),
                    row.getString(2),
                    row.getLong(3),
                    row.getLong(4),
                    row.getLong(5)));
    Map<FeatureTable, Long> features = new LinkedHashMap<>();
    List<TimeRanges.Range> days = new ArrayList<>();
    long rows = 0;
    for (Line line : lines) {
      // No feature is empty: its name has a dot.
      if (line.feature.isEmpty()) {
        days.add(new TimeRanges.Range(line.from, line.to));
        rows += line.rows;
      } else {
        features.put(
            new FeatureTable(
                new Feature(line.namespace, line.feature), type.stringKeys(), type.valueType()),
            line.rows);
      }
    }
    return new Survey(rows, features, TimeRanges.of(days));
  }

  /** Takes rows of features out, and returns where they come from, by their features. */
  Map<Feature, List<Found>> takeOut(Statements statements, Collection<Conflict> conflicts)
      throws SQLException {
    Map<Feature, List<Found>> found = new LinkedHashMap<>();
    if (conflicts.isEmpty()) {
      return found;
    }
    List<Feature> features = conflicts.stream().map(each -> each.table().feature()).toList();
    // A file's rows are sorted by feature. Where its numbers begin, its own rows say.
    for (Map.Entry<Feature, Found> each :
        statements.query(
            "SELECT s.namespace, s.feature, s.staged_file, MIN(s.staged_row - b.base), COUNT(*)"
                + " FROM "
                + temporary
                + " AS s JOIN (SELECT staged_file, MIN(staged_row) AS base FROM "
                + temporary
                + " GROUP BY staged_file) AS b ON s.staged_file = b.staged_file WHERE "
                + are(features, "s.")
                + " GROUP BY "
                + dialect.together(FEATURE.stream().map(column -> "s." + column).toList())
                + ", s.staged_file",
            row ->
                Map.entry(
                    new Feature(row.getString(1), row.getString(2)),
                    new Found(
                        row.getString(3),
                        new RowNumbers(
                            List.of(new RowNumbers.Run(row.getInt(4), row.getInt(5)))))))) {
      found.computeIfAbsent(each.getKey(), unused -> new ArrayList<>()).add(each.getValue());
    }
    takenOut += statements.update("DELETE FROM " + temporary + " WHERE " + are(features, ""));
    return found;
  }

  /** Returns the condition that a row is of one of some features. */
  private String are(List<Feature> features, String alias) {
    return features.stream()
        .map(
            feature ->
                "("
                    + dialect.is(alias + "namespace", feature.namespace())
                    + " AND "
                    + dialect.is(alias + "feature", feature.text())
                    + ")")
        .collect(Collectors.joining(" OR "));
  }

  /** Returns how many rows were taken out. */
  long takenOut() {
    return takenOut;
  }

  /**
   * Merges the rows into their table, and into those that are the newest, if these are kept.
   * Returns how many were not in their table.
   */
  long merge(Statements statements, String schema, TimeRanges times, Latest latest)
      throws SQLException {
    long inserted = merge(statements, schema, times);
    if (latest == Latest.KEPT) {
      mergeNewest(statements, schema);
    }
    return inserted;
  }

  private long merge(Statements statements, String schema, TimeRanges times) throws SQLException {
    String place = dialect.place(schema, table.name());
    return type.kind() == Kind.QUERIES
        ? mergeQueries(statements, place)
        : dialect.inserted(
            statements.update(
                dialect.merge(
                    place,
                    folded(),
                    new Merge(OBSERVATION, Optional.of(times)),
                    values(column -> "s." + column))));
  }

  /** Merges the rows into those that are the newest, if they are rows of features. */
  private void mergeNewest(Statements statements, String schema) throws SQLException {
    if (type.kind() != Kind.QUERIES) {
      for (String statement : NewestRows.merge(dialect, schema, type, temporary)) {
        long unused = statements.update(statement);
      }
    }
  }

  private interface Expression {
    String of(String column);
  }

  private Map<String, String> values(Expression expression) {
    Map<String, String> values = new LinkedHashMap<>();
    for (Column column : table.columns()) {
      values.put(
          column.name(),
          column.rule() == Column.Rule.STAMPED ? dialect.now() : expression.of(column.name()));
    }
    return values;
  }

  /** Selects the rows, of those with one id the one whose cell is the greatest. */
  private String folded() {
    List<String> order =
        Stream.concat(
                type.valueType()
                    .map(
                        value ->
                            Stream.concat(
                                Stream.of("CASE WHEN value IS NULL THEN 0 ELSE 1 END"),
                                dialect.greatestFirst(value).stream()))
                    .orElse(Stream.of()),
                Stream.of("COALESCE(resolver_fqn, '') DESC", "COALESCE(deployment_id, '') DESC"))
            .toList();
    return "SELECT "
        + table.columns().stream()
            .filter(column -> column.rule() != Column.Rule.STAMPED)
            .map(
                column ->
                    dialect.stored(column).equals(column.name())
                        ? column.name()
                        : dialect.stored(column) + " AS " + column.name())
            .collect(Collectors.joining(", "))
        + " FROM (SELECT r.*, ROW_NUMBER() OVER (PARTITION BY "
        + String.join(", ", OBSERVATION)
        + " ORDER BY "
        + String.join(", ", order)
        + ") AS place_of_id FROM "
        + temporary
        + " AS r) AS f WHERE place_of_id = 1";
  }

  /** The parts of a result unite their tables. */
  private long mergeQueries(Statements statements, String place) throws SQLException {
    long inserted = 0;
    for (String queries : queries(statements)) {
      inserted += mergeQueries(statements, place, queries);
    }
    return inserted;
  }

  /** Returns what selects the queries, each once; or their parts, one behind the other. */
  private List<String> queries(Statements statements) throws SQLException {
    Optional<String> united = dialect.unitedTexts(TABLES);
    if (united.isPresent()) {
      Set<String> first = Set.of(QueryLog.KEY, TABLES);
      return List.of(
          "SELECT "
              + table.columns().stream()
                  .map(Column::name)
                  .map(
                      name ->
                          name.equals(TABLES)
                              ? united.get() + " AS " + TABLES
                              : first.contains(name) ? name : "MIN(" + name + ") AS " + name)
                  .collect(Collectors.joining(", "))
              + " FROM "
              + temporary
              + " GROUP BY "
              + dialect.together(List.of(QueryLog.KEY)));
    }
    String numbered =
        "(SELECT r.*, ROW_NUMBER() OVER (PARTITION BY "
            + dialect.together(List.of(QueryLog.KEY))
            + " ORDER BY staged_file, staged_row) AS part FROM "
            + temporary
            + " r) p";
    long parts =
        statements
            .query("SELECT COALESCE(MAX(part), 0) FROM " + numbered, row -> row.getLong(1))
            .get(0);
    return LongStream.rangeClosed(1, parts)
        .mapToObj(part -> "SELECT " + table.names() + " FROM " + numbered + " WHERE part = " + part)
        .toList();
  }

  private long mergeQueries(Statements statements, String place, String queries)
      throws SQLException {
    String both = dialect.unitedTexts("t." + TABLES, "s." + TABLES);
    long unused =
        statements.update(
            dialect.update(
                place,
                queries,
                QueryLog.KEY,
                Map.entry(TABLES, both),
                dialect.countTexts(both) + " > " + dialect.countTexts("t." + TABLES)));
    return statements.update(
        dialect.merge(
            place,
            queries,
            new Merge(List.of(QueryLog.KEY), Optional.empty()),
            values(column -> "s." + column)));
  }
}
