package io.tailrace.online.dynamodb;

import io.tailrace.endpoint.Micros;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityWrite;

/**
 * Until when the cells of an item are kept, and from when on something of them is over: both in
 * seconds since the epoch, rounded up to some 18 minutes, so that they change only now and then.
 * Not thread-safe.
 */
final class Lifetimes {
  /** What is never over, or kept for ever. */
  static final long NEVER = Long.MAX_VALUE;

  private static final long GRANULE = 1L << 30;
  private static final long SECOND = 1_000_000;

  private final long graceMicros;
  // In granules.
  private long first = NEVER;
  private long last = Long.MIN_VALUE;

  Lifetimes(long graceMicros) {
    this.graceMicros = graceMicros;
  }

  /** Adds a cell; a tombstone is kept by the time of its entity. */
  void add(byte[] cell) {
    if (Cell.isTombstone(cell)) {
      return;
    }
    long expiresAt = Cell.expiresAt(cell);
    if (expiresAt == Cell.NEVER) {
      last = NEVER;
    } else {
      long over = granule(expiresAt, graceMicros);
      first = Math.min(first, over);
      last = Math.max(last, over);
    }
  }

  /** Adds the time until which deletions are remembered. */
  void remember(long until) {
    if (until == Cell.NEVER) {
      last = NEVER;
    } else if (until != EntityWrite.NOTHING) {
      first = Math.min(first, granule(until, 0));
      last = Math.max(last, granule(until, graceMicros));
    }
  }

  private static long granule(long time, long plus) {
    return Math.floorDiv(Micros.plus(time, plus), GRANULE) + 1;
  }

  /** Returns from when on something is over, or {@link #NEVER}. */
  long due() {
    return seconds(first);
  }

  /** Returns until when the item is kept, or {@link #NEVER}. */
  long keptUntil() {
    return last == Long.MIN_VALUE ? NEVER : seconds(last);
  }

  private static long seconds(long granules) {
    return granules > Long.MAX_VALUE / GRANULE
        ? NEVER
        : -Math.floorDiv(-granules * GRANULE, SECOND);
  }
}
