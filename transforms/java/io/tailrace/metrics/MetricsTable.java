package io.tailrace.metrics;

import com.google.common.collect.ImmutableList;
import com.google.errorprone.annotations.Immutable;
import io.tailrace.endpoint.Micros;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Key;
import io.tailrace.sql.Table;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.MetricsSummary.SeriesCase;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.QuerySummary;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A table of a metrics store: one row for each series, minute and epoch. Its SQL is understood by
 * PostgreSQL and DuckDB alike.
 *
 * <p>It is a list of {@linkplain Entry entries}, which say each column and what a summary has for
 * it. A column that a later version adds is one more entry, and is optional: tables without it get
 * it, and an earlier version leaves it alone. Immutable.
 */
public final class MetricsTable {
  /** The distributions of numbers of features. */
  static final ImmutableList<Distribution> OF_FEATURES =
      ImmutableList.of(new Distribution("value", ""), new Distribution("staleness", "_ms"));

  /** The distribution of numbers of queries. */
  static final ImmutableList<Distribution> OF_QUERIES =
      ImmutableList.of(new Distribution("latency", "_ms"));

  /** Of features. */
  public static final MetricsTable FEATURE_MINUTES =
      new MetricsTable(
          "feature_minutes",
          SeriesCase.FEATURE,
          List.of(
              text("environment_id", MetricsSummary::getEnvironmentId),
              text("deployment_id", summary -> summary.getFeature().getDeploymentId()),
              text("feature", summary -> summary.getFeature().getFeature()),
              text("resolver_fqn", summary -> summary.getFeature().getResolverFqn()),
              time("minute", MetricsSummary::getMinute),
              time("epoch", MetricsSummary::getEpoch),
              count("pane", MetricsSummary::getPane),
              text("timing", MetricsTable::timing),
              overflow(summary -> summary.getFeature().getOverflow()),
              ofFeature("computed", FeatureSummary::getComputed),
              ofFeature("nulls", FeatureSummary::getNulls),
              ofFeature("served_online", FeatureSummary::getServedOnline),
              ofFeature("served_offline", FeatureSummary::getServedOffline),
              ofFeature("non_finite", FeatureSummary::getNonFinite),
              numbers(OF_FEATURES.get(0), summary -> summary.getFeature().getValues()),
              numbers(OF_FEATURES.get(1), summary -> summary.getFeature().getStalenessMillis()),
              laterOfFeature("zeros", FeatureSummary::getZeros),
              laterOfFeature("defaults_used", FeatureSummary::getDefaultsUsed),
              laterOfFeature("given", FeatureSummary::getGiven)),
          Key.of(
              "minute",
              "environment_id",
              "feature",
              "resolver_fqn",
              "deployment_id",
              "overflow",
              "epoch"),
          List.of(
              "%s.computed",
              "%s.served_online",
              "%s.served_offline",
              // Null in rows from before there were these.
              "coalesce(%s.defaults_used, 0)",
              "coalesce(%s.given, 0)"));

  /** Of queries. */
  public static final MetricsTable QUERY_MINUTES =
      new MetricsTable(
          "query_minutes",
          SeriesCase.QUERY,
          List.of(
              text("environment_id", MetricsSummary::getEnvironmentId),
              text("query_name", summary -> summary.getQuery().getQueryName()),
              time("minute", MetricsSummary::getMinute),
              time("epoch", MetricsSummary::getEpoch),
              count("pane", MetricsSummary::getPane),
              text("timing", MetricsTable::timing),
              overflow(summary -> summary.getQuery().getOverflow()),
              ofQuery("executions", QuerySummary::getExecutions),
              ofQuery("failures", QuerySummary::getFailures),
              ofQuery("partial", QuerySummary::getPartial),
              numbers(OF_QUERIES.get(0), summary -> summary.getQuery().getLatencyMillis())),
          Key.of("minute", "environment_id", "query_name", "overflow", "epoch"),
          List.of("%s.executions"));

  /** Of those who number what they publish. */
  public static final MetricsTable PUBLISHER_MINUTES =
      new MetricsTable(
          "publisher_minutes",
          SeriesCase.PUBLISHER,
          List.of(
              text("environment_id", MetricsSummary::getEnvironmentId),
              text("publisher_id", summary -> summary.getPublisher().getPublisherId()),
              time("minute", MetricsSummary::getMinute),
              time("epoch", MetricsSummary::getEpoch),
              count("pane", MetricsSummary::getPane),
              text("timing", MetricsTable::timing),
              overflow(summary -> summary.getPublisher().getOverflow()),
              count("results", summary -> summary.getPublisher().getResults()),
              count("least_sequence", summary -> summary.getPublisher().getLeast()),
              count("greatest_sequence", summary -> summary.getPublisher().getGreatest())),
          Key.of("minute", "environment_id", "publisher_id", "overflow", "epoch"),
          List.of("%s.results"));

  /** All tables. */
  public static final ImmutableList<MetricsTable> ALL =
      ImmutableList.of(FEATURE_MINUTES, QUERY_MINUTES, PUBLISHER_MINUTES);

  /**
   * Columns that a summary fills.
   *
   * @param columns the columns
   * @param values what a summary has for each of them: texts, {@link OffsetDateTime}s, {@link
   *     Long}s, {@link Double}s, {@link Boolean}s, bytes, or null
   */
  public record Entry(
      List<Column> columns, Function<MetricsSummary, List<@Nullable Object>> values) {
    /** Creates one. */
    public Entry {
      columns = ImmutableList.copyOf(columns);
    }

    /** Returns one of one column. */
    public static Entry of(Column column, Function<MetricsSummary, @Nullable Object> value) {
      return new Entry(
          List.of(column), summary -> Arrays.<@Nullable Object>asList(value.apply(summary)));
    }
  }

  /**
   * The columns of a distribution of numbers.
   *
   * @param name how their names begin
   * @param unit how the names of those end that are in a unit
   */
  @Immutable
  record Distribution(String name, String unit) {
    String column(String what) {
      return name + "_" + what + unit;
    }
  }

  private static final Column UPDATED_AT = Column.required("updated_at", ColumnType.TIMESTAMP);

  private final String name;
  private final SeriesCase series;
  private final ImmutableList<Entry> entries;
  private final ImmutableList<Column> columns;
  private final Key key;
  private final ImmutableList<String> counted;

  private MetricsTable(
      String name, SeriesCase series, List<Entry> entries, Key key, List<String> counted) {
    this.name = name;
    this.series = series;
    this.entries = ImmutableList.copyOf(entries);
    this.key = key;
    this.counted = ImmutableList.copyOf(counted);
    this.columns =
        entries.stream()
            .flatMap(entry -> entry.columns().stream())
            .collect(ImmutableList.toImmutableList());
  }

  /** Returns a table with more columns, which are optional. */
  public MetricsTable with(Entry entry) {
    return new MetricsTable(
        name,
        series,
        ImmutableList.<Entry>builder().addAll(entries).add(entry).build(),
        key,
        counted);
  }

  private static Entry text(String name, Function<MetricsSummary, @Nullable Object> value) {
    return Entry.of(Column.required(name, ColumnType.TEXT), value);
  }

  private static Entry time(String name, Function<MetricsSummary, Long> micros) {
    return Entry.of(
        Column.required(name, ColumnType.TIMESTAMP),
        summary -> Micros.instant(micros.apply(summary)).atOffset(ZoneOffset.UTC));
  }

  private static Entry count(String name, Function<MetricsSummary, @Nullable Object> value) {
    return Entry.of(Column.required(name, ColumnType.BIGINT), value);
  }

  private static Entry ofFeature(String name, Function<FeatureSummary, @Nullable Object> value) {
    return count(name, summary -> value.apply(summary.getFeature()));
  }

  private static Entry laterOfFeature(
      String name, Function<FeatureSummary, @Nullable Object> value) {
    return Entry.of(
        Column.optional(name, ColumnType.BIGINT), summary -> value.apply(summary.getFeature()));
  }

  private static Entry ofQuery(String name, Function<QuerySummary, @Nullable Object> value) {
    return count(name, summary -> value.apply(summary.getQuery()));
  }

  private static Entry overflow(Function<MetricsSummary, @Nullable Object> value) {
    return Entry.of(Column.required("overflow", ColumnType.BOOLEAN), value);
  }

  private static String timing(MetricsSummary summary) {
    return summary.getTiming().name().toLowerCase(Locale.ROOT);
  }

  private static Entry numbers(
      Distribution distribution, Function<MetricsSummary, Numbers> numbers) {
    List<Column> columns = new ArrayList<>();
    columns.add(Column.optional(distribution.name + "_count", ColumnType.BIGINT));
    for (String what : List.of("sum", "min", "max", "p50", "p95", "p99")) {
      columns.add(Column.optional(distribution.column(what), ColumnType.DOUBLE));
    }
    columns.add(Column.optional(distribution.name + "_sketch", ColumnType.BYTES));
    return new Entry(columns, summary -> values(numbers.apply(summary)));
  }

  private static List<@Nullable Object> values(Numbers numbers) {
    boolean some = numbers.getCount() > 0;
    boolean sketched = !numbers.getKllSketch().isEmpty();
    List<@Nullable Object> values = new ArrayList<>();
    values.add(some ? numbers.getCount() : null);
    values.add(some ? numbers.getSum() : null);
    values.add(some ? numbers.getMin() : null);
    values.add(some ? numbers.getMax() : null);
    double[] quantiles =
        sketched ? QuantileSketch.quantiles(numbers.getKllSketch()) : new double[3];
    for (double quantile : quantiles) {
      values.add(sketched ? quantile : null);
    }
    values.add(sketched ? numbers.getKllSketch().toByteArray() : null);
    return values;
  }

  /** Returns its name. */
  public String name() {
    return name;
  }

  /** Returns whether its rows are of features. */
  public boolean isOfFeatures() {
    return series == SeriesCase.FEATURE;
  }

  /** Returns whether a summary belongs into it. */
  public boolean holds(MetricsSummary summary) {
    return summary.getSeriesCase() == series;
  }

  /** Returns the columns that a summary fills, in the order of {@link #row}. */
  public List<Column> columns() {
    return columns;
  }

  /** Returns the table as it is created. */
  public Table table() {
    return new Table(
        name, ImmutableList.<Column>builder().addAll(columns).add(UPDATED_AT).build(), key);
  }

  /**
   * Returns the statement that writes rows, of which {@link SummaryOrder the one that stands}
   * replaces the other: what was written or read in between can't change that, as the database
   * compares and writes in one step.
   *
   * @param place the table's name with its schema, as it stands in a statement
   * @param rows where the rows come from: {@code VALUES (?, …)} or a query
   */
  public String upsert(String place, String rows) {
    return "INSERT INTO "
        + place
        + " AS known ("
        + names()
        + ", updated_at) "
        + rows
        + " ON CONFLICT ("
        + String.join(", ", key.columns())
        + ") DO UPDATE SET "
        + columns.stream()
            .map(Column::name)
            .filter(column -> !key.columns().contains(column))
            .map(column -> column + " = excluded." + column)
            .collect(Collectors.joining(", "))
        + ", updated_at = excluded.updated_at WHERE ("
        + rank("known")
        + ") < ("
        + rank("excluded")
        + ")";
  }

  private String rank(String row) {
    return counted.stream()
            .map(count -> String.format(Locale.ROOT, count, row))
            .collect(Collectors.joining(" + "))
        + ", "
        + row
        + ".pane";
  }

  /** Returns the names of {@link #columns}, as they stand in a statement. */
  public String names() {
    return columns.stream().map(Column::name).collect(Collectors.joining(", "));
  }

  /** Returns a summary's values for {@link #columns}; see {@link Entry}. */
  public List<@Nullable Object> row(MetricsSummary summary) {
    List<@Nullable Object> row = new ArrayList<>(columns.size());
    for (Entry entry : entries) {
      row.addAll(entry.values().apply(summary));
    }
    return row;
  }
}
