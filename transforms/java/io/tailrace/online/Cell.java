package io.tailrace.online;

import io.tailrace.endpoint.Micros;
import io.tailrace.result.Column;
import io.tailrace.result.ColumnSpec;
import io.tailrace.result.ValueType;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One feature of one entity as an online store holds it: a byte string, of which the greatest ever
 * written stands, compared as unsigned bytes.
 *
 * <pre>
 *  0  observed_at  8 bytes  microseconds since the epoch, big-endian, sign bit flipped
 *  8  kind         1 byte   0 value, 1 null, 2 tombstone
 *  9  expires_at   8 bytes  as observed_at; all ones: never, and in a tombstone
 * 17  type         1 byte   code of the {@link ValueType}; 0 for a tombstone
 * 18  payload
 * </pre>
 *
 * <p>Since the time comes first, the newest observation wins; at equal times a tombstone beats a
 * null and a null a value, and what is left of a tie is broken by the remaining bytes, the same way
 * in every store. A payload has one encoding for each value, so equal observations have equal
 * cells: big-endian 8 bytes for {@code INT64}, {@code TIMESTAMP} and {@code FLOAT64} (one NaN, no
 * negative zero), 4 for {@code DATE}, 1 for {@code BOOL}, UTF-8 for {@code STRING} and {@code
 * JSON}, the bytes of {@code BYTES}, and big-endian 32-bit floats for {@code VECTOR}.
 *
 * <p>Immutable.
 */
public final class Cell implements Comparable<Cell> {
  /** What a cell says of its feature. */
  public enum Kind {
    /** It has a value. */
    VALUE(0),
    /** It was computed, and is null. */
    NULL(1),
    /** It was deleted. */
    TOMBSTONE(2);

    private final byte code;

    Kind(int code) {
      this.code = (byte) code;
    }
  }

  /** The {@link #expiresAt()} of a cell that is served for ever. */
  public static final long NEVER = ColumnSpec.NEVER_STALE;

  /** Bytes before the payload. */
  public static final int HEADER_BYTES = 18;

  private static final int KIND = 8;
  private static final int EXPIRES_AT = 9;
  private static final int TYPE = 17;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  // By code.
  private static final Kind[] KINDS = {Kind.VALUE, Kind.NULL, Kind.TOMBSTONE};

  private final byte[] bytes;

  private Cell(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Reads a stored cell.
   *
   * @throws IllegalArgumentException if the bytes are not a cell
   */
  public static Cell of(byte[] bytes) {
    if (bytes.length < HEADER_BYTES) {
      throw new IllegalArgumentException(
          "a cell has at least " + HEADER_BYTES + " bytes, this one has " + bytes.length);
    }
    if (bytes[KIND] < 0 || bytes[KIND] >= KINDS.length) {
      throw new IllegalArgumentException("a cell has no kind " + (bytes[KIND] & 0xFF));
    }
    int length = bytes.length - HEADER_BYTES;
    Kind kind = KINDS[bytes[KIND]];
    if (kind == Kind.TOMBSTONE) {
      check(bytes[TYPE] == 0 && length == 0, "a tombstone has neither type nor payload");
      return new Cell(bytes.clone());
    }
    ValueType type = ValueType.ofCode(bytes[TYPE]);
    boolean sound =
        kind == Kind.NULL
            ? length == 0
            : switch (type) {
              case INT64, FLOAT64, TIMESTAMP -> length == 8;
              case DATE -> length == 4;
              case BOOL -> length == 1;
              case VECTOR -> length % 4 == 0;
              case STRING, BYTES, JSON -> true;
            };
    check(
        sound, "a " + kind + " of type " + type + " can't have a payload of " + length + " bytes");
    return new Cell(bytes.clone());
  }

  private static void check(boolean sound, String message) {
    if (!sound) {
      throw new IllegalArgumentException(message);
    }
  }

  /** Encodes the value of a row that is not null. */
  static byte[] encode(Column column, int row, long observedAt, long expiresAt) {
    ValueType type = column.spec().type();
    byte[] cell;
    switch (type) {
      case INT64, TIMESTAMP -> {
        cell = header(8, observedAt, Kind.VALUE, expiresAt, type.code());
        LONG.set(cell, HEADER_BYTES, column.int64(row));
      }
      case FLOAT64 -> {
        cell = header(8, observedAt, Kind.VALUE, expiresAt, type.code());
        // Adding zero turns the negative one into the positive; doubleToLongBits knows one NaN
        // only.
        LONG.set(cell, HEADER_BYTES, Double.doubleToLongBits(column.float64(row) + 0.0));
      }
      case DATE -> {
        cell = header(4, observedAt, Kind.VALUE, expiresAt, type.code());
        INT.set(cell, HEADER_BYTES, (int) column.int64(row));
      }
      case BOOL -> {
        cell = header(1, observedAt, Kind.VALUE, expiresAt, type.code());
        cell[HEADER_BYTES] = (byte) (column.bool(row) ? 1 : 0);
      }
      case STRING, JSON, BYTES -> {
        cell = header(column.length(row), observedAt, Kind.VALUE, expiresAt, type.code());
        column.copyTo(row, cell, HEADER_BYTES);
      }
      case VECTOR -> {
        int dimension = column.dimension();
        cell = header(4 * dimension, observedAt, Kind.VALUE, expiresAt, type.code());
        for (int i = 0; i < dimension; i++) {
          INT.set(cell, HEADER_BYTES + 4 * i, Float.floatToIntBits(column.vector(row, i) + 0.0f));
        }
      }
      default -> throw new AssertionError(type);
    }
    return cell;
  }

  /** Encodes a computed null. */
  static byte[] encodeNull(ValueType type, long observedAt, long expiresAt) {
    return header(0, observedAt, Kind.NULL, expiresAt, type.code());
  }

  /**
   * Encodes a deletion. Until when it is remembered stands beside the cells, and is no part of it:
   * that depends on who read it when.
   */
  public static byte[] encodeTombstone(long observedAt) {
    return header(0, observedAt, Kind.TOMBSTONE, NEVER, 0);
  }

  /** Returns whether an encoded cell is a deletion, without a copy of it. */
  public static boolean isTombstone(byte[] cell) {
    return cell[KIND] == Kind.TOMBSTONE.code;
  }

  private static byte[] header(
      int payloadBytes, long observedAt, Kind kind, long expiresAt, int type) {
    byte[] cell = new byte[HEADER_BYTES + payloadBytes];
    LONG.set(cell, 0, sortable(observedAt));
    cell[KIND] = kind.code;
    LONG.set(cell, EXPIRES_AT, sortable(expiresAt));
    cell[TYPE] = (byte) type;
    return cell;
  }

  /** Returns a time such that its big-endian bytes, compared unsigned, are in the order of time. */
  public static long sortable(long time) {
    return time ^ Long.MIN_VALUE;
  }

  /** Returns the time of an encoded cell, without a copy of it. */
  public static long observedAt(byte[] cell) {
    return sortable((long) LONG.get(cell, 0));
  }

  /** Returns until when an encoded cell may be served, without a copy of it. */
  public static long expiresAt(byte[] cell) {
    return sortable((long) LONG.get(cell, EXPIRES_AT));
  }

  /** Returns when the value was observed, in microseconds since the epoch. */
  public long observedAt() {
    return observedAt(bytes);
  }

  /** Returns what the cell says. */
  public Kind kind() {
    return KINDS[bytes[KIND]];
  }

  /**
   * Returns until when the cell may be served, in microseconds since the epoch, or {@link #NEVER},
   * which a tombstone has too.
   */
  public long expiresAt() {
    return expiresAt(bytes);
  }

  /**
   * Returns whether a reader at {@code now}, in microseconds since the epoch, treats it as absent.
   */
  public boolean isExpired(long now) {
    return expiresAt() != NEVER && expiresAt() <= now;
  }

  /** Returns the type of the value, or of the null; empty for a tombstone. */
  public Optional<ValueType> type() {
    return ValueType.isKnown(bytes[TYPE])
        ? Optional.of(ValueType.ofCode(bytes[TYPE]))
        : Optional.empty();
  }

  /**
   * Returns the value: {@link Long}, {@link Double}, {@link Boolean}, {@link String} ({@code
   * STRING} and {@code JSON}), {@code byte[]}, {@link Instant}, {@link LocalDate} or {@code
   * float[]}; empty for a null or a tombstone.
   */
  public Optional<Object> value() {
    if (kind() != Kind.VALUE) {
      return Optional.empty();
    }
    return Optional.of(
        switch (ValueType.ofCode(bytes[TYPE])) {
          case INT64 -> (Long) (long) LONG.get(bytes, HEADER_BYTES);
          case FLOAT64 -> (Double) Double.longBitsToDouble((long) LONG.get(bytes, HEADER_BYTES));
          case BOOL -> (Boolean) (bytes[HEADER_BYTES] != 0);
          case STRING, JSON ->
              new String(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES, StandardCharsets.UTF_8);
          case BYTES -> Arrays.copyOfRange(bytes, HEADER_BYTES, bytes.length);
          case TIMESTAMP -> Micros.instant((long) LONG.get(bytes, HEADER_BYTES));
          case DATE -> LocalDate.ofEpochDay((int) INT.get(bytes, HEADER_BYTES));
          case VECTOR -> {
            float[] numbers = new float[(bytes.length - HEADER_BYTES) / 4];
            for (int i = 0; i < numbers.length; i++) {
              numbers[i] = Float.intBitsToFloat((int) INT.get(bytes, HEADER_BYTES + 4 * i));
            }
            yield numbers;
          }
        });
  }

  /** Returns a copy of the bytes. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /** Orders as stores do: of two cells the greater one stands. */
  @Override
  public int compareTo(Cell other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Cell that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return kind() + " observed at " + Micros.instant(observedAt());
  }
}
