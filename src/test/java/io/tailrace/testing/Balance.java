package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import com.google.common.util.concurrent.Uninterruptibles;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import io.tailrace.pipelines.local.servers.LocalFlink;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
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
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration PAUSE = Duration.ofMillis(10);

  private Balance() {}

  /** Runs a pipeline to its end, and fails if something is not accounted for. */
  public static void run(Pipeline pipeline) {
    PipelineResult result = pipeline.run();
    PipelineResult.State unused = result.waitUntilFinish();
    assertEven(result);
  }

  /**
   * Fails if a stage does not account for something, or none of them says. One that still runs is
   * given time to say it: what a bundle has counted shows a little later than what it did.
   */
  public static void assertEven(PipelineResult result) {
    assertEven(() -> leftOver(result), () -> !result.getState().isTerminal());
  }

  private static Map<String, Long> leftOver(PipelineResult result) {
    Map<String, Long> leftOver = new TreeMap<>();
    for (MetricResult<Long> counter :
        result.metrics().queryMetrics(MetricsFilter.builder().build()).getCounters()) {
      if (counter.getName().getName().endsWith(UNACCOUNTED)) {
        leftOver.merge(counter.getName().toString(), counter.getAttempted(), Long::sum);
      }
    }
    return leftOver;
  }

  /** Fails if a stage of the jobs that run does not account for something, or none of them says. */
  public static void assertEven(LocalFlink flink) {
    assertEven(() -> leftOver(flink), () -> true);
  }

  private static Map<String, Long> leftOver(LocalFlink flink) {
    Map<String, Long> leftOver = new TreeMap<>();
    for (FlinkCluster.Job job : flink.jobs()) {
      if (!job.status().isGloballyTerminalState()) {
        flink
            .counters(job.id(), name -> name.endsWith(UNACCOUNTED))
            .forEach((counter, count) -> leftOver.put(job.name() + ":" + counter, count));
      }
    }
    return leftOver;
  }

  private static void assertEven(Supplier<Map<String, Long>> books, BooleanSupplier mayStillSay) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Map<String, Long> leftOver = books.get();
    while (leftOver.isEmpty() && mayStillSay.getAsBoolean() && System.nanoTime() < deadline) {
      Uninterruptibles.sleepUninterruptibly(PAUSE);
      leftOver = books.get();
    }
    assertWithMessage("stages that keep books").that(leftOver).isNotEmpty();
    leftOver.values().removeIf(count -> count == 0);
    assertThat(leftOver).isEmpty();
  }
}
