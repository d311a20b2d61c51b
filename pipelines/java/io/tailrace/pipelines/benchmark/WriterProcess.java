package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.OnlineWriter;
import io.tailrace.pipelines.local.ServerProcess;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The online writer, on a Flink of its own, in a JVM of its own: with as little memory as is asked
 * for, and ended by the first {@code OutOfMemoryError}.
 */
final class WriterProcess implements AutoCloseable {
  private static final Pattern AFTER_COLLECTION =
      Pattern.compile("Pause (?:Young|Full).*->(\\d+)M\\(");
  private static final Duration GRACE = Duration.ofSeconds(5);

  private final ServerProcess process;
  private final Path collections;

  private WriterProcess(ServerProcess process, Path collections) {
    this.process = process;
    this.collections = collections;
  }

  /**
   * Starts the writer.
   *
   * @param heap as {@code -Xmx} takes it
   * @param options the writer's
   */
  static WriterProcess start(Path directory, String heap, List<String> options) throws IOException {
    Files.createDirectories(directory);
    Path collections = directory.resolve("gc.log");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-Xmx" + heap, "-XX:+ExitOnOutOfMemoryError", "-Xlog:gc:file=" + collections));
    // Given on this JVM's command line, or by the manifest of the jar that it runs.
    List<String> opened =
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(argument -> argument.startsWith("--add-opens"))
            .toList();
    // Absolute: the process works in a directory of its own.
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toAbsolutePath().toString())
            .collect(Collectors.joining(File.pathSeparator));
    if (opened.isEmpty() && classPath.endsWith(".jar")) {
      command.addAll(List.of("-jar", classPath, OnlineWriter.NAME));
    } else {
      command.addAll(opened);
      command.addAll(List.of("-cp", classPath, OnlineWriter.class.getName()));
    }
    command.addAll(options);
    return new WriterProcess(
        ServerProcess.start(command, directory, Map.of(), directory.resolve("writer.log")),
        collections);
  }

  /** Throws, with the last that it printed, if the process has ended. */
  void checkAlive() {
    if (!process.isAlive()) {
      throw new IllegalStateException("the writer has ended:\n" + process.lastOutput(10));
    }
  }

  /** Returns the most that was left on the heap by a collection so far, in mebibytes. */
  long peakHeapMegabytes() throws IOException {
    return AFTER_COLLECTION
        .matcher(Files.readString(collections))
        .results()
        .mapToLong(collection -> Long.parseLong(collection.group(1)))
        .max()
        .orElse(0);
  }

  @Override
  public void close() {
    process.stop(GRACE);
  }
}
