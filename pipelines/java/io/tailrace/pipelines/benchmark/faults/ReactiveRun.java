package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import io.tailrace.pipelines.local.servers.StandaloneFlink;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.JobID;

/**
 * Runs a writer for a while in an application cluster of its own whose scheduler is reactive: the
 * job has as many copies as there are slots, and changes with them. The writer comes with its state
 * and goes with it.
 */
final class ReactiveRun {
  private static final long PATIENCE_NANOS = 90_000_000_000L;

  private final FaultServers servers;

  ReactiveRun(FaultServers servers) {
    this.servers = servers;
  }

  /**
   * Runs a writer there.
   *
   * @return what was done, in words
   */
  String of(RunningWriter writer) throws CommandException, InterruptedException {
    String savepoint = servers.flink().cluster().stopWithSavepoint(writer.job());
    Path directory = servers.directory().resolve("reactive-" + writer.job());
    List<String> options = new ArrayList<>(servers.launcher().options(writer.writer(), List.of()));
    options.removeIf(option -> option.startsWith("--parallelism="));
    options.add("--runner=FlinkRunner");
    List<String> copies = new ArrayList<>();
    try (StandaloneFlink own =
        StandaloneFlink.in(directory)
            .taskManagers(1)
            .slots(1)
            .setting("scheduler-mode", "reactive")
            .setting("execution.savepoint.path", savepoint)
            .application(writer.writer().program(), options)
            .start()) {
      FlinkCluster cluster = own.cluster();
      JobID job = own.awaitApplication();
      copies.add(copies(cluster, job, 1));
      own.addTaskManager();
      copies.add(copies(cluster, job, 2));
      own.killTaskManager(0);
      own.awaitTaskManagers();
      copies.add(copies(cluster, job, 1));
      savepoint = own.stopApplication(job);
    }
    servers.startAgain(writer, Optional.of(savepoint));
    servers.awaitWriters();
    return writer.name() + " with " + String.join(", then ", copies) + " copies";
  }

  /** Waits until a job runs in so many copies, and has kept its state in them once. */
  private static String copies(FlinkCluster cluster, JobID job, int wanted)
      throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (!cluster.isProcessing(job) || cluster.parallelism(job) != wanted) {
      await(
          deadline,
          "The job has not "
              + wanted
              + " copies: "
              + cluster.lastFailure(job).orElse("nobody knows why"));
    }
    long before = cluster.completedCheckpoints(job);
    while (cluster.completedCheckpoints(job) <= before) {
      await(deadline, "The job with " + wanted + " copies has no checkpoint");
    }
    return Integer.toString(wanted);
  }

  private static void await(long deadline, String otherwise) throws InterruptedException {
    if (System.nanoTime() > deadline) {
      throw new IllegalStateException(otherwise);
    }
    Thread.sleep(50);
  }
}
