package io.tailrace.result;

import io.tailrace.result.ColumnSpec.DefaultHandling;
import io.tailrace.result.ColumnSpec.NullHandling;
import io.tailrace.result.ColumnSpec.Origin;
import java.time.Duration;

/** What of a result is persisted where: the one place that knows. Stateless and thread-safe. */
public final class PersistencePolicy {
  /** What becomes of a value. */
  public enum Decision {
    /** The store gets it. */
    WRITE,
    /** Not stored: it was served from a store, given by the caller, or only a default. */
    NOT_COMPUTED,
    /** Not stored online: its feature has no {@code max_staleness}. */
    NO_MAX_STALENESS,
    /** Not stored: its feature is kept out of this store. */
    SKIPPED_BY_FEATURE,
    /** Not stored: it is null, and the feature's nulls are not. */
    NULL_SKIPPED,
    /** The store forgets what is older: it is a null or a default, and the feature's evict. */
    EVICT
  }

  /** How namespaces begin that are reserved for what is told of the system itself. */
  public static final String RESERVED = "tailrace.";

  /** For how long what is in a reserved namespace is kept, and served, at most. */
  public static final Duration RESERVED_KEPT = Duration.ofDays(1);

  private static final long RESERVED_STALENESS = RESERVED_KEPT.toNanos() / 1_000;

  private PersistencePolicy() {}

  /** Returns what the online store does with the column's values that are not null. */
  public static Decision online(ColumnSpec spec) {
    if (!isOwn(spec)) {
      return Decision.NOT_COMPUTED;
    }
    if (spec.skipOnline()) {
      return Decision.SKIPPED_BY_FEATURE;
    }
    if (spec.maxStaleness() == 0) {
      return Decision.NO_MAX_STALENESS;
    }
    return isDefault(spec) && spec.defaultHandling() == DefaultHandling.EVICT
        ? Decision.EVICT
        : Decision.WRITE;
  }

  private static boolean isDefault(ColumnSpec spec) {
    return spec.origin() == Origin.DEFAULT;
  }

  /** Returns whether the execution itself has come to the values, and they are for a store. */
  private static boolean isOwn(ColumnSpec spec) {
    return spec.origin() == Origin.COMPUTED
        || (isDefault(spec) && spec.defaultHandling() != DefaultHandling.SKIP);
  }

  /** Returns what the online store does with the column's nulls. */
  public static Decision onlineNull(ColumnSpec spec) {
    Decision decision = online(spec);
    if (decision != Decision.WRITE || spec.nullHandling() == NullHandling.WRITE) {
      return decision;
    }
    return spec.nullHandling() == NullHandling.SKIP ? Decision.NULL_SKIPPED : Decision.EVICT;
  }

  /**
   * Returns what the offline store does with the column's values, nulls among them: it is history.
   * A default that evicts is none: nothing was observed.
   */
  public static Decision offline(ColumnSpec spec) {
    if (!isOwn(spec) || (isDefault(spec) && spec.defaultHandling() == DefaultHandling.EVICT)) {
      return Decision.NOT_COMPUTED;
    }
    return spec.skipOffline() ? Decision.SKIPPED_BY_FEATURE : Decision.WRITE;
  }

  /** Returns whether a namespace is reserved for what is told of the system itself. */
  public static boolean isReserved(String namespace) {
    return namespace.startsWith(RESERVED);
  }

  /** Returns for how long values of a namespace may be served, in microseconds. */
  public static long maxStaleness(String namespace, ColumnSpec spec) {
    return isReserved(namespace)
        ? Math.min(spec.maxStaleness(), RESERVED_STALENESS)
        : spec.maxStaleness();
  }

  /**
   * Returns until when a value may be served.
   *
   * @return microseconds since the epoch; {@link ColumnSpec#NEVER_STALE} for a value that never
   *     expires
   */
  public static long expiresAt(long observedAt, long maxStaleness) {
    if (maxStaleness == ColumnSpec.NEVER_STALE) {
      return ColumnSpec.NEVER_STALE;
    }
    long expiresAt = observedAt + maxStaleness;
    // Saturates: max_staleness is not negative, so only an overflow ends below observed_at.
    return expiresAt < observedAt ? ColumnSpec.NEVER_STALE : expiresAt;
  }
}
