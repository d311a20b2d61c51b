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
 *
 * <p>Several may wait for the same one. So who has waited claims the group, in the commit of its
 * first partition, and looks a moment later whether the claim stands: of those who claim it at once
 * the last one has it, and the others wait for that one. Who begins commits at once, and as long as
 * nobody can know its interval often: a claim that came late is so given up. Not thread-safe.
 */
final class OtherJobs {
  private static final Logger LOG = LoggerFactory.getLogger(OtherJobs.class);

  /** Taken for the interval of a job that has not seen its own yet, in milliseconds. */
  static final long UNKNOWN_INTERVAL = 10_000;

  /** How long a claim has to stand: longer than it takes to look and to claim, in milliseconds. */
  private static final long CLAIM_STANDS = 1_000;

  /** Where a claim stands. */
  private static final int FIRST_PARTITION = 0;

  private final KafkaBus bus;
  private final String job;
  private Map<String, Long> lastCommits = Map.of();
  private long untilNanos;
  private boolean began;
  private boolean claimed;
  private boolean over;

  OtherJobs(KafkaBus bus, String job) {
    this.bus = bus;
    this.job = job;
  }

  /** Returns whether the reader may begin. */
  boolean areGone(Group group) throws IOException {
    long now = System.nanoTime();
    if (over || (began && now < untilNanos)) {
      return over;
    }
    Map<Integer, CommitMetadata> commits = group.commits();
    Map<String, Long> latest = new TreeMap<>();
    long interval = 0;
    for (CommitMetadata each : commits.values()) {
      if (!each.job().isEmpty() && !each.job().equals(job)) {
        latest.merge(each.job(), each.atMillis(), Math::max);
        long every = each.everyMillis() > 0 ? each.everyMillis() : UNKNOWN_INTERVAL;
        interval = Math.max(interval, every);
      }
    }
    CommitMetadata first = commits.get(FIRST_PARTITION);
    boolean isOwn = first != null && first.job().equals(job);
    Optional<String> alive =
        began
            ? latest.entrySet().stream()
                .filter(each -> each.getValue() > lastCommits.getOrDefault(each.getKey(), 0L))
                .map(Map.Entry::getKey)
                .findFirst()
            : Optional.empty();
    boolean isQuiet = began ? alive.isEmpty() : latest.isEmpty();
    // What was this job's before, is so without a claim: it was restored.
    over = isQuiet && isOwn && (claimed || latest.isEmpty());
    alive.ifPresent(
        other ->
            LOG.warn(
                "{}: the job {} of the same group reads it, too. Both would count everything: this"
                    + " one waits until the other has ended",
                bus.name(),
                other));
    lastCommits = latest;
    began = true;
    claimed = isQuiet && !claimed;
    long wait = 2 * interval;
    if (claimed && !over) {
      group.claim();
      wait = CLAIM_STANDS;
    }
    untilNanos = System.nanoTime() + wait * 1_000_000;
    return over;
  }

  /** What the commits of a group say. */
  interface Group {
    /** Asks for it, by partition. */
    Map<Integer, CommitMetadata> commits() throws IOException;

    /** Says in that of the first partition whose it is from now on. */
    void claim() throws IOException;
  }
}
