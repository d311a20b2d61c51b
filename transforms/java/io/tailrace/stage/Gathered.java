package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;

/**
 * Gathers elements in a bundle, so that a stage can deal with many of them at once: until they are
 * of so many bytes, so many in number, nothing more was waiting on the bus ({@link
 * BusMessage#endsBacklog}) or the bundle ends. Keeps where each belongs, for {@link Outputs}.
 *
 * <pre>{@code
 * @StartBundle
 * public void startBundle() {
 *   gathered = Gathered.upTo(MAX_BYTES, Row::size).andUpTo(MAX_ROWS, row -> 1).untilBacklogEnds(Row::message);
 *   outputs = new Outputs<>();
 * }
 *
 * @ProcessElement
 * public void insert(
 *     @Element Row row, @Timestamp Instant timestamp, BoundedWindow window, MultiOutputReceiver out) {
 *   gathered.add(row, timestamp, window);
 *   if (gathered.isDue()) {
 *     insert(gathered.take(), outputs.now(out, window));
 *   }
 * }
 *
 * @FinishBundle
 * public void finishBundle(FinishBundleContext context) {
 *   insert(gathered.take(), outputs.atEnd(context));
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
  private List<Held<T>> held = new ArrayList<>();
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
    return added;
  }

  /** Counts bytes that became known, or were made of what is held, after it was added. */
  public void grow(long more) {
    bytes.held += more;
    due |= bytes.held >= bytes.most;
  }

  /** Returns how many bytes are held. */
  public long bytes() {
    return bytes.held;
  }

  /** Returns whether it is time to {@link #take} what is held. */
  public boolean isDue() {
    return due;
  }

  /** Returns what is held, in the order in which it came, and gathers anew. */
  public List<Held<T>> take() {
    List<Held<T>> taken = held;
    held = new ArrayList<>();
    due = false;
    for (Limit<T> limit : limits) {
      limit.held = 0;
    }
    return taken;
  }
}
