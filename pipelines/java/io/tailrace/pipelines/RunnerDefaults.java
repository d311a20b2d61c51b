package io.tailrace.pipelines;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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

  /** Returns the arguments with the defaults of the runner that they name. */
  static String[] apply(String... args) {
    return withDefaults(isFlink(args) ? FLINK : Map.of(), args);
  }

  /**
   * Returns the arguments with those defaults that differ for a writer whose store is the faster
   * the more it gets at a time; {@link #apply} adds the others.
   */
  static String[] applyGathering(String... args) {
    return withDefaults(isFlink(args) ? FLINK_GATHERING : Map.of(), args);
  }

  private static String[] withDefaults(Map<String, String> defaults, String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    defaults.forEach(
        (name, value) -> {
          if (all.stream()
              .noneMatch(arg -> arg.equals("--" + name) || arg.startsWith("--" + name + "="))) {
            all.add("--" + name + "=" + value);
          }
        });
    return all.toArray(String[]::new);
  }

  private static boolean isFlink(String... args) {
    for (String arg : args) {
      String lower = arg.toLowerCase(Locale.ROOT);
      if (lower.equals("--runner=flinkrunner") || lower.equals("--runner=flink")) {
        return true;
      }
    }
    return false;
  }
}
