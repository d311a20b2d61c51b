package io.tailrace.bus.kafka;

/** How often a reader's work becomes durable, as it has seen. Not thread-safe. */
final class CommitTimes {
  private long lastNanos;
  private long everyMillis;

  /**
   * Notes that something has become durable.
   *
   * @param isNext whether it is not of the same checkpoint as what was noted last
   */
  void note(boolean isNext) {
    long now = System.nanoTime();
    if (lastNanos != 0 && isNext) {
      everyMillis = Math.max(1, (now - lastNanos) / 1_000_000);
    }
    if (lastNanos == 0 || isNext) {
      lastNanos = now;
    }
  }

  /** Returns the time between the last two, in milliseconds; 0 before there were two. */
  long everyMillis() {
    return everyMillis;
  }
}
