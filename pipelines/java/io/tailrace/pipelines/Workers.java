package io.tailrace.pipelines;

import io.tailrace.endpoint.Endpoint;
import java.util.Objects;
import java.util.Optional;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.transforms.display.DisplayData;

/** Where a pipeline runs, as its options say. Stateless and thread-safe. */
final class Workers {
  /** A host that is the machine itself, as a regular expression. */
  static final String LOOPBACK = "localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1]|0\\.0\\.0\\.0";

  private Workers() {}

  /** Returns whether a runner is Dataflow's, which is a dependency of a profile. */
  static boolean areOfDataflow(Class<?> runner) {
    return runner.getSimpleName().endsWith("DataflowRunner");
  }

  /** Returns whether a runner is Flink's, on whatever cluster. */
  static boolean areOfFlink(Class<?> runner) {
    return runner.getSimpleName().endsWith("FlinkRunner");
  }

  /**
   * Returns the Flink cluster that a pipeline runs on; nothing if it runs in this process, or on
   * another runner.
   */
  static Optional<FlinkPlace> ofFlink(PipelineOptions options) {
    if (!areOfFlink(options.getRunner())) {
      return Optional.empty();
    }
    String master = given(options, "flinkMaster");
    return switch (master) {
      case "[local]", "[collection]" -> Optional.empty();
      case "", "[auto]" -> FlinkPlace.ofThisProgram();
      default -> Optional.of(FlinkPlace.named(master));
    };
  }

  /**
   * Returns whether a pipeline runs on other machines than the one that starts it. Files of this
   * one are then not those of its workers, and may not outlive them.
   */
  static boolean areElsewhere(PipelineOptions options) {
    return areOfDataflow(options.getRunner())
        || ofFlink(options).filter(place -> !place.isOnThisMachine()).isPresent();
  }

  /**
   * Sees to it that a store that one process alone can use is used by one: each of several would
   * have a file of its own, on a disk that vanishes with it.
   */
  static void checkProcesses(
      String option, Endpoint store, PipelineOptions options, OptionCheck check) {
    if (!store.isForOneProcess()) {
      return;
    }
    String why =
        "--"
            + option
            + "="
            + store.uri()
            + " is a file, which one process alone can have open, and ";
    String correction = ": use a server, such as postgresql://host/database";
    if (areOfDataflow(options.getRunner())) {
      check.problem(why + "Dataflow runs the writer on other machines" + correction);
    }
    ofFlink(options)
        .ifPresent(
            place -> {
              if (place.isReactive()) {
                check.problem(
                    why
                        + "with scheduler-mode=reactive the writer has copies on every TaskManager"
                        + " that comes"
                        + correction
                        + ", or a cluster without scheduler-mode and with one TaskManager");
              } else {
                check.question(
                    option + " on " + place.name(),
                    () -> checkTaskManagers(place, why, correction, check));
              }
            });
  }

  private static void checkTaskManagers(
      FlinkPlace place, String why, String correction, OptionCheck check) {
    int processes = place.taskManagers();
    if (processes == 0) {
      check.warning(
          why
              + "it is not known how many TaskManagers "
              + place.name()
              + " will have: it may have one");
    } else if (processes > 1) {
      check.problem(
          why
              + place.name()
              + " has "
              + processes
              + " TaskManagers"
              + correction
              + ", or a cluster with one TaskManager");
    }
  }

  /**
   * Returns what an option was given; empty where it was not. Options of a runner are looked at as
   * text, so that no writer depends on one.
   */
  static String given(PipelineOptions options, String name) {
    return DisplayData.from(options).items().stream()
        .filter(item -> item.getKey().equals(name))
        .map(item -> Objects.toString(item.getValue(), ""))
        .findFirst()
        .orElse("");
  }
}
