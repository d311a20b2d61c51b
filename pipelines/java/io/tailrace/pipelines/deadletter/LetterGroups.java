package io.tailrace.pipelines.deadletter;

import io.tailrace.stage.Letter;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Letters that are alike, counted: of one writer, group, stage, topic and reason. Takes the more
 * memory the more groups there are, of which there are at most so many, whatever letters say. Not
 * thread-safe.
 */
final class LetterGroups {
  private static final int MAX_GROUPS = 10_000;

  /** What letters have in common. */
  record Key(String writer, String group, String stage, String topic, String reason) {
    static Key of(StoredLetter stored) {
      Letter letter = stored.letter();
      return new Key(
          letter.writer(),
          letter.group(),
          letter.stage(),
          letter.text(Letter.TOPIC),
          stored.reason());
    }
  }

  /** One of the letters of a group, in words. */
  record Example(String position, String field, String message) {
    static Example of(StoredLetter stored) {
      return new Example(
          stored.position(),
          stored.letter().text(Letter.FIELD),
          stored.letter().text(Letter.MESSAGE));
    }
  }

  /**
   * A group.
   *
   * @param first when its first letter was written
   * @param last when its last was
   * @param attempts how often the message was tried that was tried most often
   */
  record Group(Key key, long count, Instant first, Instant last, int attempts, Example example) {
    private Group and(StoredLetter more) {
      Instant failed = more.letter().failedAt();
      return new Group(
          key,
          count + 1,
          failed.isBefore(first) ? failed : first,
          failed.isAfter(last) ? failed : last,
          Math.max(attempts, more.letter().attempts()),
          example);
    }
  }

  private static final Key OTHERS = new Key("others", "", "", "", "");

  private final Map<Key, Group> groups = new LinkedHashMap<>();

  /** Counts a letter. */
  void add(StoredLetter letter) {
    Key key = Key.of(letter);
    if (!groups.containsKey(key) && groups.size() >= MAX_GROUPS) {
      key = OTHERS;
    }
    Group group = groups.get(key);
    if (group == null) {
      Instant failed = letter.letter().failedAt();
      group = new Group(key, 1, failed, failed, letter.letter().attempts(), Example.of(letter));
    } else {
      group = group.and(letter);
    }
    groups.put(key, group);
  }

  /** Returns the groups, the largest first. */
  List<Group> all() {
    return groups.values().stream()
        .sorted(Comparator.comparingLong(Group::count).reversed().thenComparing(Group::first))
        .toList();
  }

  /** Returns how many letters there are. */
  long count() {
    return groups.values().stream().mapToLong(Group::count).sum();
  }
}
