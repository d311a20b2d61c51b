package io.tailrace.stage;

import static java.util.Objects.requireNonNull;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a stage counts, declared once: a subclass has a field for each counter, and the test of the
 * metrics document makes one and asks it for all of them.
 *
 * <pre>{@code
 * static final class Counts extends StageCounters {
 *   final Count read = count("results_read", "messages", "messages read from the bus");
 *
 *   Counts() {
 *     super(STAGE);
 *   }
 * }
 * }</pre>
 *
 * <p>What is counted is gathered in plain fields, as an update of a metric costs more than the work
 * that is counted, and told to the runner by {@link #flush}, and at the end of a bundle by {@link
 * #finish}; zeros too, as a counter that appears with its first message hides that message from a
 * rate. A bundle begins with {@link #clear}, since one that failed is counted again. Serializable;
 * not thread-safe.
 */
public abstract class StageCounters implements Serializable {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(StageCounters.class);
  private static final String UNACCOUNTED =
      "left over of what came in, neither put out nor skipped nor in dead letters nor in state:"
          + " always zero";

  private final String stage;
  private final List<Count> counts = new ArrayList<>();
  private final List<Balance> balances = new ArrayList<>();
  private @Nullable Count unaccounted;
  private @Nullable FreshnessCounters freshness;

  /** What came into a bundle, and all that can become of it. */
  private record Balance(Count received, List<Count> settled) implements Serializable {
    private static final long serialVersionUID = 1;

    long leftOver() {
      long left = received.sinceStart;
      for (Count each : settled) {
        left -= each.sinceStart;
      }
      return left;
    }

    @Override
    public String toString() {
      return received
          + " are not "
          + settled.stream().map(Count::toString).collect(Collectors.joining(" + "));
    }
  }

  /** A counter. Not thread-safe. */
  public static final class Count implements Serializable {
    private static final long serialVersionUID = 1;

    private final String name;
    private final String unit;
    private final String counts;
    private final Counter counter;
    private transient long inBundle;
    // Of the bundle, told or not.
    private transient long sinceStart;

    private Count(String stage, String name, String unit, String counts) {
      this.name = name;
      this.unit = unit;
      this.counts = counts;
      this.counter = Metrics.counter(stage, name);
    }

    /** Counts so much more. */
    public void add(long more) {
      inBundle += more;
      sinceStart += more;
    }

    /** Returns what was counted since the last flush. */
    public long unflushed() {
      return inBundle;
    }

    /** Returns the name, such as {@code results_read}. */
    public String name() {
      return name;
    }

    /** Returns what is counted, in one word, such as {@code messages}. */
    public String unit() {
      return unit;
    }

    /** Returns which of them are counted, in words. */
    public String counts() {
      return counts;
    }

    @Override
    public String toString() {
      return sinceStart + " " + name;
    }
  }

  /**
   * Counts for a stage.
   *
   * @param stage the stage's name, which is the namespace of the counters
   */
  protected StageCounters(String stage) {
    this.stage = stage;
  }

  /**
   * Declares a counter.
   *
   * @param name such as {@code results_read}
   * @param unit what is counted, in one word
   * @param counts which of them are counted, in words: what the metrics document says
   */
  protected final Count count(String name, String unit, String counts) {
    Count count = new Count(stage, name, unit, counts);
    this.counts.add(count);
    return count;
  }

  /**
   * Declares that in every bundle that succeeds a stage has settled all that it received: it has
   * put it out, skipped it, refused it or put it into state. What is left over is counted as {@code
   * unaccounted}, which is always zero.
   *
   * @param received counts what comes in, before anything is done with it
   * @param settled count all that can become of it, each where that happens
   */
  protected final void accounts(Count received, Count... settled) {
    if (unaccounted == null) {
      unaccounted = count(unaccountedName(), "things", UNACCOUNTED);
    }
    balances.add(new Balance(received, List.of(settled)));
  }

  /** Returns the name of the counter of what is left over. */
  protected String unaccountedName() {
    return "unaccounted";
  }

  /** Declares that the stage counts how fresh messages are when it has dealt with them. */
  protected final FreshnessCounters freshness() {
    FreshnessCounters counters = new FreshnessCounters(stage);
    freshness = counters;
    return counters;
  }

  /** Returns the stage's name. */
  public final String stage() {
    return stage;
  }

  /** Returns the counters, but for those of {@link FreshnessCounters}. */
  public final List<Count> counts() {
    return List.copyOf(counts);
  }

  /** Returns whether the stage has those of {@link FreshnessCounters} too. */
  public final boolean hasFreshness() {
    return freshness != null;
  }

  /** Forgets what was counted since the last flush: a bundle that failed is counted again. */
  public final void clear() {
    for (Count count : counts) {
      count.inBundle = 0;
      count.sinceStart = 0;
    }
    if (freshness != null) {
      freshness.clear();
    }
  }

  /**
   * Ends a bundle: tells the runner what was counted, and what of the bundle is not accounted for.
   * Nothing may be on its way any more.
   */
  public final void finish() {
    for (Balance balance : balances) {
      long left = balance.leftOver();
      if (left != 0) {
        requireNonNull(unaccounted).add(Math.abs(left));
        LOG.error("{} does not account for what it received: {}", stage, balance);
      }
      // Where assertions are on, as in tests, the bundle fails.
      assert left == 0 : stage + ": " + balance;
    }
    flush();
    for (Count count : counts) {
      count.sinceStart = 0;
    }
  }

  /** Tells the runner what was counted since the last time; in a bundle, whose metrics they are. */
  public final void flush() {
    for (Count count : counts) {
      count.counter.inc(count.inBundle);
      count.inBundle = 0;
    }
    if (freshness != null) {
      freshness.flush();
    }
  }
}
