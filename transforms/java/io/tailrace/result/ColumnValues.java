package io.tailrace.result;

import com.google.common.base.Utf8;
import io.tailrace.result.WireCursor.MalformedException;
import io.tailrace.stage.InvalidMessageException;

/**
 * The values of one column: read as they stand, then held against the column's type and rows. Used
 * again for each column; not thread-safe.
 */
final class ColumnValues {
  private static final int FIRST_VALUE_FIELD = 11;
  private static final String[] VALUE_FIELD_NAMES = {
    "int64_values",
    "float64_values",
    "bool_values",
    "string_values",
    "bytes_values",
    "timestamp_values",
    "date_values",
    "vector_values",
    "vector_dimension",
    "json_values"
  };

  /** The field that holds the values of a type, by the type's code. */
  private static final int[] VALUE_FIELDS = {0, 11, 12, 13, 14, 15, 16, 17, 18, 20};

  private static final long[] NO_NUMBERS = {};
  private static final int[] NO_BOUNDS = {};

  final FixedRun times = new FixedRun();
  final FixedRun fixed = new FixedRun();
  private final VarintRun varints = new VarintRun();
  private final SliceRun slices = new SliceRun();
  int nullStart;
  int nullLength;
  int dimension;
  // What the column says of defaults: behind its values, as it is newer than its head.
  int cacheDefaults;
  // Bit n: the field with number n has values.
  private int present;
  // Every row is null, and no values were sent.
  boolean allNull;

  /**
   * Reads the values of a column from where the cursor stands to its limit.
   *
   * @return false if a field of the head was met that may not be there, so that the head must be
   *     parsed
   */
  boolean read(WireCursor in, boolean headFieldsAllowed) throws MalformedException {
    times.clear();
    fixed.clear();
    varints.clear();
    slices.clear();
    nullStart = 0;
    nullLength = 0;
    dimension = 0;
    cacheDefaults = 0;
    present = 0;
    allNull = false;
    while (!in.atEnd()) {
      int tag = in.readTag();
      int field = tag >>> 3;
      switch (tag) {
        case 9 << 3 | WireCursor.LENGTH_DELIMITED -> times.addPacked(in, 8);
        case 9 << 3 | WireCursor.FIXED64 -> times.addOne(in, 8);
        case 10 << 3 | WireCursor.LENGTH_DELIMITED -> {
          nullLength = in.readLength();
          nullStart = in.position;
          in.position += nullLength;
        }
        case 11 << 3 | WireCursor.LENGTH_DELIMITED,
            13 << 3 | WireCursor.LENGTH_DELIMITED,
            17 << 3 | WireCursor.LENGTH_DELIMITED -> {
          if (varints.addPacked(in)) {
            present |= 1 << field;
          }
        }
        case 11 << 3 | WireCursor.VARINT,
            13 << 3 | WireCursor.VARINT,
            17 << 3 | WireCursor.VARINT -> {
          varints.add(in.readVarint());
          present |= 1 << field;
        }
        case 12 << 3 | WireCursor.LENGTH_DELIMITED, 16 << 3 | WireCursor.LENGTH_DELIMITED -> {
          if (fixed.addPacked(in, 8)) {
            present |= 1 << field;
          }
        }
        case 12 << 3 | WireCursor.FIXED64, 16 << 3 | WireCursor.FIXED64 -> {
          fixed.addOne(in, 8);
          present |= 1 << field;
        }
        case 18 << 3 | WireCursor.LENGTH_DELIMITED -> {
          if (fixed.addPacked(in, 4)) {
            present |= 1 << field;
          }
        }
        case 18 << 3 | WireCursor.FIXED32 -> {
          fixed.addOne(in, 4);
          present |= 1 << field;
        }
        case 14 << 3 | WireCursor.LENGTH_DELIMITED,
            15 << 3 | WireCursor.LENGTH_DELIMITED,
            20 << 3 | WireCursor.LENGTH_DELIMITED -> {
          slices.add(in);
          present |= 1 << field;
        }
        case 19 << 3 | WireCursor.VARINT -> dimension = (int) in.readVarint();
        case 21 << 3 | WireCursor.VARINT -> cacheDefaults = (int) in.readVarint();
        default -> {
          if (field <= ColumnHeads.LAST_FIELD && !headFieldsAllowed) {
            return false;
          }
          in.skip(tag);
        }
      }
    }
    return true;
  }

  /** Whether the null bitmap says so of all rows. */
  private boolean areNull(byte[] payload, int rows) {
    for (int row = 0; row < rows; row++) {
      if (row >> 3 >= nullLength || (payload[nullStart + (row >> 3)] >> (row & 7) & 1) == 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Builds a column of what was read.
   *
   * @param place where it stands, for errors
   * @throws InvalidMessageException if type, rows and values do not fit
   */
  Column build(byte[] payload, ColumnSpec spec, ColumnPlace place) throws InvalidMessageException {
    checkTimes(spec, place);
    if (nullLength > 0 && nullLength < (place.rows + 7) >> 3) {
      throw ResultRules.mismatch(
          place.path() + "nulls",
          spec,
          "a null bitmap of " + nullLength + " bytes for " + place.rows + " rows");
    }
    allNull = place.rows > 0 && present == 0 && areNull(payload, place.rows);
    checkValues(spec, place);
    long[] numbers = NO_NUMBERS;
    int[] bounds = NO_BOUNDS;
    switch (spec.type()) {
      case INT64 -> numbers = integers();
      case DATE -> numbers = days();
      case BOOL -> numbers = varints.take();
      case STRING, JSON -> bounds = texts(payload, spec, place);
      case BYTES -> bounds = slices.take();
      case FLOAT64, TIMESTAMP, VECTOR -> {}
    }
    return new Column(spec, payload, this, numbers, bounds);
  }

  private void checkTimes(ColumnSpec spec, ColumnPlace place) throws InvalidMessageException {
    int timeCount = times.length >> 3;
    if (timeCount == 0 && place.rows > 0) {
      throw ResultRules.missing(
          place.path() + "observed_at",
          "'" + spec.feature() + "' needs the time of its observation");
    }
    if (timeCount > 1 && timeCount != place.rows) {
      throw ResultRules.mismatch(
          place.path() + "observed_at", spec, timeCount + " times for " + place.rows + " rows");
    }
    for (int i = 0; i < timeCount; i++) {
      long time = times.longAt(i);
      if (time < ResultDecoder.MIN_TIME || time > ResultDecoder.MAX_TIME) {
        ResultRules.checkTime(time, place.path() + "observed_at[" + i + "]");
      }
    }
  }

  /** Refuses values of another type, and more or fewer than there are rows. */
  private void checkValues(ColumnSpec spec, ColumnPlace place) throws InvalidMessageException {
    int own = VALUE_FIELDS[spec.type().code()];
    if ((present & ~(1 << own)) != 0) {
      int other = Integer.numberOfTrailingZeros(present & ~(1 << own));
      throw ResultRules.invalid(
          place.path() + VALUE_FIELD_NAMES[other - FIRST_VALUE_FIELD],
          "'" + spec.feature() + "' is of type " + spec.type() + " but has values of another type");
    }
    long expected = allNull ? 0 : place.rows;
    long actual;
    switch (spec.type()) {
      case INT64, DATE, BOOL -> actual = varints.count;
      case FLOAT64, TIMESTAMP -> actual = fixed.length >> 3;
      case VECTOR -> {
        actual = fixed.length >> 2;
        expected *= dimension;
        if (dimension < 0 || (dimension == 0 && !allNull && place.rows > 0)) {
          throw ResultRules.mismatch(
              place.path() + "vector_dimension",
              spec,
              "a vector_dimension of " + Integer.toUnsignedString(dimension));
        }
      }
      default -> actual = slices.count;
    }
    if (actual != expected) {
      throw ResultRules.mismatch(
          place.path() + VALUE_FIELD_NAMES[own - FIRST_VALUE_FIELD],
          spec,
          actual
              + " values for "
              + place.rows
              + " rows"
              + (spec.type() == ValueType.VECTOR ? " of " + dimension + " numbers" : ""));
    }
  }

  private long[] integers() {
    long[] numbers = varints.take();
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = WireCursor.zigZag(numbers[i]);
    }
    return numbers;
  }

  private long[] days() {
    long[] numbers = varints.take();
    for (int i = 0; i < numbers.length; i++) {
      // A sint32 is the low half of its varint.
      numbers[i] = (int) WireCursor.zigZag(numbers[i] & 0xFFFFFFFFL);
    }
    return numbers;
  }

  private int[] texts(byte[] payload, ColumnSpec spec, ColumnPlace place)
      throws InvalidMessageException {
    int[] bounds = slices.take();
    for (int i = 0; i < bounds.length; i += 2) {
      if (!Utf8.isWellFormed(payload, bounds[i], bounds[i + 1] - bounds[i])) {
        throw ResultRules.notUtf8(
            place.path()
                + VALUE_FIELD_NAMES[VALUE_FIELDS[spec.type().code()] - FIRST_VALUE_FIELD]
                + "["
                + i / 2
                + "]");
      }
    }
    return bounds;
  }
}
