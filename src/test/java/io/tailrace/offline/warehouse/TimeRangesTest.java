package io.tailrace.offline.warehouse;

import static com.google.common.truth.Truth.assertThat;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.lists;

import io.tailrace.offline.warehouse.TimeRanges.Range;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** A merge reads the days of its own rows, and few others. */
@RunWith(JUnit4.class)
public class TimeRangesTest {
  /** Returns what a survey finds of rows on some days, each once, in any order. */
  private static List<Range> surveyed(List<Integer> days) {
    List<Range> ranges = new ArrayList<>();
    Random random = new Random(days.hashCode());
    for (int day : new TreeSet<>(days)) {
      long from = day * TimeRanges.DAY + random.nextInt(1_000);
      ranges.add(new Range(from, from + random.nextInt(1_000_000)));
    }
    Collections.shuffle(ranges, random);
    return ranges;
  }

  private static boolean holds(Range range, Range day) {
    return range.from() <= day.from() && day.to() <= range.to();
  }

  @Test
  public void everyRowIsInARangeAndRangesAreFewAndApart() {
    qt().withExamples(300)
        .forAll(lists().of(integers().between(-400, 400)).ofSizeBetween(0, 120))
        .checkAssert(
            days -> {
              List<Range> surveyed = surveyed(days);

              List<Range> ranges = TimeRanges.of(surveyed).ranges();

              assertThat(ranges.size()).isAtMost(TimeRanges.MAX_RANGES);
              for (Range day : surveyed) {
                assertThat(ranges.stream().filter(range -> holds(range, day)).count()).isEqualTo(1);
              }
              for (Range range : ranges) {
                // It begins and ends with rows.
                assertThat(surveyed.stream().anyMatch(day -> day.from() == range.from())).isTrue();
                assertThat(surveyed.stream().anyMatch(day -> day.to() == range.to())).isTrue();
              }
              for (int i = 1; i < ranges.size(); i++) {
                assertThat(ranges.get(i).from()).isGreaterThan(ranges.get(i - 1).to());
              }
            });
  }

  @Test
  public void theWidestGapsAreLeftOut() {
    qt().withExamples(300)
        .forAll(lists().of(integers().between(-4_000, 4_000)).ofSizeBetween(2, 120))
        .checkAssert(
            days -> {
              List<Range> surveyed = surveyed(days);
              surveyed.sort((one, other) -> Long.compare(one.from(), other.from()));
              List<Range> ranges = TimeRanges.of(surveyed).ranges();
              long narrowestOut = Long.MAX_VALUE;
              long widestIn = 0;
              for (int i = 1; i < surveyed.size(); i++) {
                Range before = surveyed.get(i - 1);
                Range behind = surveyed.get(i);
                long gap = behind.from() - before.to();
                boolean isIn =
                    ranges.stream()
                        .anyMatch(range -> holds(range, new Range(before.to(), behind.from())));
                if (isIn && areNeighbours(before, behind)) {
                  continue;
                }
                if (isIn) {
                  widestIn = Math.max(widestIn, gap);
                } else {
                  narrowestOut = Math.min(narrowestOut, gap);
                }
              }
              assertThat(widestIn).isAtMost(narrowestOut);
              // Nothing that need not be is read.
              if (ranges.size() < TimeRanges.MAX_RANGES) {
                assertThat(widestIn).isEqualTo(0);
              }
            });
  }

  private static boolean areNeighbours(Range one, Range other) {
    return Math.floorDiv(other.from(), TimeRanges.DAY) - Math.floorDiv(one.to(), TimeRanges.DAY)
        <= 1;
  }

  @Test
  public void oneLateRowIsARangeOfItsOwn() {
    Range today = new Range(20_000 * TimeRanges.DAY, 20_000 * TimeRanges.DAY + 5);
    Range tomorrow = new Range(20_001 * TimeRanges.DAY + 7, 20_001 * TimeRanges.DAY + 9);
    Range late = new Range(19_000 * TimeRanges.DAY, 19_000 * TimeRanges.DAY);

    assertThat(TimeRanges.of(List.of(today, late, tomorrow)).ranges())
        .containsExactly(late, new Range(today.from(), tomorrow.to()))
        .inOrder();
  }
}
