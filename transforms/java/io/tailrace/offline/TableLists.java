package io.tailrace.offline;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * Lists the tables of each result. Results of one query have the same ones, in the same order: they
 * share one list, which is neither sorted out nor held again. Not thread-safe.
 */
final class TableLists {
  private List<String> last = new ArrayList<>();
  private List<String> distinctOfLast = List.of();
  private List<String> current = new ArrayList<>();

  /** Begins the list of a result. */
  void begin() {
    current.clear();
  }

  /** Adds a table, which may be there already. */
  void add(String table) {
    current.add(table);
  }

  /** Returns the list of the result, each table once. */
  List<String> end() {
    if (!current.equals(last)) {
      List<String> old = last;
      last = current;
      current = old;
      distinctOfLast = List.copyOf(new LinkedHashSet<>(last));
    }
    return distinctOfLast;
  }
}
