package io.tailrace.testing;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A writer, or a command, in a JVM of its own, which can be killed. Not thread-safe. */
public final class WriterJvm implements AutoCloseable {
  /** What a writer halts its JVM with, when it has done its work. */
  public static final int HALTED = 42;

  private final Process process;
  private final Path output;

  private WriterJvm(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /**
   * Starts a writer.
   *
   * @param output where what it prints goes
   * @param arguments the writer's
   */
  public static WriterJvm start(Class<?> writer, File output, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx256m");
    // It lives for seconds: the optimizing compiler would take more than it gives.
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--add-opens"))
        .forEach(command::add);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), writer.getName()));
    command.addAll(List.of(arguments));
    return new WriterJvm(
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start(),
        output.toPath());
  }

  /** Fails with what the writer printed, if it has ended. */
  public void checkAlive() throws IOException {
    if (!process.isAlive()) {
      throw new AssertionError("the writer has ended: " + Files.readString(output));
    }
  }

  /** Kills it as the kernel does when memory runs out, and waits until it is gone. */
  public void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /** Waits for the end and returns what was printed. */
  public String await() throws IOException, InterruptedException {
    process.waitFor();
    return Files.readString(output);
  }

  /**
   * Does what Ctrl-C does, waits for the end and returns what was printed. To a JVM both signals
   * are one, but what a build in the background starts ignores that of Ctrl-C.
   */
  public String interrupt() throws IOException, InterruptedException {
    process.destroy();
    return await();
  }

  /**
   * Waits until the writer has halted its JVM; fails with what it printed, if it ends otherwise.
   */
  public void awaitHalt() throws IOException, InterruptedException {
    if (process.waitFor() != HALTED) {
      throw new AssertionError("the writer has failed: " + Files.readString(output));
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
