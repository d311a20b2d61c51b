package io.tailrace.testing;

import static org.junit.Assume.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A server that no build brings, where it is installed: tests that need one are skipped elsewhere.
 */
public final class InstalledServer implements AutoCloseable {
  /** Servers of somebody else's. */
  public enum Kind {
    /** Simulates Amazon's services, in Python. */
    MOTO("moto_server", "-H 127.0.0.1 -p"),
    /** Simulates DynamoDB, in JavaScript. */
    DYNALITE("dynalite", "--host 127.0.0.1 --createTableMs 0 --port");

    private final String program;
    // Behind them comes the port.
    private final String arguments;

    Kind(String program, String arguments) {
      this.program = program;
      this.arguments = arguments;
    }

    /** Returns whether it is installed. */
    public boolean isThere() {
      return executable(program).isPresent();
    }

    @Override
    public String toString() {
      return program;
    }
  }

  private final Process process;
  private final int port;

  private InstalledServer(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /** Returns a program that is on the path. */
  public static Optional<Path> executable(String program) {
    return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .map(each -> Path.of(each, program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Starts one; the test is skipped where it does not start.
   *
   * @param log a file for what it says
   */
  public static InstalledServer start(Kind kind, Path log)
      throws IOException, InterruptedException {
    int port;
    try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = any.getLocalPort();
    }
    List<String> command = new ArrayList<>();
    command.add(executable(kind.program).orElseThrow().toString());
    command.addAll(List.of(kind.arguments.split(" ", -1)));
    command.add(Integer.toString(port));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    while (true) {
      try {
        new Socket(InetAddress.getLoopbackAddress(), port).close();
        return new InstalledServer(process, port);
      } catch (IOException e) {
        assumeTrue(kind + " does not start", process.isAlive());
        Thread.sleep(100);
      }
    }
  }

  /** Returns the address that clients are given. */
  public String endpoint() {
    return "http://127.0.0.1:" + port;
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
