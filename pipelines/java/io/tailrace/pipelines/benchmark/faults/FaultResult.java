package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.local.proof.Departure;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;

/**
 * What became of one fault: a line of a report.
 *
 * @param at when it began, as text
 * @param seed what traffic and fault were made from
 * @param what was done, where that is more than the fault's name
 * @param writers that ran, by their names
 * @param acknowledged how many results the bus has acknowledged in this run
 * @param stored how many cells, rows and series were read back
 * @param departures how many of them are not as they must be, by the way in which they are not
 * @param wrongLetters how many dead letters are missing, too many or different
 * @param recoverySeconds from the fault's beginning until all that was published by its end was
 *     dealt with
 * @param seen what each writer has noticed of the fault
 * @param settled whether everything was dealt with in the end
 * @param first the first things that are wrong, in words
 */
public record FaultResult(
    String at,
    long seed,
    Fault fault,
    String what,
    List<String> writers,
    long acknowledged,
    long stored,
    Map<Departure, Long> departures,
    long wrongLetters,
    double recoverySeconds,
    Map<String, String> seen,
    boolean settled,
    List<String> first) {

  /** A run that came to no end: a server or a writer did not come back. */
  static FaultResult failed(Fault fault, long seed, List<String> writers, String why) {
    return new FaultResult(
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        seed,
        fault,
        "",
        writers,
        0,
        0,
        Map.of(),
        0,
        0,
        Map.of(),
        false,
        List.of(why));
  }

  /**
   * Returns whether any writer has noticed the fault: one that nobody has noticed proves nothing.
   */
  boolean hasMattered() {
    return !seen.isEmpty();
  }

  /** Returns whether something was stored, nothing lost, doubled or stale, and it has mattered. */
  boolean hasPassed() {
    return wrong() == 0 && settled && stored > 0 && hasMattered();
  }

  /** Returns how many things are wrong. */
  long wrong() {
    return wrongLetters + departures.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Returns how many are so in one way. */
  long departed(Departure how) {
    return departures.getOrDefault(how, 0L);
  }
}
