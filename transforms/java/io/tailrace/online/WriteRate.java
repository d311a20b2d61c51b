package io.tailrace.online;

import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;

/**
 * How many entities a connection writes in a second, at most: so that a backlog that is drained
 * leaves the store to those who read. What is not used is not saved up. Thread-safe.
 */
public final class WriteRate {
  private static final long SECOND = 1_000_000_000L;

  /** What is sent at once lasts about so long. */
  private static final int PORTIONS_PER_SECOND = 20;

  private final int perSecond;
  private final Time time;
  private long freeAt;

  /** A clock, and how to wait by it. */
  public interface Time {
    /** Counts nanoseconds, from anywhere on. */
    long nanos();

    /** Returns when so much time has passed. */
    void sleep(Duration wait) throws InterruptedException;
  }

  private static final Time OF_MACHINE =
      new Time() {
        @Override
        public long nanos() {
          return System.nanoTime();
        }

        @Override
        public void sleep(Duration wait) throws InterruptedException {
          Thread.sleep(wait.toMillis(), wait.toNanosPart() % 1_000_000);
        }
      };

  private WriteRate(int perSecond, Time time) {
    this.perSecond = perSecond;
    this.time = time;
    this.freeAt = time.nanos();
  }

  /**
   * Makes one.
   *
   * @param perSecond 0: there is no limit
   */
  public static WriteRate of(int perSecond) {
    return of(perSecond, OF_MACHINE);
  }

  /** Makes one with a clock of its own. */
  public static WriteRate of(int perSecond, Time time) {
    return new WriteRate(perSecond, time);
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
      time.sleep(wait);
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
    long now = time.nanos();
    long begin = Math.max(now, freeAt);
    freeAt = begin + entities * SECOND / perSecond;
    return Duration.ofNanos(begin - now);
  }
}
