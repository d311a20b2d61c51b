package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.tailrace.pipelines.local.servers.LoopbackServer;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * A proxy before a real Redis that refuses, in words of its own, some of the script calls that pass
 * through it.
 */
final class RefusingProxy implements AutoCloseable {
  private final int port;
  private final String answer;
  private final AtomicInteger refused = new AtomicInteger();
  private volatile Predicate<String> refusing;
  private final LoopbackServer server = LoopbackServer.start("refusing-proxy", this::serve);

  private RefusingProxy(int port, String answer, Predicate<String> refusing) {
    this.port = port;
    this.answer = answer;
    this.refusing = refusing;
  }

  /**
   * Starts one on a free port of the loopback address.
   *
   * @param port of the Redis behind it
   * @param answer the error with which it refuses
   * @param refusing which script calls, by their bytes as ISO 8859-1
   */
  static RefusingProxy start(int port, String answer, Predicate<String> refusing) {
    return new RefusingProxy(port, answer, refusing);
  }

  private void serve(Socket socket) throws IOException {
    try (socket;
        Socket redis = new Socket(InetAddress.getLoopbackAddress(), port);
        DataInputStream asked =
            new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        DataInputStream answered =
            new DataInputStream(new BufferedInputStream(redis.getInputStream()));
        OutputStream toClient = new BufferedOutputStream(socket.getOutputStream());
        OutputStream toRedis = new BufferedOutputStream(redis.getOutputStream())) {
      while (true) {
        byte[] command = value(asked);
        String text = new String(command, ISO_8859_1);
        if (text.contains("EVALSHA") && refusing.test(text)) {
          refused.incrementAndGet();
          toClient.write(("-" + answer + "\r\n").getBytes(ISO_8859_1));
        } else {
          toRedis.write(command);
          toRedis.flush();
          toClient.write(value(answered));
        }
        toClient.flush();
      }
    }
  }

  /** Reads one value of the protocol, with what is in it. */
  private static byte[] value(DataInputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    copy(in, bytes);
    return bytes.toByteArray();
  }

  private static void copy(DataInputStream in, ByteArrayOutputStream out) throws IOException {
    StringBuilder line = new StringBuilder();
    int b = in.readByte();
    while (b != '\n') {
      out.write(b);
      line.append((char) b);
      b = in.readByte();
    }
    out.write(b);
    int number = "$*".indexOf(line.charAt(0)) < 0 ? 0 : Integer.parseInt(line.substring(1).strip());
    if (line.charAt(0) == '$' && number >= 0) {
      out.write(in.readNBytes(number + 2));
    }
    for (int i = 0; line.charAt(0) == '*' && i < number; i++) {
      copy(in, out);
    }
  }

  String uri() {
    return "redis://127.0.0.1:" + server.port();
  }

  /** Has it refuse others from now on. */
  void refuse(Predicate<String> others) {
    refusing = others;
  }

  /** Returns how many calls were refused. */
  int refused() {
    return refused.get();
  }

  @Override
  public void close() {
    server.close();
  }
}
