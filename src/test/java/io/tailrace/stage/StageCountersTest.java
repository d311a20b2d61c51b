package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.apache.beam.sdk.metrics.MetricQueryResults;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a stage has counted in a bundle. */
@RunWith(JUnit4.class)
public class StageCountersTest {
  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  private static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count read = count("results_read", "messages", "read from the bus");
    final Count written = count("results_written", "messages", "written");
    final FreshnessCounters freshness = freshness();

    Counts() {
      super("Stage");
    }
  }

  @Test
  public void saysWhatItCountsInTheOrderOfItsDeclaration() {
    Counts counts = new Counts();

    assertThat(counts.stage()).isEqualTo("Stage");
    assertThat(counts.counts()).containsExactly(counts.read, counts.written).inOrder();
    assertThat(counts.read.name()).isEqualTo("results_read");
    assertThat(counts.read.unit()).isEqualTo("messages");
    assertThat(counts.read.counts()).isEqualTo("read from the bus");
    assertThat(counts.hasFreshness()).isTrue();
  }

  @Test
  public void whatABundleThatFailedHasCountedIsForgotten() {
    Counts counts = new Counts();
    counts.read.add(5);
    counts.freshness.count(0, 1_000, 1);

    counts.clear();

    assertThat(counts.read.unflushed()).isEqualTo(0);
  }

  @Test
  public void whatWasToldIsNotToldAgain() {
    Counts counts = new Counts();
    counts.read.add(2);
    counts.read.add(3);
    assertThat(counts.read.unflushed()).isEqualTo(5);

    counts.flush();

    assertThat(counts.read.unflushed()).isEqualTo(0);
  }

  /** Counts what it reads. */
  private static final class CountFn extends DoFn<Integer, Integer> {
    private static final long serialVersionUID = 1;

    private final Counts counts = new Counts();

    @StartBundle
    public void startBundle() {
      counts.clear();
    }

    @ProcessElement
    public void count() {
      counts.read.add(1);
    }

    @FinishBundle
    public void finishBundle() {
      counts.flush();
    }
  }

  @Test
  public void theRunnerIsToldOfEveryCounterAlsoOfThoseThatCountedNothing() {
    pipeline.apply(Create.of(1, 2, 3)).apply(ParDo.of(new CountFn()));

    MetricQueryResults metrics = pipeline.run().metrics().allMetrics();

    Map<String, Long> told = new TreeMap<>();
    metrics
        .getCounters()
        .forEach(counter -> told.put(counter.getName().getName(), counter.getCommitted()));
    assertThat(told).containsAtLeast("results_read", 3L, "results_written", 0L);
    assertThat(told).containsEntry("freshness_count", 0L);
  }

  @Test
  public void aCopyCountsByItselfAndClearsItsOwn() {
    Counts counts = new Counts();
    Counts copy = SerializableUtils.clone(counts);

    copy.read.add(1);
    assertThat(counts.read.unflushed()).isEqualTo(0);
    copy.clear();
    assertThat(copy.read.unflushed()).isEqualTo(0);
  }
}
