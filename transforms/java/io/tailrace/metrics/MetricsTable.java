package io.tailrace.metrics;

import com.google.common.collect.ImmutableList;
import com.google.errorprone.annotations.Immutable;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.QuerySummary;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The tables of a metrics store: one row for each series, minute and epoch. Their SQL is understood
 * by PostgreSQL and DuckDB alike.
 */
public enum MetricsTable {
  /** Of features. */
  FEATURE_MINUTES(
      List.of(
          new Column("environment_id", "text", true),
          new Column("deployment_id", "text", true),
          new Column("feature", "text", true),
          new Column("resolver_fqn", "text", true)),
      List.of("computed", "nulls", "served_online", "served_offline", "non_finite"),
      List.of("computed", "served_online", "served_offline"),
      List.of(new Distribution("value", ""), new Distribution("staleness", "_ms")),
      List.of("minute", "environment_id", "feature", "resolver_fqn", "deployment_id")),

  /** Of queries. */
  QUERY_MINUTES(
      List.of(new Column("environment_id", "text", true), new Column("query_name", "text", true)),
      List.of("executions", "failures", "partial"),
      List.of("executions"),
      List.of(new Distribution("latency", "_ms")),
      List.of("minute", "environment_id", "query_name"));

  /**
   * A column.
   *
   * @param type as both databases write it
   * @param required whether it can't be null
   */
  @Immutable
  public record Column(String name, String type, boolean required) {}

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

  private final ImmutableList<Column> columns;
  private final ImmutableList<String> series;
  private final ImmutableList<String> counted;
  private final ImmutableList<Distribution> distributions;

  MetricsTable(
      List<Column> names,
      List<String> counts,
      List<String> counted,
      List<Distribution> distributions,
      List<String> series) {
    this.series = ImmutableList.copyOf(series);
    this.counted = ImmutableList.copyOf(counted);
    this.distributions = ImmutableList.copyOf(distributions);
    List<Column> columns = new ArrayList<>(names);
    columns.add(new Column("minute", "timestamptz", true));
    columns.add(new Column("epoch", "timestamptz", true));
    columns.add(new Column("pane", "bigint", true));
    columns.add(new Column("timing", "text", true));
    columns.add(new Column("overflow", "boolean", true));
    counts.forEach(count -> columns.add(new Column(count, "bigint", true)));
    for (Distribution numbers : distributions) {
      columns.add(new Column(numbers.name + "_count", "bigint", false));
      for (String what : List.of("sum", "min", "max", "p50", "p95", "p99")) {
        columns.add(new Column(numbers.column(what), "float8", false));
      }
      columns.add(new Column(numbers.name + "_sketch", "bytea", false));
    }
    this.columns = ImmutableList.copyOf(columns);
  }

  /** Returns the table that a summary belongs into. */
  public static MetricsTable of(MetricsSummary summary) {
    return summary.hasQuery() ? QUERY_MINUTES : FEATURE_MINUTES;
  }

  /** Returns the table's name. */
  public String table() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the columns that a summary fills, in the order of {@link #row}. */
  public List<Column> columns() {
    return columns;
  }

  List<Distribution> distributions() {
    return distributions;
  }

  /**
   * Returns the statement that creates the table where it is not there.
   *
   * @param place the table's name with its schema, as it stands in a statement
   */
  public String create(String place) {
    return "CREATE TABLE IF NOT EXISTS "
        + place
        + " ("
        + columns.stream()
            .map(column -> column.name + " " + column.type + (column.required ? " NOT NULL" : ""))
            .collect(Collectors.joining(", "))
        + ", updated_at timestamptz NOT NULL, PRIMARY KEY ("
        + key()
        + "))";
  }

  private String key() {
    return String.join(", ", series) + ", overflow, epoch";
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
        + key()
        + ") DO UPDATE SET "
        + columns.stream()
            .filter(column -> !series.contains(column.name))
            .filter(column -> !column.name.equals("overflow") && !column.name.equals("epoch"))
            .map(column -> column.name + " = excluded." + column.name)
            .collect(Collectors.joining(", "))
        + ", updated_at = excluded.updated_at WHERE ("
        + rank("known")
        + ") < ("
        + rank("excluded")
        + ")";
  }

  private String rank(String row) {
    return counted.stream().map(count -> row + "." + count).collect(Collectors.joining(" + "))
        + ", "
        + row
        + ".pane";
  }

  /** Returns the names of {@link #columns}, as they stand in a statement. */
  public String names() {
    return columns.stream().map(Column::name).collect(Collectors.joining(", "));
  }

  /**
   * Returns a summary's values for {@link #columns}: texts, {@link OffsetDateTime}s, {@link Long}s,
   * {@link Double}s, {@link Boolean}s, bytes, or null.
   */
  public List<@Nullable Object> row(MetricsSummary summary) {
    FeatureSummary feature = summary.getFeature();
    QuerySummary query = summary.getQuery();
    List<@Nullable Object> row = new ArrayList<>();
    row.add(summary.getEnvironmentId());
    switch (this) {
      case FEATURE_MINUTES -> {
        row.add(feature.getDeploymentId());
        row.add(feature.getFeature());
        row.add(feature.getResolverFqn());
      }
      case QUERY_MINUTES -> row.add(query.getQueryName());
    }
    row.add(time(summary.getMinute()));
    row.add(time(summary.getEpoch()));
    row.add(summary.getPane());
    row.add(summary.getTiming().name().toLowerCase(Locale.ROOT));
    switch (this) {
      case FEATURE_MINUTES -> {
        row.add(feature.getOverflow());
        row.add(feature.getComputed());
        row.add(feature.getNulls());
        row.add(feature.getServedOnline());
        row.add(feature.getServedOffline());
        row.add(feature.getNonFinite());
        add(row, feature.getValues());
        add(row, feature.getStalenessMillis());
      }
      case QUERY_MINUTES -> {
        row.add(query.getOverflow());
        row.add(query.getExecutions());
        row.add(query.getFailures());
        row.add(query.getPartial());
        add(row, query.getLatencyMillis());
      }
    }
    return row;
  }

  private static OffsetDateTime time(long micros) {
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS).atOffset(ZoneOffset.UTC);
  }

  private static void add(List<@Nullable Object> row, Numbers numbers) {
    boolean some = numbers.getCount() > 0;
    boolean sketched = !numbers.getKllSketch().isEmpty();
    row.add(some ? numbers.getCount() : null);
    row.add(some ? numbers.getSum() : null);
    row.add(some ? numbers.getMin() : null);
    row.add(some ? numbers.getMax() : null);
    double[] quantiles =
        sketched ? QuantileSketch.quantiles(numbers.getKllSketch()) : new double[3];
    for (double quantile : quantiles) {
      row.add(sketched ? quantile : null);
    }
    row.add(sketched ? numbers.getKllSketch().toByteArray() : null);
  }
}
