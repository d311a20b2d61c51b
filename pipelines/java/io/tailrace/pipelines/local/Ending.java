package io.tailrace.pipelines.local;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Has everything that a thread has started ended in order when a signal comes: Ctrl-C or SIGTERM
 * tell it that it is time, and the JVM waits for it. Thread-safe.
 */
final class Ending implements AutoCloseable {
  /** How long a signal waits for a clean end before the JVM ends anyway. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final QuietLog quiet = new QuietLog();
  private final CountDownLatch stop = new CountDownLatch(1);
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread main = Thread.currentThread();
  private final Thread onSignal = new Thread(this::end, "end-local");

  private Ending() {}

  /** Waits for a signal from now on; the thread that calls is the one that is told. */
  static Ending onSignal() {
    Ending ending = new Ending();
    Runtime.getRuntime().addShutdownHook(ending.onSignal);
    return ending;
  }

  private void end() {
    stop.countDown();
    quiet.begin();
    if (started.getCount() > 0) {
      main.interrupt();
    }
    try {
      boolean unused = ended.await(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says that everything has started: from now on the thread asks, and is not interrupted. */
  void started() {
    started.countDown();
  }

  /** Says that what is logged from now on is of the end. */
  void quiet() {
    quiet.begin();
  }

  /** Returns whether a signal came. */
  boolean hasBegun() {
    return stop.getCount() == 0;
  }

  /** Waits, and returns whether it is time to end. */
  boolean comesWithin(Duration duration) {
    try {
      return stop.await(duration.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      return true;
    }
  }

  /** Lets the JVM go. */
  @Override
  public void close() {
    if (!hasBegun()) {
      quiet.close();
    }
    ended.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException e) {
      // The hook runs already.
    }
  }
}
