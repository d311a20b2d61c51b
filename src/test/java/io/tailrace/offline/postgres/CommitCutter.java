package io.tailrace.offline.postgres;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.tailrace.pipelines.local.servers.LoopbackServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands between a client and a PostgreSQL server and passes on what they say, until it is told to
 * lose the answer to a commit and the connection with it.
 */
final class CommitCutter implements AutoCloseable {
  private final LoopbackServer listening = LoopbackServer.start("commit-cutter", this::connect);
  private final int serverPort;
  private final AtomicBoolean cutNext = new AtomicBoolean();
  private final AtomicInteger cuts = new AtomicInteger();

  CommitCutter(int serverPort) {
    this.serverPort = serverPort;
  }

  int port() {
    return listening.port();
  }

  void cutNextCommit() {
    cutNext.set(true);
  }

  boolean hasCut() {
    return cuts.get() > 0;
  }

  private void connect(Socket client) throws IOException {
    Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
    AtomicBoolean cutting = new AtomicBoolean();
    listening.inThread(() -> passOn(client, server, cutting, true));
    passOn(server, client, cutting, false);
  }

  private void passOn(Socket from, Socket to, AtomicBoolean cutting, boolean fromClient)
      throws IOException {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[1 << 16];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        if (fromClient
            && new String(buffer, 0, read, ISO_8859_1).contains("COMMIT\0")
            && cutNext.compareAndSet(true, false)) {
          cutting.set(true);
        } else if (!fromClient && cutting.get()) {
          // The answer: it says that the commit is done.
          cuts.incrementAndGet();
          return;
        }
        out.write(buffer, 0, read);
      }
    }
  }

  @Override
  public void close() {
    listening.close();
  }
}
