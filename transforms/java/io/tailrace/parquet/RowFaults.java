package io.tailrace.parquet;

import io.tailrace.stage.Failure;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Which rows of a file can't be taken, and why: of a row that has several faults the one that was
 * found first. Not thread-safe.
 */
class RowFaults {
  /** Why a row can't be taken. */
  record Fault(int row, Reason reason, String column, String message) {}

  /** The first faults of one reason. */
  private static final class Counted {
    final List<Fault> first = new ArrayList<>();
    int count;
  }

  private final BitSet rows = new BitSet();
  private final Map<Reason, Counted> byReason = new EnumMap<>(Reason.class);

  /**
   * Adds a fault.
   *
   * @param what what is wrong with the column, as the rest of a sentence
   */
  final void add(int row, Reason reason, String column, String what) {
    if (rows.get(row)) {
      return;
    }
    rows.set(row);
    Counted counted = byReason.computeIfAbsent(reason, unused -> new Counted());
    counted.count++;
    if (counted.first.size() < Failure.MAX_CELLS) {
      counted.first.add(new Fault(row, reason, column, where(row, column) + " " + what));
    }
  }

  /** Returns how a column of a row is called in sentences. */
  String where(int row, String column) {
    return "row " + row + ": column '" + column + "'";
  }

  /** Says that a column has a null where none may be. */
  final void addNull(int row, String column) {
    add(row, Reason.MISSING_FIELD, column, "has a null, which it may not");
  }

  /** Returns whether a row can't be taken. */
  final boolean contains(int row) {
    return rows.get(row);
  }

  /** Returns the numbers of the rows that can't be taken. */
  final BitSet rows() {
    return (BitSet) rows.clone();
  }

  final boolean isEmpty() {
    return rows.isEmpty();
  }

  /** Returns the first faults of each reason. */
  final List<Fault> first() {
    return byReason.values().stream().flatMap(counted -> counted.first.stream()).toList();
  }

  /** Returns how many rows can't be taken for a reason beside the first. */
  final int unnamed(Reason reason) {
    Counted counted = byReason.get(reason);
    return counted == null ? 0 : counted.count - counted.first.size();
  }
}
