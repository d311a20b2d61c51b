package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.endpoint.Durations;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The clock by which a worker judges what messages say, which is held against others before it
 * condemns anything: the clock of the store, at the first bundle and every minute, and the times at
 * which brokers appended messages. A worker whose clock is behind one of them by more than the
 * limit would take everything that is fresh for the future: its bundles fail, with a sentence about
 * its clock, and nothing becomes a dead letter.
 *
 * <p>One broker that is ahead while others are not is wrong itself: it is named, and the worker's
 * clock stands for its times. Which broker has a partition is not known here, so partitions stand
 * for them.
 *
 * <p>One for each instance of a stage; not thread-safe.
 */
public final class ReaderClock {
  private static final Logger LOG = LoggerFactory.getLogger(ReaderClock.class);

  private static final long CHECK_NANOS = Duration.ofMinutes(1).toNanos();

  /** Tells the time of a store. */
  public interface StoreClock extends Serializable {
    /**
     * Asks the store.
     *
     * @throws UnavailableException if it can't be asked now
     */
    Instant now() throws UnavailableException;
  }

  private final Supplier<Instant> own;
  private final Duration limit;
  private final long limitMicros;
  private final LongSupplier nanoClock;
  // When the store was asked last; and whether there is one.
  private long checkedAt;
  private boolean confirmed;
  private long lastNow = Long.MIN_VALUE;
  // Of partitions, when one was last seen ahead of this clock, and when last about as late as it.
  private final Map<String, Long> ahead = new HashMap<>();
  private final Map<String, Long> right = new HashMap<>();
  private final Set<String> named = new HashSet<>();

  /**
   * Holds a clock against others.
   *
   * @param own the worker's clock
   * @param limit how far clocks may differ
   */
  public ReaderClock(Supplier<Instant> own, Duration limit) {
    this(own, limit, System::nanoTime);
  }

  ReaderClock(Supplier<Instant> own, Duration limit, LongSupplier nanoClock) {
    this.own = own;
    this.limit = limit;
    this.limitMicros = Micros.of(limit);
    this.nanoClock = nanoClock;
  }

  /** Returns the time by this worker's clock, in microseconds since the epoch. */
  public long now() {
    return Micros.of(own.get());
  }

  /** Returns how far clocks may differ, in microseconds. */
  public long limitMicros() {
    return limitMicros;
  }

  /**
   * Holds the clock against a store's, unless that was done within the last minute.
   *
   * @param name the store, for a sentence
   * @throws UnavailableException if this clock is behind it by more than the limit, or the store
   *     can't be asked
   */
  public void check(String name, StoreClock store) throws UnavailableException {
    if (confirmed && nanoClock.getAsLong() - checkedAt < CHECK_NANOS) {
      return;
    }
    confirmed = false;
    // Before the store is asked: the time that this takes is none that the clock is behind.
    long before = now();
    long theirs = Micros.of(store.now());
    if (Micros.plus(before, limitMicros) < theirs && Micros.plus(now(), limitMicros) < theirs) {
      throw behind("that of " + name, theirs);
    }
    confirmed = true;
    checkedAt = nanoClock.getAsLong();
  }

  /**
   * Returns the time of a message's publication, for rules that condemn: when the bus appended it,
   * or, where the bus does not say or its broker is ahead, the time by this clock.
   *
   * @return microseconds since the epoch
   * @throws UnavailableException if this clock is behind the brokers' by more than the limit
   */
  public long publishTime(BusMessage message) throws UnavailableException {
    MessageTime time = message.time();
    if (time.by() == MessageTime.By.BUS
        && ahead.isEmpty()
        && time.micros() <= Micros.plus(lastNow, limitMicros)) {
      // Most of them; so the clock is not asked for each.
      return time.micros();
    }
    long now = now();
    lastNow = now;
    if (time.by() != MessageTime.By.BUS) {
      return now;
    }
    long lead = time.micros() - now;
    if (message.replayed().isEmpty() && Math.abs(lead) <= limitMicros && !ahead.isEmpty()) {
      right.put(partition(message), nanoClock.getAsLong());
    }
    if (lead <= limitMicros) {
      return time.micros();
    }
    if (message.replayed().isEmpty()) {
      blame(message, time.micros());
    }
    return now;
  }

  private static String partition(BusMessage message) {
    return message.topic() + "[" + message.partition() + "]";
  }

  /** Finds out whether this clock is behind, or that of one broker ahead. */
  private void blame(BusMessage message, long appendedAt) throws UnavailableException {
    long at = nanoClock.getAsLong();
    ahead.put(partition(message), at);
    ahead.values().removeIf(seen -> at - seen > CHECK_NANOS);
    right.values().removeIf(seen -> at - seen > CHECK_NANOS);
    // Where a store has confirmed this clock, one partition alone is not believed.
    if (right.isEmpty() && (ahead.size() > 1 || !confirmed)) {
      throw behind("the time at which the broker appended " + message, appendedAt);
    }
    if (named.add(partition(message))) {
      LOG.warn(
          "the broker of {} says that it appended {} at {}, more than {} after this worker's clock:"
              + " its clock is ahead, and its times are not used",
          partition(message),
          message,
          Micros.instant(appendedAt),
          Durations.text(limit));
    }
  }

  private UnavailableException behind(String whose, long theirs) {
    return new UnavailableException(
        "this worker's clock is behind: it says "
            + Micros.instant(now())
            + ", and "
            + whose
            + " is "
            + Micros.instant(theirs)
            + ", more than the "
            + Durations.text(limit)
            + " later by which clocks may differ (maxClockSkew). Set the worker's clock (NTP);"
            + " until then nothing is judged by it");
  }
}
