package io.tailrace.pipelines.deadletter;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Says to Prometheus which letters wait, in its text format. Stateless and thread-safe. */
final class LetterMetrics {
  /** How many letters wait. */
  static final String WAITING = "tailrace_letters_waiting";

  /** When the one of them was written that waits longest, in seconds since the epoch. */
  static final String OLDEST = "tailrace_letters_oldest_timestamp_seconds";

  /** How many were replayed or discarded, of those records that the topic still has. */
  static final String SETTLED = "tailrace_letters_settled";

  /** For how long the topic keeps a letter at most, in seconds; absent: for ever, or not known. */
  static final String KEPT = "tailrace_letters_kept_seconds";

  private LetterMetrics() {}

  /** Returns the metrics of a dead-letter topic. */
  static String text(
      String topic,
      List<LetterGroups.Group> groups,
      SettledLetters settled,
      Optional<Duration> kept) {
    StringBuilder text = new StringBuilder();
    begin(text, WAITING, "Dead letters that were neither replayed nor discarded.");
    for (LetterGroups.Group group : groups) {
      sample(text, WAITING, labels(topic, group.key()), group.count());
    }
    begin(text, OLDEST, "When the dead letter was written that waits longest.");
    for (LetterGroups.Group group : groups) {
      sample(text, OLDEST, labels(topic, group.key()), group.first().getEpochSecond());
    }
    String ofTopic = "dead_letter_topic=" + quoted(topic);
    begin(text, SETTLED, "Dead letters that were replayed or discarded.");
    sample(text, SETTLED, ofTopic, settled.count());
    if (kept.isPresent()) {
      begin(text, KEPT, "For how long the topic keeps a dead letter at most.");
      sample(text, KEPT, ofTopic, kept.get().toSeconds());
    }
    return text.toString();
  }

  private static void begin(StringBuilder text, String name, String help) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(" gauge\n");
  }

  private static void sample(StringBuilder text, String name, String labels, long value) {
    text.append(name).append('{').append(labels).append("} ").append(value).append('\n');
  }

  private static String labels(String topic, LetterGroups.Key key) {
    return "dead_letter_topic="
        + quoted(topic)
        + ",writer="
        + quoted(key.writer())
        + ",group="
        + quoted(key.group())
        + ",stage="
        + quoted(key.stage())
        + ",topic="
        + quoted(key.topic())
        + ",reason="
        + quoted(key.reason());
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }
}
