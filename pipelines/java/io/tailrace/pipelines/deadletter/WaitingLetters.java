package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.BusLog;
import io.tailrace.endpoint.UnavailableException;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The letters of a topic that are not settled, as they were when its log was opened. A letter that
 * is there twice is one letter. Remembers a hash of each letter, and none of them itself. Not
 * thread-safe.
 */
final class WaitingLetters {
  /** Is shown letters. */
  interface Visitor {
    /**
     * Looks at a letter that waits.
     *
     * @return whether it was dealt with, so that a copy of it needs nothing but to be settled
     */
    boolean waiting(StoredLetter letter) throws UnavailableException;

    /** Looks at a copy of a letter that was dealt with, or is settled. */
    default void repeated(StoredLetter letter) throws UnavailableException {}

    /** Returns whether it has seen enough. */
    default boolean isDone() {
      return false;
    }
  }

  private final BusLog log;
  private final SettledLetters settled = new SettledLetters();

  private WaitingLetters(BusLog log) {
    this.log = log;
  }

  /** Reads first what is settled. */
  static WaitingLetters of(BusLog log) throws UnavailableException {
    WaitingLetters letters = new WaitingLetters(log);
    log.read(letters.settled::note);
    return letters;
  }

  /** Returns what is settled. */
  SettledLetters settled() {
    return settled;
  }

  /** Shows those that are chosen, in the topic's order; each time anew. */
  void read(Predicate<StoredLetter> chosen, Visitor visitor) throws UnavailableException {
    Set<LetterIdentity> dealtWith = new HashSet<>();
    log.read(
        message -> {
          if (settled.has(message.place())) {
            return true;
          }
          StoredLetter letter = StoredLetter.of(message).orElse(null);
          if (letter == null || !chosen.test(letter)) {
            return true;
          }
          LetterIdentity identity = LetterIdentity.of(letter);
          if (settled.has(identity) || dealtWith.contains(identity)) {
            visitor.repeated(letter);
          } else if (visitor.waiting(letter)) {
            dealtWith.add(identity);
          }
          return !visitor.isDone();
        });
  }
}
