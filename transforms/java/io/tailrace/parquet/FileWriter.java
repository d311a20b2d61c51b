package io.tailrace.parquet;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ParquetProperties;
import org.apache.parquet.hadoop.ColumnChunkPageWriteStore;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.schema.MessageType;

/**
 * Writes a Parquet file of one row group into memory: page checksums, a checksum of the whole if
 * its footer has a place for one. Not thread-safe; close it.
 */
final class FileWriter implements AutoCloseable {
  /** The most rows that a page holds, unless one result has more. */
  private static final int PAGE_ROWS = 20_000;

  /** The most bytes that a page holds before compression, unless one value has more. */
  static final int PAGE_BYTES = 1 << 20;

  /** Bytes that are expected of a file when it begins. */
  private static final int FIRST_FILE_BYTES = 64 << 10;

  private static final ParquetProperties PROPERTIES =
      ParquetProperties.builder().withPageWriteChecksumEnabled(true).build();

  private final FileBytes bytes = new FileBytes(FIRST_FILE_BYTES);
  private final ParquetFileWriter writer;
  private final ColumnChunkPageWriteStore pages;
  private final Map<String, ColumnPages> columns = new HashMap<>();
  private final List<ColumnPages> all;
  private long rows;
  private int rowsInPage;
  private int bytesUnseen;

  FileWriter(PageCompression compression, MessageType schema) throws IOException {
    writer =
        new ParquetFileWriter(
            bytes, schema, ParquetFileWriter.Mode.CREATE, PAGE_BYTES, 0, null, PROPERTIES);
    pages =
        new ColumnChunkPageWriteStore(
            compression.compressor(),
            schema,
            PROPERTIES.getAllocator(),
            PROPERTIES.getColumnIndexTruncateLength(),
            PROPERTIES.getPageWriteChecksumEnabled());
    for (ColumnDescriptor column : schema.getColumns()) {
      columns.put(column.getPath()[0], new ColumnPages(column, pages.getPageWriter(column)));
    }
    all = List.copyOf(columns.values());
  }

  ColumnPages at(String name) {
    return requireNonNull(columns.get(name), name);
  }

  /** Says that so many rows more have been written in every column, of so many bytes at most. */
  void ended(int count, int size) throws IOException {
    rows += count;
    rowsInPage += count;
    bytesUnseen += size;
    // Looking at every column after every row would cost more than writing it.
    if (rowsInPage < PAGE_ROWS && bytesUnseen < PAGE_BYTES / 8) {
      return;
    }
    bytesUnseen = 0;
    boolean full = rowsInPage >= PAGE_ROWS;
    if (full) {
      rowsInPage = 0;
    }
    for (ColumnPages column : all) {
      if (full || column.pageBytes() >= PAGE_BYTES) {
        column.endPage();
      }
    }
  }

  byte[] finish(Map<String, String> footer) throws IOException {
    for (ColumnPages column : all) {
      column.endPage();
    }
    writer.start();
    if (rows > 0) {
      writer.startBlock(rows);
      pages.flushToFileWriter(writer);
      writer.endBlock();
    }
    writer.end(footer);
    byte[] file = bytes.toByteArray();
    if (footer.containsKey(ObservationSchema.CHECKSUM)) {
      FileChecksum.write(file);
    }
    return file;
  }

  @Override
  public void close() throws IOException {
    pages.close();
    writer.close();
  }
}
