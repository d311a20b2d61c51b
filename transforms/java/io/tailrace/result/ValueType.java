package io.tailrace.result;

/**
 * The type of a feature's values; the code of each is part of the wire format and of every stored
 * cell.
 */
public enum ValueType {
  /** 64-bit signed integer. */
  INT64(1),
  /** 64-bit IEEE 754 number. */
  FLOAT64(2),
  /** True or false. */
  BOOL(3),
  /** Unicode text. */
  STRING(4),
  /** Any bytes. */
  BYTES(5),
  /** A point in time: microseconds since 1970-01-01T00:00:00Z. */
  TIMESTAMP(6),
  /** A calendar day: days since 1970-01-01. */
  DATE(7),
  /** 32-bit IEEE 754 numbers of a fixed dimension. */
  VECTOR(8),
  /** A list, struct or has-many value as JSON text. */
  JSON(9);

  private static final ValueType[] BY_CODE = new ValueType[10];

  static {
    for (ValueType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;

  ValueType(int code) {
    this.code = code;
  }

  /** Returns the number of this type in {@code Column.Type} and in a cell. */
  public int code() {
    return code;
  }

  /**
   * Returns the type with a code.
   *
   * @throws IllegalArgumentException if no type has it
   */
  public static ValueType ofCode(long code) {
    if (!isKnown(code)) {
      throw new IllegalArgumentException("no value type has the code " + code);
    }
    return BY_CODE[(int) code];
  }

  /** Returns whether a type has this code. */
  public static boolean isKnown(long code) {
    return code >= 1 && code < BY_CODE.length;
  }
}
