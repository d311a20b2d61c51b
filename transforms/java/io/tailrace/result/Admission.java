package io.tailrace.result;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.stage.ReaderClock;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Duration;

/**
 * Which observations of a result no store takes: those of an empty primary key, and those of a time
 * that is further ahead of their publication than clocks may differ, as one of them would hold back
 * every later one. For results one after the other; not thread-safe.
 */
public final class Admission {
  /** How far a clock may be ahead unless set otherwise. */
  public static final Duration DEFAULT_MAX_CLOCK_SKEW = Duration.ofMinutes(5);

  private final ReaderClock clock;
  private long publishedAt;
  private long latest;

  /** Admits what is no further ahead of its publication than the clock's limit. */
  public Admission(ReaderClock clock) {
    this.clock = clock;
  }

  /**
   * Goes on to a result.
   *
   * @throws UnavailableException if the worker's clock is behind: then nothing may be judged by it
   */
  public void begin(Result result) throws UnavailableException {
    publishedAt = clock.publishTime(result.message());
    latest = Micros.plus(publishedAt, clock.limitMicros());
  }

  /** Returns whether an observation of the result, or a deletion, is not too far ahead. */
  public boolean isInTime(long observedAt) {
    return observedAt <= latest;
  }

  /** Returns whether a key names an entity. */
  public static boolean isKey(PrimaryKeys keys, int row) {
    return !keys.areStrings() || keys.length(row) > 0;
  }

  /**
   * Rejects the cells of a row whose key is empty.
   *
   * @param place of the frame or the deletion: {@code frames[0]}
   * @param cells how many there are
   */
  public static void rejectKey(
      RejectedCells rejected, String place, String namespace, int row, int cells) {
    rejected.addAt(
        place + ".string_keys[" + row + "]",
        new RejectedCell(
            Reason.MISSING_FIELD, namespace, "", "", "the primary key of row " + row + " is empty"),
        cells);
  }

  /**
   * Rejects cells of the result that are too far ahead.
   *
   * @param place of the time: {@code frames[0].columns[1].observed_at[2]}
   * @param feature empty where the whole entity, or several of it, are meant
   * @param cells how many there are
   */
  public void rejectTime(
      RejectedCells rejected,
      String place,
      String namespace,
      String key,
      String feature,
      long observedAt,
      int cells) {
    rejected.addAt(
        place,
        new RejectedCell(
            Reason.OBSERVED_IN_FUTURE,
            namespace,
            key,
            feature,
            "observed at "
                + Micros.instant(observedAt)
                + ", too far after its publication at "
                + Micros.instant(publishedAt)
                + "; check the publisher's clock"),
        cells);
  }
}
