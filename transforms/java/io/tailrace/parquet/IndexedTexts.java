package io.tailrace.parquet;

import io.tailrace.parquet.ObservationRows.Texts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Writes a column of texts that were decoded, each distinct one once: numbers them as they come, as
 * {@link TextDictionary} does, without looking at them again. Not thread-safe.
 */
final class IndexedTexts {
  private final ColumnPages column;
  private final Texts texts;
  private final int[] place;
  private final List<byte[]> entries = new ArrayList<>();

  IndexedTexts(ColumnPages column, Texts texts) {
    this.column = column;
    this.texts = texts;
    this.place = new int[texts.distinct().size()];
    Arrays.fill(place, -1);
  }

  /** Adds a row's text to a column that has no levels. */
  void putRequired(int row) {
    column.plainRows(1);
    put(row);
  }

  /** Adds a row's text, which may be absent, as an empty one is. */
  void putOptional(int row) throws IOException {
    boolean isAbsent = texts.at(row).length == 0;
    column.row(isAbsent ? 0 : 1);
    if (!isAbsent) {
      put(row);
    }
  }

  private void put(int row) {
    int text = texts.index()[row];
    if (place[text] < 0) {
      place[text] = entries.size();
      entries.add(texts.distinct().get(text));
    }
    column.putIndex(place[text], 1);
  }

  void end() throws IOException {
    column.writeDictionary(entries);
  }
}
