package io.tailrace.bus.pubsub;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Google's emulator, where a machine has one: it comes with the Cloud SDK and from nowhere else.
 */
final class PubSubEmulator implements AutoCloseable {
  private static final Path WITHIN = Path.of("platform", "pubsub-emulator", "lib");

  private final Process process;
  private final int port;

  private PubSubEmulator(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /** Starts it, if it is there. */
  static Optional<PubSubEmulator> start(Path log) throws IOException, InterruptedException {
    Optional<Path> jar = jar();
    if (jar.isEmpty()) {
      return Optional.empty();
    }
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                jar.get().toString(),
                "--host=127.0.0.1",
                "--port=" + port)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    PubSubEmulator emulator = new PubSubEmulator(process, port);
    Instant end = Instant.now().plusSeconds(60);
    while (!emulator.answers()) {
      if (!process.isAlive() || Instant.now().isAfter(end)) {
        process.destroyForcibly();
        throw new AssertionError("the emulator has not started: " + Files.readString(log));
      }
      Thread.sleep(50);
    }
    return Optional.of(emulator);
  }

  private boolean answers() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private static Optional<Path> jar() throws IOException {
    List<Path> places = new ArrayList<>();
    Optional.ofNullable(System.getenv("CLOUDSDK_ROOT_DIR")).map(Path::of).ifPresent(places::add);
    for (String each : List.of("/usr/lib", "/usr/share", "/opt", System.getProperty("user.home"))) {
      places.add(Path.of(each, "google-cloud-sdk"));
    }
    for (Path place : places) {
      Path directory = place.resolve(WITHIN);
      if (Files.isDirectory(directory)) {
        try (Stream<Path> files = Files.list(directory)) {
          Optional<Path> jar =
              files.filter(file -> file.toString().endsWith("-all.jar")).findFirst();
          if (jar.isPresent()) {
            return jar;
          }
        }
      }
    }
    return Optional.empty();
  }

  String host() {
    return "127.0.0.1:" + port;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
