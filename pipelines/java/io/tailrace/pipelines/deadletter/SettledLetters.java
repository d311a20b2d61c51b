package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.Place;
import io.tailrace.stage.Letter;
import java.time.Instant;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which letters of a dead-letter topic are settled. What was settled is told by records of its own
 * on that topic, which are no letters: their header {@link Letter#SETTLED} names the position or
 * the id of one, {@link Letter#SETTLED_LETTER} all its copies. Of each it remembers a bit for its
 * position and a hash. Not thread-safe.
 */
final class SettledLetters {
  /** What became of a letter. */
  enum How {
    /** It was sent back. */
    REPLAYED,
    /** Nobody wants it. */
    DISCARDED,
    /** It is a copy of one that is settled. */
    REPEATED
  }

  private static final Pattern POSITION = Pattern.compile("(\\d{1,9})@(\\d{1,18})");
  private static final int BITS = 20;

  /** Of each partition pieces of positions, by number. */
  private final Map<Integer, Map<Long, BitSet>> positions = new HashMap<>();

  private final Set<String> ids = new HashSet<>();
  private final Set<LetterIdentity> letters = new HashSet<>();
  private long count;

  /**
   * Returns the headers of the record that tells of a letter.
   *
   * @param to where it is now; empty where that is not known, or nowhere
   */
  static Headers record(Place place, LetterIdentity letter, How how, String to) {
    return Headers.of(
        Header.of(Letter.SETTLED, StoredLetter.position(place)),
        Header.of(Letter.SETTLED_LETTER, letter.toString()),
        Header.of(Letter.SETTLED_AS, how.name().toLowerCase(Locale.ROOT)),
        Header.of(Letter.SETTLED_AT, Instant.now().toString()),
        Header.of(Letter.SETTLED_TO, to));
  }

  /**
   * Notes what a message of the topic says, if it says that one is settled.
   *
   * @return true, always
   */
  boolean note(BusMessage message) {
    String settled = message.headers().text(Letter.SETTLED).orElse("");
    if (settled.isEmpty() || Letter.of(message.headers()).isPresent()) {
      return true;
    }
    LetterIdentity.parse(message.headers().text(Letter.SETTLED_LETTER).orElse(""))
        .ifPresent(letters::add);
    Matcher position = POSITION.matcher(settled);
    boolean isNew;
    if (position.matches()) {
      long offset = Long.parseLong(position.group(2));
      BitSet piece =
          positions
              .computeIfAbsent(Integer.valueOf(position.group(1)), it -> new HashMap<>())
              .computeIfAbsent(offset >> BITS, it -> new BitSet());
      isNew = !piece.get(bit(offset));
      piece.set(bit(offset));
    } else {
      isNew = ids.add(settled);
    }
    count += isNew ? 1 : 0;
    return true;
  }

  /** Returns whether the letter at a place is settled. */
  boolean has(Place place) {
    if (!place.messageId().isEmpty()) {
      return ids.contains(place.messageId());
    }
    return has(place.partition(), place.offset());
  }

  private boolean has(int partition, long offset) {
    BitSet piece = positions.getOrDefault(partition, Map.of()).get(offset >> BITS);
    return piece != null && piece.get(bit(offset));
  }

  /** Returns whether the letter at a position, or of an id, as people name it, is settled. */
  boolean has(String position) {
    Matcher partition = POSITION.matcher(position);
    if (!partition.matches()) {
      return ids.contains(position);
    }
    return has(Integer.parseInt(partition.group(1)), Long.parseLong(partition.group(2)));
  }

  /** Returns whether a letter was settled at another position, by this or by an earlier version. */
  boolean hasCopy(StoredLetter letter, LetterIdentity identity) {
    return letters.contains(identity)
        || (!letters.isEmpty() && letters.contains(LetterIdentity.ofEarlierVersions(letter)));
  }

  private static int bit(long offset) {
    return (int) (offset & ((1 << BITS) - 1));
  }

  /** Returns how many are settled, those that the topic has forgotten included. */
  long count() {
    return count;
  }
}
