package io.tailrace.sql.duckdb;

import java.util.HashMap;
import java.util.Map;

/**
 * Says when DuckDB should merge what it keeps of tables. Each time its log is written back, a table
 * that was inserted into gets another group of rows. Left to itself, DuckDB merges the last groups
 * whenever that doubles them: each row is written again for every doubling, and all inserts wait
 * meanwhile. So they are merged when a table has many that are small. Thread-safe.
 */
final class RowGroups {
  /** How many small groups a table may have. */
  static final int MAX_SMALL_GROUPS = 8;

  /**
   * With this many rows on average, an eighth of a full group's, a table's groups are not small.
   */
  static final long ENOUGH_ROWS = 15_360;

  /** The rows that were inserted into each table since the log was written back. */
  private final Map<String, Long> changed = new HashMap<>();

  /** The groups of each table that were not merged. */
  private final Map<String, Groups> unmerged = new HashMap<>();

  private record Groups(int count, long rows) {
    Groups plus(Groups other) {
      return new Groups(count + other.count, rows + other.rows);
    }

    boolean areManyAndSmall() {
      return count >= MAX_SMALL_GROUPS && rows < ENOUGH_ROWS * count;
    }
  }

  /** Says that rows were inserted into a table. */
  synchronized void inserted(String table, long rows) {
    changed.merge(table, rows, Long::sum);
  }

  /** Returns how many tables were inserted into since the log was written back. */
  synchronized int changedTables() {
    return changed.size();
  }

  /** Returns whether to merge when the log is written back next. */
  synchronized boolean wantMerge() {
    return unmerged.values().stream().anyMatch(Groups::areManyAndSmall);
  }

  /** Says that the log was written back. */
  synchronized void writtenBack(boolean merged) {
    if (merged) {
      unmerged.clear();
    } else {
      changed.forEach((table, rows) -> unmerged.merge(table, new Groups(1, rows), Groups::plus));
    }
    changed.clear();
  }
}
