package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.Summaries;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.QuerySummary;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;

/** What the views of every metrics store tell. */
@RunWith(Parameterized.class)
public class MetricsViewTest {
  @Rule public final MetricsDatabase database;

  public MetricsViewTest(MetricsDatabase.Kind kind) {
    database = new MetricsDatabase(kind);
  }

  @Parameters(name = "{0}")
  public static MetricsDatabase.Kind[] kinds() {
    return MetricsDatabase.Kind.values();
  }

  private void write(MetricsSummary... summaries) throws UnavailableException {
    try (MetricsStore.Connection connection = database.store("").connect()) {
      connection.write(List.of(summaries));
    }
  }

  private static FeatureSummary.Builder age() {
    return FeatureSummary.newBuilder()
        .setFeature("user.age")
        .setResolverFqn("age_of")
        .setDeploymentId("d1");
  }

  private static MetricsSummary laterEpoch(MetricsSummary summary) {
    return summary.toBuilder().setEpoch(summary.getEpoch() + 1_000_000).build();
  }

  private List<String> features(String columns) throws Exception {
    return database.rows(
        "SELECT " + columns + " FROM tailrace_metrics.feature_metrics ORDER BY minute, feature");
  }

  @Test
  public void aFeatureHasRatesAndADistribution() throws Exception {
    write(
        Summaries.of(
            age()
                .setComputed(8)
                .setNulls(2)
                .setServedOnline(24)
                .setServedOffline(8)
                .setNonFinite(1)
                .setZeros(3)
                .setDefaultsUsed(4)
                .setGiven(5)
                .setValues(Summaries.numbers(1, 2, 3, 4, 15))
                .setStalenessMillis(Summaries.numbers(100, 300))));

    assertThat(
            features(
                "environment_id, feature, resolver_fqn, deployment_id, CAST(overflow AS text),"
                    + " CAST(extract(epoch FROM minute) AS bigint), epochs, computed, nulls,"
                    + " served_online, served_offline, non_finite, null_rate, cache_hit_rate,"
                    + " zeros, defaults_used, given"))
        .containsExactly("prod|user.age|age_of|d1|false|1795514400|1|8|2|24|8|1|0.25|0.6|3|4|5");
    assertThat(
            features(
                "value_count, value_sum, value_min, value_max, value_mean, value_p50, value_p95,"
                    + " value_p99, staleness_count, staleness_sum_ms, staleness_min_ms,"
                    + " staleness_max_ms, staleness_mean_ms, staleness_p50_ms, staleness_p95_ms,"
                    + " staleness_p99_ms, CAST(updated_at IS NOT NULL AS text)"))
        .containsExactly("5|25|1|15|5|3|15|15|2|400|100|300|200|100|300|300|true");
  }

  @Test
  public void epochsAddUp() throws Exception {
    write(
        Summaries.of(age().setComputed(4).setNulls(1).setValues(Summaries.numbers(1, 2, 3))),
        laterEpoch(
            Summaries.of(age().setComputed(1).setServedOnline(5).setValues(Summaries.numbers(10)))),
        laterEpoch(Summaries.of(QuerySummary.newBuilder().setQueryName("q").setExecutions(1))),
        Summaries.of(
            QuerySummary.newBuilder()
                .setQueryName("q")
                .setExecutions(3)
                .setFailures(1)
                .setPartial(1)
                .setLatencyMillis(Summaries.numbers(2, 4))));

    // Quantiles are weighted: (3 * 2 + 1 * 10) / 4 and (3 * 3 + 1 * 10) / 4.
    assertThat(
            features(
                "epochs, computed, nulls, served_online, null_rate, cache_hit_rate, value_count,"
                    + " value_sum, value_min, value_max, value_mean, value_p50, value_p95"))
        .containsExactly("2|5|1|5|0.2|0.5|4|16|1|10|4|4|4.75");
    assertThat(
            database.rows(
                "SELECT environment_id, query_name, CAST(overflow AS text), epochs, executions,"
                    + " failures, partial, error_rate, latency_count, latency_sum_ms,"
                    + " latency_min_ms, latency_max_ms, latency_mean_ms, latency_p50_ms,"
                    + " latency_p95_ms, latency_p99_ms FROM tailrace_metrics.query_metrics"))
        .containsExactly("prod|q|false|2|4|1|1|0.25|2|6|2|4|3|2|4|4");
  }

  @Test
  public void aRateOfNothingIsNull() throws Exception {
    write(Summaries.of(age()), Summaries.of(QuerySummary.newBuilder().setQueryName("q")));

    assertThat(features("null_rate, cache_hit_rate, value_count, value_mean, staleness_p50_ms"))
        .containsExactly("null|null|null|null|null");
    assertThat(
            database.rows(
                "SELECT error_rate, latency_mean_ms, latency_p99_ms"
                    + " FROM tailrace_metrics.query_metrics"))
        .containsExactly("null|null|null");
  }

  @Test
  public void aResolverHasTheValuesOfAllItsFeatures() throws Exception {
    write(
        Summaries.of(age().setComputed(4).setNulls(1)),
        laterEpoch(Summaries.of(age().setComputed(2).setNulls(2))),
        Summaries.of(age().setFeature("user.name").setComputed(6)),
        Summaries.of(age().setDeploymentId("d2").setComputed(5)),
        Summaries.of(FeatureSummary.newBuilder().setOverflow(true).setComputed(7)));

    assertThat(
            database.rows(
                "SELECT environment_id, resolver_fqn, deployment_id, CAST(overflow AS text),"
                    + " features, computed, nulls, null_rate"
                    + " FROM tailrace_metrics.resolver_metrics ORDER BY computed"))
        .containsExactly(
            "prod|age_of|d2|false|1|5|0|0",
            "prod|||true|0|7|0|0",
            "prod|age_of|d1|false|2|12|3|0.25")
        .inOrder();
  }

  @Test
  public void numbersAtTheEdgesOfDoublesBlindNobody() throws Exception {
    Numbers huge = Summaries.numbers(Double.MAX_VALUE);
    Numbers negative = Summaries.numbers(-Double.MAX_VALUE, -Double.MAX_VALUE, 0);
    Numbers tiny = Summaries.numbers(Double.MIN_VALUE, 0, 0);
    int feature = 0;
    for (Numbers one : List.of(huge, negative, tiny)) {
      for (Numbers other : List.of(huge, negative, tiny)) {
        String name = "user.f" + feature++;
        write(
            Summaries.of(age().setFeature(name).setComputed(3).setValues(one)),
            laterEpoch(Summaries.of(age().setFeature(name).setComputed(3).setValues(other))));
      }
      write(Summaries.of(age().setFeature("user.one" + feature).setComputed(3).setValues(one)));
    }

    List<String> all =
        features("feature, value_sum, value_mean, value_min, value_max, value_p50, value_p99");
    assertThat(all).hasSize(12);
    assertThat(
            database.rows(
                "SELECT count(*) FROM tailrace_metrics.feature_metrics WHERE feature = 'user.one3'"
                    + " AND value_sum = 1.7976931348623157e308 AND value_p50 = value_sum"
                    + " AND value_mean = value_sum"))
        .containsExactly("1");
  }

  @Test
  public void epochsWithoutASketchHaveNoQuantiles() throws Exception {
    Numbers unsketched = Summaries.numbers(1, 2).toBuilder().clearKllSketch().build();
    write(
        Summaries.of(age().setFeature("user.none").setComputed(2).setValues(unsketched)),
        laterEpoch(
            Summaries.of(age().setFeature("user.none").setComputed(2).setValues(unsketched))),
        Summaries.of(age().setFeature("user.some").setComputed(2).setValues(unsketched)),
        laterEpoch(
            Summaries.of(
                age().setFeature("user.some").setComputed(1).setValues(Summaries.numbers(10)))));

    assertThat(features("feature, epochs, value_count, value_sum, value_p50, value_p99"))
        .containsExactly("user.none|2|4|6|null|null", "user.some|2|3|13|10|10")
        .inOrder();
  }

  @Test
  public void aViewOfSomebodysOwnIsKept() throws Exception {
    write(Summaries.of(age().setComputed(4)));
    database.execute(
        "DROP VIEW tailrace_metrics.feature_metrics",
        "CREATE VIEW tailrace_metrics.feature_metrics AS SELECT 'mine' AS whose");

    write(Summaries.of(age().setComputed(5)));

    assertThat(database.rows("SELECT whose FROM tailrace_metrics.feature_metrics"))
        .containsExactly("mine");
    assertThat(database.rows("SELECT computed FROM tailrace_metrics.resolver_metrics"))
        .containsExactly("5");
  }
}
