package io.tailrace.result;

import io.tailrace.result.WireCursor.MalformedException;
import java.util.Arrays;

/**
 * Positions of delimited values: pairs of start and end. Used again for each column; not
 * thread-safe.
 */
final class SliceRun {
  int[] bounds = new int[16];
  int count;

  void clear() {
    count = 0;
  }

  void add(WireCursor in) throws MalformedException {
    int length = in.readLength();
    if (2 * count == bounds.length) {
      bounds = Arrays.copyOf(bounds, 4 * count);
    }
    bounds[2 * count] = in.position;
    bounds[2 * count + 1] = in.position + length;
    count++;
    in.position += length;
  }

  int[] take() {
    int[] all = Arrays.copyOf(bounds, 2 * count);
    if (count > VarintRun.KEPT) {
      // Room for many is not kept for the next column.
      bounds = new int[16];
    }
    return all;
  }
}
