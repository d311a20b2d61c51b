package io.tailrace.pipelines;

import java.util.Locale;
import java.util.Objects;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.transforms.display.DisplayData;

/** Where a pipeline runs, as its options say. Stateless and thread-safe. */
final class Workers {
  private Workers() {}

  /**
   * Returns whether a pipeline runs on other machines than the one that starts it. Files of this
   * one are then not those of its workers, and may not outlive them.
   */
  static boolean areElsewhere(PipelineOptions options) {
    String runner = options.getRunner().getSimpleName();
    if (runner.startsWith("Dataflow")) {
      return true;
    }
    return runner.endsWith("FlinkRunner") && !isHere(flinkMaster(options));
  }

  /** Options of a runner are looked at as text, so that no writer depends on one. */
  private static String flinkMaster(PipelineOptions options) {
    return DisplayData.from(options).items().stream()
        .filter(item -> item.getKey().equals("flinkMaster"))
        .map(item -> Objects.toString(item.getValue(), ""))
        .findFirst()
        .orElse("");
  }

  private static boolean isHere(String master) {
    String host = master.replaceFirst("^https?://", "").toLowerCase(Locale.ROOT);
    return host.isEmpty()
        || host.equals("[local]")
        || host.equals("[collection]")
        || host.matches("(localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1])(:\\d+)?");
  }
}
