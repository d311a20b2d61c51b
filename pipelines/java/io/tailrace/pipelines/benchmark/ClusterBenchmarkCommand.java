package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.servers.DirectoryTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code benchmark cluster}: what more copies and more TaskManagers bring, and whether state grows.
 */
@Command(
    name = "cluster",
    description = {
      "Measures the online writer on Flink clusters of one and two TaskManagers, each a process,"
          + " in",
      "one and two copies, and the state of the metrics writer under steady traffic, minute by",
      "minute. Prints a table and writes target/benchmarks/cluster.json."
    },
    mixinStandardHelpOptions = true)
final class ClusterBenchmarkCommand implements Callable<Integer> {
  private static final double MEGABYTE = 1e6;

  /** TaskManagers and copies. */
  private static final int[][] CLUSTERS = {{1, 1}, {1, 2}, {2, 2}};

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BenchmarkOptions options = new BenchmarkOptions();

  @Option(
      names = "--minutes",
      description = "How long state is looked at (default: ${DEFAULT-VALUE}; 0: not at all).",
      defaultValue = "60")
  private int minutes;

  @Option(
      names = "--rate",
      description = "Results a second meanwhile (default: ${DEFAULT-VALUE}).",
      defaultValue = "1000")
  private long rate;

  @Override
  public Integer call() throws CommandException, IOException, InterruptedException {
    Figures figures = new Figures(spec);
    Path directory = Files.createTempDirectory("tailrace-benchmark");
    try (ClusterBenchmark benchmark = new ClusterBenchmark(directory)) {
      figures.say("publishing %,d results", options.results());
      benchmark.publish(options.results());
      double[][] rates = new double[CLUSTERS.length][options.rounds()];
      for (int round = 0; round < options.rounds(); round++) {
        for (int i = 0; i < CLUSTERS.length; i++) {
          int[] each = CLUSTERS[i];
          rates[i][round] = benchmark.rate(each[0], each[1], options.results());
          figures.say(
              "round %d, %d TaskManagers, %d copies: %,.0f/s",
              round + 1, each[0], each[1], rates[i][round]);
        }
      }
      for (int i = 0; i < CLUSTERS.length; i++) {
        figures.put(
            "results_per_s_" + CLUSTERS[i][0] + "_task_managers_" + CLUSTERS[i][1] + "_copies",
            rates[i]);
      }
      figures.putRatio("two_copies_vs_one", rates[1], rates[0]);
      figures.putRatio("two_task_managers_vs_one", rates[2], rates[1]);
      state(benchmark, figures);
    } finally {
      DirectoryTree.delete(directory);
    }
    figures.finish(options.output("cluster"));
    return 0;
  }

  /** The most of the first quarter beside the most of the last: a minute has its ups and downs. */
  private void state(ClusterBenchmark benchmark, Figures figures)
      throws CommandException, InterruptedException {
    if (minutes < 1) {
      return;
    }
    List<Long> bytes = benchmark.stateBytes(minutes, rate);
    int quarter = Math.max(1, minutes / 4);
    figures.put("state_mb_first_quarter", most(bytes.subList(0, quarter)));
    figures.put("state_mb_last_quarter", most(bytes.subList(minutes - quarter, minutes)));
  }

  private static double most(List<Long> bytes) {
    return bytes.stream().mapToLong(Long::longValue).max().orElse(0) / MEGABYTE;
  }
}
