package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Creates tables of an offline store, each once: what a worker has seen to be there is not asked
 * for again. Not thread-safe.
 */
final class TableCache {
  /** For how long a conflict is believed: somebody may have solved it by hand. */
  private static final Duration CONFLICT_BELIEVED = Duration.ofMinutes(1);

  private record Conflict(String message, long untilNanos) {}

  private final OfflineStore.Connection connection;
  private final Map<String, Set<FeatureTable>> fit = new HashMap<>();
  private final Map<String, Map<FeatureTable, Conflict>> conflicts = new HashMap<>();

  TableCache(OfflineStore.Connection connection) {
    this.connection = connection;
  }

  /**
   * Sees to it that an environment's log of queries and tables are there.
   *
   * @throws UnavailableException if the store can't be used now
   */
  void require(String environment, Iterable<FeatureTable> tables)
      throws ContentRejectedException, UnavailableException {
    Set<FeatureTable> there = fit.get(environment);
    Map<FeatureTable, Conflict> wrong =
        conflicts.computeIfAbsent(environment, unused -> new HashMap<>());
    wrong.values().removeIf(conflict -> conflict.untilNanos - System.nanoTime() < 0);
    List<FeatureTable> missing = new ArrayList<>();
    for (FeatureTable table : tables) {
      if ((there == null || !there.contains(table)) && !wrong.containsKey(table)) {
        missing.add(table);
      }
    }
    if (there != null && missing.isEmpty()) {
      return;
    }
    Map<FeatureTable, String> found = connection.create(environment, missing);
    Set<FeatureTable> now = fit.computeIfAbsent(environment, unused -> new HashSet<>());
    for (FeatureTable table : missing) {
      String conflict = found.get(table);
      if (conflict == null) {
        now.add(table);
      } else {
        wrong.put(table, new Conflict(conflict, System.nanoTime() + CONFLICT_BELIEVED.toNanos()));
      }
    }
  }

  /** Returns whether a table is known to be there and to fit. */
  boolean fits(String environment, FeatureTable table) {
    Set<FeatureTable> there = fit.get(environment);
    return there != null && there.contains(table);
  }

  /** Returns why a table that was required does not fit. */
  Optional<String> conflict(String environment, FeatureTable table) {
    Map<FeatureTable, Conflict> wrong = conflicts.getOrDefault(environment, Map.of());
    return Optional.ofNullable(wrong.get(table)).map(Conflict::message);
  }

  /** Forgets everything: somebody may have dropped tables. */
  void clear() {
    fit.clear();
    conflicts.clear();
  }
}
