package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.local.servers.JavaCommand;
import io.tailrace.pipelines.local.servers.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;

/**
 * A writer, on a Flink of its own, in a JVM of its own: with as little memory as is asked for, and
 * ended by the first {@code OutOfMemoryError}.
 */
final class WriterProcess implements AutoCloseable {
  private static final Pattern AFTER_COLLECTION =
      Pattern.compile("Pause (?:Young|Full).*->(\\d+)M\\(");
  private static final long STALL_NANOS = 300_000_000_000L;
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
   * @param main the writer's main class
   * @param heap as {@code -Xmx} takes it
   * @param options the writer's
   */
  static WriterProcess start(Class<?> main, Path directory, String heap, List<String> options)
      throws IOException {
    Files.createDirectories(directory);
    Path collections = directory.resolve("gc.log");
    List<String> command =
        JavaCommand.of(
            List.of("-Xmx" + heap, "-XX:+ExitOnOutOfMemoryError", "-Xlog:gc:file=" + collections),
            main.getName());
    command.addAll(options);
    return new WriterProcess(
        ServerProcess.start(command, directory, Map.of(), directory.resolve("writer.log")),
        collections);
  }

  /**
   * Waits until the writer's group has committed so many messages.
   *
   * @throws IllegalStateException if the process ends before, or commits nothing for five minutes
   */
  void awaitCommitted(Admin admin, String group, long messages)
      throws InterruptedException, ExecutionException {
    awaitCommitted(admin, group, messages, this::checkAlive);
  }

  /**
   * Waits until a group has committed so many messages.
   *
   * @param check what looks meanwhile whether there is anything to wait for
   */
  static void awaitCommitted(Admin admin, String group, long messages, Runnable check)
      throws InterruptedException, ExecutionException {
    long last = 0;
    long lastChange = System.nanoTime();
    while (last < messages) {
      check.run();
      Thread.sleep(200);
      long committed = committed(admin, group);
      if (committed > last) {
        last = committed;
        lastChange = System.nanoTime();
      } else if (System.nanoTime() - lastChange > STALL_NANOS) {
        throw new IllegalStateException("stalled at " + last + " of " + messages);
      }
    }
  }

  /** Returns how many messages a group has committed. */
  static long committed(Admin admin, String group) throws InterruptedException, ExecutionException {
    return admin
        .listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata()
        .get()
        .values()
        .stream()
        .mapToLong(offset -> offset == null ? 0 : offset.offset())
        .sum();
  }

  /** Throws, with the last that it printed, if the process has ended. */
  private void checkAlive() {
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

  /** Returns the most memory that the process has had so far, in mebibytes, or 0 if unknown. */
  long peakMemoryMegabytes() {
    return process.peakBytes() >> 20;
  }

  @Override
  public void close() {
    process.stop(GRACE);
  }
}
