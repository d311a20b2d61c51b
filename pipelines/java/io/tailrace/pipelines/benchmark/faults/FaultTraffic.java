package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.benchmark.edges.EdgePublisher;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Publishes in a thread of its own until it is told to stop. Thread-safe. */
final class FaultTraffic implements AutoCloseable {
  private static final Duration STRETCH = Duration.ofMillis(100);

  /** A result of an offline query comes after so many stretches. */
  private static final int UPLOAD_EVERY = 5;

  private final EdgePublisher publisher;
  private final Optional<UploadTraffic> uploads;
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final Future<?> publishing;
  private volatile boolean paused;
  private volatile boolean resting;
  private volatile boolean stopped;

  /**
   * Starts to publish.
   *
   * @param uploads results of offline queries, where somebody loads them
   * @param rate records a second
   */
  FaultTraffic(EdgePublisher publisher, Optional<UploadTraffic> uploads, long rate) {
    this.publisher = publisher;
    this.uploads = uploads;
    this.publishing = thread.submit(() -> publish(rate));
  }

  /** Returns when it is told to stop. */
  private boolean publish(long rate) throws CommandException, InterruptedException {
    for (long stretch = 0; !stopped; stretch++) {
      if (paused) {
        resting = true;
        Thread.sleep(STRETCH.toMillis() / 10);
      } else {
        resting = false;
        publisher.publish(STRETCH, rate);
        if (uploads.isPresent() && stretch % UPLOAD_EVERY == 0) {
          uploads.get().publish();
        }
      }
    }
    return true;
  }

  EdgePublisher publisher() {
    return publisher;
  }

  /** Has messages come again, behind newer ones, or no longer. */
  void repeat(boolean repeat) {
    publisher.repeat(repeat);
    uploads.ifPresent(it -> it.repeat(repeat));
  }

  /** Returns how many messages of each bus came again, in words; empty if of one none has yet. */
  Optional<String> repeated() {
    long results = publisher.repeated();
    long loaded = uploads.map(UploadTraffic::repeated).orElse(0L);
    return results == 0 || (uploads.isPresent() && loaded == 0)
        ? Optional.empty()
        : Optional.of(
            results + " results" + (uploads.isPresent() ? " and " + loaded + " uploads" : ""));
  }

  /** Returns how many results, good and bad, the buses have acknowledged, when it is stopped. */
  long results() {
    return publisher.results() + uploads.map(UploadTraffic::results).orElse(0L);
  }

  /** Publishes nothing for a while, then one message, and nothing more until that is all. */
  void pause(Duration time) throws CommandException, InterruptedException {
    paused = true;
    while (!resting && !publishing.isDone()) {
      Thread.sleep(STRETCH.toMillis() / 10);
    }
    Thread.sleep(time.toMillis());
    publisher.publishOne();
    if (uploads.isPresent()) {
      uploads.get().publishOne();
    }
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
    uploads.ifPresent(UploadTraffic::close);
  }
}
