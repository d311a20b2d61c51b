package io.tailrace.bus.kafka;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits, before a reader that must be alone begins, until no other job of its group commits: one
 * that has ended does not, for two of its intervals. One that runs never gives way to a younger.
 * Not thread-safe.
 */
final class OtherJobs {
  private static final Logger LOG = LoggerFactory.getLogger(OtherJobs.class);

  /** Taken for the interval of a job that has not seen its own yet, in milliseconds. */
  private static final long UNKNOWN_INTERVAL = 10_000;

  private final KafkaBus bus;
  private final String job;
  private Map<String, Long> lastCommits = Map.of();
  private long untilNanos;
  private boolean began;
  private boolean over;

  OtherJobs(KafkaBus bus, String job) {
    this.bus = bus;
    this.job = job;
  }

  /**
   * Returns whether the reader may begin.
   *
   * @param commits what the group's commits say
   */
  boolean areGone(Commits commits) throws IOException {
    long now = System.nanoTime();
    if (over || (began && now < untilNanos)) {
      return over;
    }
    Map<String, Long> latest = new TreeMap<>();
    long interval = 0;
    for (CommitMetadata each : commits.get().values()) {
      if (!each.job().isEmpty() && !each.job().equals(job)) {
        latest.merge(each.job(), each.atMillis(), Math::max);
        long every = each.everyMillis() > 0 ? each.everyMillis() : UNKNOWN_INTERVAL;
        interval = Math.max(interval, every);
      }
    }
    Optional<String> alive =
        began
            ? latest.entrySet().stream()
                .filter(each -> each.getValue() > lastCommits.getOrDefault(each.getKey(), 0L))
                .map(Map.Entry::getKey)
                .findFirst()
            : Optional.empty();
    over = latest.isEmpty() || (began && alive.isEmpty());
    alive.ifPresent(
        other ->
            LOG.warn(
                "{}: the job {} of the same group reads it, too. Both would count everything: this"
                    + " one waits until the other has ended",
                bus.name(),
                other));
    lastCommits = latest;
    began = true;
    untilNanos = now + 2 * interval * 1_000_000;
    return over;
  }

  /** Asks for what the commits of the group say, by partition. */
  interface Commits {
    Map<Integer, CommitMetadata> get() throws IOException;
  }
}
