package io.tailrace.pipelines.benchmark;

import java.util.function.LongSupplier;

/**
 * Measures how fast something is worked off in the steady state: between the 35th and the 95th
 * hundredth, so that neither the start nor the end counts.
 */
final class SteadyRate {
  private static final double FROM = 0.35;
  private static final double TO = 0.95;
  private static final long STALL_NANOS = 120_000_000_000L;
  private static final long POLL_MILLIS = 5;

  private SteadyRate() {}

  /**
   * Waits until nearly all is done and returns how many were done in a second.
   *
   * @throws IllegalStateException if nothing more is done for two minutes
   */
  static double of(LongSupplier done, long total) throws InterruptedException {
    long from = (long) (FROM * total);
    long to = (long) (TO * total);
    long start = 0;
    long startCount = 0;
    long last = -1;
    long lastChange = System.nanoTime();
    while (true) {
      long count = done.getAsLong();
      long now = System.nanoTime();
      if (start != 0 && count >= to) {
        return (count - startCount) * 1e9 / (now - start);
      }
      if (count != last) {
        last = count;
        lastChange = now;
      } else if (now - lastChange > STALL_NANOS) {
        throw new IllegalStateException("stalled at " + count + " of " + total);
      }
      if (start == 0 && count >= from) {
        if (count >= to) {
          throw new IllegalStateException(total + " are too few to measure a rate");
        }
        start = now;
        startCount = count;
      }
      Thread.sleep(POLL_MILLIS);
    }
  }
}
