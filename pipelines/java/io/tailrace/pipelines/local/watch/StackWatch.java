package io.tailrace.pipelines.local.watch;

import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.local.LocalStack;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/** Looks at a stack from all sides, and shows what there is to see. Not thread-safe. */
public final class StackWatch implements AutoCloseable {
  private final DeadLetterTally letters;
  private final FlowProgress progress;
  private final FreshnessProbe probe;
  private final BusiestFeatures busiest;
  private final LocalScreen screen;
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private final long start;

  /**
   * Begins to watch.
   *
   * @param out where to write, if standard output is no terminal
   * @param samples of how many values the freshness is told
   */
  public StackWatch(LocalStack stack, PrintWriter out, int samples) {
    try {
      letters =
          opened(
              DeadLetterTally.start(
                  stack.kafka().bootstrapServers(), LocalStack.DEAD_LETTER_TOPIC));
      progress = opened(new FlowProgress(stack));
      probe = opened(FreshnessProbe.start(stack.onlineStore(), samples));
      busiest = opened(BusiestFeatures.start(OfflineStores.at(stack.metricsStore()).reader()));
      screen = opened(LocalScreen.open(out));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
    start = System.nanoTime();
  }

  private <T extends AutoCloseable> T opened(T part) {
    opened.addFirst(part);
    return part;
  }

  /** Returns when it began, by {@link System#nanoTime}. */
  public long start() {
    return start;
  }

  /** Returns what measures how fresh values are. */
  public FreshnessProbe probe() {
    return probe;
  }

  /** Returns what counts dead letters. */
  public DeadLetterTally letters() {
    return letters;
  }

  /** Asks how far all writers have come. */
  public FlowProgress.Snapshot look() {
    return progress.look(letters);
  }

  /** Shows what was seen. */
  public void show(FlowProgress.Snapshot seen) {
    screen.show(
        new LocalScreen.Status(
            Duration.ofNanos(System.nanoTime() - start),
            seen,
            letters.byReason(),
            probe.percentiles(),
            busiest.last()));
  }

  @Override
  public void close() {
    for (AutoCloseable part : opened) {
      try {
        part.close();
      } catch (Exception e) {
        throw new IllegalStateException("What watches the stack does not end", e);
      }
    }
  }
}
