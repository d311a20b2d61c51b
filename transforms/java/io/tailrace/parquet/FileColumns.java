package io.tailrace.parquet;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.bytes.ByteBufferInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.bytes.BytesUtils;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.CodecFactory;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.ParquetDecodingException;
import org.apache.parquet.io.SeekableInputStream;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/** Reads columns of a Parquet file in memory with Parquet's own reader. Not thread-safe. */
final class FileColumns implements AutoCloseable {
  private static final int NO_PAGE = 0;

  private final ParquetFileReader reader;
  private final CodecFactory codecs;

  FileColumns(byte[] file) throws IOException {
    // Hadoop's own configuration would read its defaults from XML for every file.
    codecs = new CodecFactory(new PlainParquetConfiguration(), NO_PAGE);
    reader =
        ParquetFileReader.open(
            new Bytes(file),
            ParquetReadOptions.builder(new PlainParquetConfiguration())
                .usePageChecksumVerification(true)
                .withUseHadoopVectoredIo(false)
                .withCodecFactory(codecs)
                .build());
  }

  ParquetMetadata footer() {
    return reader.getFooter();
  }

  MessageType schema() {
    return reader.getFooter().getFileMetaData().getSchema();
  }

  /** Takes the values of one column, a row group at a time. */
  interface ColumnTaker {
    void take(ColumnReader column, int rows) throws IOException;
  }

  /** Reads some columns: the takers are called in the order of the columns, group by group. */
  void read(List<Type> columns, List<ColumnTaker> takers) throws IOException {
    MessageType wanted = new MessageType("wanted", columns);
    reader.setRequestedSchema(wanted);
    for (PageReadStore group = reader.readNextRowGroup();
        group != null;
        group = reader.readNextRowGroup()) {
      ColumnReadStoreImpl store =
          new ColumnReadStoreImpl(
              new CheckedPages(group),
              new NoRecords(wanted),
              wanted,
              reader.getFooter().getFileMetaData().getCreatedBy());
      List<ColumnDescriptor> descriptors = new ArrayList<>(wanted.getColumns());
      for (int i = 0; i < takers.size(); i++) {
        checkCount(group, descriptors.get(i));
        takers
            .get(i)
            .take(store.getColumnReader(descriptors.get(i)), Math.toIntExact(group.getRowCount()));
      }
    }
  }

  /** A column with fewer values than rows would be read beyond its end. */
  private static void checkCount(PageReadStore group, ColumnDescriptor column) throws IOException {
    long values = group.getPageReader(column).getTotalValueCount();
    long rows = group.getRowCount();
    if (values < rows || (column.getMaxRepetitionLevel() == 0 && values > rows)) {
      throw new IOException(
          "column "
              + String.join(".", column.getPath())
              + " has "
              + values
              + " values for "
              + rows
              + " rows");
    }
  }

  @Override
  public void close() throws IOException {
    try (reader) {
      codecs.release();
    }
  }

  /** The pages of a row group, each looked at before Parquet's reader believes it. */
  private record CheckedPages(PageReadStore group) implements PageReadStore {
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

  /**
   * Checks the counts inside a decompressed page for which Parquet's reader would make room: those
   * of bit-packed runs and of DELTA encodings. What other encodings take is bounded by their bytes.
   *
   * <p>Source of the format: https://parquet.apache.org/docs/file-format/data-pages/encodings/.
   */
  private record PageCheck(ColumnDescriptor column, int count) {
    /** Values for which room may be made without bytes for them, as for runs of zero bits. */
    private static final int MAX_UNBACKED = 1 << 20;

    /** Values in a block of deltas: writers use between 128 and 2,048. */
    private static final int MAX_DELTA_BLOCK = 1 << 16;

    DataPage checked(DataPage page) throws IOException {
      if (page instanceof DataPageV1 one) {
        ByteBuffer bytes = bytes(one.getBytes());
        ByteBuffer in = bytes.slice();
        checkLevels(in, one.getRlEncoding(), column.getMaxRepetitionLevel());
        checkLevels(in, one.getDlEncoding(), column.getMaxDefinitionLevel());
        checkValues(in, one.getValueEncoding());
        // What was decompressed can be read only once.
        return new DataPageV1(
            BytesInput.from(bytes),
            count,
            one.getUncompressedSize(),
            one.getStatistics(),
            one.getRlEncoding(),
            one.getDlEncoding(),
            one.getValueEncoding());
      }
      if (page instanceof DataPageV2 two) {
        ByteBuffer repetitions = bytes(two.getRepetitionLevels());
        ByteBuffer definitions = bytes(two.getDefinitionLevels());
        ByteBuffer values = bytes(two.getData());
        checkRuns(repetitions.slice(), width(column.getMaxRepetitionLevel()));
        checkRuns(definitions.slice(), width(column.getMaxDefinitionLevel()));
        checkValues(values.slice(), two.getDataEncoding());
        return DataPageV2.uncompressed(
            two.getRowCount(),
            two.getNullCount(),
            count,
            BytesInput.from(repetitions),
            BytesInput.from(definitions),
            two.getDataEncoding(),
            BytesInput.from(values),
            two.getStatistics());
      }
      throw new IOException("it is of an unknown kind");
    }

    private static ByteBuffer bytes(BytesInput part) throws IOException {
      ByteBufferInputStream in = part.toInputStream();
      return in.slice(in.available());
    }

    private static int width(int highest) {
      return BytesUtils.getWidthFromMaxInt(highest);
    }

    private void checkLevels(ByteBuffer in, Encoding encoding, int highest) throws IOException {
      switch (encoding) {
        case RLE -> {
          if (highest > 0) {
            checkRuns(lengthPrefixed(in), width(highest));
          }
        }
        case BIT_PACKED -> skip(in, ((long) count * width(highest) + 7) / 8);
        default -> throw new IOException("its levels are encoded as " + encoding);
      }
    }

    private void checkValues(ByteBuffer in, Encoding encoding) throws IOException {
      switch (encoding) {
        case RLE -> checkRuns(lengthPrefixed(in), 1);
        case RLE_DICTIONARY, PLAIN_DICTIONARY -> {
          // Where all values are null there may be no width, either.
          if (in.hasRemaining()) {
            checkRuns(in, in.get());
          }
        }
        case DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY -> passDeltas(in);
        case DELTA_BYTE_ARRAY -> {
          // The lengths of what each value shares with the one before, and those of the rest.
          passDeltas(in);
          passDeltas(in);
        }
        case PLAIN, BIT_PACKED, BYTE_STREAM_SPLIT -> {}
      }
    }

    private void checkRuns(ByteBuffer in, int width) throws IOException {
      if (width < 0 || width > Integer.SIZE) {
        throw new IOException("it says its numbers have " + width + " bits");
      }
      long seen = 0;
      while (seen < count && in.hasRemaining()) {
        long header = count(in);
        long values = header >>> 1;
        if ((header & 1) == 0) {
          skip(in, (width + 7) / 8);
        } else {
          long bytes = values * width;
          values *= 8;
          // Some writers leave away the end of the last eight values.
          if (values > MAX_UNBACKED && bytes - width > in.remaining()) {
            throw new IOException("it says it has a run of " + values + " values");
          }
          skip(in, Math.min(bytes, in.remaining()));
        }
        seen += values;
      }
    }

    private void passDeltas(ByteBuffer in) throws IOException {
      long block = count(in);
      long parts = count(in);
      long values = count(in);
      if (block < 1 || block > MAX_DELTA_BLOCK || parts < 1 || block % parts != 0) {
        throw new IOException("it has blocks of " + block + " values in " + parts + " parts");
      }
      if (values > Math.min(count, FileStructure.MAX_ROWS)) {
        throw new IOException("it says it has " + values + " values instead of " + count);
      }
      passNumber(in);
      byte[] widths = new byte[(int) parts];
      for (long left = values - 1; left > 0; ) {
        passNumber(in);
        in.get(widths);
        for (int i = 0; i < parts && left > 0; i++) {
          skip(in, (widths[i] & 0xff) * (block / parts) / 8);
          left -= block / parts;
        }
      }
    }

    private static ByteBuffer lengthPrefixed(ByteBuffer in) throws IOException {
      int length = Integer.reverseBytes(in.getInt());
      ByteBuffer part = in.slice();
      skip(in, length);
      return part.limit(length);
    }

    private static void skip(ByteBuffer in, long bytes) throws IOException {
      if (bytes < 0 || bytes > in.remaining()) {
        throw new IOException(
            "a part of it has " + bytes + " bytes, with " + in.remaining() + " left");
      }
      in.position(in.position() + (int) bytes);
    }

    /** Reads a number of seven bits a byte. Parquet's reader would let a longer one wrap. */
    private static long count(ByteBuffer in) throws IOException {
      long number = 0;
      for (int shift = 0; shift < Integer.SIZE; shift += 7) {
        byte next = in.get();
        number |= (next & 0x7fL) << shift;
        if (next >= 0 && number <= Integer.MAX_VALUE) {
          return number;
        }
      }
      throw new IOException("a count in it has more than 31 bits");
    }

    private static void passNumber(ByteBuffer in) {
      while (in.get() < 0) {}
    }
  }

  /** Stands where Parquet expects the receiver of whole records, which nobody asks for here. */
  private static final class NoRecords extends GroupConverter {
    private final GroupType type;

    NoRecords(GroupType type) {
      this.type = type;
    }

    @Override
    public Converter getConverter(int fieldIndex) {
      Type field = type.getType(fieldIndex);
      return field.isPrimitive() ? new PrimitiveConverter() {} : new NoRecords(field.asGroupType());
    }

    @Override
    public void start() {}

    @Override
    public void end() {}
  }

  /** A file in memory. */
  private record Bytes(byte[] file) implements InputFile {
    @Override
    public long getLength() {
      return file.length;
    }

    @Override
    public SeekableInputStream newStream() {
      Positioned in = new Positioned(file);
      return new DelegatingSeekableInputStream(in) {
        @Override
        public long getPos() {
          return in.position();
        }

        @Override
        public void seek(long position) throws IOException {
          in.seek(position);
        }
      };
    }
  }

  private static final class Positioned extends ByteArrayInputStream {
    Positioned(byte[] file) {
      super(file);
    }

    long position() {
      return pos;
    }

    void seek(long position) throws IOException {
      if (position < 0 || position > count) {
        throw new EOFException("the file has " + count + " bytes");
      }
      pos = (int) position;
    }
  }
}
