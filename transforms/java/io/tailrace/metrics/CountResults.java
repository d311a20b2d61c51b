package io.tailrace.metrics;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.MessageTime;
import io.tailrace.endpoint.Micros;
import io.tailrace.result.Column;
import io.tailrace.result.ColumnSpec;
import io.tailrace.result.Frame;
import io.tailrace.result.Result;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.StageCounters;
import io.tailrace.v1.QueryResult.Status;
import java.time.Duration;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.transforms.windowing.GlobalWindow;
import org.apache.beam.sdk.values.KV;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Counts the results of a bundle by series and minute, and puts out a tally of each at its end, so
 * that what comes after handles series rather than values: a runner may lift no combiner in front
 * of its shuffle.
 */
final class CountResults extends DoFn<Result, KV<Integer, Optional<SeriesTally>>> {
  private static final long serialVersionUID = 1;

  /** How far brokers' clocks may be ahead of this one's, in microseconds. */
  private static final long MAX_CLOCK_SKEW = Micros.of(Duration.ofMinutes(5));

  private static final long MINUTE_MICROS = Micros.of(SummarizeResults.MINUTE);
  private static final double MICROS_PER_MILLI = 1_000;

  /** About what a series takes here at the most: two sketches. */
  private static final long SERIES_BYTES = 8_000;

  /** Series that are held at once: an eighth of the heap. */
  private static final int MAX_HELD =
      (int) Math.max(1_000, Math.min(50_000, Runtime.getRuntime().maxMemory() / 8 / SERIES_BYTES));

  /** Columns and queries whose tallies are found at once; results that were shuffled share none. */
  private static final int MAX_FOUND = 4 * MAX_HELD;

  private final int maxSeries;
  private final long keptMicros;
  private final Counts counts = new Counts();

  // Of this bundle.
  private transient Map<Scope, Held> scopes;
  private transient int heldSeries;
  private transient int found;
  private transient @Nullable Scope lastScope;
  private transient @Nullable Held last;

  /**
   * Creates one.
   *
   * @param keptMicros for how long the bus keeps messages: what a publisher says is from before
   *     that is no time of an event
   */
  CountResults(int maxSeries, long keptMicros) {
    this.maxSeries = maxSeries;
    this.keptMicros = keptMicros;
  }

  /** What this part of the stage counts. */
  static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count received =
        count("results_received", "messages", "results, before anything is done");
    final Count valuesReceived = count("values_received", "values", "their values of features");
    final Count results =
        count("results_summarized", "messages", "results that were counted in their series");
    final Count values =
        count("values_summarized", "values", "values of features that were counted in a series");
    final Count clockAhead =
        count(
            "results_clock_ahead",
            "messages",
            "results published later than the writer's clock allows");
    final FreshnessCounters freshness = freshness();

    Counts() {
      super(SummarizeResults.STAGE);
      accounts(received, results);
      accounts(valuesReceived, values);
    }
  }

  /** What the series of a result have in common. */
  private record Scope(String environment, String deployment, long minute) {}

  /**
   * The tallies of a scope. Columns of one query share their spec, mostly: it finds them sooner.
   */
  private static final class Held {
    final Map<SeriesKey, Tally> series = new HashMap<>();
    final IdentityHashMap<ColumnSpec, Tally> bySpec = new IdentityHashMap<>();
    final Map<String, Tally> byQuery = new HashMap<>();
  }

  @StartBundle
  public void startBundle() {
    begin();
    counts.clear();
  }

  private void begin() {
    scopes = new HashMap<>();
    heldSeries = 0;
    found = 0;
    lastScope = null;
    last = null;
  }

  /** Counts a result. */
  @ProcessElement
  public void count(
      @Element Result result, OutputReceiver<KV<Integer, Optional<SeriesTally>>> out) {
    counts.received.add(1);
    counts.valuesReceived.add(result.values());
    Held held =
        held(
            new Scope(
                result.environmentId(), result.deploymentId(), minute(result.message().time())));
    counts.freshness.count(
        result.message().publishedAt(), Micros.ofMillis(System.currentTimeMillis()), 1);
    // The parts of a divided result say the same of the execution.
    if (result.part() == 0) {
      countExecution(query(held, result), result);
      // What the database can't count is no number.
      if (result.hasPublisher() && result.sequence() >= 0) {
        tally(held, SeriesKey.ofPublisher(result.environmentId(), result.publisherId()))
            .countPublished(result.sequence());
      }
    }
    for (Frame frame : result.frames()) {
      int rows = frame.rows();
      for (Column column : frame.columns()) {
        countColumn(feature(held, column.spec()), column, rows, result.queryTimestamp());
      }
    }
    counts.results.add(1);
    if (heldSeries > MAX_HELD || found > MAX_FOUND) {
      putOut((tally, timestamp) -> out.outputWithTimestamp(tally, timestamp));
    }
  }

  /** Returns the minute that a result is counted in, in microseconds since the epoch. */
  private long minute(MessageTime time) {
    long now = Micros.ofMillis(System.currentTimeMillis());
    long at = time.eventTime(keptMicros, now);
    if (at > now + MAX_CLOCK_SKEW) {
      // A window in a far future would be kept until then.
      counts.clockAhead.add(1);
      at = now;
    }
    return Math.floorDiv(at, MINUTE_MICROS) * MINUTE_MICROS;
  }

  private Held held(Scope scope) {
    if (last != null && scope.equals(lastScope)) {
      return last;
    }
    Held held = scopes.computeIfAbsent(scope, unused -> new Held());
    lastScope = scope;
    last = held;
    return held;
  }

  private Tally query(Held held, Result result) {
    String name = result.queryName();
    Tally known = held.byQuery.get(name);
    if (known == null) {
      known = tally(held, SeriesKey.ofQuery(result.environmentId(), name));
      held.byQuery.put(name, known);
      found++;
    }
    return known;
  }

  private Tally feature(Held held, ColumnSpec spec) {
    Tally known = held.bySpec.get(spec);
    if (known == null) {
      Scope scope = requireNonNull(lastScope);
      known =
          tally(
              held,
              SeriesKey.ofFeature(
                  scope.environment, scope.deployment, spec.feature(), spec.resolverFqn()));
      held.bySpec.put(spec, known);
      found++;
    }
    return known;
  }

  private Tally tally(Held held, SeriesKey key) {
    SeriesKey storable = key.isStorable() ? key : key.overflow();
    Tally known = held.series.get(storable);
    if (known == null) {
      known = new Tally();
      held.series.put(storable, known);
      heldSeries++;
    }
    return known;
  }

  private static void countExecution(Tally tally, Result result) {
    tally.count(Tally.Count.EXECUTIONS, 1);
    if (result.status() == Status.FAILED) {
      tally.count(Tally.Count.FAILURES, 1);
    } else if (result.status() == Status.PARTIAL) {
      tally.count(Tally.Count.PARTIAL, 1);
    }
    long started = result.executionStartedAt();
    long finished = result.executionFinishedAt();
    if (started != 0 && finished != 0) {
      tally.millis().add(Math.max(0, finished - started) / MICROS_PER_MILLI);
    }
  }

  private static void countColumn(Tally tally, Column column, int rows, long queryTimestamp) {
    Tally.Count origin =
        switch (column.spec().origin()) {
          case COMPUTED -> Tally.Count.COMPUTED;
          case ONLINE_STORE -> Tally.Count.SERVED_ONLINE;
          case OFFLINE_STORE -> Tally.Count.SERVED_OFFLINE;
          case DEFAULT -> Tally.Count.DEFAULTS_USED;
          case GIVEN -> Tally.Count.GIVEN;
        };
    tally.count(origin, rows);
    if (origin == Tally.Count.DEFAULTS_USED || origin == Tally.Count.GIVEN) {
      return;
    }
    if (origin != Tally.Count.COMPUTED) {
      for (int row = 0; row < rows; row++) {
        tally.millis().add(Math.max(0, queryTimestamp - column.observedAt(row)) / MICROS_PER_MILLI);
      }
      return;
    }
    int nulls = 0;
    int zeros = 0;
    int nonFinite = 0;
    for (int row = 0; row < rows; row++) {
      if (column.isNull(row)) {
        nulls++;
        continue;
      }
      switch (column.spec().type()) {
        case INT64 -> {
          long value = column.int64(row);
          zeros += value == 0 ? 1 : 0;
          tally.values().add(value);
        }
        case FLOAT64 -> {
          double value = column.float64(row);
          zeros += value == 0 ? 1 : 0;
          if (Double.isFinite(value)) {
            tally.values().add(value);
          } else {
            nonFinite++;
          }
        }
        default -> {}
      }
    }
    tally.count(Tally.Count.NULLS, nulls);
    tally.count(Tally.Count.NON_FINITE, nonFinite);
    tally.count(Tally.Count.ZEROS, zeros);
  }

  private interface Receiver {
    void put(KV<Integer, Optional<SeriesTally>> tally, Instant timestamp);
  }

  private void putOut(Receiver out) {
    scopes.forEach(
        (scope, held) -> {
          Instant timestamp = new Instant(Micros.toMillis(scope.minute));
          held.series.forEach(
              (key, tally) -> {
                counts.values.add(tally.valuesOfFeatures());
                tally.settle();
                SeriesShard shard = SeriesShard.of(key, maxSeries);
                out.put(
                    KV.of(shard.slot(), Optional.of(new SeriesTally(shard, key, tally))),
                    timestamp);
              });
        });
    begin();
  }

  @FinishBundle
  public void finishBundle(FinishBundleContext context) {
    putOut((tally, timestamp) -> context.output(tally, timestamp, GlobalWindow.INSTANCE));
    counts.finish();
  }

  /** The minute of a result may begin long before the result. */
  @Override
  @SuppressWarnings("deprecation")
  public org.joda.time.Duration getAllowedTimestampSkew() {
    return org.joda.time.Duration.millis(BoundedWindow.TIMESTAMP_MAX_VALUE.getMillis());
  }
}
