package io.tailrace.bus.kafka;

import java.util.Map;

/**
 * Looks whether every partition of a topic is committed by somebody of the group: one that is not
 * has no reader, whatever the reason. One reader of a job looks for all. Not thread-safe.
 */
final class UnreadPartitions {
  /** How often it is looked, in milliseconds. */
  private static final long INTERVAL_MILLIS = 60_000;

  /** After how long without a commit a partition is not read, in milliseconds. */
  private static final long PATIENCE_MILLIS = 300_000;

  /** And after how many of the intervals at which it was committed. */
  private static final int PATIENCE_INTERVALS = 10;

  private final long startedAt;
  private long lookedAt;

  UnreadPartitions(long nowMillis) {
    startedAt = nowMillis;
    lookedAt = nowMillis;
  }

  /** Returns whether it is time to look again, and begins that. */
  boolean isDue(long nowMillis) {
    if (nowMillis - lookedAt < INTERVAL_MILLIS) {
      return false;
    }
    lookedAt = nowMillis;
    return true;
  }

  /** Returns how many of the partitions nobody reads, by what the commits say. */
  int count(Map<Integer, CommitMetadata> commits, int partitions, long nowMillis) {
    int unread = 0;
    for (int each = 0; each < partitions; each++) {
      CommitMetadata commit = commits.get(each);
      // A partition that has no commit yet may be as young as the job.
      long last = commit == null ? startedAt : Math.max(startedAt, commit.atMillis());
      long every = commit == null ? 0 : commit.everyMillis();
      if (nowMillis - last > Math.max(PATIENCE_MILLIS, PATIENCE_INTERVALS * every)) {
        unread++;
      }
    }
    return unread;
  }
}
