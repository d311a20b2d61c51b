package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.benchmark.MemoryBenchmark.Survived;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.commons.io.FileUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code benchmark memory}: whether each writer survives in little memory what is small on a bus
 * and large in memory, alone in a JVM and all in one.
 */
@Command(
    name = "memory",
    description = {
      "Runs each writer with little memory over messages that are small on the bus and large when",
      "they are decoded, and all of them in one JVM. Fails if one runs out of memory.",
      "Prints a table and writes target/benchmarks/memory.json."
    },
    mixinStandardHelpOptions = true)
final class MemoryBenchmarkCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BenchmarkOptions options = new BenchmarkOptions();

  @Option(
      names = "--heap",
      description = "Heap of each writer's JVM (default: ${DEFAULT-VALUE}).",
      defaultValue = "256m")
  private String heap = "256m";

  @Option(
      names = "--togetherHeap",
      description = "Heap of the JVM of all writers (default: ${DEFAULT-VALUE}).",
      defaultValue = "512m")
  private String togetherHeap = "512m";

  @Option(
      names = "--many",
      description =
          "Megabytes of zeros on each bus; of the others there are as many or fewer (default:"
              + " ${DEFAULT-VALUE}).",
      defaultValue = "1000")
  private int many;

  @Override
  public Integer call() throws IOException, InterruptedException, ExecutionException, SQLException {
    Figures figures = new Figures(spec);
    Path directory = Files.createTempDirectory("tailrace-benchmark");
    try (MemoryBenchmark benchmark = new MemoryBenchmark(directory)) {
      figures.say("publishing");
      benchmark.publish(new LargeTraffic(many));
      for (Writer<?> writer : MemoryBenchmark.WRITERS) {
        figures.say("%s: -Xmx%s", writer.name(), heap);
        put(figures, writer.name(), benchmark.alone(writer, heap));
      }
      figures.say("all writers: -Xmx%s", togetherHeap);
      put(figures, "together", benchmark.together(togetherHeap));
      figures.put("letters", (double) benchmark.letters());
      figures.fact("memory", heap + " each, " + togetherHeap + " together");
    } finally {
      FileUtils.deleteQuietly(directory.toFile());
    }
    figures.finish(options.output("memory"));
    return 0;
  }

  private static void put(Figures figures, String name, Survived survived) {
    figures.put(name + ".messages_per_s", survived.messagesPerSecond());
    figures.put(name + ".peak_heap_after_gc_mb", survived.peakHeapMegabytes());
  }
}
