package io.tailrace.offline;

import io.tailrace.parquet.JsonText;
import io.tailrace.result.Admission;
import io.tailrace.result.Column;
import io.tailrace.result.Deletion;
import io.tailrace.result.Frame;
import io.tailrace.result.PrimaryKeys;
import io.tailrace.result.Result;
import io.tailrace.result.ValueType;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Says which rows of a result can be stored offline, and rejects the others. Null stands for all of
 * them, as that is so nearly always. For one result.
 */
record StorableRows(Admission admission, RejectedCells rejected, Result result) {
  int @Nullable [] of(Frame frame, Column column) {
    PrimaryKeys keys = frame.keys();
    int count = keys.count();
    int good = 0;
    while (good < count
        && Admission.isKey(keys, good)
        && admission.isInTime(column.observedAt(good))
        && whyNotValue(column, good) == null) {
      good++;
    }
    if (good == count) {
      return null;
    }
    int[] rows = new int[count];
    int kept = 0;
    for (int row = 0; row < count; row++) {
      if (!Admission.isKey(keys, row)) {
        Admission.rejectKey(rejected, result.place(frame), frame.namespace(), row, 1);
      } else if (!admission.isInTime(column.observedAt(row))) {
        admission.rejectTime(
            rejected,
            result.place(frame, column) + ".observed_at[" + (column.hasOneTime() ? 0 : row) + "]",
            frame.namespace(),
            keys.text(row),
            column.spec().feature(),
            column.observedAt(row),
            1);
      } else {
        String whyNot = whyNotValue(column, row);
        if (whyNot == null) {
          rows[kept++] = row;
        } else {
          rejected.addAt(
              result.place(frame, column) + ".json_values[" + row + "]",
              new RejectedCell(
                  Reason.INVALID_VALUE,
                  frame.namespace(),
                  keys.text(row),
                  column.spec().feature(),
                  "the value " + whyNot),
              1);
        }
      }
    }
    return Arrays.copyOf(rows, kept);
  }

  /** Stores refuse a whole file for one value that is not what its type says. */
  private static @Nullable String whyNotValue(Column column, int row) {
    return column.spec().type() == ValueType.JSON && !column.isNull(row)
        ? JsonText.whyNotEverywhere(column.source(), column.start(row), column.length(row))
        : null;
  }

  int @Nullable [] of(Deletion deletion, String feature) {
    PrimaryKeys keys = deletion.keys();
    int[] rows = new int[keys.count()];
    int kept = 0;
    for (int row = 0; row < keys.count(); row++) {
      if (!Admission.isKey(keys, row)) {
        Admission.rejectKey(rejected, result.place(deletion), deletion.namespace(), row, 1);
      } else if (!admission.isInTime(deletion.observedAt())) {
        admission.rejectTime(
            rejected,
            result.place(deletion) + ".observed_at",
            deletion.namespace(),
            keys.text(row),
            deletion.wholeEntities() ? "" : feature,
            deletion.observedAt(),
            1);
      } else {
        rows[kept++] = row;
      }
    }
    return kept == rows.length ? null : Arrays.copyOf(rows, kept);
  }
}
