package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsDatabase;
import io.tailrace.metrics.MetricsStore;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.MetricsSummary.Timing;
import io.tailrace.v1.QuerySummary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.DoubleStream;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.Rule;
import org.junit.Test;

/**
 * What every metrics store must do with summaries, on real servers. A store's own test says where
 * it is.
 */
public abstract class MetricsStoreContract {
  private static final String KEY =
      "environment_id, feature, resolver_fqn, deployment_id,"
          + " CAST(extract(epoch FROM minute) AS bigint), CAST(overflow AS text)";

  @Rule public final MetricsDatabase database;

  protected MetricsStoreContract(MetricsDatabase database) {
    this.database = database;
  }

  /** Returns the parameters of a store that gives up early when it is away. */
  protected abstract String impatient();

  /** Takes the store away; nothing is connected to it. */
  protected abstract void takeAway() throws Exception;

  /** Brings it back as it was. */
  protected abstract void bringBack() throws Exception;

  /** Returns a part of what a check says while it is away. */
  protected abstract String saidWhileAway();

  private int write(MetricsSummary... summaries) throws UnavailableException {
    try (MetricsStore.Connection connection = database.store("").connect()) {
      return connection.write(List.of(summaries));
    }
  }

  @Test
  public void aStoreIsAValueThatPassesItsCheck() throws Exception {
    MetricsStore store = SerializableUtils.clone(database.store(""));

    assertThat(store.uri()).isEqualTo(database.store("").uri());
    store.check();
  }

  @Test
  public void aStoreHoldsAnId() throws Exception {
    String id = database.store("").identity();

    assertThat(id).isNotEmpty();
    assertThat(database.store("").identity()).isEqualTo(id);
    database.store("").connect().close();
  }

  @Test
  public void aStoreThatIsAwayIsNamedAndLosesNothing() throws Exception {
    MetricsStore store = database.store(impatient());
    MetricsSummary before = Summaries.computed(Summaries.feature("user.age"), 1, 0);
    MetricsSummary after = Summaries.computed(Summaries.feature("user.height"), 2, 0);
    write(before);
    try (MetricsStore.Connection connection = store.connect()) {
      takeAway();
      try {
        assertThat(assertThrows(UnavailableException.class, store::check))
            .hasMessageThat()
            .contains(saidWhileAway());
        assertThrows(UnavailableException.class, () -> connection.write(List.of(before, after)));
      } finally {
        bringBack();
      }

      store.check();
      assertThat(connection.write(List.of(before, after))).isEqualTo(1);
    }
    assertThat(
            database.rows(
                "SELECT feature, computed FROM tailrace_metrics.feature_minutes ORDER BY 1"))
        .containsExactly("user.age|1", "user.height|2")
        .inOrder();
  }

  @Test
  public void aSummaryIsARow() throws Exception {
    int changed =
        write(
            Summaries.of(
                FeatureSummary.newBuilder()
                    .setFeature("user.age")
                    .setResolverFqn("age_of")
                    .setDeploymentId("d1")
                    .setComputed(10)
                    .setNulls(2)
                    .setServedOnline(3)
                    .setServedOffline(4)
                    .setNonFinite(1)
                    .setZeros(2)
                    .setDefaultsUsed(5)
                    .setGiven(6)
                    .setValues(Summaries.numbers(1, 2, 3, 4, 5, 6, 21.5))
                    .setStalenessMillis(Summaries.numbers(10, 20))),
            Summaries.of(
                QuerySummary.newBuilder()
                    .setQueryName("ages")
                    .setExecutions(9)
                    .setFailures(2)
                    .setPartial(1)
                    .setLatencyMillis(Summaries.numbers(7))));

    assertThat(changed).isEqualTo(2);
    assertThat(
            database.rows(
                "SELECT "
                    + KEY
                    + ", timing, computed, nulls, served_online, served_offline, non_finite,"
                    + " value_count, value_sum, value_min, value_max, value_p50, value_p95,"
                    + " value_p99, staleness_count, staleness_sum_ms, staleness_min_ms,"
                    + " staleness_max_ms, staleness_p50_ms, staleness_p95_ms, staleness_p99_ms,"
                    + " zeros, defaults_used, given"
                    + " FROM tailrace_metrics.feature_minutes"))
        .containsExactly(
            "prod|user.age|age_of|d1|1795514400|false|early|10|2|3|4|1|7|42.5|1|21.5|4|21.5|21.5"
                + "|2|30|10|20|10|20|20|2|5|6");
    assertThat(
            database.rows(
                "SELECT environment_id, query_name, executions, failures, partial, latency_count,"
                    + " latency_sum_ms, latency_min_ms, latency_max_ms, latency_p50_ms,"
                    + " latency_p95_ms, latency_p99_ms FROM tailrace_metrics.query_minutes"))
        .containsExactly("prod|ages|9|2|1|1|7|7|7|7|7|7");
    assertThat(
            database.rows(
                "SELECT CAST(extract(epoch FROM epoch) * 1000000 AS bigint), pane,"
                    + " CAST(updated_at BETWEEN now() - INTERVAL '1 minute' AND now() AS text)"
                    + " FROM tailrace_metrics.feature_minutes"))
        .containsExactly(Summaries.EPOCH + "|0|true");
  }

  @Test
  public void aPublishersNumbersTellWhatIsMissingAndWhatCameTwice() throws Exception {
    MetricsSummary first = Summaries.publisher("sound", 10, 0, 9);
    int changed =
        write(
            first,
            first.toBuilder()
                .setMinute(first.getMinute() + Summaries.ONE_MINUTE)
                .setEnvironmentId("other")
                .setPublisher(first.getPublisher().toBuilder().setLeast(10).setGreatest(19))
                .build(),
            Summaries.publisher("gaps", 7, 100, 109),
            Summaries.publisher("repeats", 12, 5, 14),
            Summaries.publisher("one", 1, Long.MAX_VALUE, Long.MAX_VALUE),
            Summaries.publisher("all", 2, 0, Long.MAX_VALUE));

    assertThat(changed).isEqualTo(6);
    assertThat(
            database.rows(
                "SELECT publisher_id, results, least_sequence, greatest_sequence, missing, repeated"
                    + " FROM tailrace_metrics.publisher_gaps ORDER BY 1"))
        .containsExactly(
            "all|2|0|9223372036854775807|9223372036854775806|0",
            "gaps|7|100|109|3|0",
            "one|1|9223372036854775807|9223372036854775807|0|0",
            "repeats|12|5|14|0|2",
            "sound|20|0|19|0|0")
        .inOrder();
  }

  @Test
  public void whatThereIsNoneOfIsNull() throws Exception {
    write(
        Summaries.feature("user.name"),
        Summaries.of(
            FeatureSummary.newBuilder()
                .setOverflow(true)
                .setServedOnline(2)
                .setStalenessMillis(Summaries.numbers(1, 2).toBuilder().clearKllSketch())));

    assertThat(
            database.rows(
                "SELECT feature, value_count, value_sum, value_min, value_p50, value_sketch,"
                    + " staleness_count, staleness_max_ms, staleness_p99_ms, staleness_sketch"
                    + " FROM tailrace_metrics.feature_minutes ORDER BY overflow"))
        .containsExactly(
            "user.name|null|null|null|null|null|null|null|null|null",
            "|null|null|null|null|null|2|2|null|null")
        .inOrder();
  }

  @Test
  public void aStoredSketchTellsTheSameQuantilesAsItsColumns() throws Exception {
    double[] values = DoubleStream.iterate(0, value -> value + 1).limit(100_000).toArray();
    write(
        Summaries.of(
            FeatureSummary.newBuilder()
                .setFeature("user.age")
                .setComputed(values.length)
                .setValues(Summaries.numbers(values))));

    List<String> quantiles =
        List.of(
            database
                .rows(
                    "SELECT value_p50, value_p95, value_p99 FROM tailrace_metrics.feature_minutes")
                .get(0)
                .split("\\|"));
    // The stated error is one of rank, and a value is its rank here.
    assertThat(Double.parseDouble(quantiles.get(0))).isWithin(1_330).of(50_000);
    assertThat(Double.parseDouble(quantiles.get(1))).isWithin(1_330).of(95_000);
    assertThat(Double.parseDouble(quantiles.get(2))).isWithin(1_330).of(99_000);
  }

  @Test
  public void ofTwoSummariesTheOneThatCountsMoreStands() throws Exception {
    MetricsSummary feature = Summaries.feature("user.age");
    write(Summaries.computed(feature, 10, 3));

    assertThat(write(Summaries.computed(feature, 9, 4))).isEqualTo(0);
    assertThat(write(Summaries.computed(feature, 10, 2))).isEqualTo(0);
    assertThat(rank()).containsExactly("10|3");

    assertThat(write(Summaries.computed(feature, 10, 4))).isEqualTo(1);
    assertThat(rank()).containsExactly("10|4");
    assertThat(write(Summaries.computed(feature, 11, 0))).isEqualTo(1);
    assertThat(rank()).containsExactly("11|0");
  }

  private List<String> rank() throws Exception {
    return database.rows("SELECT computed, pane FROM tailrace_metrics.feature_minutes");
  }

  @Test
  public void servedValuesAndExecutionsCountToo() throws Exception {
    FeatureSummary.Builder served =
        FeatureSummary.newBuilder().setFeature("user.age").setServedOnline(5).setServedOffline(5);
    QuerySummary.Builder query = QuerySummary.newBuilder().setQueryName("q").setExecutions(3);
    write(Summaries.of(served), Summaries.of(query));

    assertThat(
            write(
                Summaries.of(served.setServedOnline(0).setServedOffline(9)),
                Summaries.of(query.setExecutions(2))))
        .isEqualTo(0);
    assertThat(
            write(Summaries.of(served.setServedOffline(11)), Summaries.of(query.setExecutions(4))))
        .isEqualTo(2);
    assertThat(write(Summaries.of(served.setServedOffline(5).setDefaultsUsed(5)))).isEqualTo(0);
    assertThat(write(Summaries.of(served.setGiven(2)))).isEqualTo(1);
    assertThat(write(Summaries.of(served.setGiven(0).setDefaultsUsed(6)))).isEqualTo(0);
  }

  @Test
  public void seriesOfReservedNamespacesGoAfterADayAndNoOthers() throws Exception {
    long minute = System.currentTimeMillis() / 60_000 * Summaries.ONE_MINUTE;
    List<MetricsSummary> summaries = new ArrayList<>();
    // The second is of the namespace 'tailrace', which is anybody's.
    for (String feature : List.of("tailrace.probe.age", "tailrace.age", "user.age")) {
      for (long hours : List.of(25, 23)) {
        summaries.add(
            Summaries.computed(Summaries.feature(feature), 1, 0).toBuilder()
                .setMinute(minute - hours * 60 * Summaries.ONE_MINUTE)
                .build());
      }
    }

    write(summaries.toArray(MetricsSummary[]::new));

    assertThat(
            database.rows(
                "SELECT feature, count(*) FROM tailrace_metrics.feature_minutes GROUP BY 1"
                    + " ORDER BY 1"))
        .containsExactly("tailrace.age|2", "tailrace.probe.age|1", "user.age|2");
  }

  @Test
  public void whatSomebodyDoesToTablesWhileAWriterRunsIsSeenBeforeItRefuses() throws Exception {
    String table = "tailrace_metrics.feature_minutes";
    try (MetricsStore.Connection connection = database.store(impatient()).connect()) {
      assertThat(connection.write(List.of(computed(1)))).isEqualTo(1);

      database.execute("DROP TABLE " + table + " CASCADE");
      assertThat(connection.write(List.of(computed(2)))).isEqualTo(1);
      assertThat(database.rows("SELECT computed FROM tailrace_metrics.feature_metrics"))
          .containsExactly("2");

      database.execute("ALTER TABLE " + table + " RENAME TO aside");
      assertThat(connection.write(List.of(computed(3)))).isEqualTo(1);
      assertThat(database.rows("SELECT computed FROM " + table)).containsExactly("3");

      database.execute(
          "DROP TABLE " + table + " CASCADE", "CREATE TABLE " + table + " (feature BIGINT)");
      assertThat(
              assertThrows(
                  UnavailableException.class, () -> connection.write(List.of(computed(4)))))
          .hasMessageThat()
          .contains(" has feature ");

      database.execute("DROP TABLE " + table + " CASCADE");
      assertThat(connection.write(List.of(computed(5)))).isEqualTo(1);
    }
  }

  private static MetricsSummary computed(long values) {
    return Summaries.computed(Summaries.feature("user.age"), values, 0);
  }

  @Test
  public void aReplayChangesNothing() throws Exception {
    List<MetricsSummary> summaries = random(new Random(7), 300);
    write(summaries.toArray(MetricsSummary[]::new));
    List<String> before = database.contents();

    int changed = write(summaries.toArray(MetricsSummary[]::new));

    assertThat(changed).isEqualTo(0);
    assertThat(database.contents()).isEqualTo(before);
  }

  @Test
  public void anyOrderRepetitionAndNumberOfWritersEndsInTheSameRows() throws Exception {
    for (int seed = 0; seed < 5; seed++) {
      Random random = new Random(seed);
      List<MetricsSummary> summaries = random(random, 400);
      ExecutorService threads = Executors.newFixedThreadPool(3);
      try {
        List<Future<?>> writers = new ArrayList<>();
        for (int writer = 0; writer < 3; writer++) {
          List<MetricsSummary> own = new ArrayList<>(summaries);
          own.addAll(summaries.subList(0, 100));
          Collections.shuffle(own, random);
          int batch = 1 + random.nextInt(150);
          writers.add(threads.submit(() -> writeInBatches(own, batch)));
        }
        for (Future<?> writer : writers) {
          writer.get();
        }
      } finally {
        threads.shutdownNow();
      }

      // Rows of the seeds before stay: their minutes are others.
      assertWithMessage("seed %s", seed)
          .that(
              database.rows(
                  "SELECT environment_id || feature || resolver_fqn || deployment_id"
                      + " || CAST(overflow AS text), CAST(extract(epoch FROM minute) AS bigint),"
                      + " CAST(extract(epoch FROM epoch) * 1000000 AS bigint), pane, timing,"
                      + " computed, served_online, value_sum"
                      + " FROM tailrace_metrics.feature_minutes WHERE minute >= "
                      + time(summaries)
                      + " UNION ALL SELECT environment_id || query_name || CAST(overflow AS text),"
                      + " CAST(extract(epoch FROM minute) AS bigint),"
                      + " CAST(extract(epoch FROM epoch) * 1000000 AS bigint), pane, timing,"
                      + " executions, failures, latency_sum_ms"
                      + " FROM tailrace_metrics.query_minutes WHERE minute >= "
                      + time(summaries)))
          .containsExactlyElementsIn(model(summaries));
    }
  }

  private static String time(List<MetricsSummary> summaries) {
    long first = summaries.stream().mapToLong(MetricsSummary::getMinute).min().orElseThrow();
    return "to_timestamp(" + first / 1_000_000 + ")";
  }

  private Void writeInBatches(List<MetricsSummary> summaries, int batch)
      throws UnavailableException {
    try (MetricsStore.Connection connection = database.store("").connect()) {
      for (int from = 0; from < summaries.size(); from += batch) {
        connection.write(summaries.subList(from, Math.min(summaries.size(), from + batch)));
      }
      return null;
    }
  }

  private int minutes;

  /** Summaries of a few series, whose content follows from their key, count and pane. */
  private List<MetricsSummary> random(Random random, int summaries) {
    List<MetricsSummary> made = new ArrayList<>();
    long first = Summaries.MINUTE + Summaries.ONE_MINUTE * 2L * minutes++;
    for (int i = 0; i < summaries; i++) {
      int count = 3 + random.nextInt(5);
      int pane = random.nextInt(4);
      boolean overflow = random.nextInt(5) == 0;
      MetricsSummary.Builder summary =
          MetricsSummary.newBuilder()
              .setEnvironmentId(random.nextBoolean() ? "prod" : "test")
              .setMinute(first + (random.nextBoolean() ? 0 : Summaries.ONE_MINUTE))
              .setEpoch(Summaries.EPOCH + random.nextInt(2))
              .setPane(pane)
              .setTiming(Timing.forNumber(1 + pane % 3));
      if (random.nextInt(3) == 0) {
        summary.setQuery(
            QuerySummary.newBuilder()
                .setQueryName(overflow ? "" : "q" + random.nextInt(2))
                .setOverflow(overflow)
                .setExecutions(count)
                .setFailures(pane % 2)
                .setLatencyMillis(Summaries.numbers(count, pane)));
      } else {
        summary.setFeature(
            FeatureSummary.newBuilder()
                .setFeature(overflow ? "" : "user.f" + random.nextInt(2))
                .setResolverFqn("r" + random.nextInt(2))
                .setDeploymentId("d" + random.nextInt(2))
                .setOverflow(overflow)
                .setComputed(count - 1)
                .setServedOnline(1)
                .setValues(Summaries.numbers(count, pane)));
      }
      made.add(summary.build());
    }
    return made;
  }

  /** The rows that must be there, found in a way of its own. */
  private static List<String> model(List<MetricsSummary> summaries) {
    Map<String, MetricsSummary> standing = new HashMap<>();
    for (MetricsSummary summary : summaries) {
      MetricsSummary other = standing.get(key(summary));
      if (other == null || rank(summary) > rank(other)) {
        standing.put(key(summary), summary);
      }
    }
    List<String> rows = new ArrayList<>();
    standing.forEach(
        (key, summary) -> {
          FeatureSummary feature = summary.getFeature();
          QuerySummary query = summary.getQuery();
          rows.add(
              String.join(
                  "|",
                  key,
                  String.valueOf(summary.getPane()),
                  summary.getTiming().name().toLowerCase(Locale.ROOT),
                  String.valueOf(feature.getComputed() + query.getExecutions()),
                  String.valueOf(feature.getServedOnline() + query.getFailures()),
                  String.valueOf(
                      (long) (feature.getValues().getSum() + query.getLatencyMillis().getSum()))));
        });
    return rows;
  }

  private static String key(MetricsSummary summary) {
    FeatureSummary feature = summary.getFeature();
    QuerySummary query = summary.getQuery();
    return summary.getEnvironmentId()
        + feature.getFeature()
        + feature.getResolverFqn()
        + feature.getDeploymentId()
        + query.getQueryName()
        + (feature.getOverflow() || query.getOverflow())
        + "|"
        + summary.getMinute() / 1_000_000
        + "|"
        + summary.getEpoch();
  }

  private static long rank(MetricsSummary summary) {
    FeatureSummary feature = summary.getFeature();
    return 100 * (feature.getComputed() + feature.getServedOnline())
        + 100 * summary.getQuery().getExecutions()
        + summary.getPane();
  }
}
