package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.OfflineWriter;
import io.tailrace.pipelines.StreamingInsertWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;

/**
 * Measures what memory the writers of the offline path take, each in a JVM of its own with little
 * of it, while they work off a backlog.
 */
final class OfflineMemory {
  private final OfflineBenchmark benchmark;

  OfflineMemory(OfflineBenchmark benchmark) {
    this.benchmark = benchmark;
  }

  /**
   * What it took to work off a backlog.
   *
   * @param messagesPerSecond from the start of the JVM on
   * @param peakHeapMegabytes the most that a collection left on the heap, in mebibytes
   * @param peakMemoryMegabytes the most memory of the process, in mebibytes
   */
  record Drain(double messagesPerSecond, double peakHeapMegabytes, double peakMemoryMegabytes) {}

  /** Runs the offline writer over a backlog of results. */
  Drain drainResults(String results, long count, String heap)
      throws IOException, InterruptedException, ExecutionException {
    benchmark.kafka().createTopic("drained-files", OfflineBenchmark.PARALLELISM);
    String group = benchmark.newGroup("drain");
    return drain(
        OfflineWriter.class,
        benchmark.offlineWriter(
            results + "?group=" + group, "drained-files", benchmark.newDuckDb("drain")),
        group,
        count,
        heap);
  }

  /** Runs the streaming-insert writer over a backlog of files. */
  Drain drainFiles(String files, String heap, String duckDbMemory)
      throws IOException, InterruptedException, ExecutionException {
    String group = benchmark.newGroup("drain");
    return drain(
        StreamingInsertWriter.class,
        benchmark.insertWriter(
            files + "?group=" + group,
            benchmark.newDuckDb("drain") + "?memoryLimit=" + duckDbMemory),
        group,
        benchmark.published(files),
        heap);
  }

  private Drain drain(
      Class<?> main, List<String> arguments, String group, long messages, String heap)
      throws IOException, InterruptedException, ExecutionException {
    List<String> options = new ArrayList<>(arguments);
    options.addAll(
        List.of(
            "--runner=FlinkRunner",
            "--parallelism=" + OfflineBenchmark.PARALLELISM,
            "--checkpointingInterval=1000"));
    long start = System.nanoTime();
    try (WriterProcess writer =
        WriterProcess.start(main, benchmark.directory().resolve(group), heap, options)) {
      writer.awaitCommitted(benchmark.admin(), group, messages);
      return new Drain(
          messages * 1e9 / (System.nanoTime() - start),
          writer.peakHeapMegabytes(),
          writer.peakMemoryMegabytes());
    }
  }
}
