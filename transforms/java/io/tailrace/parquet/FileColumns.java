package io.tailrace.parquet;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.CodecFactory;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.io.SeekableInputStream;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;

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

  /** Returns the number of rows. */
  int rowCount() {
    return Math.toIntExact(
        footer().getBlocks().stream().mapToLong(BlockMetaData::getRowCount).sum());
  }

  /** Returns whether there is a column of a name. */
  boolean has(String column) {
    return schema().containsField(column);
  }

  /**
   * Returns the level of a list without elements: one below that of an element, two where elements
   * may be null.
   */
  static int levelOfEmptyList(ColumnReader column) {
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    return column.getDescriptor().getPrimitiveType().isRepetition(Repetition.OPTIONAL)
        ? defined - 2
        : defined - 1;
  }

  /** Takes the values of one column, a row group at a time. */
  interface ColumnTaker {
    void take(ColumnReader column, int rows) throws IOException;
  }

  /** Reads columns by name: the takers are called in their order, group by group. */
  void read(Map<String, ? extends ColumnTaker> columns) throws IOException {
    List<ColumnTaker> takers = List.copyOf(columns.values());
    for (int block = 0; block < footer().getBlocks().size(); block++) {
      GroupColumns group = group(block, List.copyOf(columns.keySet()));
      for (int i = 0; i < takers.size(); i++) {
        takers.get(i).take(group.reader(i), group.rows());
      }
    }
  }

  /** Begins to read columns of a row group, which ends when the next one is begun. */
  GroupColumns group(int block, List<String> names) throws IOException {
    MessageType wanted = new MessageType("wanted", names.stream().map(schema()::getType).toList());
    reader.setRequestedSchema(wanted);
    PageReadStore group = reader.readRowGroup(block);
    return new GroupColumns(
        group,
        new ColumnReadStoreImpl(
            new CheckedPages(group),
            new NoRecords(wanted),
            wanted,
            reader.getFooter().getFileMetaData().getCreatedBy()),
        List.copyOf(wanted.getColumns()));
  }

  /** Columns of a row group. */
  record GroupColumns(
      PageReadStore group, ColumnReadStoreImpl store, List<ColumnDescriptor> columns) {
    int rows() {
      return Math.toIntExact(group.getRowCount());
    }

    /** Returns the reader of a column, once: it has a page, and its dictionary, in memory. */
    ColumnReader reader(int column) throws IOException {
      checkCount(group, columns.get(column));
      return store.getColumnReader(columns.get(column));
    }
  }

  /** Returns whether a column that is no list has a null in every row, whatever its type. */
  boolean isAllNull(String column) throws IOException {
    boolean[] hasValue = {false};
    read(
        Map.of(
            column,
            (reader, rows) -> {
              int defined = reader.getDescriptor().getMaxDefinitionLevel();
              for (int i = 0; i < rows; i++) {
                hasValue[0] |= reader.getCurrentDefinitionLevel() == defined;
                reader.consume();
              }
            }));
    return !hasValue[0];
  }

  /** Takes whole rows. */
  interface RowTaker {
    void take(int number, Group row) throws IOException;
  }

  /** Reads all columns, row by row, as they are: much slower than column by column. */
  void readRows(RowTaker taker) throws IOException {
    reader.setRequestedSchema(schema());
    MessageColumnIO columns = new ColumnIOFactory().getColumnIO(schema());
    int number = 0;
    for (int block = 0; block < footer().getBlocks().size(); block++) {
      PageReadStore group = reader.readRowGroup(block);
      RecordReader<Group> rows =
          columns.getRecordReader(new CheckedPages(group), new GroupRecordConverter(schema()));
      for (long i = 0; i < group.getRowCount(); i++) {
        taker.take(number++, rows.read());
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
