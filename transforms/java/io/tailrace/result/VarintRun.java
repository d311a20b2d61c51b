package io.tailrace.result;

import io.tailrace.result.WireCursor.MalformedException;
import java.util.Arrays;

/**
 * Numbers of varying width, as they stand on the wire. Used again for each column; not thread-safe.
 */
final class VarintRun {
  long[] numbers = new long[16];
  int count;

  void clear() {
    count = 0;
  }

  boolean addPacked(WireCursor in) throws MalformedException {
    int outer = in.enter();
    boolean any = !in.atEnd();
    while (!in.atEnd()) {
      add(in.readVarint());
    }
    in.limit = outer;
    return any;
  }

  void add(long number) {
    if (count == numbers.length) {
      numbers = Arrays.copyOf(numbers, 2 * count);
    }
    numbers[count++] = number;
  }

  long[] take() {
    return Arrays.copyOf(numbers, count);
  }
}
