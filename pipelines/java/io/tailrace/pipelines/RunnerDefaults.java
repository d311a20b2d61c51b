package io.tailrace.pipelines;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

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

  /**
   * Elements cost no more there than what is in them, and the runner knows how to divide and show
   * Beam's own source. It finds out by itself that a job is streaming, but some of its defaults are
   * decided before.
   */
  private static final Map<String, String> DATAFLOW =
      Map.of("busReader", "kafkaio", "streaming", "true");

  /** Values that break what is promised, and what each of them does. */
  private record Unsafe(String option, Predicate<String> values, String why) {}

  private static final List<Unsafe> FLINK_UNSAFE =
      List.of(
          new Unsafe(
              "checkpointingInterval",
              value -> value.startsWith("-") || value.matches("0*"),
              "without checkpoints nothing is ever committed, and a restart begins where the job"
                  + " began. Say how often in milliseconds, such as 10000"),
          new Unsafe(
              "finishBundleBeforeCheckpointing",
              value -> value.equalsIgnoreCase("false"),
              "a commit could then run ahead of what is written, and a start without state would"
                  + " lose that. Leave it out"),
          new Unsafe(
              "checkpointingMode",
              value -> value.equalsIgnoreCase("AT_LEAST_ONCE"),
              "a restart would then count a second time what the state has counted. Leave it out"));

  private RunnerDefaults() {}

  /**
   * Looks for values that a runner must not be given.
   *
   * @param given options by name, as text
   * @return a sentence for each
   */
  static List<String> problems(Class<?> runner, Map<String, String> given) {
    return Workers.areOfFlink(runner)
        ? FLINK_UNSAFE.stream()
            .filter(
                each ->
                    Optional.ofNullable(given.get(each.option))
                        .filter(value -> each.values.test(value.strip()))
                        .isPresent())
            .map(each -> "--" + each.option + "=" + given.get(each.option) + ": " + each.why)
            .toList()
        : List.of();
  }

  /**
   * Returns the options that a runner should have, by name.
   *
   * @param gathering whether the writer's store is the faster the more it gets at a time
   */
  static Map<String, String> of(Class<?> runner, boolean gathering) {
    if (Workers.areOfDataflow(runner)) {
      return DATAFLOW;
    }
    if (!Workers.areOfFlink(runner)) {
      return Map.of();
    }
    Map<String, String> defaults = new TreeMap<>(FLINK);
    if (gathering) {
      defaults.putAll(FLINK_GATHERING);
    }
    if (ProgramExit.isCalledByFlink()) {
      // A JobManager starts the job of its program and goes on, and Beam would ask for the result
      // at once, which fails.
      defaults.put("attachedMode", "false");
    }
    return defaults;
  }
}
