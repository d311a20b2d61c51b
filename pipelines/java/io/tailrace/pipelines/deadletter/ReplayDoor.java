package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.pipelines.Writers;
import io.tailrace.stage.Letter;
import io.tailrace.stage.Overflow;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Says of letters whether, and to which bus, they are sent back. Not thread-safe. */
final class ReplayDoor {
  private static final int MAX_NAMES = 1_000;

  private final Bus letters;
  private final Optional<Bus> to;
  private final Instant oldest;
  private final LetterContents contents;
  private final Map<String, Optional<Bus>> buses = new HashMap<>();

  /**
   * Creates one.
   *
   * @param letters the dead-letter bus
   * @param to where all of them are sent; empty: each to the bus that it came from
   * @param deletionRetention for how long the online writer remembers deletions
   */
  ReplayDoor(Bus letters, Optional<Bus> to, Duration deletionRetention, LetterContents contents) {
    this.letters = letters;
    this.to = to;
    this.oldest = Instant.now().minus(deletionRetention);
    this.contents = contents;
  }

  /** Returns why a letter stays where it is; empty if it is sent back. */
  Optional<Refusal> refusal(StoredLetter stored) {
    Letter letter = stored.letter();
    if (isToOnlineStore(letter.writer()) && isTooOld(stored)) {
      return Optional.of(Refusal.TOO_OLD);
    }
    Optional<String> uri = stored.payloadUri();
    Optional<Overflow> overflow = contents.overflow();
    if (uri.isPresent() && (overflow.isEmpty() || !overflow.get().holds(uri.get()))) {
      return Optional.of(Refusal.IN_A_FILE);
    }
    if (stored.isIncomplete()) {
      return Optional.of(Refusal.INCOMPLETE);
    }
    return bus(stored).isEmpty() ? Optional.of(Refusal.ELSEWHERE) : Optional.empty();
  }

  /** Returns where all letters are sent, if that was named. */
  Optional<Bus> to() {
    return to;
  }

  /** Returns where a letter is sent. */
  Optional<Bus> bus(StoredLetter stored) {
    if (to.isPresent()) {
      return to;
    }
    String name = stored.letter().text(Letter.BUS);
    if (buses.size() > MAX_NAMES) {
      buses.clear();
    }
    return buses.computeIfAbsent(name, letters::beside);
  }

  /** One that does not say when its message was published may be of any age. */
  private boolean isTooOld(StoredLetter stored) {
    return stored.letter().publishedAt().map(time -> time.isBefore(oldest)).orElse(true);
  }

  /** Deletions are forgotten online alone; what is not known here may write there, too. */
  private static boolean isToOnlineStore(String name) {
    return Writers.ALL.stream()
        .filter(writer -> writer.name().equals(name))
        .findFirst()
        .map(writer -> writer.takes("onlineStore"))
        .orElse(true);
  }
}
