package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;

import java.io.Closeable;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.beam.runners.core.metrics.MetricUpdates.MetricUpdate;
import org.apache.beam.runners.core.metrics.MetricsContainerImpl;
import org.apache.beam.sdk.metrics.MetricsEnvironment;
import org.junit.Test;

/** How long messages took, as counters tell it. */
public class FreshnessCountersTest {
  private static final String STAGE = "Stage";
  private static final long PUBLISHED_AT = 1_700_000_000_000_000L;

  private final FreshnessCounters freshness = new FreshnessCounters(STAGE);
  private final MetricsContainerImpl metrics = new MetricsContainerImpl("step");

  @Test
  public void aMessageIsCountedInEveryStepThatItsTimeFitsInto() throws Exception {
    count(0, 1);
    count(10_999, 2);
    count(11_000, 4);
    count(3_600_000_000L, 8);
    count(3_600_001_000L, 16);
    Map<String, Long> counts = counts();

    assertThat(counts).containsEntry("freshness_up_to_10_ms", 3L);
    assertThat(counts).containsEntry("freshness_up_to_20_ms", 7L);
    assertThat(counts).containsEntry("freshness_up_to_50_ms", 7L);
    assertThat(counts).containsEntry("freshness_up_to_300000_ms", 7L);
    assertThat(counts).containsEntry("freshness_up_to_3600000_ms", 15L);
    assertThat(counts).containsEntry("freshness_count", 31L);
    // 0 + 2 * 10.999 + 4 * 11 + 8 * 3,600,000 + 16 * 3,600,001, rounded down.
    assertThat(counts.get("freshness_sum_ms")).isEqualTo(86_400_081L);
    assertThat(counts.keySet()).containsExactlyElementsIn(FreshnessCounters.names());
  }

  @Test
  public void stepsThatNothingFitsIntoAreToldAsZero() throws Exception {
    count(11_000, 1);

    assertThat(counts()).containsEntry("freshness_up_to_10_ms", 0L);
  }

  @Test
  public void aFlushTellsWhatCameSinceTheLastOneAndClearForgetsIt() throws Exception {
    count(1_000, 3);
    freshness.count(PUBLISHED_AT, PUBLISHED_AT + 1_000, 5);
    freshness.clear();
    count(1_000, 4);

    assertThat(counts()).containsEntry("freshness_count", 7L);
    assertThat(counts()).containsEntry("freshness_up_to_10_ms", 7L);
    assertThat(counts()).containsEntry("freshness_sum_ms", 7L);
  }

  @Test
  public void aClockThatIsBehindThePublishersCountsAsNoTime() throws Exception {
    count(-5_000_000, 1);

    assertThat(counts()).containsEntry("freshness_up_to_10_ms", 1L);
    assertThat(counts()).containsEntry("freshness_sum_ms", 0L);
  }

  @Test
  public void aQuantileIsTheEndOfTheStepThatItFallsInto() throws Exception {
    count(5_000, 90);
    count(150_000, 9);
    count(900_000, 1);

    assertThat(FreshnessCounters.quantileMillis(counts(), "", 0.5)).isEqualTo(10);
    assertThat(FreshnessCounters.quantileMillis(counts(), "", 0.99)).isEqualTo(200);
    assertThat(FreshnessCounters.quantileMillis(counts(), "", 1)).isEqualTo(1_000);
    assertThat(FreshnessCounters.quantileMillis(Map.of(), "", 0.5)).isEqualTo(-1);
  }

  @SuppressWarnings("try") // The scope is all that matters of the container.
  private void count(long micros, long messages) throws IOException {
    try (Closeable unused = MetricsEnvironment.scopedMetricsContainer(metrics)) {
      freshness.count(PUBLISHED_AT, PUBLISHED_AT + micros, messages);
      freshness.flush();
    }
  }

  private Map<String, Long> counts() {
    Map<String, Long> counts = new HashMap<>();
    for (MetricUpdate<Long> counter : metrics.getCumulative().counterUpdates()) {
      counts.put(counter.getKey().metricName().getName(), counter.getUpdate());
    }
    return counts;
  }
}
