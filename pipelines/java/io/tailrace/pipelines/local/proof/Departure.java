package io.tailrace.pipelines.local.proof;

import java.util.Map;

/** In what way something in a store is not as it must be. */
public enum Departure {
  /** It was acknowledged, and is not there. */
  LOST,
  /** It is there once more than it must be. */
  DUPLICATED,
  /** What is there is older than what it must be. */
  STALE,
  /** It is different in another way. */
  OTHER;

  /** Returns how many there are of all ways together. */
  static long total(Map<Departure, Long> departures) {
    return departures.values().stream().mapToLong(Long::longValue).sum();
  }
}
