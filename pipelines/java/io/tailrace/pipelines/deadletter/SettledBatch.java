package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.BusLog;
import io.tailrace.bus.Headers;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import java.util.ArrayList;
import java.util.List;

/**
 * Letters that are settled together: a record on their topic tells of each. Small, whatever the
 * letters are like. Not thread-safe.
 */
final class SettledBatch {
  /** Letters that are settled at once: so many may be sent twice where a machine dies. */
  static final int LETTERS = 500;

  private record Note(Place letter, Headers headers) {}

  private final BusLog log;
  private final List<Note> notes = new ArrayList<>();

  SettledBatch(BusLog log) {
    this.log = log;
  }

  /**
   * Adds a letter.
   *
   * @param to where it is now; empty where that is not known, or nowhere
   */
  void add(Place place, LetterIdentity letter, SettledLetters.How how, String to) {
    notes.add(new Note(place, SettledLetters.record(place, letter, how, to)));
  }

  /** Returns whether it is time to settle them. */
  boolean isFull() {
    return notes.size() >= LETTERS;
  }

  /** Settles all of them. */
  void settle() throws UnavailableException {
    for (Note note : notes) {
      log.note(note.letter, note.headers);
    }
    log.flush();
    notes.clear();
  }
}
