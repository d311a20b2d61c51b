package io.tailrace.pipelines.benchmark;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What every benchmark can be told. */
final class BenchmarkOptions {
  @Option(
      names = "--results",
      description = "Results in a topic, of ten features each (default: ${DEFAULT-VALUE}).",
      defaultValue = "1000000")
  private long results;

  @Option(
      names = "--rounds",
      description = "Rounds, of which the median counts (default: ${DEFAULT-VALUE}).",
      defaultValue = "3")
  private int rounds;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Where the figures go (default: target/benchmarks/NAME.json).")
  private Path output = Path.of("");

  @Option(
      names = "--writerOption",
      description =
          "A pipeline option for the writer under test, such as"
              + " --writerOption=--maxBundleSize=8000.")
  private List<String> writerOptions = new ArrayList<>();

  long results() {
    return results;
  }

  int rounds() {
    return rounds;
  }

  /** Returns where the figures of a benchmark go. */
  Path output(String name) {
    return output.toString().isEmpty() ? Path.of("target", "benchmarks", name + ".json") : output;
  }

  List<String> writerOptions() {
    return writerOptions;
  }
}
