package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Collects the cells of one message that a stage can't store, whatever the reasons, and makes one
 * failure of them: its reason is that of the first cell, and all are counted. Not thread-safe.
 */
public final class RejectedCells {
  // Most messages have none.
  private List<RejectedCell> first = List.of();
  private Map<Reason, Integer> reasons = Map.of();
  // Where the first one stands in the message; empty where nobody said.
  private String field = "";

  /**
   * Adds cells that have something in common.
   *
   * @param key the entity; empty where several are meant
   * @param feature fully qualified; empty where all features are meant
   * @param count how many cells they are
   */
  public void add(
      Reason reason, String namespace, String key, String feature, String message, int count) {
    addAt("", new RejectedCell(reason, namespace, key, feature, message), count);
  }

  /**
   * Adds cells of which the first stands at a place in the message.
   *
   * @param place such as {@code frames[0].string_keys[3]}, or {@code value[3]} in a file
   * @param cell the first of them
   * @param count how many cells they are
   */
  public void addAt(String place, RejectedCell cell, int count) {
    if (reasons.isEmpty()) {
      field = place;
      first = new ArrayList<>();
      // In the order in which they came.
      reasons = new LinkedHashMap<>();
    }
    reasons.merge(cell.reason(), count, Integer::sum);
    if (first.size() < Failure.MAX_CELLS) {
      first.add(cell);
    }
  }

  /** Adds all that others have, at their place in the message. */
  public void add(String place, Failure.Cells others) {
    if (others.count() > 0) {
      if (reasons.isEmpty()) {
        field = place;
        first = new ArrayList<>();
        reasons = new LinkedHashMap<>();
      }
      others.reasons().forEach((reason, count) -> reasons.merge(reason, count, Integer::sum));
      others.first().stream().limit(Failure.MAX_CELLS - first.size()).forEach(first::add);
    }
  }

  /** Returns what was added. */
  public Failure.Cells cells() {
    return new Failure.Cells(first, reasons);
  }

  /** Returns whether nothing was added. */
  public boolean isEmpty() {
    return reasons.isEmpty();
  }

  /** Returns how many cells were added. */
  public int count() {
    int count = 0;
    for (int each : reasons.values()) {
      count += each;
    }
    return count;
  }

  /** Returns how many cells are listed by name: those take memory. */
  public int listed() {
    return first.size();
  }

  /** Returns the failure of the cells, if there are any. */
  public Optional<Failure> failure(String stage, BusMessage original) {
    if (isEmpty()) {
      return Optional.empty();
    }
    RejectedCell one = first.get(0);
    String where =
        (one.feature().isEmpty() ? one.namespace() : one.feature())
            + (one.key().isEmpty() ? "" : " of '" + one.key() + "'");
    String what = where.isEmpty() ? one.message() : where + ": " + one.message();
    int count = count();
    return Optional.of(
        Failure.ofCells(
                stage,
                reasons.keySet().iterator().next(),
                count == 1 ? what : what + "; and " + (count - 1) + " more",
                new Failure.Cells(first, reasons),
                original)
            .in(field));
  }
}
