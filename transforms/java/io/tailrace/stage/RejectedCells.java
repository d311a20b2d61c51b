package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.RejectedCell;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Collects the cells of one message that can't be stored, and makes a failure for each reason. Not
 * thread-safe.
 */
public final class RejectedCells {
  private static final class Cells {
    final List<RejectedCell> first = new ArrayList<>();
    int count;
  }

  private final Map<Reason, Cells> byReason = new EnumMap<>(Reason.class);

  /**
   * Adds cells that have something in common.
   *
   * @param key the entity; empty where several are meant
   * @param feature fully qualified; empty where all features are meant
   * @param count how many cells they are
   */
  public void add(
      Reason reason, String namespace, String key, String feature, String message, int count) {
    Cells cells = byReason.computeIfAbsent(reason, unused -> new Cells());
    cells.count += count;
    if (cells.first.size() < Failure.MAX_CELLS) {
      cells.first.add(
          RejectedCell.newBuilder()
              .setNamespace(namespace)
              .setPrimaryKey(key)
              .setFeature(feature)
              .setMessage(message)
              .build());
    }
  }

  /** Returns whether nothing was added. */
  public boolean isEmpty() {
    return byReason.isEmpty();
  }

  /** Returns how many cells were added. */
  public int count() {
    return byReason.values().stream().mapToInt(cells -> cells.count).sum();
  }

  /** Returns a failure for each reason. */
  public List<Failure> failures(String stage, BusMessage original) {
    List<Failure> failures = new ArrayList<>();
    byReason.forEach(
        (reason, cells) -> {
          RejectedCell first = cells.first.get(0);
          String what =
              (first.getFeature().isEmpty() ? first.getNamespace() : first.getFeature())
                  + (first.getPrimaryKey().isEmpty() ? "" : " of '" + first.getPrimaryKey() + "'")
                  + ": "
                  + first.getMessage();
          failures.add(
              Failure.ofCells(
                  stage,
                  reason,
                  cells.count == 1 ? what : what + "; and " + (cells.count - 1) + " more",
                  cells.first,
                  cells.count,
                  original));
        });
    return failures;
  }
}
