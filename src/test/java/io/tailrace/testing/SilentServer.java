package io.tailrace.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server that takes every connection and never says a word, as one that is frozen. */
public final class SilentServer implements AutoCloseable {
  private final ServerSocket server;
  private final List<Socket> taken = new CopyOnWriteArrayList<>();
  private final Thread thread = new Thread(this::accept, "silent-server");

  private SilentServer(ServerSocket server) {
    this.server = server;
  }

  /** Starts one on a free port of the loopback address. */
  public static SilentServer start() throws IOException {
    SilentServer silent =
        new SilentServer(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
    silent.thread.setDaemon(true);
    silent.thread.start();
    return silent;
  }

  private void accept() {
    try {
      while (true) {
        taken.add(server.accept());
      }
    } catch (SocketException e) {
      // It was closed.
    } catch (IOException e) {
      throw new IllegalStateException("a loopback connection can't be taken", e);
    }
  }

  /** Returns {@code 127.0.0.1:port}. */
  public String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  /** Returns how many connections were made so far. */
  public int connections() {
    return taken.size();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket each : taken) {
      each.close();
    }
  }
}
