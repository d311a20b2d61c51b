package io.tailrace.parquet;

import io.tailrace.parquet.ObservationRows.Texts;
import io.tailrace.result.ValueType;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Optional;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.io.api.Binary;
import org.jspecify.annotations.Nullable;

/** The column of values that is being read. Not thread-safe. */
final class ValueColumn implements FileColumns.ColumnTaker {
  final boolean[] present;
  final long[] numbers;
  final byte[][] bytes;
  private final String name;
  private final Optional<ValueType> type;
  private final DecodeBudget budget;
  private final RowFaults faults;
  private final IdentityHashMap<Binary, byte[]> longEntries = new IdentityHashMap<>();
  private int count;
  // A dictionary hands out the same object for the same value.
  private Binary last = Binary.EMPTY;
  private byte[] lastBytes = Texts.NONE;

  /** Creates one for the column of values of files that have one. */
  ValueColumn(Optional<ValueType> type, int rows, DecodeBudget budget, RowFaults faults) {
    this(ObservationSchema.VALUE, type, rows, budget, faults);
  }

  /**
   * Creates one.
   *
   * @param name of the column, in what is said of its faults
   */
  ValueColumn(
      String name, Optional<ValueType> type, int rows, DecodeBudget budget, RowFaults faults) {
    this.name = name;
    this.type = type;
    this.budget = budget;
    this.faults = faults;
    boolean inBytes =
        type.map(
                it ->
                    switch (it) {
                      case STRING, BYTES, JSON, VECTOR -> true;
                      default -> false;
                    })
            .orElse(false);
    present = new boolean[rows];
    numbers = new long[inBytes || type.isEmpty() ? 0 : rows];
    bytes = new byte[inBytes ? rows : 0][];
  }

  @Override
  public void take(ColumnReader column, int rows) throws IOException {
    switch (type.orElseThrow()) {
      case VECTOR -> takeVectors(column, rows);
      case FLOAT64 -> takeFloats(column, rows);
      case INT64, TIMESTAMP, DATE, BOOL -> takeNumbers(column, rows);
      case STRING, BYTES, JSON -> takeBytes(column, rows);
    }
  }

  private void takeNumbers(ColumnReader column, int rows) {
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    NumberType numberType = NumberType.of(column.getDescriptor().getPrimitiveType());
    for (int i = 0; i < rows; i++) {
      if (column.getCurrentDefinitionLevel() == defined) {
        Optional<String> whyNot = numberType.whyNot(column);
        if (whyNot.isPresent()) {
          faults.add(count, Reason.INVALID_VALUE, name, whyNot.get());
        } else {
          present[count] = true;
          numbers[count] = numberType.read(column);
        }
      }
      count++;
      column.consume();
    }
  }

  private void takeFloats(ColumnReader column, int rows) {
    FloatType floats = FloatType.of(column.getDescriptor().getPrimitiveType()).orElseThrow();
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    for (int i = 0; i < rows; i++) {
      if (column.getCurrentDefinitionLevel() == defined) {
        present[count] = true;
        numbers[count] = Double.doubleToLongBits(floats.read(column));
      }
      count++;
      column.consume();
    }
  }

  private void takeBytes(ColumnReader column, int rows) throws IOException {
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    for (int i = 0; i < rows; i++) {
      if (column.getCurrentDefinitionLevel() == defined) {
        present[count] = true;
        bytes[count] = bytesOf(column.getBinary());
      }
      count++;
      column.consume();
    }
    longEntries.clear();
  }

  @SuppressWarnings("ReferenceEquality") // Identity is enough to spare the work.
  private byte[] bytesOf(Binary value) throws IOException {
    if (value != last) {
      byte @Nullable [] found =
          value.length() < TextColumn.LONG_ENTRY ? null : longEntries.get(value);
      if (found == null) {
        budget.take(value.length(), name);
        found = value.getBytes();
        if (found.length >= TextColumn.LONG_ENTRY) {
          longEntries.put(value, found);
        }
      }
      last = value;
      lastBytes = found;
    }
    return lastBytes;
  }

  private void takeVectors(ColumnReader column, int rows) throws IOException {
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    int empty = FileColumns.levelOfEmptyList(column);
    FloatType floats = FloatType.of(column.getDescriptor().getPrimitiveType()).orElseThrow();
    ByteBuffer numbersOfRow = ByteBuffer.allocate(1 << 10);
    for (int row = 0; row < rows; row++) {
      numbersOfRow.clear();
      boolean isPresent = column.getCurrentDefinitionLevel() >= empty;
      do {
        budget.take(Float.BYTES, name);
        if (column.getCurrentDefinitionLevel() == defined) {
          if (numbersOfRow.remaining() < Float.BYTES) {
            numbersOfRow =
                ByteBuffer.allocate(2 * numbersOfRow.capacity()).put(numbersOfRow.flip());
          }
          double number = floats.read(column);
          numbersOfRow.putFloat((float) number);
          if ((float) number != number && !Double.isNaN(number)) {
            faults.add(
                count,
                Reason.INVALID_VALUE,
                name,
                "has a vector with " + number + ", which 32 bits do not hold exactly");
          }
        } else if (column.getCurrentDefinitionLevel() > empty) {
          faults.add(
              count, Reason.INVALID_VALUE, name, "has a vector with a null among its numbers");
        }
        column.consume();
      } while (column.getCurrentRepetitionLevel() > 0);
      if (isPresent) {
        present[count] = true;
        bytes[count] = Arrays.copyOf(numbersOfRow.array(), numbersOfRow.position());
      }
      count++;
    }
  }
}
