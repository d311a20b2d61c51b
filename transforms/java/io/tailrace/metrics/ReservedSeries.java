package io.tailrace.metrics;

import io.tailrace.result.PersistencePolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which rows of features go from a metrics store, whatever its retention: those of namespaces that
 * are reserved for what is told of the system itself, after a day. A feature's namespace is taken
 * to end at its last dot, as the store knows features by their whole names. Not thread-safe.
 */
public final class ReservedSeries {
  private static final Duration BETWEEN = Duration.ofHours(1);

  /** How far back to look at first: all of a large table would be too much. */
  private static final Duration AT_FIRST = Duration.ofDays(8);

  private @Nullable Instant goneBefore;

  /**
   * Returns the rows that are to be deleted now, as a condition of SQL; empty within an hour of the
   * last time.
   */
  public Optional<String> due(Instant now) {
    Instant before = now.minus(PersistencePolicy.RESERVED_KEPT);
    Instant from = goneBefore == null ? now.minus(AT_FIRST) : goneBefore;
    if (goneBefore != null && before.isBefore(from.plus(BETWEEN))) {
      return Optional.empty();
    }
    goneBefore = before;
    return Optional.of(
        "feature LIKE '"
            + PersistencePolicy.RESERVED
            + "%.%' AND minute >= TIMESTAMPTZ '"
            + from
            + "' AND minute < TIMESTAMPTZ '"
            + before
            + "'");
  }
}
