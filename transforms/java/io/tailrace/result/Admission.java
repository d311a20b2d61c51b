package io.tailrace.result;

import io.tailrace.endpoint.Micros;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;

/**
 * Which observations of a result no store takes: those of an empty primary key, and those of a time
 * that is further ahead of their publication, or of this clock, than clocks may differ, as one of
 * them would hold back every later one. For results one after the other; not thread-safe.
 */
public final class Admission {
  /** How far a clock may be ahead unless set otherwise. */
  public static final Duration DEFAULT_MAX_CLOCK_SKEW = Duration.ofMinutes(5);

  private final long maxClockSkewMicros;
  private final Supplier<Instant> clock;
  private long now = Long.MIN_VALUE;
  private long publishedAt;
  private long latest;

  /** Admits what is no further ahead than this. */
  public Admission(Duration maxClockSkew, Supplier<Instant> clock) {
    this.maxClockSkewMicros = Micros.of(maxClockSkew);
    this.clock = clock;
  }

  /** Goes on to a result. */
  public void begin(Result result) {
    publishedAt = result.message().publishedAt();
    if (publishedAt > now) {
      now = Micros.of(clock.get());
    }
    // A publisher whose clock is ahead stamps its messages ahead, too: this clock counts as well.
    latest = Math.min(publishedAt, now) + maxClockSkewMicros;
  }

  /** Returns whether an observation of the result, or a deletion, is not too far ahead. */
  public boolean isInTime(long observedAt) {
    return observedAt <= latest;
  }

  /** Returns whether a key names an entity. */
  public static boolean isKey(PrimaryKeys keys, int row) {
    return !keys.areStrings() || keys.length(row) > 0;
  }

  /** Rejects the cells of a row whose key is empty. */
  public static void rejectKey(RejectedCells rejected, String namespace, int row) {
    rejected.add(
        Reason.MISSING_FIELD, namespace, "", "", "the primary key of row " + row + " is empty", 1);
  }

  /**
   * Rejects a cell of the result that is too far ahead.
   *
   * @param feature empty where the whole entity is meant
   */
  public void rejectTime(
      RejectedCells rejected, String namespace, String key, String feature, long observedAt) {
    rejected.add(
        Reason.OBSERVED_IN_FUTURE,
        namespace,
        key,
        feature,
        "observed at "
            + Micros.instant(observedAt)
            + ", too far after its publication at "
            + Micros.instant(publishedAt)
            + " or after the writer's clock; check the publisher's clock",
        1);
  }
}
