package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.BusLog;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.stage.Letter;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
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

  /**
   * Reads first what is settled.
   *
   * @throws CommandException if the topic has messages, and not one of them is a letter
   */
  static WaitingLetters of(BusLog log) throws UnavailableException, CommandException {
    return of(log, letter -> {});
  }

  /**
   * The same.
   *
   * @param each is shown every letter, those that are settled and copies included
   */
  static WaitingLetters of(BusLog log, Consumer<StoredLetter> each)
      throws UnavailableException, CommandException {
    WaitingLetters letters = new WaitingLetters(log);
    String[] stranger = {""};
    boolean[] isOfLetters = {false};
    log.read(
        message -> {
          StoredLetter.of(message)
              .ifPresentOrElse(
                  letter -> {
                    isOfLetters[0] = true;
                    each.accept(letter);
                  },
                  () -> {
                    isOfLetters[0] |= message.headers().text(Letter.SETTLED).isPresent();
                    stranger[0] = message.topic();
                  });
          return letters.settled.note(message);
        });
    if (!isOfLetters[0] && !stranger[0].isEmpty()) {
      throw new CommandException(
          "None of the messages of "
              + stranger[0]
              + " is a letter: name the dead-letter bus of the writers with --deadLetterBus");
    }
    return letters;
  }

  /** Returns what is settled. */
  SettledLetters settled() {
    return settled;
  }

  /**
   * Returns which letters were there when the log was opened: who has asked a person about these
   * deals with no others, which came meanwhile. Of use when the log is closed, too.
   */
  Predicate<StoredLetter> extent() throws UnavailableException {
    Predicate<Place> places = log.extent();
    return letter -> places.test(letter.message().place());
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
          if (settled.hasCopy(letter, identity) || dealtWith.contains(identity)) {
            visitor.repeated(letter);
          } else if (visitor.waiting(letter)) {
            dealtWith.add(identity);
          }
          return !visitor.isDone();
        });
  }
}
