package io.tailrace.offline.bulk;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;

/**
 * Reads an object of a bucket. What Amazon's client throws where its service refuses to give it is
 * no {@link IOException}; here it is the cause of one. A read that brings nothing into a buffer
 * with room ends what can't be whole. Not thread-safe.
 */
class BucketChannel implements ReadableByteChannel {
  private final ReadableByteChannel channel;

  private BucketChannel(ReadableByteChannel channel) {
    this.channel = channel;
  }

  /** Returns a channel that can be read at any place if another can. */
  static ReadableByteChannel of(ReadableByteChannel channel) {
    return channel instanceof SeekableByteChannel seekable
        ? new Seekable(seekable)
        : new BucketChannel(channel);
  }

  @Override
  public int read(ByteBuffer to) throws IOException {
    int read;
    try {
      read = channel.read(to);
    } catch (RuntimeException e) {
      throw new IOException(e.getMessage(), e);
    }
    // So Beam's channel says, for ever, that the object ends before the size that it had.
    if (read == 0 && to.hasRemaining()) {
      throw new EOFException("it has become shorter while it was read");
    }
    return read;
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static final class Seekable extends BucketChannel implements SeekableByteChannel {
    private final SeekableByteChannel channel;

    Seekable(SeekableByteChannel channel) {
      super(channel);
      this.channel = channel;
    }

    @Override
    public long position() throws IOException {
      return channel.position();
    }

    @Override
    public SeekableByteChannel position(long position) throws IOException {
      try {
        SeekableByteChannel unused = channel.position(position);
        return this;
      } catch (RuntimeException e) {
        throw new IOException(e.getMessage(), e);
      }
    }

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public int write(ByteBuffer from) {
      throw new NonWritableChannelException();
    }

    @Override
    public SeekableByteChannel truncate(long size) {
      throw new NonWritableChannelException();
    }
  }
}
