package io.tailrace.parquet;

import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.parquet.column.ColumnReader;

/** A column of lists of texts that is being read. Not thread-safe. */
final class TextListColumn implements FileColumns.ColumnTaker {
  /** What an element of a list takes: a reference to its text, in a list with room to grow. */
  private static final int ELEMENT_BYTES = 16;

  /** What a distinct text takes beside its bytes; there may be more of them than rows. */
  private static final int TEXT_BYTES = 200;

  final List<Optional<List<String>>> lists = new ArrayList<>();
  private final String name;
  private final DecodeBudget budget;
  private final boolean required;
  private final RowFaults faults;
  private final TextColumn texts;

  TextListColumn(String name, DecodeBudget budget, boolean required, RowFaults faults) {
    this.name = name;
    this.budget = budget;
    this.required = required;
    this.faults = faults;
    this.texts = new TextColumn(name, budget, false, faults);
  }

  @Override
  public void take(ColumnReader column, int rows) throws IOException {
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    int empty = FileColumns.levelOfEmptyList(column);
    for (int i = 0; i < rows; i++) {
      int row = lists.size();
      boolean isPresent = column.getCurrentDefinitionLevel() >= empty;
      if (!isPresent && required) {
        faults.addNull(row, name);
      }
      List<String> list = new ArrayList<>();
      do {
        budget.take(ELEMENT_BYTES, name);
        if (column.getCurrentDefinitionLevel() == defined) {
          int known = texts.distinct.size();
          int index = texts.indexOf(column.getBinary());
          if (index == known) {
            budget.take(TEXT_BYTES, name);
          }
          if (index < 0) {
            faults.add(row, Reason.INVALID_VALUE, name, "has a text that is not UTF-8");
          } else {
            list.add(texts.text(index));
          }
        } else if (column.getCurrentDefinitionLevel() > empty) {
          faults.add(row, Reason.INVALID_VALUE, name, "has a null in its list");
        }
        column.consume();
      } while (column.getCurrentRepetitionLevel() > 0);
      lists.add(isPresent ? Optional.of(list) : Optional.empty());
    }
    texts.endGroup();
  }
}
