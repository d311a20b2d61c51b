package io.tailrace.result;

import io.tailrace.result.WireCursor.MalformedException;

/**
 * Fixed-width numbers, side by side: in the payload, unless a writer did not pack them. Used again
 * for each column; not thread-safe.
 */
final class FixedRun {
  private static final byte[] NO_BYTES = {};

  byte[] data = NO_BYTES;
  int start;
  int length;

  void clear() {
    data = NO_BYTES;
    start = 0;
    length = 0;
  }

  long longAt(int index) {
    return WireCursor.longAt(data, start + (index << 3));
  }

  boolean addPacked(WireCursor in, int width) throws MalformedException {
    int bytes = in.readLength();
    if (bytes % width != 0) {
      throw new MalformedException(
          "a packed field at byte " + in.position + " ends inside a number");
    }
    add(in, bytes);
    return bytes > 0;
  }

  void addOne(WireCursor in, int width) throws MalformedException {
    if (in.limit - in.position < width) {
      throw new MalformedException("the message ends inside a field at byte " + in.limit);
    }
    add(in, width);
  }

  private void add(WireCursor in, int bytes) {
    if (length == 0) {
      data = in.bytes;
      start = in.position;
    } else {
      if (data == in.bytes || length + bytes > data.length) {
        byte[] grown = new byte[Math.max(length + bytes, 2 * length)];
        System.arraycopy(data, start, grown, 0, length);
        data = grown;
        start = 0;
      }
      System.arraycopy(in.bytes, in.position, data, length, bytes);
    }
    length += bytes;
    in.position += bytes;
  }
}
