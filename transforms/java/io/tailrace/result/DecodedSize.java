package io.tailrace.result;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.result.WireCursor.MalformedException;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;

/**
 * What a result takes when it is decoded, counted from its bytes before anything is allocated: a
 * number of one byte becomes one of eight. Not thread-safe.
 */
final class DecodedSize {
  /** What a column takes beside its values, in bytes, roughly. */
  static final int COLUMN = 250;

  /** No message grows more than this: the shortest column has ten bytes or so. */
  private static final int MOST_GROWTH = 40;

  private final WireCursor in;
  private long size;

  private DecodedSize(byte[] payload) {
    in = new WireCursor(payload);
    size = payload.length;
  }

  /**
   * Checks that a message may be decoded: that it takes no more than one may alone.
   *
   * @throws InvalidMessageException if it is too large for this process
   */
  static void check(byte[] payload) throws InvalidMessageException {
    check(payload, MemoryBudget.ofProcess().largest());
  }

  /** Checks the same where one message may take so many bytes. */
  static void check(byte[] payload, long largest) throws InvalidMessageException {
    if ((long) payload.length * MOST_GROWTH <= largest) {
      return;
    }
    long size = of(payload);
    if (size > largest) {
      throw new InvalidMessageException(
          Reason.TOO_LARGE,
          "",
          "decoded, the result takes "
              + size
              + " bytes, and one may take "
              + largest
              + " of this process, an eighth of its heap: raise -Xmx, or publish it in parts");
    }
  }

  /** Returns how many bytes a message takes with what is decoded of it, at most. */
  static long of(byte[] payload) {
    DecodedSize sizes = new DecodedSize(payload);
    try {
      sizes.message();
    } catch (MalformedException e) {
      // What can't be read is refused where it is decoded, with this many bytes at the most.
    }
    return sizes.size;
  }

  private void message() throws MalformedException {
    while (!in.atEnd()) {
      int tag = in.readTag();
      switch (tag) {
        case 18 << 3 | WireCursor.LENGTH_DELIMITED, 19 << 3 | WireCursor.LENGTH_DELIMITED ->
            entities();
        default -> in.skip(tag);
      }
    }
  }

  /** A frame or a deletion: both have their keys in the same fields. */
  private void entities() throws MalformedException {
    int outer = in.enter();
    size += COLUMN;
    while (!in.atEnd()) {
      int tag = in.readTag();
      switch (tag) {
        case 2 << 3 | WireCursor.LENGTH_DELIMITED -> {
          text();
          // Room for keys grows as they come.
          size += Long.BYTES;
        }
        case 3 << 3 | WireCursor.LENGTH_DELIMITED -> packed();
        case 3 << 3 | WireCursor.VARINT -> {
          number(tag);
          size += Long.BYTES;
        }
        case 4 << 3 | WireCursor.LENGTH_DELIMITED -> columnOrFeature();
        default -> in.skip(tag);
      }
    }
    in.limit = outer;
  }

  /** A column of a frame, or the name of a feature of a deletion, which is never so large. */
  private void columnOrFeature() throws MalformedException {
    int outer = in.enter();
    int end = in.limit;
    size += COLUMN;
    try {
      while (!in.atEnd()) {
        int tag = in.readTag();
        switch (tag) {
          case 11 << 3 | WireCursor.LENGTH_DELIMITED,
              13 << 3 | WireCursor.LENGTH_DELIMITED,
              17 << 3 | WireCursor.LENGTH_DELIMITED ->
              packed();
          case 11 << 3 | WireCursor.VARINT,
              13 << 3 | WireCursor.VARINT,
              17 << 3 | WireCursor.VARINT,
              9 << 3 | WireCursor.FIXED64,
              12 << 3 | WireCursor.FIXED64,
              16 << 3 | WireCursor.FIXED64,
              18 << 3 | WireCursor.FIXED32 ->
              number(tag);
          case 14 << 3 | WireCursor.LENGTH_DELIMITED,
              15 << 3 | WireCursor.LENGTH_DELIMITED,
              20 << 3 | WireCursor.LENGTH_DELIMITED ->
              text();
          default -> in.skip(tag);
        }
      }
    } catch (MalformedException e) {
      // A name may look like anything; of a column, the decoder says it.
      in.position = end;
    }
    in.limit = outer;
  }

  /** A text stays where it is; its two ends are remembered. */
  private void text() throws MalformedException {
    int length = in.readLength();
    in.position += length;
    size += Long.BYTES;
  }

  private void number(int tag) throws MalformedException {
    in.skip(tag);
    size += Long.BYTES;
  }

  private void packed() throws MalformedException {
    int length = in.readLength();
    size += (long) Long.BYTES * VarintRun.count(in.bytes, in.position, in.position + length);
    in.position += length;
  }
}
