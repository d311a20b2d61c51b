package io.tailrace.testing;

import com.google.protobuf.ByteString;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.MetricsSummary.Timing;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.PublisherSummary;
import io.tailrace.v1.QuerySummary;
import java.util.Arrays;
import org.apache.datasketches.kll.KllDoublesSketch;

/** Makes summaries for tests. */
public final class Summaries {
  /** The environment of the summaries. */
  public static final String ENVIRONMENT = "prod";

  /** 2026-11-24T10:00:00Z, in microseconds since the epoch. */
  public static final long MINUTE = 1_795_514_400_000_000L;

  /** How long a minute is. */
  public static final long ONE_MINUTE = 60_000_000L;

  /** When the job began. */
  public static final long EPOCH = MINUTE - 123_456_789L;

  private Summaries() {}

  /** Returns the first summary of a feature's minute, with nothing in it. */
  public static MetricsSummary feature(String name) {
    return of(
        FeatureSummary.newBuilder().setFeature(name).setResolverFqn("r").setDeploymentId("d"));
  }

  /** Returns the first summary of a feature's minute. */
  public static MetricsSummary of(FeatureSummary.Builder feature) {
    return minute().setFeature(feature).build();
  }

  /** Returns the first summary of a query's minute. */
  public static MetricsSummary of(QuerySummary.Builder query) {
    return minute().setQuery(query).build();
  }

  /** Returns the first summary of a publisher's minute. */
  public static MetricsSummary publisher(String id, long results, long least, long greatest) {
    return minute()
        .setPublisher(
            PublisherSummary.newBuilder()
                .setPublisherId(id)
                .setResults(results)
                .setLeast(least)
                .setGreatest(greatest))
        .build();
  }

  private static MetricsSummary.Builder minute() {
    return MetricsSummary.newBuilder()
        .setEnvironmentId(ENVIRONMENT)
        .setMinute(MINUTE)
        .setEpoch(EPOCH)
        .setTiming(Timing.EARLY);
  }

  /** Returns a summary of so many computed values, as a pane. */
  public static MetricsSummary computed(MetricsSummary of, long computed, long pane) {
    return of.toBuilder()
        .setPane(pane)
        .setFeature(of.getFeature().toBuilder().setComputed(computed))
        .build();
  }

  /** Returns a distribution. */
  public static Numbers numbers(double... values) {
    KllDoublesSketch sketch = KllDoublesSketch.newHeapInstance();
    for (double value : values) {
      sketch.update(value);
    }
    return Numbers.newBuilder()
        .setCount(values.length)
        .setSum(Arrays.stream(values).sum())
        .setMin(Arrays.stream(values).min().orElseThrow())
        .setMax(Arrays.stream(values).max().orElseThrow())
        .setKllSketch(ByteString.copyFrom(sketch.toByteArray()))
        .build();
  }
}
