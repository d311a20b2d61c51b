package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.benchmark.edges.EdgePublisher;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Publishes in a thread of its own until it is told to stop. Thread-safe. */
final class FaultTraffic implements AutoCloseable {
  private static final Duration STRETCH = Duration.ofMillis(100);

  private final EdgePublisher publisher;
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final Future<?> publishing;
  private volatile boolean paused;
  private volatile boolean resting;
  private volatile boolean stopped;

  /**
   * Starts to publish.
   *
   * @param rate records a second
   */
  FaultTraffic(EdgePublisher publisher, long rate) {
    this.publisher = publisher;
    this.publishing = thread.submit(() -> publish(rate));
  }

  /** Returns when it is told to stop. */
  private boolean publish(long rate) throws InterruptedException {
    while (!stopped) {
      if (paused) {
        resting = true;
        Thread.sleep(STRETCH.toMillis() / 10);
      } else {
        resting = false;
        publisher.publish(STRETCH, rate);
      }
    }
    return true;
  }

  EdgePublisher publisher() {
    return publisher;
  }

  /** Publishes nothing for a while, then one message, and nothing more until that is all. */
  void pause(Duration time) throws InterruptedException {
    paused = true;
    while (!resting && !publishing.isDone()) {
      Thread.sleep(STRETCH.toMillis() / 10);
    }
    Thread.sleep(time.toMillis());
    publisher.publishOne();
    stopped = true;
  }

  /** Publishes the rest, and returns when the bus has acknowledged it. */
  void stop() throws CommandException, InterruptedException {
    stopped = true;
    try {
      publishing.get();
    } catch (ExecutionException e) {
      throw new CommandException("Publishing has failed: " + e.getCause(), e);
    }
  }

  @Override
  public void close() {
    stopped = true;
    thread.shutdownNow();
    publisher.close();
  }
}
