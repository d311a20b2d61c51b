package io.tailrace.metrics;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.Sets;
import io.tailrace.metrics.MetricsTable.Distribution;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The views of a metrics store, for people who write SQL: one row for each series and minute, with
 * the epochs added. Their SQL is understood by PostgreSQL and DuckDB alike.
 *
 * <p>PostgreSQL refuses a whole query when one multiplication of it is too large or too small for a
 * double, and one strange feature must not blind everybody: such numbers are rounded to zero or to
 * infinity before, where epochs are added.
 */
public enum MetricsView {
  /** Features, by environment, feature, resolver and deployment. */
  FEATURE_METRICS(
      MetricsTable.FEATURE_MINUTES,
      MetricsTable.OF_FEATURES,
      List.of("environment_id", "feature", "resolver_fqn", "deployment_id", "overflow", "minute"),
      Counts.of("computed", "nulls", "served_online", "served_offline", "non_finite")
          .later("zeros", "defaults_used", "given"),
      List.of(
          ratio("nulls", "computed", "null_rate"),
          ratio("served_online", "(computed + served_online + served_offline)", "cache_hit_rate"))),

  /** Queries, by environment and name. */
  QUERY_METRICS(
      MetricsTable.QUERY_MINUTES,
      MetricsTable.OF_QUERIES,
      List.of("environment_id", "query_name", "overflow", "minute"),
      Counts.of("executions", "failures", "partial"),
      List.of(ratio("failures", "executions", "error_rate"))),

  /** Resolvers, by environment, resolver and deployment. */
  RESOLVER_METRICS(
      MetricsTable.FEATURE_MINUTES,
      List.of(),
      List.of("environment_id", "resolver_fqn", "deployment_id", "overflow", "minute"),
      Counts.of("computed", "nulls"),
      List.of(ratio("nulls", "computed", "null_rate"))),

  /** Publishers, by their id: of all environments and minutes, as their numbers are. */
  PUBLISHER_GAPS(
      MetricsTable.PUBLISHER_MINUTES,
      List.of(),
      List.of("publisher_id"),
      Counts.of("results"),
      List.of());

  /** Smaller ones become zero where they are divided: by 2^48 at most, that stays a number. */
  private static final String TINY = "1e-280";

  private static final ImmutableList<String> SHOWN =
      ImmutableList.of("sum", "min", "max", "mean", "p50", "p95", "p99");

  /** Larger ones become infinite where they are added. */
  private static final String HUGE = "1e306";

  private final String table;
  private final ImmutableList<Distribution> distributions;
  private final ImmutableList<String> series;
  private final ImmutableList<String> counts;
  private final ImmutableList<String> later;
  private final ImmutableList<String> rates;

  MetricsView(
      MetricsTable table,
      List<Distribution> distributions,
      List<String> series,
      Counts counts,
      List<String> rates) {
    this.table = table.name();
    this.distributions = ImmutableList.copyOf(distributions);
    this.series = ImmutableList.copyOf(series);
    this.counts = counts.first;
    this.later = counts.later;
    this.rates = ImmutableList.copyOf(rates);
  }

  /**
   * What is counted.
   *
   * @param first what was from the first version on
   * @param later what came later, and stands behind all that was there before: a database can
   *     replace a view by one with more columns, though others are made of it
   */
  private record Counts(ImmutableList<String> first, ImmutableList<String> later) {
    static Counts of(String... first) {
      return new Counts(ImmutableList.copyOf(first), ImmutableList.of());
    }

    Counts later(String... counts) {
      return new Counts(first, ImmutableList.copyOf(counts));
    }
  }

  private static String ratio(String part, String whole, String name) {
    return part + "::float8 / nullif(" + whole + ", 0) AS " + name;
  }

  /** Returns the view's name. */
  public String view() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the name of the table that it is of. */
  public String table() {
    return table;
  }

  /**
   * Returns the statement that creates the view, or replaces it. One that is there is replaced only
   * if it {@link #isEarlier}: it may be somebody's own.
   *
   * @param place the view's name with its schema, as it stands in a statement
   * @param from the table's
   */
  public String create(String place, String from) {
    return "CREATE OR REPLACE VIEW " + place + " AS " + query(from);
  }

  /**
   * Returns whether a view with these columns is that of an earlier version: it lacks only what
   * came later, and has nothing of its own.
   */
  public boolean isEarlier(Set<String> columns) {
    Set<String> ours = columns();
    return !later.isEmpty()
        && !columns.containsAll(ours)
        && ours.containsAll(columns)
        && Sets.union(columns, ImmutableSet.copyOf(later)).containsAll(ours);
  }

  /** The names of its columns, where it has any that came later. */
  private Set<String> columns() {
    Set<String> columns = new LinkedHashSet<>(series);
    columns.add("epochs");
    columns.addAll(counts);
    rates.forEach(rate -> columns.add(rate.substring(rate.lastIndexOf(' ') + 1)));
    for (Distribution numbers : distributions) {
      columns.add(numbers.name() + "_count");
      SHOWN.forEach(what -> columns.add(numbers.column(what)));
    }
    columns.add("updated_at");
    columns.addAll(later);
    return columns;
  }

  private String query(String from) {
    String by = String.join(", ", series);
    if (this == PUBLISHER_GAPS) {
      return gaps(from);
    }
    if (this == RESOLVER_METRICS) {
      return "SELECT "
          + by
          + ", features, "
          + String.join(", ", counts)
          + ", "
          + String.join(", ", rates)
          + ", updated_at FROM (SELECT "
          + by
          + ", count(DISTINCT CASE WHEN computed > 0 AND NOT overflow THEN feature END) AS"
          + " features, "
          + sums()
          + ", max(updated_at) AS updated_at FROM "
          + from
          + " GROUP BY "
          + by
          + ") AS series";
    }
    return "SELECT "
        + by
        + ", epochs, "
        + String.join(", ", counts)
        + ", "
        + String.join(", ", rates)
        + ", "
        + distributions.stream().map(MetricsView::shown).collect(Collectors.joining(", "))
        + ", updated_at"
        + later.stream().map(count -> ", " + count).collect(Collectors.joining())
        + " FROM (SELECT "
        + by
        + ", count(*) AS epochs, "
        + sums()
        + ", "
        + distributions.stream().map(MetricsView::added).collect(Collectors.joining(", "))
        + ", max(updated_at) AS updated_at FROM (SELECT *, "
        + distributions.stream()
            .map(
                numbers ->
                    "sum(CASE WHEN "
                        + numbers.column("p50")
                        + " IS NOT NULL THEN "
                        + numbers.name()
                        + "_count END) OVER (PARTITION BY "
                        + by
                        + ") AS "
                        + total(numbers))
            .collect(Collectors.joining(", "))
        + " FROM "
        + from
        + ") AS epochs GROUP BY "
        + by
        + ") AS series";
  }

  /**
   * How many numbers no result had, and how many results there are beyond their numbers. In
   * integers that can't overflow: the greatest less the least is one less than the numbers.
   */
  private static String gaps(String from) {
    return "SELECT publisher_id, first_minute, last_minute, results, least_sequence,"
        + " greatest_sequence, greatest(greatest_sequence - least_sequence - (results - 1), 0) AS"
        + " missing, greatest(results - 1 - (greatest_sequence - least_sequence), 0) AS repeated,"
        + " updated_at FROM (SELECT publisher_id, min(minute) AS first_minute, max(minute) AS"
        + " last_minute, sum(results)::bigint AS results, min(least_sequence) AS least_sequence,"
        + " max(greatest_sequence) AS greatest_sequence, max(updated_at) AS updated_at FROM "
        + from
        + " WHERE NOT overflow GROUP BY publisher_id) AS publishers";
  }

  private String sums() {
    return Stream.concat(counts.stream(), later.stream())
        .map(count -> "sum(" + count + ")::bigint AS " + count)
        .collect(Collectors.joining(", "));
  }

  private static String total(Distribution numbers) {
    return numbers.name() + "_total";
  }

  private static String shown(Distribution numbers) {
    String count = numbers.name() + "_count";
    String sum = numbers.column("sum");
    return String.join(
        ", ",
        count,
        sum,
        numbers.column("min"),
        numbers.column("max"),
        String.format(
            Locale.ROOT,
            "CASE WHEN abs(%s) < %s AND %s > 1 THEN 0 ELSE %s / %s END AS %s",
            sum,
            TINY,
            count,
            sum,
            count,
            numbers.column("mean")),
        numbers.column("p50"),
        numbers.column("p95"),
        numbers.column("p99"));
  }

  private static String added(Distribution numbers) {
    String count = numbers.name() + "_count";
    String sum = numbers.column("sum");
    return String.format(
            Locale.ROOT,
            "sum(%1$s)::bigint AS %1$s, CASE WHEN count(%1$s) = 1 THEN max(%2$s) ELSE"
                + " sum(CASE WHEN %2$s > %3$s THEN 'Infinity'::float8 WHEN %2$s < -%3$s THEN"
                + " '-Infinity'::float8 ELSE %2$s END) END AS %2$s,"
                + " min(%4$s) AS %4$s, max(%5$s) AS %5$s, ",
            count,
            sum,
            HUGE,
            numbers.column("min"),
            numbers.column("max"))
        + List.of("p50", "p95", "p99").stream()
            .map(quantile -> weighted(numbers, numbers.column(quantile)))
            .collect(Collectors.joining(", "));
  }

  /**
   * The mean of the epochs' quantiles, by how many numbers each is of; of one epoch, its own. An
   * epoch without a sketch has none, and does not count.
   */
  private static String weighted(Distribution numbers, String quantile) {
    return String.format(
        Locale.ROOT,
        "sum(CASE WHEN %3$s IS NULL THEN NULL WHEN %1$s_count = %2$s THEN %3$s WHEN abs(%3$s) <"
            + " %4$s THEN 0 ELSE least(greatest(%3$s, -%5$s), %5$s) * (%1$s_count::float8 /"
            + " %2$s::float8) END) AS %3$s",
        numbers.name(),
        total(numbers),
        quantile,
        TINY,
        HUGE);
  }
}
