package io.tailrace.offline.warehouse;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The times that the rows of a load were observed at, as a few ranges, to which a merge restricts
 * its scan: one late row among those of today doesn't make it read all that is between. Immutable.
 *
 * @param ranges sorted, none touching the next
 */
public record TimeRanges(List<Range> ranges) {
  /** So many ranges at most: each is a condition that is looked at for each part of a table. */
  static final int MAX_RANGES = 16;

  /** A day in microseconds. */
  static final long DAY = 86_400_000_000L;

  /** From a time to another, both included, in microseconds since the epoch. */
  public record Range(long from, long to) {}

  /** Copies the list. */
  public TimeRanges {
    ranges = List.copyOf(ranges);
  }

  /** Unites the ranges of days: neighbours first, then those that are nearest to each other. */
  static TimeRanges of(List<Range> days) {
    List<Range> united = new ArrayList<>();
    for (Range day : days.stream().sorted(Comparator.comparingLong(Range::from)).toList()) {
      Range last = united.isEmpty() ? null : united.get(united.size() - 1);
      if (last != null && Math.floorDiv(day.from, DAY) - Math.floorDiv(last.to, DAY) <= 1) {
        united.set(united.size() - 1, new Range(last.from, Math.max(last.to, day.to)));
      } else {
        united.add(day);
      }
    }
    while (united.size() > MAX_RANGES) {
      int nearest = 0;
      for (int i = 1; i + 1 < united.size(); i++) {
        if (gap(united, i) < gap(united, nearest)) {
          nearest = i;
        }
      }
      united.set(nearest, new Range(united.get(nearest).from, united.remove(nearest + 1).to));
    }
    return new TimeRanges(united);
  }

  private static long gap(List<Range> ranges, int at) {
    return ranges.get(at + 1).from - ranges.get(at).to;
  }
}
