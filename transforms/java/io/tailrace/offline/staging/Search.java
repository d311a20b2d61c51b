package io.tailrace.offline.staging;

import com.google.common.collect.ImmutableSet;
import java.io.Serializable;
import java.time.Duration;
import java.util.Set;

/**
 * How the stage is searched for files that were staged and never loaded. Immutable.
 *
 * @param every how often it is listed, beside every start
 * @param olderThan how old a file is that should be loaded by now: a younger one is still referred
 *     to by somebody
 * @param keep for how long a file stays after it was loaded: as long as a worker may be repeating a
 *     bundle that refers to it. One of which something was refused stays for {@link #REMEMBERED},
 *     as its letters are made of it
 * @param environments whose files are searched for; empty: all
 */
public record Search(Duration every, Duration olderThan, Duration keep, Set<String> environments)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Copies the set. */
  public Search {
    environments = ImmutableSet.copyOf(environments);
  }

  /** Searches for files of all environments. */
  public Search(Duration every, Duration olderThan, Duration keep) {
    this(every, olderThan, keep, Set.of());
  }

  /** Leaves files of other environments to others; none: there are no others. */
  public Search ofEnvironments(Set<String> others) {
    return new Search(every, olderThan, keep, others);
  }

  /** Returns whether files of an environment are searched for. */
  boolean includes(String environment) {
    return environments.isEmpty() || environments.contains(environment);
  }

  /** Every hour, files that are older than ten minutes; they stay for an hour. */
  public static final Search DEFAULT =
      new Search(Duration.ofHours(1), Duration.ofMinutes(10), Duration.ofHours(1));

  /** For how long the ledger remembers a file that was deleted. */
  static final Duration REMEMBERED = Duration.ofDays(7);
}
