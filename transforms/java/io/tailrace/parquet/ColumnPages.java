package io.tailrace.parquet;

import static com.google.common.base.Preconditions.checkState;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.bytes.BytesUtils;
import org.apache.parquet.bytes.HeapByteBufferAllocator;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageWriter;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.column.values.rle.RunLengthBitPackingHybridEncoder;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;

/**
 * Builds the data pages (version 1) of one column: levels by run length, values plain or as indices
 * into a dictionary that its user numbers. Parquet's own column writers choose an encoding, compare
 * for statistics and dispatch for every single value; here a value is a store into an array.
 *
 * <p>Source of the format: https://parquet.apache.org/docs/file-format/data-pages/encodings/. Not
 * thread-safe.
 */
final class ColumnPages {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int LEVEL_BYTES = 1 << 10;
  private static final int MAX_LEVEL_BYTES = 1 << 20;

  private final ColumnDescriptor column;
  private final PageWriter pages;
  private final Levels repetitions;
  private final Levels definitions;
  private byte[] plain = new byte[1 << 10];
  private int size;
  private int bits;
  private int[] indices = new int[0];
  private int indexCount;
  private int highestIndex;
  private boolean indexed;
  private int values;
  private int rows;
  private int nulls;
  private long min = Long.MAX_VALUE;
  private long max = Long.MIN_VALUE;

  ColumnPages(ColumnDescriptor column, PageWriter pages) {
    this.column = column;
    this.pages = pages;
    this.repetitions = new Levels(column.getMaxRepetitionLevel());
    this.definitions = new Levels(column.getMaxDefinitionLevel());
  }

  /** Repetition or definition levels of a page; none are written where there is only one. */
  private static final class Levels {
    private final int max;
    private RunLengthBitPackingHybridEncoder encoder;

    Levels(int max) {
      this.max = max;
      this.encoder = encoder(BytesUtils.getWidthFromMaxInt(max));
    }

    void add(int level) throws IOException {
      if (max > 0) {
        encoder.writeInt(level);
      }
    }

    BytesInput take() throws IOException {
      if (max == 0) {
        return BytesInput.empty();
      }
      BytesInput bytes = encoder.toBytes();
      // What was taken is still part of the one before.
      encoder = encoder(BytesUtils.getWidthFromMaxInt(max));
      return BytesInput.concat(BytesInput.fromInt((int) bytes.size()), bytes);
    }
  }

  private static RunLengthBitPackingHybridEncoder encoder(int width) {
    return new RunLengthBitPackingHybridEncoder(
        width, LEVEL_BYTES, MAX_LEVEL_BYTES, new HeapByteBufferAllocator());
  }

  /** Returns whether its values are texts. */
  boolean isOfTexts() {
    return column.getPrimitiveType().getLogicalTypeAnnotation()
        instanceof StringLogicalTypeAnnotation;
  }

  /** Adds a level for a row whose value follows, or which has none when the level is lower. */
  void row(int definition) throws IOException {
    repetitions.add(0);
    definitions.add(definition);
    if (definition < column.getMaxDefinitionLevel()) {
      nulls++;
    }
    values++;
    rows++;
  }

  /** Adds rows whose columns have no levels. */
  void plainRows(int count) {
    values += count;
    rows += count;
  }

  /** Adds a level for one more element of a list. */
  void element(int definition) throws IOException {
    repetitions.add(column.getMaxRepetitionLevel());
    definitions.add(definition);
    values++;
  }

  void putLong(long value) {
    reserve(Long.BYTES);
    LONGS.set(plain, size, value);
    size += Long.BYTES;
  }

  /** Adds a value that counts for the page's statistics. */
  void putCounted(long value) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    putLong(value);
  }

  void putInt(int value) {
    reserve(Integer.BYTES);
    INTS.set(plain, size, value);
    size += Integer.BYTES;
  }

  /** Adds a number: there is one zero, as in a cell, and one NaN. */
  void putNumber(double value) {
    putLong(Double.doubleToLongBits(value == 0 ? 0.0 : value));
  }

  /** Adds a number of 32 bits, likewise. */
  void putNumber(float value) {
    putInt(Float.floatToIntBits(value == 0 ? 0.0f : value));
  }

  void putBoolean(boolean value) {
    if ((bits & 7) == 0) {
      reserve(1);
      plain[size++] = 0;
    }
    if (value) {
      plain[size - 1] |= (byte) (1 << (bits & 7));
    }
    bits++;
  }

  void putBytes(byte[] source, int start, int length) {
    putInt(length);
    reserve(length);
    System.arraycopy(source, start, plain, size, length);
    size += length;
  }

  /** Returns the array in which to write a fixed number of bytes, from {@link #skip}. */
  byte[] room(int length) {
    reserve(length);
    return plain;
  }

  /** Passes over bytes that the caller writes into {@link #room}, and returns where they start. */
  int skip(int length) {
    size += length;
    return size - length;
  }

  /** Adds an entry of the dictionary, many times over. */
  void putIndex(int index, int count) {
    indexed = true;
    if (indexCount + count > indices.length) {
      indices = Arrays.copyOf(indices, Math.max(indexCount + count, 2 * indices.length));
    }
    Arrays.fill(indices, indexCount, indexCount + count, index);
    indexCount += count;
    highestIndex = Math.max(highestIndex, index);
  }

  private void reserve(int length) {
    if (size + length > plain.length) {
      plain = Arrays.copyOf(plain, Math.max(size + length, 2 * plain.length));
    }
  }

  /** Returns about how many bytes the page has so far, before compression. */
  int pageBytes() {
    return size + indexCount;
  }

  /** Writes the page, unless it is empty. */
  void endPage() throws IOException {
    if (values == 0) {
      return;
    }
    BytesInput body =
        BytesInput.concat(
            repetitions.take(),
            definitions.take(),
            indexed ? takeIndices() : BytesInput.from(plain, 0, size));
    pages.writePage(
        body,
        values,
        rows,
        statistics(),
        Encoding.RLE,
        Encoding.RLE,
        indexed ? Encoding.RLE_DICTIONARY : Encoding.PLAIN);
    size = 0;
    bits = 0;
    indexCount = 0;
    values = 0;
    rows = 0;
    nulls = 0;
    min = Long.MAX_VALUE;
    max = Long.MIN_VALUE;
  }

  private BytesInput takeIndices() throws IOException {
    int width = BytesUtils.getWidthFromMaxInt(highestIndex);
    RunLengthBitPackingHybridEncoder encoder = encoder(width);
    for (int i = 0; i < indexCount; i++) {
      encoder.writeInt(indices[i]);
    }
    return BytesInput.concat(BytesInput.from(new byte[] {(byte) width}), encoder.toBytes());
  }

  private Statistics<?> statistics() {
    Statistics<?> statistics = Statistics.createStats(column.getPrimitiveType());
    statistics.incrementNumNulls(nulls);
    if (min <= max) {
      statistics.updateStats(min);
      statistics.updateStats(max);
    }
    return statistics;
  }

  /** Writes the dictionary that the indices point into, if any do: texts behind their lengths. */
  void writeDictionary(List<byte[]> entries) throws IOException {
    if (entries.isEmpty()) {
      return;
    }
    // Indices may still wait for their page: plain values never do in such a column.
    checkState(size == 0, "%s has values outside of its dictionary", column);
    for (byte[] entry : entries) {
      putBytes(entry, 0, entry.length);
    }
    pages.writeDictionaryPage(
        new DictionaryPage(
            BytesInput.from(Arrays.copyOf(plain, size)), entries.size(), Encoding.PLAIN));
    size = 0;
  }
}
