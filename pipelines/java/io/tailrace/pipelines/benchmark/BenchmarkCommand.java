package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.benchmark.edges.EdgesCommand;
import io.tailrace.pipelines.benchmark.faults.FaultsCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures writers against what people use instead. */
@Command(
    name = "benchmark",
    description = "Measures a writer against its rivals, on servers of its own.",
    mixinStandardHelpOptions = true,
    subcommands = {
      OnlineBenchmarkCommand.class,
      OfflineBenchmarkCommand.class,
      BulkBenchmarkCommand.class,
      MetricsBenchmarkCommand.class,
      MemoryBenchmarkCommand.class,
      ClusterBenchmarkCommand.class,
      EdgesCommand.class,
      FaultsCommand.class
    })
public final class BenchmarkCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Which benchmark?");
  }
}
