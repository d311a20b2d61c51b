package io.tailrace.pipelines.local.servers.snowflake;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** Which session has which table until its transaction ends. Thread-safe. */
final class TableLocks {
  private final Map<String, FakeSession> owners = new HashMap<>();
  private final Map<String, Instant> takenAt = new HashMap<>();

  synchronized void take(FakeSession session, String table, Duration timeout)
      throws FakeSnowflake.RefusedException {
    long until = System.nanoTime() + timeout.toNanos();
    try {
      while (owners.containsKey(table) && owners.get(table) != session) {
        long left = (until - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          throw new FakeSnowflake.RefusedException(
              "000625",
              "57014",
              "Statement has locked table '"
                  + table
                  + "' in transaction "
                  + owners.get(table).id()
                  + " and this lock has not yet been released.");
        }
        wait(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FakeSnowflake.RefusedException("000604", "57014", "SQL execution canceled");
    }
    if (owners.put(table, session) == null) {
      takenAt.put(table, Instant.now());
    }
  }

  /** Returns since when somebody has a table. */
  synchronized Instant takenAt(String table) {
    return takenAt.getOrDefault(table, Instant.now());
  }

  /** Says of all that are taken now that they were taken earlier. */
  synchronized void age(Duration by) {
    takenAt.replaceAll((table, at) -> at.minus(by));
  }

  /** Returns who has what. */
  synchronized Map<String, FakeSession> all() {
    return Map.copyOf(owners);
  }

  synchronized void releaseAll(FakeSession session) {
    owners.values().removeIf(owner -> owner == session);
    notifyAll();
  }
}
