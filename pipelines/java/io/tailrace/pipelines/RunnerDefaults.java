package io.tailrace.pipelines;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a runner must be told so that a writer is safe and fast on it, where the person who starts
 * it says nothing else. Options of a runner are given as text, so that no writer depends on one.
 */
final class RunnerDefaults {
  /** See https://beam.apache.org/documentation/runners/flink/ for what each means. */
  private static final Map<String, String> FLINK =
      new TreeMap<>(
          Map.of(
              // Without an interval there are no checkpoints: nothing is ever committed or
              // restored.
              "checkpointingInterval", "10000",
              // Otherwise what a bundle puts out at its end, such as a dead letter, stays in the
              // checkpoint until the next bundle.
              "finishBundleBeforeCheckpointing", "true",
              // Elements are immutable: copying them between steps only costs.
              "objectReuse", "true",
              "fasterCopy", "true",
              // Writers write when nothing more is waiting, not at a bundle's end, where they have
              // to wait for the store. So these bound what a bundle holds and how late its dead
              // letters come.
              "maxBundleSize", "50000",
              "maxBundleTimeMills", "500",
              // Watermarks are not looked at by the writers that keep no windows.
              "autoWatermarkInterval", "200"));

  /**
   * A checkpoint ends a bundle, and what the bundle holds is inserted then. Those that came due
   * during an insert would follow it at once, one after another, and the next inserts would have a
   * file each. So while a backlog waits, two seconds of reading are gathered; without one, nothing
   * waits for either.
   */
  private static final Map<String, String> FLINK_GATHERING =
      Map.of("maxBundleTimeMills", "2000", "minPauseBetweenCheckpoints", "2000");

  private RunnerDefaults() {}

  /**
   * Returns the options that a runner should have, by name.
   *
   * @param gathering whether the writer's store is the faster the more it gets at a time
   */
  static Map<String, String> of(Class<?> runner, boolean gathering) {
    if (!runner.getSimpleName().equals("FlinkRunner")) {
      return Map.of();
    }
    Map<String, String> defaults = new TreeMap<>(FLINK);
    if (gathering) {
      defaults.putAll(FLINK_GATHERING);
    }
    return defaults;
  }
}
