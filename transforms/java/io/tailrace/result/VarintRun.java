package io.tailrace.result;

import io.tailrace.result.WireCursor.MalformedException;
import java.util.Arrays;

/**
 * Numbers of varying width, as they stand on the wire. Used again for each column; not thread-safe.
 */
final class VarintRun {
  /** Numbers for which there is room from column to column; that of longer ones is given up. */
  static final int KEPT = 1 << 13;

  long[] numbers = new long[16];
  int count;

  void clear() {
    count = 0;
  }

  boolean addPacked(WireCursor in) throws MalformedException {
    int outer = in.enter();
    boolean any = !in.atEnd();
    if (in.limit - in.position > KEPT) {
      // Where many come there is no room to spare: as much as they take, at once.
      int more = count(in.bytes, in.position, in.limit);
      numbers = count == 0 ? new long[more] : Arrays.copyOf(numbers, count + more);
    }
    while (!in.atEnd()) {
      add(in.readVarint());
    }
    in.limit = outer;
    return any;
  }

  void add(long number) {
    if (count == numbers.length) {
      numbers = Arrays.copyOf(numbers, Math.max(16, 2 * count));
    }
    numbers[count++] = number;
  }

  /** Returns how many numbers end among bytes. */
  static int count(byte[] bytes, int from, int to) {
    int count = 0;
    for (int i = from; i < to; i++) {
      // Not a branch: bytes are not foreseeable.
      count += 1 - ((bytes[i] & 0xff) >>> 7);
    }
    return count;
  }

  long[] take() {
    if (count <= KEPT) {
      return Arrays.copyOf(numbers, count);
    }
    long[] all = numbers.length == count ? numbers : Arrays.copyOf(numbers, count);
    numbers = new long[16];
    return all;
  }
}
