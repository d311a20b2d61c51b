package io.tailrace.pipelines.local.watch;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures freshness: how long after its publication a value can be read from the online store.
 *
 * <p>For each cell that it is told of, it asks the store, in a thread and over a connection of its
 * own, until a cell that was observed at that time or later is there. Its resolution is half a
 * millisecond while the store keeps up, and some ten milliseconds where it answers slowly, so that
 * the probe is hardly a load of its own.
 *
 * <p>Thread-safe.
 */
public final class FreshnessProbe implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FreshnessProbe.class);

  private static final Duration POLL = Duration.ofNanos(500_000);
  private static final Duration IDLE = Duration.ofMillis(2);
  private static final Duration AFTER_ERROR = Duration.ofMillis(200);

  /** The store is asked for so many cells at once, by turns. */
  private static final int ASKED = 16;

  /** Pauses are this many times as long as the questions between them, within bounds. */
  private static final int IDLENESS = 10;

  /** A slow answer must not make the next sample look slow. */
  private static final Duration LONGEST_POLL = Duration.ofMillis(10);

  /** Cells waited for at once; what comes on top is not measured. */
  private static final int MAX_AWAITED = 5_000;

  /** A cell that a later deletion of its entity took away never comes. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private record Awaited(EntityKey entity, String name, long observedAt, long publishedAtNanos) {}

  /**
   * How long the last samples took.
   *
   * @param samples how many of the window's places are filled
   * @param overdueMillis for how long the oldest cell that is still awaited has been; zero if none
   */
  public record Percentiles(
      int samples, double p50Millis, double p99Millis, double maxMillis, double overdueMillis) {}

  private final String storeUri;
  private final Queue<Awaited> submitted = new ArrayBlockingQueue<>(MAX_AWAITED);
  private final Thread thread;
  private volatile boolean closed;

  // Guarded by this.
  private final long[] window;
  private int samples;
  private int next;
  private long oldestAwaitedNanos;

  private FreshnessProbe(String storeUri, int window) {
    this.storeUri = storeUri;
    this.window = new long[window];
    this.thread = new Thread(this::run, "freshness-probe");
    this.thread.setDaemon(true);
  }

  /**
   * Starts a probe.
   *
   * @param storeUri the online store
   * @param window how many of the last samples percentiles are of
   */
  public static FreshnessProbe start(String storeUri, int window) {
    FreshnessProbe probe = new FreshnessProbe(storeUri, window);
    probe.thread.start();
    return probe;
  }

  /**
   * Tells of a cell that was published. Dropped if too many are awaited already.
   *
   * @param name the feature's name within the namespace
   * @param observedAtMicros when it was observed, since the epoch
   * @param publishedAtNanos {@link System#nanoTime()} when it was handed to the bus
   */
  public void published(
      EntityKey entity, String name, long observedAtMicros, long publishedAtNanos) {
    // A full queue is no error: it is a sample.
    boolean unused = submitted.offer(new Awaited(entity, name, observedAtMicros, publishedAtNanos));
  }

  /** Returns how long the last samples took. */
  public synchronized Percentiles percentiles() {
    long[] sorted = Arrays.copyOf(window, samples);
    Arrays.sort(sorted);
    double overdue = oldestAwaitedNanos == 0 ? 0 : (System.nanoTime() - oldestAwaitedNanos) / 1e6;
    if (samples == 0) {
      return new Percentiles(0, 0, 0, 0, overdue);
    }
    return new Percentiles(
        samples,
        sorted[(samples - 1) / 2] / 1e6,
        sorted[(int) Math.ceil(samples * 0.99) - 1] / 1e6,
        sorted[samples - 1] / 1e6,
        overdue);
  }

  /** Forgets all samples, for example those of a warm-up. */
  public synchronized void reset() {
    samples = 0;
    next = 0;
  }

  private void run() {
    try (OnlineReader reader = OnlineReader.open(storeUri)) {
      Deque<Awaited> awaited = new ArrayDeque<>();
      while (!closed) {
        while (awaited.size() < MAX_AWAITED) {
          Awaited cell = submitted.poll();
          if (cell == null) {
            break;
          }
          awaited.addLast(cell);
        }
        long pause = IDLE.toNanos();
        if (!awaited.isEmpty()) {
          long asked = System.nanoTime();
          try {
            look(reader, awaited);
            pause =
                Math.min(
                    Math.max(POLL.toNanos(), IDLENESS * (System.nanoTime() - asked)),
                    LONGEST_POLL.toNanos());
          } catch (UnavailableException e) {
            log.debug("The store can't be asked: {}", e.getMessage());
            pause = AFTER_ERROR.toNanos();
          }
        }
        long oldest = awaited.stream().mapToLong(Awaited::publishedAtNanos).min().orElse(0);
        synchronized (this) {
          oldestAwaitedNanos = oldest;
        }
        LockSupport.parkNanos(pause);
      }
    }
  }

  /** Asks for the cells in front; those that are not there yet go to the back. */
  private void look(OnlineReader reader, Deque<Awaited> awaited) throws UnavailableException {
    List<Awaited> asked = new ArrayList<>();
    while (asked.size() < ASKED && !awaited.isEmpty()) {
      asked.add(awaited.removeFirst());
    }
    List<Map<String, Cell>> found;
    try {
      found = reader.readCells(asked.stream().map(Awaited::entity).toList());
    } catch (UnavailableException e) {
      awaited.addAll(asked);
      throw e;
    }
    long now = System.nanoTime();
    for (int i = 0; i < asked.size(); i++) {
      Awaited cell = asked.get(i);
      Cell stored = found.get(i).get(cell.name());
      long waited = now - cell.publishedAtNanos();
      if (stored != null && stored.observedAt() >= cell.observedAt()) {
        add(waited);
      } else if (waited < PATIENCE.toNanos()) {
        awaited.addLast(cell);
      }
    }
  }

  private synchronized void add(long nanos) {
    window[next] = nanos;
    next = (next + 1) % window.length;
    samples = Math.min(samples + 1, window.length);
  }

  /** Ends the probe. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join(1_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
