package io.tailrace.pipelines.deadletter;

import io.tailrace.pipelines.TerminalText;
import java.io.PrintWriter;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What a replay, or a discarding, would do: how many letters for each reason. Not thread-safe. */
final class ReplayPlan {
  private static final int MAX_NAMES = 1_000;

  private final Map<String, Map<String, Long>> byBus = new TreeMap<>();
  private final Map<Refusal, Long> refused = new EnumMap<>(Refusal.class);
  private final Set<String> topics = new TreeSet<>();
  private long count;

  /** Counts a letter that would be dealt with. */
  void add(StoredLetter letter, String where) {
    count++;
    byBus.computeIfAbsent(where, it -> new TreeMap<>()).merge(letter.reason(), 1L, Long::sum);
    if (topics.size() < MAX_NAMES) {
      topics.add(letter.letter().text(io.tailrace.stage.Letter.TOPIC));
    }
  }

  /** Counts a letter that stays. */
  void add(Refusal refusal) {
    refused.merge(refusal, 1L, Long::sum);
  }

  /** Returns how many would be dealt with. */
  long count() {
    return count;
  }

  /** Returns whether there is no letter of which to say anything. */
  boolean isEmpty() {
    return count == 0 && refused.isEmpty();
  }

  /** Returns how many stay. */
  long refused() {
    return refused.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Returns the topics that the messages came from. */
  Set<String> topics() {
    return topics;
  }

  /** Says it to a person. */
  void print(PrintWriter out) {
    byBus.forEach(
        (where, reasons) -> {
          out.println(
              TerminalText.count(
                      reasons.values().stream().mapToLong(Long::longValue).sum(), "letter")
                  + (where.isEmpty() ? "" : " to " + TerminalText.safe(where))
                  + ":");
          reasons.forEach(
              (reason, n) -> out.println(String.format("%,9d  %s", n, TerminalText.safe(reason))));
        });
    printRefused(out);
  }

  /** Says what stays, and why. */
  void printRefused(PrintWriter out) {
    refused.forEach(
        (refusal, n) ->
            out.println("Not sent: " + TerminalText.count(n, "letter") + " " + refusal.words()));
  }

  /** Returns it for a program. */
  Map<String, Object> toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("letters", count);
    json.put("to", byBus);
    json.put(
        "refused",
        refused.entrySet().stream()
            .collect(Collectors.toMap(each -> each.getKey().name(), Map.Entry::getValue)));
    return json;
  }
}
