package io.tailrace.result;

import java.nio.charset.StandardCharsets;

/**
 * One feature's values in a {@link Frame}: a view of the message's bytes, validated, without an
 * object for each value. A row is an index from 0; asking for a type that the column does not have,
 * or for the value of a row that is null, gives a meaningless value or an {@link
 * IndexOutOfBoundsException}. Immutable.
 */
public final class Column {
  private final ColumnSpec spec;
  private final byte[] payload;
  // Times: `timeCount` little-endian longs in `times` from `timePosition`.
  private final byte[] times;
  private final int timePosition;
  private final int timeCount;
  private final int nullPosition;
  private final int nullLength;
  // Values: fixed-width ones in `fixed` from `fixedPosition`, varints in `numbers`, texts as
  // (start, end)
  // pairs in `bounds`, pointing into the payload.
  private final byte[] fixed;
  private final int fixedPosition;
  private final long[] numbers;
  private final int[] bounds;
  private final int dimension;
  private final boolean allNull;

  Column(ColumnSpec spec, byte[] payload, ColumnValues values, long[] numbers, int[] bounds) {
    this.spec = spec;
    this.payload = payload;
    this.times = values.times.data;
    this.timePosition = values.times.start;
    this.timeCount = values.times.length >> 3;
    this.nullPosition = values.nullStart;
    this.nullLength = values.nullLength;
    this.fixed = values.fixed.data;
    this.fixedPosition = values.fixed.start;
    this.numbers = numbers;
    this.bounds = bounds;
    this.dimension = values.dimension;
    this.allNull = values.allNull;
  }

  /** Returns how many bytes this holds beside the payload, and beside itself. */
  long heldBytes() {
    long bytes = (long) Long.BYTES * numbers.length + (long) Integer.BYTES * bounds.length;
    // Numbers that were not packed were copied.
    return bytes + (times == payload ? 0 : times.length) + (fixed == payload ? 0 : fixed.length);
  }

  /** Returns what the column says of its feature. */
  public ColumnSpec spec() {
    return spec;
  }

  /** Returns when the row's value was observed, in microseconds since the epoch. */
  public long observedAt(int row) {
    return WireCursor.longAt(times, timePosition + (timeCount == 1 ? 0 : row << 3));
  }

  /** Returns whether all rows have one time, which the column says once. */
  public boolean hasOneTime() {
    return timeCount == 1;
  }

  /** Returns whether the row is null. */
  public boolean isNull(int row) {
    return allNull
        || (row >> 3 < nullLength && (payload[nullPosition + (row >> 3)] >> (row & 7) & 1) != 0);
  }

  /**
   * Returns a row of type {@code INT64}, {@code TIMESTAMP} (microseconds) or {@code DATE} (days).
   */
  public long int64(int row) {
    return spec.type() == ValueType.TIMESTAMP
        ? WireCursor.longAt(fixed, fixedPosition + (row << 3))
        : numbers[row];
  }

  /** Returns a row of type {@code BOOL}. */
  public boolean bool(int row) {
    return numbers[row] != 0;
  }

  /** Returns a row of type {@code FLOAT64}. */
  public double float64(int row) {
    return Double.longBitsToDouble(WireCursor.longAt(fixed, fixedPosition + (row << 3)));
  }

  /** Returns how many numbers each row of a {@code VECTOR} has. */
  public int dimension() {
    return dimension;
  }

  /** Returns one number of a {@code VECTOR} row. */
  public float vector(int row, int index) {
    return Float.intBitsToFloat(
        WireCursor.intAt(fixed, fixedPosition + ((row * dimension + index) << 2)));
  }

  /** Returns how many bytes a row of type {@code STRING}, {@code BYTES} or {@code JSON} has. */
  public int length(int row) {
    return bounds[2 * row + 1] - bounds[2 * row];
  }

  /**
   * Returns the bytes among which a row of type {@code STRING}, {@code JSON} (both as UTF-8) or
   * {@code BYTES} lies, from {@link #start}; not to be written to.
   */
  public byte[] source() {
    return payload;
  }

  /** Returns where a row of type {@code STRING}, {@code BYTES} or {@code JSON} starts. */
  public int start(int row) {
    return bounds[2 * row];
  }

  /** Copies a row of type {@code STRING}, {@code JSON} (both as UTF-8) or {@code BYTES}. */
  public void copyTo(int row, byte[] target, int offset) {
    System.arraycopy(payload, bounds[2 * row], target, offset, length(row));
  }

  /** Returns a row of type {@code STRING} or {@code JSON}. */
  public String text(int row) {
    return new String(payload, bounds[2 * row], length(row), StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return spec.toString();
  }
}
