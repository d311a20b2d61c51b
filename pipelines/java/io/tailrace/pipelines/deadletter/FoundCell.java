package io.tailrace.pipelines.deadletter;

import io.tailrace.endpoint.Micros;
import io.tailrace.pipelines.TerminalText;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.util.List;
import java.util.Optional;

/** What a result has for a cell that a letter lists. Stateless and thread-safe. */
final class FoundCell {
  private static final int MAX_WORDS = 200;

  private FoundCell() {}

  /** Returns the value and its time, in words; empty if the cell is not found. */
  static Optional<String> in(QueryResult result, LetterCells.Cell cell) {
    for (Frame frame : result.getFramesList()) {
      int row = row(frame, cell.key());
      for (Column column : frame.getColumnsList()) {
        if (row >= 0
            && frame.getNamespace().equals(cell.namespace())
            && column.getFeature().equals(cell.feature())) {
          return Optional.of(TerminalText.cut(value(column, row) + time(column, row), MAX_WORDS));
        }
      }
    }
    return Optional.empty();
  }

  private static int row(Frame frame, String key) {
    int row = frame.getStringKeysList().indexOf(key);
    for (int i = 0; row < 0 && i < frame.getInt64KeysCount(); i++) {
      if (Long.toString(frame.getInt64Keys(i)).equals(key)) {
        row = i;
      }
    }
    return row;
  }

  private static String time(Column column, int row) {
    int index = column.getObservedAtCount() == 1 ? 0 : row;
    return index < column.getObservedAtCount()
        ? ", observed at " + Micros.instant(column.getObservedAt(index))
        : "";
  }

  private static String value(Column column, int row) {
    byte[] nulls = column.getNulls().toByteArray();
    if (row / 8 < nulls.length && (nulls[row / 8] & (1 << (row % 8))) != 0) {
      return "null";
    }
    List<?> values =
        switch (column.getType()) {
          case INT64 -> column.getInt64ValuesList();
          case FLOAT64 -> column.getFloat64ValuesList();
          case BOOL -> column.getBoolValuesList();
          case STRING -> column.getStringValuesList();
          case JSON -> column.getJsonValuesList();
          case TIMESTAMP -> column.getTimestampValuesList();
          case DATE -> column.getDateValuesList();
          case BYTES -> column.getBytesValuesList();
          default -> List.of();
        };
    return row < values.size() ? column.getType() + " " + values.get(row) : "a value";
  }
}
