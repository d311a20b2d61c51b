package io.tailrace.parquet;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;

/**
 * In which ways a file has an integer of 64 bits, or a time in microseconds since the epoch. Each
 * reads exactly what was written, or says that it can't.
 */
enum NumberType {
  /** A truth: 0 or 1. */
  BOOLEAN {
    @Override
    long read(ColumnReader column) {
      return column.getBoolean() ? 1 : 0;
    }
  },
  INT32 {
    @Override
    long read(ColumnReader column) {
      return column.getInteger();
    }
  },
  UNSIGNED_INT32 {
    @Override
    long read(ColumnReader column) {
      return Integer.toUnsignedLong(column.getInteger());
    }
  },
  INT64 {
    @Override
    long read(ColumnReader column) {
      return column.getLong();
    }
  },
  /** Half of these are beyond those that are signed. */
  UNSIGNED_INT64 {
    @Override
    long read(ColumnReader column) {
      return column.getLong();
    }

    @Override
    Optional<String> whyNot(ColumnReader column) {
      return column.getLong() >= 0
          ? Optional.empty()
          : Optional.of(
              "has "
                  + Long.toUnsignedString(column.getLong())
                  + ", beyond the greatest integer of 64 bits with a sign");
    }
  },
  MILLIS {
    @Override
    long read(ColumnReader column) {
      return column.getLong() * 1_000;
    }

    @Override
    Optional<String> whyNot(ColumnReader column) {
      long millis = column.getLong();
      return millis >= Long.MIN_VALUE / 1_000 && millis <= Long.MAX_VALUE / 1_000
          ? Optional.empty()
          : Optional.of("has a time beyond all microseconds");
    }
  },
  NANOS {
    @Override
    long read(ColumnReader column) {
      return column.getLong() / 1_000;
    }

    @Override
    Optional<String> whyNot(ColumnReader column) {
      return wholeMicros(column.getLong());
    }
  },
  /** Nanoseconds within a Julian day, always UTC. */
  INT96 {
    @Override
    long read(ColumnReader column) {
      ByteBuffer bytes = bytes(column);
      long nanos = bytes.getLong();
      return (bytes.getInt() - JULIAN_DAY_OF_THE_EPOCH) * MICROS_A_DAY + nanos / 1_000;
    }

    @Override
    Optional<String> whyNot(ColumnReader column) {
      return wholeMicros(bytes(column).getLong());
    }
  };

  private static final long JULIAN_DAY_OF_THE_EPOCH = 2_440_588;
  private static final long MICROS_A_DAY = 86_400_000_000L;

  /** Returns the column's value. */
  abstract long read(ColumnReader column);

  /** Returns why the column's value can't be read exactly, as the rest of a sentence. */
  Optional<String> whyNot(ColumnReader column) {
    return Optional.empty();
  }

  private static ByteBuffer bytes(ColumnReader column) {
    return column.getBinary().toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Optional<String> wholeMicros(long nanos) {
    return nanos % 1_000 == 0
        ? Optional.empty()
        : Optional.of("has a time that is no whole number of microseconds");
  }

  /** Returns how a column has integers, if it does. */
  static Optional<NumberType> ofIntegers(PrimitiveType type) {
    boolean plain = type.getLogicalTypeAnnotation() == null;
    boolean unsigned =
        type.getLogicalTypeAnnotation() instanceof IntLogicalTypeAnnotation integer
            && !integer.isSigned();
    if (!plain && !(type.getLogicalTypeAnnotation() instanceof IntLogicalTypeAnnotation)) {
      return Optional.empty();
    }
    return switch (type.getPrimitiveTypeName()) {
      case INT32 -> Optional.of(unsigned ? UNSIGNED_INT32 : INT32);
      case INT64 -> Optional.of(unsigned ? UNSIGNED_INT64 : INT64);
      default -> Optional.empty();
    };
  }

  /** Returns how a column has times, if it does. */
  static Optional<NumberType> ofTimes(PrimitiveType type) {
    if (type.getPrimitiveTypeName() == PrimitiveTypeName.INT96) {
      return Optional.of(INT96);
    }
    if (type.getPrimitiveTypeName() != PrimitiveTypeName.INT64
        || !(type.getLogicalTypeAnnotation() instanceof TimestampLogicalTypeAnnotation time)
        || !time.isAdjustedToUTC()) {
      return Optional.empty();
    }
    return Optional.of(
        time.getUnit() == TimeUnit.MILLIS
            ? MILLIS
            : time.getUnit() == TimeUnit.NANOS ? NANOS : INT64);
  }

  /** Returns how a column has truths, if it does. */
  static Optional<NumberType> ofTruths(PrimitiveType type) {
    return type.getPrimitiveTypeName() == PrimitiveTypeName.BOOLEAN
        ? Optional.of(BOOLEAN)
        : Optional.empty();
  }

  /** Returns how a column that was found to have numbers has them. */
  static NumberType of(PrimitiveType type) {
    return ofTimes(type)
        .or(() -> ofTruths(type))
        .or(() -> ofIntegers(type))
        // Days since the epoch.
        .orElse(type.getPrimitiveTypeName() == PrimitiveTypeName.INT32 ? INT32 : INT64);
  }
}
