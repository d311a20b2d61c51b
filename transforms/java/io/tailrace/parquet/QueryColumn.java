package io.tailrace.parquet;

import io.tailrace.parquet.ObservationEncoder.Query;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;

/** Writes one column of the {@link QueryLog} into a file. Not thread-safe. */
final class QueryColumn {
  private final QueryLog.Column column;
  private final ColumnPages pages;
  private final TextDictionary texts;

  QueryColumn(QueryLog.Column column, ColumnPages pages) {
    this.column = column;
    this.pages = pages;
    this.texts = new TextDictionary(pages);
  }

  /** Adds what a query has in this column. */
  void put(Query query) throws IOException {
    switch (column.type()) {
      case TEXT -> putText(column.textOf(query));
      case TIMESTAMP -> putTime(column.timeOf(query));
      case TEXTS -> putTexts(column.textsOf(query), true);
    }
  }

  /** Adds what a row has in this column, and returns about how many bytes that is. */
  int put(QueryRow row) throws IOException {
    switch (column.type()) {
      case TEXT -> putText(column.text(row).orElse(""));
      case TIMESTAMP -> putTime(column.time(row));
      case TEXTS -> {
        List<String> list = column.texts(row).orElse(List.of());
        putTexts(list, column.texts(row).isPresent());
        return Integer.BYTES * list.size();
      }
    }
    return Long.BYTES;
  }

  private void putText(String text) throws IOException {
    if (column.required()) {
      texts.putRequired(text, 1);
    } else {
      texts.putOptional(text, 1);
    }
  }

  private void putTime(OptionalLong time) throws IOException {
    if (column.required()) {
      pages.plainRows(1);
      // Only the statistics of times that are always there are of use.
      pages.putCounted(time.orElseThrow());
      return;
    }
    pages.row(time.isPresent() ? 1 : 0);
    if (time.isPresent()) {
      pages.putLong(time.getAsLong());
    }
  }

  private void putTexts(List<String> list, boolean isPresent) throws IOException {
    // The level of an empty list; that of an element is one more.
    int empty = column.required() ? 0 : 1;
    pages.row(!isPresent ? 0 : list.isEmpty() ? empty : empty + 1);
    for (int i = 0; i < list.size(); i++) {
      if (i > 0) {
        pages.element(empty + 1);
      }
      texts.put(list.get(i));
    }
  }

  /** Ends the column: nothing is put any more. */
  void end() throws IOException {
    texts.end();
  }
}
