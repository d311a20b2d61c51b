package io.tailrace.parquet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Numbers the texts of one column as they come. Not thread-safe. */
final class TextDictionary {
  private final ColumnPages column;
  private final Map<String, Integer> indices = new HashMap<>();
  private final List<byte[]> entries = new ArrayList<>();
  private String last = "";
  private int lastIndex = -1;

  TextDictionary(ColumnPages column) {
    this.column = column;
  }

  /** Adds one text to a column. */
  void put(String text) {
    column.putIndex(indexOf(text), 1);
  }

  /** Adds a text that may be absent, as an empty one is, for a number of rows. */
  void putOptional(String text, int count) throws IOException {
    int definition = text.isEmpty() ? 0 : 1;
    for (int i = 0; i < count; i++) {
      column.row(definition);
    }
    if (definition == 1) {
      column.putIndex(indexOf(text), count);
    }
  }

  /** Adds a text for a number of rows of a column that has no levels. */
  void putRequired(String text, int count) {
    column.plainRows(count);
    column.putIndex(indexOf(text), count);
  }

  private int indexOf(String text) {
    if (lastIndex < 0 || !text.equals(last)) {
      Integer index = indices.get(text);
      if (index == null) {
        index = entries.size();
        indices.put(text, index);
        entries.add(text.getBytes(StandardCharsets.UTF_8));
      }
      last = text;
      lastIndex = index;
    }
    return lastIndex;
  }

  void end() throws IOException {
    column.writeDictionary(entries);
  }
}
