package io.tailrace.parquet;

import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.RowGroup;

/**
 * The row groups of a file of any size, of which some columns at a time are read into memory. Not
 * thread-safe.
 *
 * @param footerStart where the footer begins
 */
record RowGroups(SeekableByteChannel channel, FileStructure structure, long footerStart) {
  /** What a file begins and ends with. */
  static final byte[] MAGIC = {'P', 'A', 'R', '1'};

  /** Rows of a row group beyond which there is something wrong: no tool writes as many. */
  static final long MAX_ROWS = 100_000_000;

  /**
   * Some columns of a row group.
   *
   * @param file which has these alone
   * @param decodedBytes what their values take
   */
  record Columns(byte[] file, long decodedBytes) {}

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

  /**
   * Checks that row groups have as many rows as can be, and that columns lie in the file.
   *
   * @param wanted the names of those
   */
  void check(Set<String> wanted) throws InvalidMessageException {
    long rows = 0;
    for (int group = 0; group < structure.footer().getRow_groupsSize(); group++) {
      rows += rows(group);
      for (ColumnChunk chunk : structure.footer().getRow_groups().get(group).getColumns()) {
        if (!chunk.isSetMeta_data() || chunk.isSetFile_path()) {
          throw undecodable("a column of the file is in another file, or encrypted");
        }
        if (wanted.contains(FileStructure.nameOf(chunk))) {
          long unused = start(chunk.getMeta_data());
        }
      }
    }
    if (rows != structure.footer().getNum_rows()) {
      throw undecodable(
          "the file says it has "
              + structure.footer().getNum_rows()
              + " rows, its row groups have "
              + rows);
    }
  }

  /** Returns the number of rows of a row group. */
  int rows(int group) throws InvalidMessageException {
    RowGroup found = structure.footer().getRow_groups().get(group);
    long rows = found.getNum_rows();
    if (rows == 0 && !FileStructure.isEmpty(found)) {
      throw undecodable("a row group says it has no rows, and its columns have values");
    }
    if (rows < 0 || rows > MAX_ROWS) {
      throw new InvalidMessageException(
          Reason.TOO_LARGE, "", "a row group says it has " + rows + " rows");
    }
    return (int) rows;
  }

  /**
   * Returns whether the footer says that a column has values. That it has none is never believed:
   * they would be lost.
   */
  boolean saysItHasValues(String column) {
    return structure.footer().getRow_groups().stream()
        .flatMap(group -> group.getColumns().stream())
        .filter(chunk -> FileStructure.nameOf(chunk).equals(column))
        .map(ColumnChunk::getMeta_data)
        .anyMatch(
            found ->
                found.isSetStatistics()
                    && found.getStatistics().isSetNull_count()
                    && found.getStatistics().getNull_count() < found.getNum_values());
  }

  /**
   * Returns what columns of a row group take as they are and when decompressed, by name, as the
   * footer says.
   */
  Map<String, Long> bytes(int group) {
    Map<String, Long> bytes = new HashMap<>();
    for (ColumnChunk chunk : structure.footer().getRow_groups().get(group).getColumns()) {
      ColumnMetaData column = chunk.getMeta_data();
      long least = Math.max(0, column.getTotal_compressed_size());
      bytes.merge(
          FileStructure.nameOf(chunk),
          // Of what is said to be beyond all bounds nothing is lost if it counts for less.
          Math.min(
              FileStructure.MAX_DECOMPRESSED_BYTES,
              least + Math.max(least, column.getTotal_uncompressed_size())),
          Long::sum);
    }
    return bytes;
  }

  /** Returns where a column begins, which must end before the footer does begin. */
  private long start(ColumnMetaData column) throws InvalidMessageException {
    long start = column.getData_page_offset();
    if (column.isSetDictionary_page_offset() && column.getDictionary_page_offset() > 0) {
      start = Math.min(start, column.getDictionary_page_offset());
    }
    long length = column.getTotal_compressed_size();
    // Not by a sum, which may be below zero.
    if (start < MAGIC.length || length < 0 || length > footerStart - start) {
      throw undecodable(
          "the Parquet file is damaged: a column lies beyond its end, or it is cut off");
    }
    return start;
  }

  /** Returns a file of columns without rows. */
  byte[] schema(Set<String> columns) throws InvalidMessageException {
    return FileStructure.ended(begun(), structure.reduced(columns, List.of()));
  }

  /**
   * Reads some columns of one row group, and checks them as those of every file of others are.
   *
   * @throws InvalidMessageException if they are damaged, or take more memory than a file may, when
   *     a page of each is decompressed
   * @throws IOException if it can't be read now
   */
  Columns read(int group, Set<String> columns) throws IOException, InvalidMessageException {
    try {
      ByteArrayOutputStream bytes = begun();
      FileMetaData footer =
          structure.reduced(columns, List.of(structure.footer().getRow_groups().get(group)));
      for (RowGroup each : footer.getRow_groups()) {
        for (ColumnChunk chunk : each.getColumns()) {
          move(chunk, bytes);
        }
        each.unsetFile_offset();
      }
      byte[] file = FileStructure.ended(bytes, footer);
      return new Columns(
          file, FileStructure.of(file).checked(columns, ColumnChunks.Room.PAGES).decodedBytes());
    } catch (RuntimeException e) {
      throw undecodable("the Parquet file can't be read: " + e.getMessage());
    }
  }

  private static ByteArrayOutputStream begun() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(MAGIC);
    return bytes;
  }

  private void move(ColumnChunk chunk, ByteArrayOutputStream to)
      throws IOException, InvalidMessageException {
    ColumnMetaData column = chunk.getMeta_data();
    long start = start(column);
    long length = column.getTotal_compressed_size();
    if (to.size() + length > FileStructure.MAX_DECOMPRESSED_BYTES) {
      throw new InvalidMessageException(
          Reason.TOO_LARGE,
          FileStructure.nameOf(chunk),
          "a row group of the file has more than "
              + FileStructure.MAX_DECOMPRESSED_BYTES
              + " bytes in a column: write smaller ones, of 100,000 rows, or raise -Xmx");
    }
    long by = to.size() - start;
    to.writeBytes(read(channel, start, (int) length));
    column.setData_page_offset(column.getData_page_offset() + by);
    if (column.isSetDictionary_page_offset()) {
      column.setDictionary_page_offset(
          column.getDictionary_page_offset() > 0 ? column.getDictionary_page_offset() + by : 0);
    }
    chunk.setFile_offset(column.getData_page_offset());
  }

  private static InvalidMessageException undecodable(String message) {
    return new InvalidMessageException(Reason.UNDECODABLE, "", message);
  }
}
