package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * Listens on a free port of the loopback address, and serves each connection in a thread of its
 * own, which does not keep the JVM from ending. Thread-safe.
 */
public final class LoopbackServer implements AutoCloseable {
  private static final int BACKLOG = 100;

  private final ServerSocket listening;
  private final String name;

  /** What is done with a connection. */
  @FunctionalInterface
  public interface Service {
    /** Serves a connection, and closes it. */
    void serve(Socket connection) throws IOException;
  }

  /** What is done in a thread. */
  @FunctionalInterface
  public interface Task {
    /** Ends, or fails, when the connection that it works on is closed. */
    void run() throws IOException;
  }

  private LoopbackServer(ServerSocket listening, String name) {
    this.listening = listening;
    this.name = name;
  }

  /**
   * Starts one.
   *
   * @param name of its threads
   * @throws UncheckedIOException if there is no port
   */
  public static LoopbackServer start(String name, Service service) {
    try {
      ServerSocket listening = new ServerSocket();
      listening.bind(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), FreePorts.next()), BACKLOG);
      LoopbackServer server = new LoopbackServer(listening, name);
      server.inThread(() -> server.accept(service));
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot listen for " + name, e);
    }
  }

  /** Returns the port that it listens on. */
  public int port() {
    return listening.getLocalPort();
  }

  /** Does something in one more thread. */
  public void inThread(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException e) {
                // One of both sides has closed its end, which is what ends a task.
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
  }

  private void accept(Service service) throws IOException {
    while (true) {
      Socket connection = listening.accept();
      inThread(() -> service.serve(connection));
    }
  }

  /** Takes no more connections; those that there are belong to who serves them. */
  @Override
  public void close() {
    try {
      listening.close();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot close " + name, e);
    }
  }
}
