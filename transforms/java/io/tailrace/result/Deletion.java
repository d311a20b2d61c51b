package io.tailrace.result;

import java.util.List;

/**
 * Entities, or features of entities, that are no more from a time on. Immutable.
 *
 * @param namespace the namespace; never empty
 * @param keys the primary keys concerned
 * @param names the features' names within the namespace; empty: whole entities
 * @param observedAt microseconds since the epoch
 */
public record Deletion(String namespace, PrimaryKeys keys, List<String> names, long observedAt) {
  /** Returns whether whole entities are deleted, with every feature they have. */
  public boolean wholeEntities() {
    return names.isEmpty();
  }
}
