package io.tailrace.bus.kafka;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/**
 * What a reader that must be alone commits between its checkpoints: where it is durably, again and
 * again, so that {@link OtherJobs} see that it is at work before they can know how often it
 * commits. Not thread-safe.
 */
final class SignsOfLife {
  private static final long EVERY_NANOS = OtherJobs.UNKNOWN_INTERVAL * 1_000_000 / 4;

  private final Map<Integer, KafkaPosition> durable = new HashMap<>();
  private long lastNanos = System.nanoTime();

  /** Notes what is durable. */
  void reach(Map<Integer, KafkaPosition> positions) {
    durable.putAll(positions);
  }

  /** Forgets partitions that others read from now on. */
  void leave(Collection<Integer> partitions) {
    durable.keySet().removeAll(partitions);
  }

  /**
   * Returns whether it is time for a sign.
   *
   * @param everyMillis how often there are checkpoints; 0: nobody knows
   */
  boolean isDue(long everyMillis) {
    return everyMillis == 0 && !durable.isEmpty() && System.nanoTime() - lastNanos > EVERY_NANOS;
  }

  /** Returns what to commit. */
  Map<Integer, OffsetAndMetadata> take(String metadata) {
    lastNanos = System.nanoTime();
    Map<Integer, OffsetAndMetadata> commits = new HashMap<>();
    durable.forEach((each, position) -> commits.put(each, position.with(metadata)));
    return commits;
  }
}
