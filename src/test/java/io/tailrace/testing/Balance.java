package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.pipelines.local.servers.LocalFlink;
import java.util.Map;
import java.util.TreeMap;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.metrics.MetricResult;
import org.apache.beam.sdk.metrics.MetricsFilter;

/**
 * The books of a pipeline at the end of a test: no stage may have anything left over of what it
 * received.
 */
public final class Balance {
  private static final String UNACCOUNTED = "unaccounted";

  private Balance() {}

  /** Runs a pipeline to its end, and fails if something is not accounted for. */
  public static void run(Pipeline pipeline) {
    PipelineResult result = pipeline.run();
    PipelineResult.State unused = result.waitUntilFinish();
    assertEven(result);
  }

  /** Fails if a stage does not account for something, or none of them says. */
  public static void assertEven(PipelineResult result) {
    Map<String, Long> leftOver = new TreeMap<>();
    for (MetricResult<Long> counter :
        result.metrics().queryMetrics(MetricsFilter.builder().build()).getCounters()) {
      if (counter.getName().getName().endsWith(UNACCOUNTED)) {
        leftOver.merge(counter.getName().toString(), counter.getAttempted(), Long::sum);
      }
    }
    assertWithMessage("stages that keep books").that(leftOver).isNotEmpty();
    assertEven(leftOver);
  }

  /** Fails if a stage of a job that runs does not account for something. */
  public static void assertEven(LocalFlink flink) {
    for (LocalFlink.Job job : flink.jobs()) {
      if (!job.status().isGloballyTerminalState()) {
        assertEven(flink.counters(job.id(), name -> name.endsWith(UNACCOUNTED)));
      }
    }
  }

  private static void assertEven(Map<String, Long> leftOver) {
    leftOver.values().removeIf(count -> count == 0);
    assertThat(leftOver).isEmpty();
  }
}
