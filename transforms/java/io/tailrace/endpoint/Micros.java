package io.tailrace.endpoint;

import java.time.Duration;
import java.time.Instant;

/**
 * Microseconds, in which messages, files and stores hold times (since the epoch) and lengths of
 * time. Exact wherever a long has room, which is 292,000 years to either side, and the least or the
 * greatest long elsewhere: nothing overflows. What is smaller than a microsecond is cut off,
 * towards the past. Stateless and thread-safe.
 */
public final class Micros {
  private static final long PER_SECOND = 1_000_000;
  private static final long PER_MILLI = 1_000;

  private Micros() {}

  /** Returns the time by this machine's clock. */
  public static long now() {
    return of(Instant.now());
  }

  /** Returns a time as microseconds since the epoch. */
  public static long of(Instant time) {
    return of(time.getEpochSecond(), time.getNano());
  }

  /** Returns a length of time in microseconds. */
  public static long of(Duration length) {
    return of(length.getSeconds(), length.getNano());
  }

  private static long of(long seconds, int nanos) {
    // Counted from the second that is nearer to zero: the other one may have no room.
    boolean before = seconds < 0 && nanos > 0;
    long whole = before ? seconds + 1 : seconds;
    long micros = nanos / PER_MILLI - (before ? PER_SECOND : 0);
    try {
      return Math.addExact(Math.multiplyExact(whole, PER_SECOND), micros);
    } catch (ArithmeticException e) {
      return seconds < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
  }

  /** Returns milliseconds in microseconds. */
  public static long ofMillis(long millis) {
    if (millis > Long.MAX_VALUE / PER_MILLI) {
      return Long.MAX_VALUE;
    }
    return millis < Long.MIN_VALUE / PER_MILLI ? Long.MIN_VALUE : millis * PER_MILLI;
  }

  /** Returns a sum; beyond what a long holds, the least or the greatest. */
  public static long plus(long a, long b) {
    long sum = a + b;
    if (((a ^ sum) & (b ^ sum)) >= 0) {
      return sum;
    }
    return b < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
  }

  /** Returns microseconds in whole milliseconds. */
  public static long toMillis(long micros) {
    return Math.floorDiv(micros, PER_MILLI);
  }

  /** Returns a time that is given in microseconds since the epoch. */
  public static Instant instant(long micros) {
    return Instant.ofEpochSecond(
        Math.floorDiv(micros, PER_SECOND), Math.floorMod(micros, PER_SECOND) * PER_MILLI);
  }
}
