package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.stage.Letter;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Watches letters that were sent back until their writers are done with them.
 *
 * <p>A writer commits a position only after its letters up to there are on the dead-letter topic.
 * So first the commits are asked for and then that topic is read to its end: what is behind a
 * commit and has no new letter was taken. Where a bus tells of no commits, only new letters tell.
 * Takes some memory for each letter. Not thread-safe.
 */
final class ReplayWatch implements LetterReplay.Listener {
  private static final Duration LOOK_EVERY = Duration.ofMillis(500);

  /** What became of a letter. */
  enum Outcome {
    /** Its writer is done with it, and has refused nothing of it. */
    STORED,
    /** There is a new letter of it. */
    REFUSED_AGAIN,
    /** Its writer has not come to it yet. */
    ON_ITS_WAY,
    /** The bus does not say where it is, or how far its writer is, and there is no new letter. */
    UNKNOWN,
    /** It was not sent, as its bytes can't be read, or the bus does not take them. */
    NOT_SENT
  }

  /**
   * A letter that was sent.
   *
   * @param attempts how often its message had been tried before
   * @param detail the new letter, or why it was not sent; may be empty
   */
  record Watched(String writer, int attempts, String reason, Outcome outcome, String detail) {
    static Watched of(StoredLetter stored, Outcome outcome, String detail) {
      Letter letter = stored.letter();
      return new Watched(letter.writer(), letter.attempts(), stored.reason(), outcome, detail);
    }

    Watched become(Outcome other, String why) {
      return new Watched(writer, attempts, reason, other, why);
    }

    /** One of another cluster, whose letters are here too, may have been at the same place. */
    boolean isRefusedAs(Letter again) {
      return writer.equals(again.writer()) && again.attempts() > attempts;
    }
  }

  /** Where messages of one bus are for one group. */
  private record Reading(String bus, String group) {}

  private final BusLog letters;
  private final Map<String, Watched> watched = new LinkedHashMap<>();
  private final Map<String, Bus> buses = new HashMap<>();
  // By bus and group the letters, by the places where they are now.
  private final Map<Reading, Map<Place, String>> open = new HashMap<>();
  // Those of which the bus does not tell how far they are.
  private final Set<Reading> untold = new HashSet<>();

  /**
   * Creates one.
   *
   * @param letters the dead-letter topic, opened before the first letter is sent
   */
  ReplayWatch(BusLog letters) {
    this.letters = letters;
  }

  @Override
  public void replayed(StoredLetter stored, Bus bus, Optional<Place> place) {
    Letter letter = stored.letter();
    watched.put(
        stored.position(),
        Watched.of(stored, place.isPresent() ? Outcome.ON_ITS_WAY : Outcome.UNKNOWN, ""));
    if (place.isPresent()) {
      buses.putIfAbsent(bus.name(), bus);
      String group = letter.group().isEmpty() ? letter.writer() : letter.group();
      open.computeIfAbsent(new Reading(bus.name(), group), it -> new HashMap<>())
          .put(place.get(), stored.position());
    }
  }

  @Override
  public void stays(StoredLetter stored, String why) {
    watched.put(stored.position(), Watched.of(stored, Outcome.NOT_SENT, why));
  }

  /** Watches until all are done, the time is over, or somebody asks for the end. */
  void watch(Duration patience, Stopping stopping) throws UnavailableException {
    long deadline = System.nanoTime() + patience.toNanos();
    look();
    while (!open.isEmpty() && System.nanoTime() < deadline && !stopping.isAskedWithin(LOOK_EVERY)) {
      look();
    }
    open.forEach(
        (reading, places) -> {
          if (untold.contains(reading)) {
            places.values().forEach(position -> become(position, Outcome.UNKNOWN, ""));
          }
        });
  }

  private void look() throws UnavailableException {
    Map<Reading, Predicate<Place>> done = new HashMap<>();
    for (Reading reading : open.keySet()) {
      if (untold.contains(reading)) {
        continue;
      }
      Bus bus = buses.get(reading.bus);
      Optional<Predicate<Place>> told = bus == null ? Optional.empty() : bus.doneBy(reading.group);
      told.ifPresentOrElse(it -> done.put(reading, it), () -> untold.add(reading));
    }
    letters.readNews(
        message -> {
          StoredLetter.of(message).ifPresent(this::refusedAgain);
          return true;
        });
    done.forEach(
        (reading, isDone) -> {
          Map<Place, String> places = open.getOrDefault(reading, Map.of());
          places
              .entrySet()
              .removeIf(
                  each -> {
                    boolean stored = isDone.test(each.getKey());
                    if (stored) {
                      become(each.getValue(), Outcome.STORED, "");
                    }
                    return stored;
                  });
        });
    open.values().removeIf(Map::isEmpty);
  }

  /**
   * Finds what was sent by its place alone: a writer may name other servers of the same brokers.
   */
  private void refusedAgain(StoredLetter again) {
    Letter letter = again.letter();
    Optional<Place> place = place(letter);
    if (place.isEmpty()) {
      return;
    }
    for (Map<Place, String> places : open.values()) {
      String position = places.getOrDefault(place.get(), "");
      if (Optional.ofNullable(watched.get(position))
          .filter(it -> it.isRefusedAs(letter))
          .isPresent()) {
        places.remove(place.get());
        become(
            position,
            Outcome.REFUSED_AGAIN,
            again.position() + "  " + again.reason() + ": " + letter.text(Letter.MESSAGE));
      }
    }
  }

  private static Optional<Place> place(Letter letter) {
    String id = letter.text(Letter.MESSAGE_ID);
    if (!id.isEmpty()) {
      return Optional.of(Place.identified(letter.text(Letter.TOPIC), id));
    }
    try {
      return Optional.of(
          Place.numbered(
              letter.text(Letter.TOPIC),
              Integer.parseInt(letter.text(Letter.PARTITION)),
              Long.parseLong(letter.text(Letter.OFFSET))));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private void become(String position, Outcome outcome, String detail) {
    watched.computeIfPresent(position, (it, before) -> before.become(outcome, detail));
  }

  /** Returns what became of each letter, by its position, in the order in which they were sent. */
  Map<String, Watched> outcomes() {
    return watched;
  }
}
