package io.tailrace.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A server of HTTP that begins every answer and ends none, as one whose connections are cut without
 * a word.
 */
public final class StallingServer implements AutoCloseable {
  private static final int LENGTH = 1_000_000;

  private final HttpServer server;
  private final long pauseMillis;
  private final AtomicInteger requests = new AtomicInteger();
  private final CountDownLatch closed = new CountDownLatch(1);

  private StallingServer(HttpServer server, long pauseMillis) {
    this.server = server;
    this.pauseMillis = pauseMillis;
  }

  /** Starts one that sends the head of an answer and a byte. */
  public static StallingServer start() throws IOException {
    return start(TimeUnit.DAYS.toMillis(1));
  }

  /** Starts one that goes on with a byte after each pause. */
  public static StallingServer start(long pauseMillis) throws IOException {
    StallingServer stalling = new StallingServer(LoopbackHttp.create(), pauseMillis);
    stalling.server.createContext("/", stalling::answer);
    stalling.server.setExecutor(
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "stalling-server");
              thread.setDaemon(true);
              return thread;
            }));
    stalling.server.start();
    return stalling;
  }

  private void answer(HttpExchange exchange) throws IOException {
    var unused = exchange.getRequestBody().readAllBytes();
    requests.incrementAndGet();
    exchange.sendResponseHeaders(200, LENGTH);
    OutputStream body = exchange.getResponseBody();
    try {
      do {
        body.write(' ');
        body.flush();
      } while (!closed.await(pauseMillis, TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns {@code 127.0.0.1:port}. */
  public String address() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  /** Returns how many requests have come. */
  public int requests() {
    return requests.get();
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
  }
}
