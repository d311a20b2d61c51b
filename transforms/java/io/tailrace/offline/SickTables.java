package io.tailrace.offline;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tables that refuse their rows while others take theirs. Each is left alone for a while, which
 * grows, and then tried with the rows that have come since; what was refused meanwhile is in dead
 * letters. Not thread-safe.
 */
final class SickTables {
  private static final Logger LOG = LoggerFactory.getLogger(SickTables.class);

  /** For how long a table is left alone at first. */
  static final Duration FIRST_PAUSE = Duration.ofSeconds(5);

  /** For how long at most. */
  static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  private final LongSupplier nanoClock;
  private final Map<Name, Sick> sick = new HashMap<>();

  private record Name(String environment, String table) {}

  private record Sick(String why, Instant since, Duration pause, long pausedAt) {}

  /** With a clock that counts nanoseconds. */
  SickTables(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /** Returns whether a table has refused its rows and was not yet seen to take any again. */
  boolean isSick(String environment, String table) {
    return sick.containsKey(new Name(environment, table));
  }

  /** Returns whether a table is to be left alone for now. */
  boolean isLeftAlone(String environment, String table) {
    Sick found = sick.get(new Name(environment, table));
    return found != null && nanoClock.getAsLong() - found.pausedAt < found.pause.toNanos();
  }

  /** Returns why a table that is sick refuses its rows. */
  String why(String environment, String table) {
    Sick found = sick.get(new Name(environment, table));
    return found == null ? "" : found.why;
  }

  /** Says that a table is to be tried now: somebody sends back what it refused. */
  void isPerhapsMended(String environment, String table) {
    sick.computeIfPresent(
        new Name(environment, table),
        (name, before) ->
            new Sick(
                before.why,
                before.since,
                FIRST_PAUSE,
                nanoClock.getAsLong() - FIRST_PAUSE.toNanos()));
  }

  /** Says that a table refuses its rows. */
  void refuses(String environment, String table, String why) {
    sick.compute(
        new Name(environment, table),
        (name, before) -> {
          if (before == null) {
            LOG.warn(
                "The table {} of {} refuses its rows: {}. Those that come become dead letters"
                    + " TABLE_REFUSES, and others go on",
                table,
                environment,
                why);
            return new Sick(why, Instant.now(), FIRST_PAUSE, nanoClock.getAsLong());
          }
          Duration longer = before.pause.multipliedBy(2);
          return new Sick(
              why,
              before.since,
              longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE,
              nanoClock.getAsLong());
        });
  }

  /** Says that a table takes its rows. */
  void takes(String environment, String table) {
    if (sick.isEmpty()) {
      return;
    }
    Sick before = sick.remove(new Name(environment, table));
    if (before != null) {
      LOG.warn(
          "The table {} of {} takes its rows again: replay the dead letters TABLE_REFUSES since {}",
          table,
          environment,
          before.since);
    }
  }
}
