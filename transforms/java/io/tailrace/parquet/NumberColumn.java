package io.tailrace.parquet;

import io.tailrace.v1.DeadLetter.Reason;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.parquet.column.ColumnReader;

/** A column of integers, times or truths that is being read. Not thread-safe. */
final class NumberColumn implements FileColumns.ColumnTaker {
  final long[] numbers;
  private final String name;
  private final boolean[] present;
  private final boolean required;
  private final RowFaults faults;
  private int count;

  NumberColumn(String name, int rows, boolean required, RowFaults faults) {
    this.name = name;
    this.numbers = new long[rows];
    this.present = new boolean[rows];
    this.required = required;
    this.faults = faults;
  }

  @Override
  public void take(ColumnReader column, int rows) {
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    NumberType type = NumberType.of(column.getDescriptor().getPrimitiveType());
    for (int i = 0; i < rows; i++) {
      if (column.getCurrentDefinitionLevel() < defined) {
        if (required) {
          faults.addNull(count, name);
        }
      } else {
        Optional<String> whyNot = type.whyNot(column);
        if (whyNot.isPresent()) {
          faults.add(count, Reason.INVALID_VALUE, name, whyNot.get());
        } else {
          present[count] = true;
          numbers[count] = type.read(column);
        }
      }
      count++;
      column.consume();
    }
  }

  /** Returns the number of a row. */
  OptionalLong at(int row) {
    return present[row] ? OptionalLong.of(numbers[row]) : OptionalLong.empty();
  }

  boolean[] truths() {
    boolean[] truths = new boolean[numbers.length];
    for (int i = 0; i < truths.length; i++) {
      truths[i] = numbers[i] != 0;
    }
    return truths;
  }
}
