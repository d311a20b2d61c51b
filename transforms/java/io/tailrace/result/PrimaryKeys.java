package io.tailrace.result;

import java.nio.charset.StandardCharsets;

/**
 * The primary keys of a frame or deletion, all strings or all integers. A key's identity is its
 * text: {@code 42} and {@code "42"} name the same entity, since a namespace has keys of one type.
 * Immutable.
 */
public final class PrimaryKeys {
  private final byte[] payload;
  private final int[] bounds;
  private final long[] numbers;
  private final boolean strings;
  private final int count;

  PrimaryKeys(byte[] payload, int[] bounds, long[] numbers, boolean strings, int count) {
    this.payload = payload;
    this.bounds = bounds;
    this.numbers = numbers;
    this.strings = strings;
    this.count = count;
  }

  /** Returns how many bytes this holds beside the payload. */
  long heldBytes() {
    return (long) Integer.BYTES * bounds.length + (long) Long.BYTES * numbers.length;
  }

  /** Returns the number of keys, which is the number of rows. */
  public int count() {
    return count;
  }

  /** Returns whether the keys are strings; otherwise they are integers. */
  public boolean areStrings() {
    return strings;
  }

  /** Returns a key as text, integers in decimal. */
  public String text(int row) {
    return strings
        ? new String(
            payload, bounds[2 * row], bounds[2 * row + 1] - bounds[2 * row], StandardCharsets.UTF_8)
        : Long.toString(numbers[row]);
  }

  /**
   * Returns the bytes among which a key that is a string lies, as UTF-8, from {@link #start}; not
   * to be written to.
   */
  public byte[] source() {
    return payload;
  }

  /** Returns where a key that is a string starts. */
  public int start(int row) {
    return bounds[2 * row];
  }

  /** Returns how many bytes a key that is a string has. */
  public int length(int row) {
    return bounds[2 * row + 1] - bounds[2 * row];
  }

  /** Returns a key that is an integer. */
  public long number(int row) {
    return numbers[row];
  }
}
