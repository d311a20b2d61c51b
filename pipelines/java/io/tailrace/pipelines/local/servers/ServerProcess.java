package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A server in a child process that never outlives this JVM, however the JVM ends.
 *
 * <p>A shutdown hook would not run when the JVM is killed. Instead a shell waits beside the server
 * for the end of a pipe that only this JVM holds, and then kills the server.
 *
 * <p>Where {@code setsid} exists, the server is in a session of its own: Ctrl-C in a terminal
 * reaches the JVM, which can stop its work before it stops the server. Thread-safe.
 */
public final class ServerProcess {
  private static final Path SET_SID = Path.of("/usr/bin/setsid");
  private static final Path SHELL = Path.of("/bin/sh");
  private static final String KILL_AT_END_OF_INPUT =
      "trap '' INT HUP TERM; read line; kill -9 \"$0\" 2>/dev/null";

  private static final Duration POLL = Duration.ofMillis(10);
  private static final int LINES_IN_ERROR = 10;

  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

  private final Process process;
  private final Path output;

  private ServerProcess(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /**
   * Starts a process.
   *
   * @param directory its working directory
   * @param environment variables in addition to those of this JVM
   * @param output the file to which all that it prints is appended
   * @throws UncheckedIOException if it cannot be started
   */
  public static ServerProcess start(
      List<String> command, Path directory, Map<String, String> environment, Path output) {
    try {
      ProcessBuilder builder =
          new ProcessBuilder(inOwnSession(command))
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
      builder.environment().putAll(environment);
      Process process = builder.start();
      process.getOutputStream().close();
      killWithThisJvm(process);
      return new ServerProcess(process, output);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start " + command.get(0), e);
    }
  }

  private static void killWithThisJvm(Process process) throws IOException {
    if (!Files.isExecutable(SHELL)) {
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
      return;
    }
    List<String> command =
        List.of(SHELL.toString(), "-c", KILL_AT_END_OF_INPUT, Long.toString(process.pid()));
    Process guard =
        new ProcessBuilder(inOwnSession(command))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    // The process id may be given to another process once this one has ended.
    var unused = process.onExit().thenRun(guard::destroyForcibly);
  }

  private static List<String> inOwnSession(List<String> command) {
    List<String> whole = new ArrayList<>();
    if (Files.isExecutable(SET_SID)) {
      whole.add(SET_SID.toString());
    }
    whole.addAll(command);
    return whole;
  }

  /** Returns whether the process has not ended. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Waits until the server answers. One that does not is killed.
   *
   * @param name of the server, for the message of an error
   * @param whyNot empty when it is ready
   * @throws IllegalStateException if it ends instead, or is not ready in time
   */
  void awaitReady(String name, Duration patience, Supplier<Optional<Exception>> whyNot) {
    long deadline = System.nanoTime() + patience.toNanos();
    try {
      Optional<Exception> notReady = whyNot.get();
      while (notReady.isPresent()) {
        if (!isAlive() || System.nanoTime() > deadline) {
          throw new IllegalStateException(
              name + " does not start:\n" + lastOutput(LINES_IN_ERROR), notReady.get());
        }
        Thread.sleep(POLL.toMillis());
        notReady = whyNot.get();
      }
    } catch (InterruptedException e) {
      kill();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting for " + name, e);
    } catch (RuntimeException e) {
      kill();
      throw e;
    }
  }

  /** Returns what a process that has ended was ended with. */
  public int exitCode() {
    return process.exitValue();
  }

  /** Returns the process's id. */
  public long pid() {
    return process.pid();
  }

  /**
   * Asks the process to end, kills it if it has not ended after {@code grace}, and awaits the end.
   */
  public void stop(Duration grace) {
    process.destroy();
    try {
      if (!process.waitFor(grace.toNanos(), TimeUnit.NANOSECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  /** Kills the process as the kernel does when memory runs out, and awaits the end. */
  public void kill() {
    process.destroyForcibly();
    try {
      var unused = process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Sends the process a signal, such as {@code STOP}, which freezes it, and {@code CONT}.
   *
   * @throws UncheckedIOException if this system knows no signals
   */
  public void signal(String name) {
    try {
      int status =
          new ProcessBuilder("/bin/kill", "-" + name, Long.toString(process.pid()))
              .start()
              .waitFor();
      if (status != 0) {
        throw new IllegalStateException("kill -" + name + " of " + process.pid() + ": " + status);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot send a signal", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns the most memory that the process has had so far, in bytes, or 0 if unknown. */
  public long peakBytes() {
    try (Stream<String> lines =
        Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
      return lines
          .map(PEAK::matcher)
          .filter(Matcher::matches)
          .mapToLong(line -> Long.parseLong(line.group(1)) * 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  /** The last lines that it printed, for the message of an error. */
  public String lastOutput(int lines) {
    try {
      // Servers print paths and names in whatever encoding these have.
      List<String> all = Files.readAllLines(output, StandardCharsets.ISO_8859_1);
      return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
    } catch (IOException e) {
      return "(" + output + " cannot be read: " + e.getMessage() + ")";
    }
  }
}
