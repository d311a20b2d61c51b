package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds TCP ports on the loopback address that nobody listens on.
 *
 * <p>A port found here is never given twice by the same JVM, and lies below the range from which
 * operating systems take the local ports of outgoing connections (32768 and up on Linux, 49152 and
 * up elsewhere). So a server that is stopped gets its port back when it restarts: neither another
 * connection nor a client that keeps dialling the silent port, and in the end meets itself, can
 * have taken it.
 *
 * <p>Another process can still take a port between the search and its use. Thread-safe.
 */
final class FreePorts {
  /** Above the registered ports of most services. */
  private static final int LOWEST = 10_240;

  /** How far above its port a Redis Cluster node listens for the other nodes. */
  static final int CLUSTER_BUS_OFFSET = 10_000;

  /** Keeps a port plus {@link #CLUSTER_BUS_OFFSET} below 32768. */
  private static final int COUNT = 12_000;

  private static final int ATTEMPTS = 1_000;

  /**
   * JVMs side by side mostly look at ports that differ, as some time goes by until one is used. It
   * divides the numbers above, so that a bus stays among its node's.
   */
  private static final int STRIPES = 16;

  private static final int STRIPE = (int) (ProcessHandle.current().pid() % STRIPES);

  private static final Set<Integer> given = new HashSet<>();

  private FreePorts() {}

  /** A free port. */
  public static int next() {
    return next(false);
  }

  /** A free port above which the port of the Redis Cluster bus is free too. */
  public static int nextWithClusterBus() {
    return next(true);
  }

  /** Whether nobody listens on a port of the loopback address now. */
  public static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException taken) {
      return false;
    }
  }

  private static synchronized int next(boolean withClusterBus) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      int any = ThreadLocalRandom.current().nextInt(COUNT);
      // A JVM that starts very many servers uses its own ports up.
      int port = LOWEST + (attempt < ATTEMPTS / 2 ? any - any % STRIPES + STRIPE : any);
      if (!given.contains(port)
          && isFree(port)
          && (!withClusterBus || isFree(port + CLUSTER_BUS_OFFSET))) {
        given.add(port);
        return port;
      }
    }
    throw new IllegalStateException(
        "No free port found between " + LOWEST + " and " + (LOWEST + COUNT - 1));
  }
}
