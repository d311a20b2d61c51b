package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Gathers elements in a bundle, so that a stage can deal with many of them at once: until they are
 * of so many bytes, so many in number, nothing more was waiting on the bus ({@link
 * BusMessage#endsBacklog}) or the bundle ends. Keeps where each belongs, for {@link Outputs}.
 *
 * <pre>{@code
 * @StartBundle
 * public void startBundle() {
 *   gathered = Gathered.upTo(MAX_BYTES, Row::size).andUpTo(MAX_ROWS, row -> 1).untilBacklogEnds(Row::message).within(share);
 *   outputs = new Outputs<>();
 * }
 *
 * @ProcessElement
 * public void insert(
 *     @Element Row row, @Timestamp Instant timestamp, BoundedWindow window, MultiOutputReceiver out) {
 *   gathered.add(row, timestamp, window);
 *   if (gathered.isDue()) {
 *     insert(gathered.take(), outputs.now(out, window));
 *     gathered.written();
 *   }
 * }
 *
 * @FinishBundle
 * public void finishBundle(FinishBundleContext context) {
 *   insert(gathered.take(), outputs.atEnd(context));
 *   gathered.written();
 * }
 * }</pre>
 *
 * <p>For one bundle: what a bundle that failed had gathered comes again with its repetition, so
 * each bundle has one of its own. Not thread-safe.
 */
public final class Gathered<T> {
  /** How much of something may be held. */
  private static final class Limit<T> {
    final long most;
    final ToLongFunction<T> measure;
    long held;

    Limit(long most, ToLongFunction<T> measure) {
      if (most < 1) {
        throw new IllegalArgumentException("a limit must be above zero, not " + most);
      }
      this.most = most;
      this.measure = measure;
    }
  }

  private final Limit<T> bytes;
  private final List<Limit<T>> limits = new ArrayList<>();
  private Predicate<T> endsBacklog = element -> false;
  private MemoryBudget.@Nullable Share share;
  private List<Held<T>> held = new ArrayList<>();
  // Bytes that were taken and may not be written yet.
  private long taken;
  private boolean due;

  private Gathered(Limit<T> bytes) {
    this.bytes = bytes;
    limits.add(bytes);
  }

  /**
   * Gathers until this many bytes are held: what a large element has too much is held all the same.
   *
   * @param size how many of them an element takes; see {@link #grow}
   */
  public static <T> Gathered<T> upTo(long bytes, ToLongFunction<T> size) {
    return new Gathered<>(new Limit<>(bytes, size));
  }

  /**
   * Gathers no more than this either.
   *
   * @param measure how much of it an element is: 1 where elements are counted, or its rows
   */
  public Gathered<T> andUpTo(long count, ToLongFunction<T> measure) {
    limits.add(new Limit<>(count, measure));
    return this;
  }

  /** Gathers no longer than until an element that came last of those which waited on the bus. */
  public Gathered<T> untilBacklogEnds(Function<T, BusMessage> message) {
    endsBacklog = element -> message.apply(element).endsBacklog();
    return this;
  }

  /**
   * Draws on the memory of the process: what is gathered counts until it is {@link #written}, and
   * where more is held than there is, it is time to take it. What the share held before, of a
   * bundle that failed, is given back.
   */
  public Gathered<T> within(MemoryBudget.Share memory) {
    memory.hold(0);
    share = memory;
    return this;
  }

  /** Adds an element. */
  public Held<T> add(T element, Instant timestamp, BoundedWindow window) {
    Held<T> added = new Held<>(element, timestamp, window);
    held.add(added);
    for (int i = 0; i < limits.size(); i++) {
      Limit<T> limit = limits.get(i);
      limit.held += limit.measure.applyAsLong(element);
      due |= limit.held >= limit.most;
    }
    due |= endsBacklog.test(element);
    count();
    return added;
  }

  private void count() {
    if (share != null) {
      share.hold(taken + bytes.held);
      due |= share.isOverdrawn();
    }
  }

  /** Counts bytes that became known, or were made of what is held, after it was added. */
  public void grow(long more) {
    bytes.held += more;
    due |= bytes.held >= bytes.most;
    count();
  }

  /** Returns how many bytes are held. */
  public long bytes() {
    return bytes.held;
  }

  /** Returns whether it is time to {@link #take} what is held. */
  public boolean isDue() {
    return due;
  }

  /**
   * Returns whether so much is held, here or in the process, that what is taken should be written
   * before more is gathered.
   */
  public boolean isHeavy() {
    return bytes.held >= bytes.most || (share != null && share.isOverdrawn());
  }

  /**
   * Returns what is held, in the order in which it came, and gathers anew. What was taken before
   * has been written.
   */
  public List<Held<T>> take() {
    List<Held<T>> all = held;
    held = new ArrayList<>();
    due = false;
    taken = bytes.held;
    for (Limit<T> limit : limits) {
      limit.held = 0;
    }
    return all;
  }

  /** Says that what was taken has been written, and is held no more. */
  public void written() {
    taken = 0;
    if (share != null) {
      share.hold(bytes.held);
    }
  }
}
