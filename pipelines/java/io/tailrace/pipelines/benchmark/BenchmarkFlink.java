package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.local.servers.LocalFlink;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The cluster that a benchmark's writers and rivals run on, with the options they start with. */
final class BenchmarkFlink implements AutoCloseable {
  /** Parallel copies of every job. */
  static final int PARALLELISM = 2;

  private final LocalFlink flink;
  private final List<String> writerArguments;

  private BenchmarkFlink(LocalFlink flink, List<String> writerArguments) {
    this.flink = flink;
    this.writerArguments = writerArguments;
  }

  /**
   * Starts a cluster.
   *
   * @param jobs how many run at the same time
   * @param writerArguments options of the writer under test, beside the usual ones
   */
  static BenchmarkFlink start(Path directory, int jobs, List<String> writerArguments) {
    return new BenchmarkFlink(
        LocalFlink.in(directory).slots(jobs * PARALLELISM).start(), List.copyOf(writerArguments));
  }

  /** Returns the cluster. */
  LocalFlink cluster() {
    return flink;
  }

  /** Returns what every job is started with, be it a rival. */
  List<String> bareArguments() {
    List<String> arguments = new ArrayList<>(flink.pipelineArguments());
    arguments.add("--parallelism=" + PARALLELISM);
    return arguments;
  }

  /** Returns what a writer is started with, beside where it reads and writes; to be added to. */
  List<String> arguments() {
    List<String> arguments = bareArguments();
    arguments.add("--checkpointingInterval=1000");
    arguments.addAll(writerArguments);
    return arguments;
  }

  /** Returns those of {@link #arguments} that say something to a reader of the figures. */
  List<String> shownArguments() {
    return arguments().stream()
        .filter(
            option -> !option.startsWith("--flinkMaster") && !option.startsWith("--filesToStage"))
        .toList();
  }

  /** Ends whatever runs. */
  void cancelJobs() {
    flink.jobs().stream()
        .filter(job -> !job.status().isGloballyTerminalState())
        .forEach(job -> flink.cancel(job.id()));
  }

  @Override
  public void close() {
    flink.close();
  }
}
