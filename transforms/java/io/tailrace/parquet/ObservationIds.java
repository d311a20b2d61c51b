package io.tailrace.parquet;

import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * Computes ids of observations: the MD5 of four texts in UTF-8, each behind its length in bytes and
 * a colon: operation id, feature, primary key, and observed_at in microseconds since the epoch. For
 * a deletion, {@code deleted} is the fifth, so that a value and a deletion of one moment are two
 * rows. The same observation has the same id whoever writes it. In SQL, with {@code octet_length}
 * (PostgreSQL; {@code strlen} in DuckDB):
 *
 * <pre>{@code
 * md5(octet_length(operation_id) || ':' || operation_id || octet_length(feature) || ':' || feature || …
 *     || CASE WHEN deleted THEN '7:deleted' ELSE '' END)::uuid
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class ObservationIds {
  /** Length of an id in bytes. */
  public static final int LENGTH = 16;

  /** Characters of the lowest number of 64 bits. */
  private static final int LONGEST_NUMBER = 20;

  // Both characters of each number below a hundred: half as many divisions as digits.
  private static final short[] TWO_DIGITS = twoDigits();

  private static final byte[] VALUE = {};
  private static final byte[] DELETION = "7:deleted".getBytes(StandardCharsets.US_ASCII);

  private final MessageDigest md5;
  private byte[] text = new byte[256];
  private final byte[] decimal = new byte[LONGEST_NUMBER];
  private int prefixLength;
  private byte[] last = VALUE;

  /** Creates one. */
  public ObservationIds() {
    try {
      md5 = MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }

  /** Says of values of which feature and operation the next ids are. */
  public void begin(byte[] operationId, byte[] feature) {
    begin(operationId, feature, VALUE);
  }

  /** Says of deletions of which feature and operation the next ids are. */
  public void beginDeletions(byte[] operationId, byte[] feature) {
    begin(operationId, feature, DELETION);
  }

  private void begin(byte[] operationId, byte[] feature, byte[] lastText) {
    last = lastText;
    prefixLength = 0;
    prefixLength = append(operationId, 0, operationId.length, 0);
    prefixLength = append(feature, 0, feature.length, prefixLength);
  }

  /** Computes the id of an observation whose primary key is an integer. */
  public void compute(long key, long observedAt, byte[] target, int offset) {
    int end = appendNumber(key, prefixLength);
    end = appendNumber(observedAt, end);
    digest(end, target, offset);
  }

  /** Computes the id of an observation whose primary key is a string, given as UTF-8. */
  public void compute(
      byte[] source, int keyStart, int keyLength, long observedAt, byte[] target, int offset) {
    int end = append(source, keyStart, keyLength, prefixLength);
    end = appendNumber(observedAt, end);
    digest(end, target, offset);
  }

  /** Returns the id of one value; the key of an integer is its decimal text. */
  public static byte[] of(String operationId, String feature, String primaryKey, long observedAt) {
    ObservationIds ids = new ObservationIds();
    ids.begin(utf8(operationId), utf8(feature));
    return ids.compute(utf8(primaryKey), observedAt);
  }

  /** Returns the id of one deletion; the key of an integer is its decimal text. */
  public static byte[] ofDeletion(
      String operationId, String feature, String primaryKey, long observedAt) {
    ObservationIds ids = new ObservationIds();
    ids.beginDeletions(utf8(operationId), utf8(feature));
    return ids.compute(utf8(primaryKey), observedAt);
  }

  private byte[] compute(byte[] key, long observedAt) {
    byte[] id = new byte[LENGTH];
    compute(key, 0, key.length, observedAt, id, 0);
    return id;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void digest(int end, byte[] target, int offset) {
    md5.update(text, 0, end);
    md5.update(last);
    try {
      int unused = md5.digest(target, offset, LENGTH);
    } catch (DigestException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private int append(byte[] source, int start, int length, int at) {
    reserve(at + LONGEST_NUMBER + 1 + length);
    int end = appendDecimal(length, at);
    text[end++] = ':';
    System.arraycopy(source, start, text, end, length);
    return end + length;
  }

  private int appendNumber(long number, int at) {
    reserve(at + 2 * LONGEST_NUMBER + 1);
    int start = putDecimal(number);
    int length = LONGEST_NUMBER - start;
    int end = at;
    if (length >= 10) {
      text[end++] = (byte) ('0' + length / 10);
    }
    text[end++] = (byte) ('0' + length % 10);
    text[end++] = ':';
    System.arraycopy(decimal, start, text, end, length);
    return end + length;
  }

  /** Writes a number in decimal and returns where it ends. */
  private int appendDecimal(long number, int at) {
    int start = putDecimal(number);
    System.arraycopy(decimal, start, text, at, LONGEST_NUMBER - start);
    return at + LONGEST_NUMBER - start;
  }

  /** Writes a number in decimal at the end of {@link #decimal}, and returns where it starts. */
  private int putDecimal(long number) {
    int at = LONGEST_NUMBER;
    // The lowest number has no opposite: those below zero are divided as they are.
    long rest = number;
    do {
      int two = (int) (rest % 100);
      rest /= 100;
      short digits = TWO_DIGITS[two < 0 ? -two : two];
      decimal[--at] = (byte) digits;
      decimal[--at] = (byte) (digits >>> Byte.SIZE);
    } while (rest != 0);
    if (decimal[at] == '0' && at < LONGEST_NUMBER - 1) {
      at++;
    }
    if (number < 0) {
      decimal[--at] = '-';
    }
    return at;
  }

  private static short[] twoDigits() {
    short[] digits = new short[100];
    for (int i = 0; i < digits.length; i++) {
      digits[i] = (short) ((('0' + i / 10) << Byte.SIZE) | ('0' + i % 10));
    }
    return digits;
  }

  private void reserve(int length) {
    if (length > text.length) {
      text = Arrays.copyOf(text, Math.max(length, 2 * text.length));
    }
  }
}
