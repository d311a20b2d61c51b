package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.CommandException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.apache.commons.io.FileUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code benchmark metrics}: the rate of the metrics writer, and of a pipeline that combines every
 * value, on the same results.
 */
@Command(
    name = "metrics",
    description = {
      "Measures the metrics writer on Flink, with a checkpoint every second, against a Beam",
      "pipeline that combines each value by its feature, with quantiles alone and no checkpoints.",
      "Prints a table and writes target/benchmarks/metrics.json."
    },
    mixinStandardHelpOptions = true)
final class MetricsBenchmarkCommand implements Callable<Integer> {
  private static final double MEGABYTE = 1e6;

  /** The rival is so much slower. */
  private static final int RIVAL_SHARE = 4;

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BenchmarkOptions options = new BenchmarkOptions();

  @Option(
      names = "--series",
      description = "Series of features, ten of them in each result (default: ${DEFAULT-VALUE}).",
      defaultValue = "1000")
  private int series;

  @Override
  public Integer call() throws CommandException, IOException, InterruptedException {
    Figures figures = new Figures(spec);
    Path directory = Files.createTempDirectory("tailrace-benchmark");
    try (MetricsBenchmark benchmark = new MetricsBenchmark(directory, options.writerOptions())) {
      long some = options.results() / RIVAL_SHARE;
      figures.say("publishing %,d results", options.results() + some);
      int namespaces = Math.max(1, series / BenchmarkTraffic.FEATURES);
      benchmark.publish("results", options.results(), namespaces);
      benchmark.publish("fewer-results", some, namespaces);
      double[] writer = new double[options.rounds()];
      double[] rival = new double[options.rounds()];
      double[] state = new double[options.rounds()];
      // The first round is a warm-up.
      for (int round = -1; round < options.rounds(); round++) {
        MetricsBenchmark.Run run = benchmark.writer("results", options.results());
        double combined = benchmark.plainCombine("fewer-results", some);
        if (round >= 0) {
          writer[round] = run.resultsPerSecond();
          rival[round] = combined;
          state[round] = run.stateBytes() / MEGABYTE;
        }
        figures.say(
            "%s: writer %,.0f/s, each value combined %,.0f/s, state %.1f MB",
            round < 0 ? "warm-up" : "round " + (round + 1),
            run.resultsPerSecond(),
            combined,
            run.stateBytes() / MEGABYTE);
      }
      figures.put("results_per_s", writer);
      figures.put("plain_combine_results_per_s", rival);
      figures.putRatio("writer_vs_plain_combine", writer, rival);
      figures.put("state_mb", state);
      figures.put("series", namespaces * BenchmarkTraffic.FEATURES);
    } finally {
      FileUtils.deleteQuietly(directory.toFile());
    }
    figures.finish(options.output("metrics"));
    return 0;
  }
}
