package io.tailrace.parquet;

import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;

/**
 * The row groups of a file of any size, of which some columns at a time are read into memory. Not
 * thread-safe.
 *
 * @param footerStart where the footer begins
 */
record RowGroups(SeekableByteChannel channel, FileStructure structure, long footerStart) {
  /** What a file begins and ends with. */
  static final byte[] MAGIC = {'P', 'A', 'R', '1'};

  /** Returns bytes of a file. */
  static byte[] read(SeekableByteChannel channel, long at, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    SeekableByteChannel unused = channel.position(at);
    while (bytes.hasRemaining()) {
      // Nothing, too, where there is room, stands for the end.
      if (channel.read(bytes) <= 0) {
        throw new EOFException("the file ends before byte " + (at + length));
      }
    }
    return bytes.array();
  }

  /** What a footer says of where its chunks are must lie before it. */
  void checkChunks(Set<String> wanted) throws InvalidMessageException {
    for (RowGroup group : structure.footer().getRow_groups()) {
      for (ColumnChunk chunk : group.getColumns()) {
        if (!chunk.isSetMeta_data() || chunk.isSetFile_path()) {
          throw undecodable("a column of the file is in another file, or encrypted");
        }
        if (!wanted.contains(chunk.getMeta_data().getPath_in_schema().get(0))) {
          continue;
        }
        long start = start(chunk.getMeta_data());
        long length = chunk.getMeta_data().getTotal_compressed_size();
        if (start < 4 || length < 0 || start + length > footerStart) {
          throw undecodable(
              "the Parquet file is damaged: a column lies beyond its end, or it is cut off");
        }
      }
    }
  }

  private static long start(ColumnMetaData column) {
    return column.isSetDictionary_page_offset() && column.getDictionary_page_offset() > 0
        ? Math.min(column.getDictionary_page_offset(), column.getData_page_offset())
        : column.getData_page_offset();
  }

  /**
   * Returns a file of some columns of one row group, checked as every file of others is.
   *
   * @throws InvalidMessageException if it is damaged, or takes more memory than a file may
   */
  byte[] rowGroup(int group, Set<String> columns) throws IOException, InvalidMessageException {
    byte[] bytes = slice(List.of(structure.footer().getRow_groups().get(group)), columns);
    FileStructure slice = FileStructure.of(bytes);
    FileStructure.Checked unused = slice.check(columns);
    return slice.reducedTo(columns);
  }

  byte[] slice(List<RowGroup> groups, Set<String> columns)
      throws IOException, InvalidMessageException {
    FileMetaData footer = new FileMetaData(structure.footer());
    footer.unsetKey_value_metadata();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(MAGIC, 0, 4);
    List<RowGroup> kept = new ArrayList<>();
    long rows = 0;
    for (RowGroup group : groups) {
      RowGroup less = new RowGroup(group);
      List<ColumnChunk> chunks = new ArrayList<>();
      for (ColumnChunk chunk : group.getColumns()) {
        if (columns.contains(chunk.getMeta_data().getPath_in_schema().get(0))) {
          chunks.add(moved(chunk, bytes));
        }
      }
      less.setColumns(chunks);
      less.unsetFile_offset();
      kept.add(less);
      rows += group.getNum_rows();
    }
    footer.setRow_groups(kept);
    footer.setNum_rows(rows);
    int start = bytes.size();
    Util.writeFileMetaData(footer, bytes);
    int length = bytes.size() - start;
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      bytes.write(length >>> shift);
    }
    bytes.write(MAGIC, 0, 4);
    byte[] whole = bytes.toByteArray();
    return groups.isEmpty() ? FileStructure.of(whole).reducedTo(columns) : whole;
  }

  private ColumnChunk moved(ColumnChunk chunk, ByteArrayOutputStream to)
      throws IOException, InvalidMessageException {
    ColumnMetaData column = chunk.getMeta_data();
    long start = start(column);
    long length = column.getTotal_compressed_size();
    if (to.size() + length > FileStructure.MAX_DECOMPRESSED_BYTES) {
      throw new InvalidMessageException(
          Reason.TOO_LARGE,
          column.getPath_in_schema().get(0),
          "a row group of the file has more than "
              + FileStructure.MAX_DECOMPRESSED_BYTES
              + " bytes: write smaller ones, of 100,000 rows, or raise -Xmx");
    }
    long by = to.size() - start;
    byte[] pages = read(channel, start, (int) length);
    to.write(pages, 0, pages.length);
    ColumnChunk moved = new ColumnChunk(chunk);
    moved.getMeta_data().setData_page_offset(column.getData_page_offset() + by);
    if (column.isSetDictionary_page_offset()) {
      moved
          .getMeta_data()
          .setDictionary_page_offset(
              column.getDictionary_page_offset() > 0 ? column.getDictionary_page_offset() + by : 0);
    }
    moved.setFile_offset(moved.getMeta_data().getData_page_offset());
    return moved;
  }

  private static InvalidMessageException undecodable(String message) {
    return new InvalidMessageException(Reason.UNDECODABLE, "", message);
  }
}
