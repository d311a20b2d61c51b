package io.tailrace.pipelines.local.servers;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** HTTP servers on 127.0.0.1. Thread-safe. */
public final class LoopbackHttp {
  private static final byte[] LOOPBACK = {127, 0, 0, 1};

  static {
    // Otherwise the end of each answer waits 40 ms for the client's acknowledgement of its head.
    // It is read once, by the first server of the JVM: who starts another first, sets it as well.
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private LoopbackHttp() {}

  /**
   * Returns a server on a free port, which is not started.
   *
   * @throws IOException if there is no port
   */
  public static HttpServer create() throws IOException {
    return create(0);
  }

  /**
   * Returns a server that is not started.
   *
   * @param port to listen on; 0 for any that is free
   * @throws IOException if the port is taken
   */
  public static HttpServer create(int port) throws IOException {
    return HttpServer.create(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), port), 0);
  }
}
