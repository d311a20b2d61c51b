package io.tailrace.offline;

import io.tailrace.parquet.ObservationEncoder.Run;
import io.tailrace.result.Column;
import io.tailrace.result.PrimaryKeys;
import io.tailrace.result.Result;
import io.tailrace.result.ValueType;
import java.util.Locale;

/** What makes a row too large: its key or its value, whichever has more bytes. Stateless. */
final class LargestPart {
  private LargestPart() {}

  /**
   * Returns where it stands in the message, such as {@code frames[0].columns[2].string_values[3]}.
   *
   * @param run of one row
   */
  static String of(Run run) {
    Result result = run.operation().result;
    PrimaryKeys keys = run.keys();
    int row = run.row(0);
    Column column = run.content().column();
    int key = keys.areStrings() ? keys.length(row) : Long.BYTES;
    if (column == null || key > bytes(column, row)) {
      return result.place(keys)
          + (keys.areStrings() ? ".string_keys[" : ".int64_keys[")
          + row
          + "]";
    }
    ValueType type = column.spec().type();
    // Vectors lie one behind the other.
    int index = type == ValueType.VECTOR ? row * column.dimension() : row;
    String values = type.name().toLowerCase(Locale.ROOT) + "_values";
    return result.place(keys, column) + "." + values + "[" + index + "]";
  }

  private static long bytes(Column column, int row) {
    if (column.isNull(row)) {
      return 0;
    }
    return switch (column.spec().type()) {
      case STRING, JSON, BYTES -> column.length(row);
      case VECTOR -> (long) Float.BYTES * column.dimension();
      case INT64, FLOAT64, BOOL, TIMESTAMP, DATE -> Long.BYTES;
    };
  }
}
