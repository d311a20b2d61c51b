package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.tailrace.pipelines.local.servers.LoopbackServer;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A proxy that never comes to an end: it speaks Redis's protocol and answers every script call with
 * the same error, and everything else with OK.
 */
final class AnsweringServer implements AutoCloseable {
  private final LoopbackServer server = LoopbackServer.start("answering-server", this::serve);
  private final String answer;
  private final AtomicInteger calls = new AtomicInteger();

  private AnsweringServer(String answer) {
    this.answer = answer.replace("SELF", "127.0.0.1:" + server.port());
  }

  /**
   * Starts one on a free port of the loopback address.
   *
   * @param answer what it says to script calls; SELF in it stands for its own address
   */
  static AnsweringServer start(String answer) {
    return new AnsweringServer(answer);
  }

  private void serve(Socket socket) throws IOException {
    try (socket;
        DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        OutputStream out = socket.getOutputStream()) {
      for (String line = line(in); !line.isEmpty(); line = line(in)) {
        int arguments = Integer.parseInt(line.substring(1));
        String command = "";
        for (int i = 0; i < arguments; i++) {
          byte[] bytes = new byte[Integer.parseInt(line(in).substring(1))];
          in.readFully(bytes);
          line(in);
          command = i == 0 ? new String(bytes, US_ASCII).toUpperCase(Locale.ROOT) : command;
        }
        if (command.equals("EVALSHA")) {
          calls.incrementAndGet();
          out.write(("-" + answer + "\r\n").getBytes(US_ASCII));
        } else if (command.equals("TIME")) {
          String seconds = Long.toString(Instant.now().getEpochSecond());
          out.write(
              ("*2\r\n$" + seconds.length() + "\r\n" + seconds + "\r\n$1\r\n0\r\n")
                  .getBytes(US_ASCII));
        } else {
          out.write("+OK\r\n".getBytes(US_ASCII));
        }
        out.flush();
      }
    }
  }

  private static String line(DataInputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      line.append((char) c);
    }
    return line.toString().strip();
  }

  String uri() {
    return "redis://127.0.0.1:" + server.port();
  }

  /** Returns how many script calls were answered. */
  int calls() {
    return calls.get();
  }

  @Override
  public void close() {
    server.close();
  }
}
