package io.tailrace.parquet;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.io.ParquetDecodingException;
import org.jspecify.annotations.Nullable;

/** The pages of a row group, each looked at before Parquet's reader believes it. */
record CheckedPages(PageReadStore group) implements PageReadStore {
  @Override
  public PageReader getPageReader(ColumnDescriptor column) {
    PageReader pages = group.getPageReader(column);
    return new PageReader() {
      @Override
      public @Nullable DictionaryPage readDictionaryPage() {
        return pages.readDictionaryPage();
      }

      @Override
      public long getTotalValueCount() {
        return pages.getTotalValueCount();
      }

      @Override
      public @Nullable DataPage readPage() {
        DataPage page = pages.readPage();
        try {
          return page == null ? null : new PageCheck(column, page.getValueCount()).checked(page);
        } catch (IOException | BufferUnderflowException e) {
          throw new ParquetDecodingException(
              "a page of column "
                  + String.join(".", column.getPath())
                  + " is damaged: "
                  + e.getMessage(),
              e);
        }
      }
    };
  }

  @Override
  public long getRowCount() {
    return group.getRowCount();
  }
}
