package io.tailrace.endpoint;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.beam.sdk.util.BackOff;
import org.apache.beam.sdk.util.FluentBackoff;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Tries something again while a server can't do it, with pauses that grow, until a deadline: so
 * long after the first failure, whatever the time since then went on, pauses or tries. The first
 * failure is always followed by another try, unless nothing is to be tried again, and a try that
 * has begun is not cut off, so that it may end behind the deadline. One for each thing that is
 * tried; not thread-safe.
 */
public final class Retry {
  private static final Logger LOG = LoggerFactory.getLogger(Retry.class);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration WORTH_A_WARNING = Duration.ofMillis(300);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  /**
   * Tries that may follow at once upon answers that say what to do: more than one chain of them
   * takes (each key by itself, at another node, which must learn the script first).
   */
  private static final int MAX_AT_ONCE = 5;

  private static final FluentBackoff PAUSES =
      FluentBackoff.DEFAULT
          .withInitialBackoff(org.joda.time.Duration.millis(FIRST_PAUSE.toMillis()))
          .withMaxBackoff(org.joda.time.Duration.millis(LONGEST_PAUSE.toMillis()));

  private final String name;
  private final Duration retryFor;
  private final LongSupplier nanoClock;
  private final BackOff pauses = PAUSES.backoff();
  private boolean failed;
  private long failedAt;
  private int atOnce;

  /** With a clock that counts nanoseconds. */
  Retry(String name, Duration retryFor, LongSupplier nanoClock) {
    this.name = name;
    this.retryFor = retryFor;
    this.nanoClock = nanoClock;
  }

  /**
   * Begins a series of tries.
   *
   * @param name what is tried, for sentences: the server's address, without secrets
   * @param retryFor for how long to try again; zero: not at all
   */
  public static Retry of(String name, Duration retryFor) {
    return new Retry(name, retryFor, System::nanoTime);
  }

  /**
   * Pauses after a try that failed; when this returns, it is time for the next one.
   *
   * @param trouble what went wrong, for a sentence
   * @throws UnavailableException if the time is over, or the thread was interrupted
   */
  public void pause(String trouble) throws UnavailableException {
    pause(trouble, Optional.empty());
  }

  /** As {@link #pause(String)}, with the cause of what is thrown when the time is over. */
  public void pause(String trouble, Throwable cause) throws UnavailableException {
    pause(trouble, Optional.of(cause));
  }

  /**
   * Goes on at once after an answer that says what to do, such as where to ask instead. Whoever
   * answers so again and again is given pauses, and not for ever.
   *
   * @param answer the answer, for a sentence
   * @throws UnavailableException if it was answered so too often and the time is over, or the
   *     thread was interrupted
   */
  public void atOnce(String answer) throws UnavailableException {
    atOnce++;
    if (atOnce > MAX_AT_ONCE) {
      pause(answer);
    }
  }

  private void pause(String trouble, Optional<Throwable> cause) throws UnavailableException {
    long now = nanoClock.getAsLong();
    if (!failed) {
      failed = true;
      failedAt = now;
    }
    Duration left = retryFor.minusNanos(now - failedAt);
    if (left.isNegative() || left.isZero()) {
      String message = name + " can't be used for " + Durations.text(retryFor) + ": " + trouble;
      throw cause.isPresent()
          ? new UnavailableException(message, cause.get())
          : new UnavailableException(message);
    }
    // At least a millisecond: what is left may be less.
    long millis = Math.max(1, Math.min(nextPause(), left.toMillis()));
    // Blips mend themselves; from here on somebody may want to know.
    LOG.atLevel(millis < WORTH_A_WARNING.toMillis() ? Level.DEBUG : Level.WARN)
        .log("{}: {}; trying again in {} ms", name, trouble, millis);
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(name + ": interrupted while waiting: " + trouble, e);
    }
  }

  private long nextPause() {
    long millis = pauses.nextBackOffMillis();
    return millis == BackOff.STOP ? LONGEST_PAUSE.toMillis() : millis;
  }
}
