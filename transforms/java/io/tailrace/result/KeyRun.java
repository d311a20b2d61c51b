package io.tailrace.result;

import com.google.common.base.Utf8;
import io.tailrace.result.WireCursor.MalformedException;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Arrays;

/** Gathers the keys of a frame or deletion, whose fields are the same in both. Not thread-safe. */
final class KeyRun {
  private static final long[] NO_NUMBERS = {};
  private static final int[] NO_BOUNDS = {};

  private final String path;
  private int[] bounds = NO_BOUNDS;
  private int strings;
  private long[] numbers = NO_NUMBERS;
  private int integers;

  KeyRun(String path) {
    this.path = path;
  }

  void string(WireCursor in) throws MalformedException, InvalidMessageException {
    int length = in.readLength();
    if (!Utf8.isWellFormed(in.bytes, in.position, length)) {
      throw ResultRules.notUtf8(path + "string_keys[" + strings + "]");
    }
    if (2 * strings == bounds.length) {
      bounds = Arrays.copyOf(bounds, Math.max(2, 2 * bounds.length));
    }
    bounds[2 * strings] = in.position;
    bounds[2 * strings + 1] = in.position + length;
    strings++;
    in.position += length;
  }

  void integer(long value) {
    if (integers == numbers.length) {
      numbers = Arrays.copyOf(numbers, Math.max(1, 2 * numbers.length));
    }
    numbers[integers++] = WireCursor.zigZag(value);
  }

  void packed(WireCursor in) throws MalformedException {
    int outer = in.enter();
    int more = VarintRun.count(in.bytes, in.position, in.limit);
    numbers = Arrays.copyOf(numbers, integers + more);
    while (!in.atEnd()) {
      integer(in.readVarint());
    }
    in.limit = outer;
  }

  PrimaryKeys build(byte[] payload) throws InvalidMessageException {
    if (strings > 0 && integers > 0) {
      throw new InvalidMessageException(
          Reason.LENGTH_MISMATCH,
          path + "string_keys",
          strings
              + " string keys and "
              + integers
              + " integer keys: a namespace has one type of key");
    }
    return new PrimaryKeys(payload, bounds, numbers, strings > 0, Math.max(strings, integers));
  }
}
