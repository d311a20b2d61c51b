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

  private record Believed(Catalog.Conflict conflict, long untilNanos) {}

  private final Catalog catalog;
  private final Map<String, Set<FeatureTable>> fit = new HashMap<>();
  private final Map<String, Map<FeatureTable, Believed>> conflicts = new HashMap<>();

  TableCache(Catalog catalog) {
    this.catalog = catalog;
  }

  /** Takes note that a table is not any more as it was wanted. */
  void conflicts(String environment, Catalog.Conflict conflict) {
    fit.getOrDefault(environment, new HashSet<>()).remove(conflict.table());
    believe(environment, conflict);
  }

  private void believe(String environment, Catalog.Conflict conflict) {
    conflicts
        .computeIfAbsent(environment, unused -> new HashMap<>())
        .put(
            conflict.table(),
            new Believed(conflict, System.nanoTime() + CONFLICT_BELIEVED.toNanos()));
  }

  /**
   * Sees to it that an environment's log of queries and tables are there.
   *
   * @throws UnavailableException if the store can't be used now
   */
  void require(String environment, Iterable<FeatureTable> tables)
      throws ContentRejectedException, UnavailableException {
    Set<FeatureTable> there = fit.get(environment);
    Map<FeatureTable, Believed> wrong =
        conflicts.computeIfAbsent(environment, unused -> new HashMap<>());
    wrong.values().removeIf(believed -> believed.untilNanos - System.nanoTime() < 0);
    List<FeatureTable> missing = new ArrayList<>();
    for (FeatureTable table : tables) {
      if ((there == null || !there.contains(table)) && !wrong.containsKey(table)) {
        missing.add(table);
      }
    }
    if (there != null && missing.isEmpty()) {
      return;
    }
    List<Catalog.Conflict> found = catalog.create(environment, missing);
    fit.computeIfAbsent(environment, unused -> new HashSet<>()).addAll(missing);
    for (Catalog.Conflict conflict : found) {
      fit.get(environment).remove(conflict.table());
      believe(environment, conflict);
    }
  }

  /** Returns whether a table is known to be there and to fit. */
  boolean fits(String environment, FeatureTable table) {
    Set<FeatureTable> there = fit.get(environment);
    return there != null && there.contains(table);
  }

  /** Returns why a table that was required does not fit. */
  Optional<Catalog.Conflict> conflict(String environment, FeatureTable table) {
    Map<FeatureTable, Believed> wrong = conflicts.getOrDefault(environment, Map.of());
    return Optional.ofNullable(wrong.get(table)).map(Believed::conflict);
  }

  /** Believes no longer what was wrong with a table: somebody sends back what it refused. */
  void doubt(String environment, FeatureTable table) {
    conflicts.getOrDefault(environment, new HashMap<>()).remove(table);
  }

  /** Forgets a table: it is looked at when it is required next. */
  void forget(String environment, FeatureTable table) {
    fit.getOrDefault(environment, new HashSet<>()).remove(table);
  }

  /** Forgets everything: somebody may have dropped tables. */
  void clear() {
    fit.clear();
    conflicts.clear();
  }
}
