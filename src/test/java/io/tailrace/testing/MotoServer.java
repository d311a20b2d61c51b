package io.tailrace.testing;

import static org.junit.Assume.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** A moto_server, where one is installed: somebody else's simulation of Amazon's services. */
public final class MotoServer implements AutoCloseable {
  private final Process process;
  private final int port;

  private MotoServer(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  private static Optional<Path> executable() {
    return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .map(each -> Path.of(each, "moto_server"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Returns whether it is installed. */
  public static boolean isThere() {
    return executable().isPresent();
  }

  /**
   * Starts one; the test is skipped where it does not start.
   *
   * @param log a file for what it says
   */
  public static MotoServer start(Path log) throws IOException, InterruptedException {
    int port;
    try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = any.getLocalPort();
    }
    Process process =
        new ProcessBuilder(
                executable().orElseThrow().toString(), "-H", "127.0.0.1", "-p", "" + port)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    while (true) {
      try {
        new Socket(InetAddress.getLoopbackAddress(), port).close();
        return new MotoServer(process, port);
      } catch (IOException e) {
        assumeTrue("moto_server does not start", process.isAlive());
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
