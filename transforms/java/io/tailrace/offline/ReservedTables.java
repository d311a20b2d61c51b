package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.PersistencePolicy;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tables of namespaces that are reserved for what is told of the system itself: whoever inserts
 * into one deletes its rows from before a day, at most once an hour. Not thread-safe.
 */
final class ReservedTables {
  private static final Logger LOG = LoggerFactory.getLogger(ReservedTables.class);

  private static final Duration BETWEEN = Duration.ofHours(1);

  private final LongSupplier nanoClock;
  private final Map<Name, Long> deletedAt = new HashMap<>();

  private record Name(String environment, String table) {}

  /** With a clock that counts nanoseconds. */
  ReservedTables(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /**
   * Deletes old rows of the tables of a batch that was inserted. Rows are inserted without that, so
   * that a failure is said, and tried again an hour later.
   */
  void deleteOld(BatchConnection connection, FileBatch batch) {
    batch
        .tables()
        .forEach(
            (feature, table) -> {
              if (PersistencePolicy.isReserved(feature.namespace())
                  && isDue(new Name(batch.environment(), table))) {
                deleteOld(connection, batch.environment(), table);
              }
            });
  }

  private boolean isDue(Name name) {
    long now = nanoClock.getAsLong();
    Long before = deletedAt.get(name);
    if (before != null && now - before < BETWEEN.toNanos()) {
      return false;
    }
    deletedAt.put(name, now);
    return true;
  }

  private static void deleteOld(BatchConnection connection, String environment, String table) {
    try {
      connection.deleteOld(environment, table, PersistencePolicy.RESERVED_KEPT);
    } catch (UnavailableException e) {
      LOG.warn(
          "Old rows of {} of {}, whose namespace is reserved, are kept for now: {}",
          table,
          environment,
          e.getMessage());
    }
  }
}
