package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.benchmark.MemoryBenchmark.Survived;
import io.tailrace.pipelines.deploy.ContainerMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.commons.io.FileUtils;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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
      names = "--container",
      description =
          "Memory of a container, such as 1Gi: each writer runs on a TaskManager in one, and in no"
              + " other way. Where Linux lets this program make no control group, memory is"
              + " measured alone.")
  private @Nullable String container;

  @Option(
      names = "--many",
      description =
          "Megabytes of zeros on each bus; of the others there are as many or fewer (default:"
              + " ${DEFAULT-VALUE}).",
      defaultValue = "1000")
  private int many;

  @Override
  public Integer call()
      throws CommandException, IOException, InterruptedException, ExecutionException, SQLException {
    checkContainer();
    Figures figures = new Figures(spec);
    Path directory = Files.createTempDirectory("tailrace-benchmark");
    try (MemoryBenchmark benchmark = new MemoryBenchmark(directory)) {
      figures.say("publishing");
      benchmark.publish(new LargeTraffic(many));
      if (container == null) {
        inHeaps(benchmark, figures);
      } else {
        inContainers(benchmark, container, figures);
      }
      figures.put("letters", (double) benchmark.letters());
    } finally {
      FileUtils.deleteQuietly(directory.toFile());
    }
    figures.finish(options.output("memory"));
    return 0;
  }

  private void checkContainer() {
    if (container == null) {
      return;
    }
    try {
      var unused = ContainerMemory.of(container);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--container: " + e.getMessage(), e);
    }
  }

  private void inHeaps(MemoryBenchmark benchmark, Figures figures)
      throws IOException, InterruptedException, ExecutionException {
    for (Writer<?> writer : MemoryBenchmark.WRITERS) {
      figures.say("%s: -Xmx%s", writer.name(), heap);
      put(figures, writer.name(), benchmark.alone(writer, heap));
    }
    figures.say("all writers: -Xmx%s", togetherHeap);
    put(figures, "together", benchmark.together(togetherHeap));
    figures.fact("memory", heap + " each, " + togetherHeap + " together");
  }

  private static void inContainers(MemoryBenchmark benchmark, String limit, Figures figures)
      throws CommandException, InterruptedException, ExecutionException {
    boolean isBounded = true;
    for (Writer<?> writer : MemoryBenchmark.WRITERS) {
      figures.say("%s: in a container of %s", writer.name(), limit);
      MemoryBenchmark.Contained contained = benchmark.contained(writer, limit);
      figures.put(writer.name() + ".messages_per_s", contained.messagesPerSecond());
      figures.put(writer.name() + ".peak_mb", contained.peakMegabytes());
      figures.put(writer.name() + ".restarts", (double) contained.restarts());
      isBounded &= contained.isBounded();
    }
    figures.fact("memory", limit + " each, " + (isBounded ? "of a control group" : "measured"));
  }

  private static void put(Figures figures, String name, Survived survived) {
    figures.put(name + ".messages_per_s", survived.messagesPerSecond());
    figures.put(name + ".peak_heap_after_gc_mb", survived.peakHeapMegabytes());
  }
}
