package io.tailrace.bus.kafka;

import java.util.OptionalLong;

/**
 * The least publish time among the last records of a partition: how far event time has come in a
 * backlog. Publishers' clocks differ, and some stamp ahead: the last record's time alone would make
 * late what comes behind it. Not thread-safe.
 */
final class LeastTimes {
  /** How many records to look back on, at least. */
  private static final int RECORDS = 1_000;

  private long before = Long.MAX_VALUE;
  private long now = Long.MAX_VALUE;
  private int records;
  private boolean enough;

  /**
   * Notes records that were handed out together.
   *
   * @param least the least of their times
   */
  void add(long least, int count) {
    now = Math.min(now, least);
    records += count;
    if (records >= RECORDS) {
      before = now;
      now = Long.MAX_VALUE;
      records = 0;
      enough = true;
    }
  }

  /** Returns the least time; empty while there were too few to tell. */
  OptionalLong get() {
    return enough ? OptionalLong.of(Math.min(before, now)) : OptionalLong.empty();
  }
}
