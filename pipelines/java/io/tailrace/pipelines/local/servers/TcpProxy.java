package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A proxy before a server on the loopback address, that lets connections pass, and breaks them when
 * it is told to: it cuts them, cuts an answer off in its middle, delays what passes, or sends new
 * connections to another server. It knows no protocol. Thread-safe.
 */
public final class TcpProxy implements AutoCloseable {
  private static final int CHUNK = 1 << 16;

  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private final AtomicInteger opened = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicInteger truncated = new AtomicInteger();
  private final AtomicLong delayed = new AtomicLong();
  private volatile int target;
  private volatile Duration delay = Duration.ZERO;

  private final LoopbackServer listening = LoopbackServer.start("tcp-proxy", this::connect);

  private TcpProxy(int target) {
    this.target = target;
  }

  /**
   * Starts one on a free port of the loopback address.
   *
   * @param target the port of the server, which need not run yet
   */
  public static TcpProxy before(int target) {
    return new TcpProxy(target);
  }

  /** Returns the port that it listens on. */
  public int port() {
    return listening.port();
  }

  /** Sends new connections to another server, and cuts those that there are. */
  public void turnTo(int server) {
    target = server;
    cut();
  }

  /** Cuts all connections in both directions; new ones pass. */
  public void cut() {
    links.forEach(Link::cut);
  }

  /** Lets half of what each server says next pass, and then cuts the connection. */
  public void truncate() {
    links.forEach(link -> link.truncating = true);
  }

  /** Holds back every piece of what servers say for so long, from now on; zero: not at all. */
  public void delay(Duration time) {
    delay = time;
  }

  /** Returns how many connections were opened since the start. */
  public int opened() {
    return opened.get();
  }

  /** Returns how many have ended since the start, whoever has ended them. */
  public int ended() {
    return ended.get();
  }

  /** Returns how many answers were cut off in their middle. */
  public int truncated() {
    return truncated.get();
  }

  /** Returns how many pieces came late. */
  public long delayed() {
    return delayed.get();
  }

  @Override
  public void close() {
    listening.close();
    cut();
  }

  private void connect(Socket client) throws IOException {
    Socket server;
    try {
      server = new Socket(InetAddress.getLoopbackAddress(), target);
    } catch (IOException e) {
      client.close();
      throw e;
    }
    client.setTcpNoDelay(true);
    server.setTcpNoDelay(true);
    Link link = new Link(client, server);
    links.add(link);
    opened.incrementAndGet();
    listening.inThread(() -> link.pump(client.getInputStream(), server.getOutputStream(), false));
    listening.inThread(() -> link.pump(server.getInputStream(), client.getOutputStream(), true));
  }

  /** A connection of a client, and the one to the server that goes with it. */
  private final class Link {
    private final Socket client;
    private final Socket server;
    private volatile boolean truncating;

    Link(Socket client, Socket server) {
      this.client = client;
      this.server = server;
    }

    void pump(InputStream in, OutputStream out, boolean isAnswer) throws IOException {
      byte[] chunk = new byte[CHUNK];
      try {
        int read = in.read(chunk);
        while (read >= 0) {
          if (isAnswer) {
            awaitDelay();
          }
          if (isAnswer && truncating) {
            out.write(chunk, 0, read / 2);
            out.flush();
            truncated.incrementAndGet();
            return;
          }
          out.write(chunk, 0, read);
          out.flush();
          read = in.read(chunk);
        }
      } finally {
        cut();
      }
    }

    private void awaitDelay() throws IOException {
      Duration now = delay;
      if (!now.isZero()) {
        delayed.incrementAndGet();
        try {
          Thread.sleep(now.toMillis());
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted", e);
        }
      }
    }

    void cut() {
      if (links.remove(this)) {
        ended.incrementAndGet();
      }
      for (Socket socket : new Socket[] {client, server}) {
        try {
          socket.close();
        } catch (IOException e) {
          // Closed is what it should be.
        }
      }
    }
  }
}
