package io.tailrace.online;

import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How many entities a connection writes in a second, at most: so that a backlog that is drained
 * leaves the store to those who read. What is not used is not saved up. Thread-safe.
 */
public final class WriteRate {
  private static final long SECOND = 1_000_000_000L;

  /** What is sent at once lasts about so long. */
  private static final int PORTIONS_PER_SECOND = 20;

  private final int perSecond;
  private final LongSupplier nanoClock;
  private long freeAt;

  /** With a clock that counts nanoseconds. */
  WriteRate(int perSecond, LongSupplier nanoClock) {
    this.perSecond = perSecond;
    this.nanoClock = nanoClock;
    this.freeAt = nanoClock.getAsLong();
  }

  /**
   * Makes one.
   *
   * @param perSecond 0: there is no limit
   */
  public static WriteRate of(int perSecond) {
    return new WriteRate(perSecond, System::nanoTime);
  }

  /** Returns how many entities are sent at once, at most. */
  public int portion() {
    return perSecond == 0 ? Integer.MAX_VALUE : Math.max(1, perSecond / PORTIONS_PER_SECOND);
  }

  /**
   * Waits until so many entities may be written.
   *
   * @throws UnavailableException if the thread was interrupted
   */
  public void await(int entities) throws UnavailableException {
    Duration wait = reserve(entities);
    if (wait.isZero()) {
      return;
    }
    try {
      Thread.sleep(wait.toMillis(), wait.toNanosPart() % 1_000_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted while waiting to write", e);
    }
  }

  /** Takes the next time for so many entities; returns how long it is until then. */
  synchronized Duration reserve(int entities) {
    if (perSecond == 0) {
      return Duration.ZERO;
    }
    long now = nanoClock.getAsLong();
    long begin = Math.max(now, freeAt);
    freeAt = begin + entities * SECOND / perSecond;
    return Duration.ofNanos(begin - now);
  }
}
