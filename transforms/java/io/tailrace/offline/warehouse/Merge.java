package io.tailrace.offline.warehouse;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * By what rows are merged into a table. Immutable.
 *
 * @param keys the columns that tell rows apart
 * @param times where in the table the rows can be; empty: anywhere
 */
public record Merge(List<String> keys, Optional<TimeRanges> times) {
  /** Copies the list. */
  public Merge {
    keys = List.copyOf(keys);
  }

  /** Returns the condition that a time lies where the rows can be; empty: none. */
  public Optional<String> within(String time, WarehouseDialect dialect) {
    return times.map(
        ranges ->
            ranges.ranges().stream()
                .map(
                    range ->
                        time
                            + " BETWEEN "
                            + dialect.time(range.from())
                            + " AND "
                            + dialect.time(range.to()))
                .collect(Collectors.joining(" OR ")));
  }
}
