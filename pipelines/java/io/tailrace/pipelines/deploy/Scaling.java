package io.tailrace.pipelines.deploy;

import io.tailrace.endpoint.Durations;
import java.time.Duration;
import java.util.Optional;

/**
 * How many copies of a writer there are, and when there are more. Immutable.
 *
 * <p>What a group has not committed is never zero: a writer commits with each checkpoint, so a
 * healthy one shows up to its rate times the interval. So the depth at which another copy is wanted
 * is just that: what one copy reads between two checkpoints at {@link #UTILIZATION} of what it can
 * do. A depth above what a copy does at its best would take a copy that works as hard as it can for
 * idle, and take it away, again and again.
 *
 * @param minimum copies at least; 0: none while nothing waits
 * @param maximum copies at most
 * @param messagesPerReplica how many messages that wait each copy is for
 * @param checkpointInterval how often a writer commits
 */
record Scaling(int minimum, int maximum, long messagesPerReplica, Duration checkpointInterval) {
  /** How much of what a copy can do it is to do: the rest takes what gathers while one restarts. */
  static final double UTILIZATION = 0.75;

  /** For how long messages wait beyond the interval, until a checkpoint is durable. */
  static final Duration CHECKPOINT_TIME = Duration.ofSeconds(1);

  /** Messages for each copy, where nobody knows how fast one is. */
  static final long UNMEASURED = 1_000;

  private static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(10);
  private static final Duration LEAST_POLLING = Duration.ofSeconds(30);
  private static final Duration LEAST_PATIENCE_UP = Duration.ofMinutes(2);
  private static final Duration LEAST_PATIENCE_DOWN = Duration.ofMinutes(10);

  /** The most copies that a file may ask for. */
  private static final int MOST = 1_000;

  /** Looks at what a file says of a writer's copies. */
  static Scaling parse(Section writer) {
    Duration interval =
        writer
            .parsed("checkpointInterval", Durations::parse)
            .filter(
                it -> {
                  if (it.compareTo(Duration.ofSeconds(1)) < 0) {
                    writer.problem("checkpointInterval", "is less than a second: write 10s");
                  }
                  return it.compareTo(Duration.ofSeconds(1)) >= 0;
                })
            .orElse(DEFAULT_INTERVAL);
    Section replicas = writer.sectionOrEmpty("replicas");
    int minimum = replicas.number("minimum", 0, MOST).orElse(1L).intValue();
    int maximum =
        replicas.number("maximum", 1, MOST).orElse((long) Math.max(1, minimum)).intValue();
    if (maximum < minimum) {
      replicas.problem("maximum", "is less than minimum: " + maximum + " < " + minimum);
    }
    Optional<Long> messages = replicas.number("messagesPerReplica", 1, Long.MAX_VALUE);
    Optional<Long> rate = replicas.number("rate", 1, Integer.MAX_VALUE);
    rate.ifPresent(
        it -> {
          long best = depth(it, 1, interval);
          if (messages.orElse(1L) > best) {
            replicas.problem(
                "messagesPerReplica",
                "is more than the "
                    + best
                    + " messages that a copy with that rate has on its way when it does all it can,"
                    + " so it would be taken for idle: write "
                    + depth(it, UTILIZATION, interval)
                    + ", or leave it out");
          }
        });
    if (maximum > minimum && messages.isEmpty() && rate.isEmpty() && !replicas.has("rate")) {
      replicas.problem(
          "messagesPerReplica",
          "is missing, and so is rate, what one copy was measured to do in a second: one of them"
              + " must say when another copy is wanted");
    }
    replicas.finish();
    return new Scaling(
        minimum,
        maximum,
        messages.orElse(rate.map(it -> depth(it, UTILIZATION, interval)).orElse(UNMEASURED)),
        interval);
  }

  /**
   * Returns how many messages a copy has on its way at most.
   *
   * @param rate messages that it can do in a second
   * @param utilization how much of that it does
   */
  static long depth(long rate, double utilization, Duration interval) {
    return Math.max(1, Math.round(rate * utilization * seconds(interval)));
  }

  /**
   * Returns what a number of messages for each copy means where nobody has said how fast one is.
   *
   * @param messages that wait, for each copy
   */
  static String measured(long messages) {
    double seconds = seconds(DEFAULT_INTERVAL);
    return messages
        + " messages for each replica are what one does in "
        + Math.round(seconds)
        + " s at "
        + Math.max(1, Math.round(messages / seconds))
        + " a second, and so many are always on their way: where it can do more, replicas are added"
        + " though nothing waits. Measure what one does in a second, and write that times "
        + UTILIZATION * seconds;
  }

  private static double seconds(Duration interval) {
    return interval.plus(CHECKPOINT_TIME).toMillis() / 1_000.0;
  }

  /** Returns whether the number of copies changes at all. */
  boolean isScaled() {
    return maximum > minimum;
  }

  /** Returns how many there are before anybody has looked at the queue. */
  int first() {
    return Math.max(1, minimum);
  }

  /**
   * Returns how often the queue is looked at. Some checkpoints must complete in between: a group
   * that has committed nothing since is taken for stuck, and what it has to do counts no more. It
   * is no multiple of the interval: the lag is least just after a commit, and whoever looked always
   * then would see a writer with nothing to do.
   */
  Duration polling() {
    long interval = checkpointInterval.toSeconds();
    long third = Math.max(1, Math.round(interval / 3.0));
    return longer(LEAST_POLLING, checkpointInterval.multipliedBy(3)).plusSeconds(third);
  }

  /**
   * Returns for how long more must be wanted all the time before it is given. A change restarts the
   * job; what gathers meanwhile must have been worked off, or each change would call for the next.
   */
  Duration patienceUp() {
    return longer(LEAST_PATIENCE_UP, polling().multipliedBy(4));
  }

  /** Returns for how long less must be wanted all the time before it is taken away. */
  Duration patienceDown() {
    return longer(LEAST_PATIENCE_DOWN, patienceUp().multipliedBy(5));
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }
}
