package io.tailrace.pipelines.local.proof;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import io.tailrace.v1.QueryResult.Status;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a metrics store must hold, worked out from the results themselves in the simplest way: every
 * number is kept. It shares no code with the writers. Not thread-safe.
 */
public final class MetricsModel {
  private static final long MINUTE = 60_000_000;

  /**
   * How far the rank of a quantile may be from what was asked for. The sketch's error is 1.33 %
   * with a confidence of 99 %; among thousands of quantiles some are further off, but hardly one by
   * twice as much.
   */
  private static final double MAX_RANK_ERROR = 2 * 0.0133;

  private static final double[] RANKS = {0.5, 0.95, 0.99};
  private static final int DIFFERENCES_LISTED = 10;
  private static final int ALL_ROWS = 1_000_000;

  /**
   * A series and a minute.
   *
   * @param of feature, resolver and deployment, or the query's name
   */
  private record Row(String environment, List<String> of, long minute) implements Comparable<Row> {
    @Override
    public int compareTo(Row that) {
      return toString().compareTo(that.toString());
    }

    @Override
    public String toString() {
      return String.join(" ", of) + " in the minute " + minute + " of " + environment;
    }
  }

  /** What of a row is wrong. Counts are compared first: the first thing says in what way. */
  private static final class Wrong {
    private final List<String> words = new ArrayList<>();
    private Optional<Departure> first = Optional.empty();

    void add(Departure departure, String word) {
      first = Optional.of(first.orElse(departure));
      words.add(word);
    }
  }

  /** Numbers, all of them. */
  private static final class Sample {
    private final List<Double> numbers = new ArrayList<>();
    private BigDecimal sum = BigDecimal.ZERO;

    void add(BigDecimal exact) {
      numbers.add(exact.doubleValue());
      sum = sum.add(exact);
    }

    void add(double number) {
      add(new BigDecimal(number));
    }

    /** Says what of a description of these numbers is wrong. */
    void compare(String name, Map<String, @Nullable String> found, String suffix, Wrong wrong) {
      differs(name + "_count", numbers.isEmpty() ? null : (double) numbers.size(), found, wrong);
      if (numbers.isEmpty()) {
        return;
      }
      Collections.sort(numbers);
      differs(name + "_sum" + suffix, sum.doubleValue(), found, wrong);
      differs(name + "_min" + suffix, numbers.get(0), found, wrong);
      differs(name + "_max" + suffix, numbers.get(numbers.size() - 1), found, wrong);
      for (double rank : RANKS) {
        String column = name + "_p" + Math.round(rank * 100) + suffix;
        String text = found.get(column);
        if (text == null || rankError(Double.parseDouble(text), rank) > MAX_RANK_ERROR) {
          wrong.add(Departure.OTHER, column + " " + text + " is not of rank " + rank);
        }
      }
    }

    /** Returns how far a rank is from the ranks that a number has; 1 for a number that is none. */
    private double rankError(double number, double rank) {
      int first = Collections.binarySearch(numbers, number);
      if (first < 0) {
        return 1;
      }
      int last = first;
      while (first > 0 && numbers.get(first - 1) == number) {
        first--;
      }
      while (last < numbers.size() - 1 && numbers.get(last + 1) == number) {
        last++;
      }
      double from = (double) first / numbers.size();
      double to = (last + 1.0) / numbers.size();
      return rank < from ? from - rank : rank > to ? rank - to : 0;
    }
  }

  private static final class Feature {
    private long computed;
    private long nulls;
    private long servedOnline;
    private long servedOffline;
    private long nonFinite;
    private long zeros;
    private long defaultsUsed;
    private long given;
    private final Sample values = new Sample();
    private final Sample staleness = new Sample();
  }

  private static final class Query {
    private long executions;
    private long failures;
    private long partial;
    private final Sample latency = new Sample();
  }

  /**
   * The store beside the model.
   *
   * @param series how many series and minutes must be there or are
   * @param departures how many of them are not as they must be, and how
   * @param first the first differences, in words
   */
  public record Comparison(long series, Map<Departure, Long> departures, List<String> first) {
    /** Returns how many are not as they must be. */
    public long differences() {
      return Departure.total(departures);
    }
  }

  private final Map<Row, Feature> features = new TreeMap<>();
  private final Map<Row, Query> queries = new TreeMap<>();
  private long observations;

  /**
   * Adds a result that was published.
   *
   * @param publishedAt microseconds since the epoch
   */
  public void add(QueryResult result, long publishedAt) {
    long minute = Math.floorDiv(publishedAt, MINUTE) * MINUTE;
    if (result.getPart() == 0) {
      observations++;
      Query query =
          queries.computeIfAbsent(
              new Row(result.getEnvironmentId(), List.of(result.getQueryName()), minute),
              unused -> new Query());
      query.executions++;
      query.failures += result.getStatus() == Status.FAILED ? 1 : 0;
      query.partial += result.getStatus() == Status.PARTIAL ? 1 : 0;
      if (result.getExecutionStartedAt() != 0 && result.getExecutionFinishedAt() != 0) {
        query.latency.add(
            Math.max(0, result.getExecutionFinishedAt() - result.getExecutionStartedAt()) / 1e3);
      }
    }
    for (Frame frame : result.getFramesList()) {
      int rows = Math.max(frame.getStringKeysCount(), frame.getInt64KeysCount());
      for (Column column : frame.getColumnsList()) {
        observations += rows;
        add(
            features.computeIfAbsent(
                new Row(
                    result.getEnvironmentId(),
                    List.of(column.getFeature(), column.getResolverFqn(), result.getDeploymentId()),
                    minute),
                unused -> new Feature()),
            column,
            rows,
            result.getQueryTimestamp());
      }
    }
  }

  private static void add(Feature feature, Column column, int rows, long askedAt) {
    for (int row = 0; row < rows; row++) {
      if (column.getOrigin() == Origin.DEFAULT || column.getOrigin() == Origin.GIVEN) {
        feature.defaultsUsed += column.getOrigin() == Origin.DEFAULT ? 1 : 0;
        feature.given += column.getOrigin() == Origin.GIVEN ? 1 : 0;
        continue;
      }
      if (column.getOrigin() != Origin.COMPUTED) {
        feature.servedOnline += column.getOrigin() == Origin.ONLINE_STORE ? 1 : 0;
        feature.servedOffline += column.getOrigin() == Origin.OFFLINE_STORE ? 1 : 0;
        long observedAt = column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row);
        feature.staleness.add(Math.max(0, askedAt - observedAt) / 1e3);
        continue;
      }
      feature.computed++;
      if (row / 8 < column.getNulls().size()
          && (column.getNulls().byteAt(row / 8) >> row % 8 & 1) == 1) {
        feature.nulls++;
      } else if (column.getInt64ValuesCount() > 0) {
        feature.zeros += column.getInt64Values(row) == 0 ? 1 : 0;
        feature.values.add(BigDecimal.valueOf(column.getInt64Values(row)));
      } else if (column.getFloat64ValuesCount() > 0) {
        feature.zeros += column.getFloat64Values(row) == 0 ? 1 : 0;
        if (Double.isFinite(column.getFloat64Values(row))) {
          feature.values.add(column.getFloat64Values(row));
        } else {
          feature.nonFinite++;
        }
      }
    }
  }

  /** Returns how many executions and values have been added. */
  public long observations() {
    return observations;
  }

  /** Returns how many executions and values a store tells of. */
  public static long observations(OfflineReader store) throws UnavailableException {
    return Long.parseLong(
        String.valueOf(
            store
                .query(
                    "SELECT (SELECT coalesce(sum(computed + served_online + served_offline"
                        + " + coalesce(defaults_used, 0) + coalesce(given, 0)), 0)"
                        + " FROM tailrace_metrics.feature_metrics)"
                        + " + (SELECT coalesce(sum(executions), 0)"
                        + " FROM tailrace_metrics.query_metrics)",
                    1)
                .rows()
                .get(0)
                .get(0)));
  }

  /** Compares what a store tells, which reads the schema of metrics, with what was added. */
  public Comparison compare(OfflineReader store) throws UnavailableException {
    List<String> differences = new ArrayList<>();
    Map<Departure, Long> departures = new EnumMap<>(Departure.class);
    compare(
        features,
        rows(store, "feature_metrics", "feature", "resolver_fqn", "deployment_id"),
        (feature, found, wrong) -> {
          differs("computed", (double) feature.computed, found, wrong);
          differs("nulls", (double) feature.nulls, found, wrong);
          differs("served_online", (double) feature.servedOnline, found, wrong);
          differs("served_offline", (double) feature.servedOffline, found, wrong);
          differs("non_finite", (double) feature.nonFinite, found, wrong);
          differs("zeros", (double) feature.zeros, found, wrong);
          differs("defaults_used", (double) feature.defaultsUsed, found, wrong);
          differs("given", (double) feature.given, found, wrong);
          feature.values.compare("value", found, "", wrong);
          feature.staleness.compare("staleness", found, "_ms", wrong);
        },
        departures,
        differences);
    compare(
        queries,
        rows(store, "query_metrics", "query_name"),
        (query, found, wrong) -> {
          differs("executions", (double) query.executions, found, wrong);
          differs("failures", (double) query.failures, found, wrong);
          differs("partial", (double) query.partial, found, wrong);
          query.latency.compare("latency", found, "_ms", wrong);
        },
        departures,
        differences);
    return new Comparison(
        features.size() + queries.size(),
        Map.copyOf(departures),
        List.copyOf(differences.subList(0, Math.min(DIFFERENCES_LISTED, differences.size()))));
  }

  private interface Comparer<T> {
    void compare(T expected, Map<String, @Nullable String> found, Wrong wrong);
  }

  private static <T> void compare(
      Map<Row, T> expected,
      Map<Row, Map<String, @Nullable String>> found,
      Comparer<T> comparer,
      Map<Departure, Long> departures,
      List<String> differences) {
    expected.forEach(
        (row, what) -> {
          Map<String, @Nullable String> there = found.remove(row);
          Wrong wrong = new Wrong();
          if (there == null) {
            wrong.add(Departure.LOST, "not there");
          } else {
            comparer.compare(what, there, wrong);
          }
          wrong.first.ifPresent(
              departure -> {
                departures.merge(departure, 1L, Long::sum);
                differences.add(row + ": " + String.join(", ", wrong.words));
              });
        });
    found
        .keySet()
        .forEach(
            row -> {
              departures.merge(Departure.OTHER, 1L, Long::sum);
              differences.add(row + ": must not be there");
            });
  }

  private static Map<Row, Map<String, @Nullable String>> rows(
      OfflineReader store, String view, String... series) throws UnavailableException {
    OfflineReader.Table table =
        store.query(
            "SELECT *, CAST(extract(epoch FROM minute) AS BIGINT) AS second FROM tailrace_metrics."
                + view,
            ALL_ROWS);
    Map<Row, Map<String, @Nullable String>> rows = new TreeMap<>();
    for (List<@Nullable String> values : table.rows()) {
      Map<String, @Nullable String> row = new TreeMap<>();
      for (int i = 0; i < values.size(); i++) {
        row.put(table.columns().get(i), values.get(i));
      }
      List<String> of =
          List.of(series).stream()
              .map(column -> String.valueOf(row.get(column)))
              .collect(Collectors.toList());
      rows.put(
          new Row(
              String.valueOf(row.get("environment_id")),
              of,
              Long.parseLong(String.valueOf(row.get("second"))) * 1_000_000),
          row);
    }
    return rows;
  }

  private static void differs(
      String column, @Nullable Double expected, Map<String, @Nullable String> found, Wrong wrong) {
    String text = found.get(column);
    Double number = text == null ? null : Double.valueOf(text);
    if (expected == null ? number != null : !expected.equals(number)) {
      boolean isMore = expected == null || (number != null && number > expected);
      wrong.add(
          isMore ? Departure.DUPLICATED : Departure.LOST,
          String.format(
              Locale.ROOT,
              "%s must be %s and is %s",
              column,
              expected == null ? "null" : expected,
              text == null ? "null" : text));
    }
  }
}
