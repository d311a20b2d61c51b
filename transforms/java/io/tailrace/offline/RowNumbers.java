package io.tailrace.offline;

import com.google.common.collect.ImmutableList;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.ObservationFile.Kind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which rows of a file are meant, by their numbers from zero: as runs, as a file is sorted and what
 * its rows have in common they mostly have one behind the other. Immutable.
 *
 * @param runs in their order, none touching the next
 */
public record RowNumbers(List<Run> runs) {
  /** Rows one behind the other. */
  public record Run(int first, int count) {}

  /** Copies the list. */
  public RowNumbers {
    runs = ImmutableList.copyOf(runs);
  }

  /** Returns some rows. */
  public static RowNumbers of(Collection<Integer> rows) {
    List<Run> runs = new ArrayList<>();
    for (int row : rows.stream().sorted().distinct().toList()) {
      Run last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
      if (last != null && last.first + last.count == row) {
        runs.set(runs.size() - 1, new Run(last.first, last.count + 1));
      } else {
        runs.add(new Run(row, 1));
      }
    }
    return new RowNumbers(runs);
  }

  /** Returns those whose bits are set. */
  public static RowNumbers of(BitSet rows) {
    List<Run> runs = new ArrayList<>();
    for (int first = rows.nextSetBit(0); first >= 0; ) {
      int end = rows.nextClearBit(first);
      runs.add(new Run(first, end - first));
      first = rows.nextSetBit(end);
    }
    return new RowNumbers(runs);
  }

  /** Returns one row. */
  public static RowNumbers of(int row) {
    return new RowNumbers(List.of(new Run(row, 1)));
  }

  /**
   * Returns the rows of a feature in a file; none, if it has none. A file of queries is all log.
   */
  public static RowNumbers of(ObservationFile file, Feature feature) {
    if (file.kind() == Kind.QUERIES) {
      return new RowNumbers(List.of(new Run(0, (int) file.rowCount())));
    }
    int first = 0;
    for (FeatureRows rows : file.features()) {
      if (Feature.of(rows).equals(feature)) {
        return new RowNumbers(List.of(new Run(first, rows.rows())));
      }
      first += rows.rows();
    }
    return new RowNumbers(List.of());
  }

  /** Returns these and others. */
  public RowNumbers and(RowNumbers others) {
    return of(IntStream.concat(stream(), others.stream()).boxed().toList());
  }

  /** Returns those that are not among others. */
  RowNumbers without(BitSet others) {
    return of(stream().filter(row -> !others.get(row)).boxed().toList());
  }

  /** Returns the numbers, in their order. */
  public IntStream stream() {
    return runs.stream().flatMapToInt(run -> IntStream.range(run.first, run.first + run.count));
  }

  /** Returns how many rows they are. */
  public int count() {
    return runs.stream().mapToInt(Run::count).sum();
  }
}
