package io.tailrace.bus.pubsub;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Messages in a temporary file, to be read as often as somebody likes: a subscription gives each
 * once. Only this process sees the file, and it is gone with it. Not thread-safe.
 */
final class MessageSpool implements AutoCloseable {
  private static final BusMessageCoder CODER = BusMessageCoder.of();

  /** Where a message begins, or the end. */
  record Mark(long position, long count) {
    static final Mark BEGIN = new Mark(0, 0);
  }

  /** Is given messages. */
  interface Reader {
    /** Takes one; returns whether to go on. */
    boolean take(BusMessage message) throws IOException;
  }

  /** A channel's bytes from a position on; the channel's own position is where is written. */
  private final class Positioned extends InputStream {
    private long position;
    private final byte[] one = new byte[1];

    Positioned(long position) {
      this.position = position;
    }

    @Override
    public int read() throws IOException {
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
      int count = channel.read(ByteBuffer.wrap(into, from, length), position);
      position += Math.max(0, count);
      return count;
    }
  }

  private final FileChannel channel;
  private Mark end = Mark.BEGIN;

  private MessageSpool(FileChannel channel) {
    this.channel = channel;
  }

  /** Begins one, with a file that nobody else may read. */
  static MessageSpool create() throws IOException {
    Path file = Files.createTempFile("tailrace-letters", ".spool");
    FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);
    try {
      // Where a file can go while it is open, a crash leaves none.
      Files.delete(file);
    } catch (IOException e) {
      file.toFile().deleteOnExit();
    }
    return new MessageSpool(channel);
  }

  /** Adds a message. */
  void add(BusMessage message) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(message.payload().length + 1_024);
    CODER.encode(message, bytes);
    ByteBuffer record = ByteBuffer.allocate(Integer.BYTES + bytes.size());
    record.putInt(bytes.size()).put(bytes.toByteArray()).flip();
    while (record.hasRemaining()) {
      var unused = channel.write(record);
    }
    end = new Mark(channel.position(), end.count + 1);
  }

  /** Returns where the next message will begin. */
  Mark end() {
    return end;
  }

  /** Gives the messages between two marks to somebody, until that has enough. */
  void read(Mark from, Mark to, Reader reader) throws IOException {
    DataInputStream in =
        new DataInputStream(new BufferedInputStream(new Positioned(from.position), 1 << 16));
    for (long i = from.count; i < to.count; i++) {
      byte[] bytes = in.readNBytes(in.readInt());
      if (!reader.take(CODER.decode(new java.io.ByteArrayInputStream(bytes)))) {
        return;
      }
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
