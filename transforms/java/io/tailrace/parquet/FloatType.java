package io.tailrace.parquet;

import java.nio.ByteOrder;
import java.util.Optional;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.schema.LogicalTypeAnnotation.Float16LogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;

/** In which ways a file has numbers that are no integers; each is exact as one of 64 bits. */
enum FloatType {
  HALF {
    @Override
    double read(ColumnReader column) {
      return ofHalf(column.getBinary().toByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getShort());
    }
  },
  SINGLE {
    @Override
    double read(ColumnReader column) {
      return column.getFloat();
    }
  },
  DOUBLE {
    @Override
    double read(ColumnReader column) {
      return column.getDouble();
    }
  };

  /** Returns the column's value. */
  abstract double read(ColumnReader column);

  /** One bit for the sign, five for the exponent, ten for the rest. */
  private static double ofHalf(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int rest = bits & 0x3ff;
    double size =
        exponent == 0x1f
            ? (rest == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
            : exponent == 0 ? Math.scalb(rest, -24) : Math.scalb(0x400 + rest, exponent - 25);
    return bits < 0 ? -size : size;
  }

  /** Returns how a column has numbers, if it does. */
  static Optional<FloatType> of(PrimitiveType type) {
    return switch (type.getPrimitiveTypeName()) {
      case FLOAT -> Optional.of(SINGLE);
      case DOUBLE -> Optional.of(DOUBLE);
      case FIXED_LEN_BYTE_ARRAY ->
          type.getLogicalTypeAnnotation() instanceof Float16LogicalTypeAnnotation
              ? Optional.of(HALF)
              : Optional.empty();
      default -> Optional.empty();
    };
  }
}
