package io.tailrace.pipelines.deadletter;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a signal, such as that of Ctrl-C, end what runs where it can be taken up again. Thread-safe.
 */
final class Stopping implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "stop-dead-letters");

  private Stopping() {}

  /** Begins to listen. */
  static Stopping onSignal() {
    Stopping stopping = new Stopping();
    Runtime.getRuntime().addShutdownHook(stopping.hook);
    return stopping;
  }

  /** Asks for the end, and does not wait for it. */
  void ask() {
    asked.countDown();
  }

  private void stop() {
    ask();
    try {
      var unused = ended.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns whether something has asked for the end. */
  boolean isAsked() {
    return asked.getCount() == 0;
  }

  /** Waits for so long, or until somebody asks for the end. */
  boolean isAskedWithin(Duration time) {
    try {
      return asked.await(time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  @Override
  public void close() {
    ended.countDown();
    try {
      var unused = Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // It runs, and has been told.
    }
  }
}
