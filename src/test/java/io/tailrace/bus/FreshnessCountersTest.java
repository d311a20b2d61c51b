package io.tailrace.bus;

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
  public void aMessageIsCountedInTheFirstStepThatItsTimeFitsInto() throws Exception {
    count(0, 1);
    count(10_999, 2);
    count(11_000, 4);
    count(3_600_000_000L, 8);
    count(3_600_001_000L, 16);

    assertThat(counts())
        .containsExactly(
            "freshness_up_to_10_ms", 3L,
            "freshness_up_to_20_ms", 4L,
            "freshness_up_to_3600000_ms", 8L,
            "freshness_longer", 16L);
  }

  @Test
  public void aClockThatIsBehindThePublishersCountsAsNoTime() throws Exception {
    count(-5_000_000, 1);

    assertThat(counts()).containsExactly("freshness_up_to_10_ms", 1L);
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
    }
  }

  private Map<String, Long> counts() {
    Map<String, Long> counts = new HashMap<>();
    for (MetricUpdate<Long> counter : metrics.getCumulative().counterUpdates()) {
      if (counter.getUpdate() > 0) {
        counts.put(counter.getKey().metricName().getName(), counter.getUpdate());
      }
    }
    return counts;
  }
}
