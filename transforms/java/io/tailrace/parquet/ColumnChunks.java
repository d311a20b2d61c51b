package io.tailrace.parquet;

import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.ByteArrayInputStream;
import java.util.Set;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Type;
import shaded.parquet.org.apache.thrift.TException;

/**
 * Looks at the page headers of the columns of a file, before any library allocates what they ask
 * for: that they can be read, point into the file, agree with the footer, and announce what fits
 * into memory. Adds up what they take. Not thread-safe.
 */
final class ColumnChunks {
  private static final int MAX_PAGES = 100_000;

  /** Entries that a dictionary may have: there are no more distinct values than rows. */
  private static final long MAX_DICTIONARY_ENTRIES = FileStructure.MAX_ROWS;

  private static final Set<CompressionCodec> CODECS =
      Set.of(
          CompressionCodec.UNCOMPRESSED,
          CompressionCodec.SNAPPY,
          CompressionCodec.GZIP,
          CompressionCodec.ZSTD,
          CompressionCodec.LZ4_RAW);

  private final byte[] file;
  private final int end;
  private final Room room;
  private final DecodedSize decoded = new DecodedSize();
  private long decompressed;
  // Of each column that was looked at its dictionary, and its largest page.
  private long atOnce;
  private int pages;

  /** What is decompressed at one time. */
  enum Room {
    ALL,
    /** A page of each column, and its dictionary: rows are taken from all of them together. */
    PAGES
  }

  /**
   * Looks at those of a file.
   *
   * @param end where its footer begins
   */
  ColumnChunks(byte[] file, int end, Room room) {
    this.file = file;
    this.end = end;
    this.room = room;
  }

  /** Returns how many bytes the pages take when decompressed. */
  long decompressedBytes() {
    return decompressed;
  }

  /** Returns how many bytes the values take when decoded, at most. */
  long decodedBytes() {
    return decoded.bytes();
  }

  /** Checks a column of a row group. */
  void check(ColumnChunk chunk, RowGroup group) throws InvalidMessageException {
    if (!chunk.isSetMeta_data() || chunk.isSetFile_path() || chunk.isSetCrypto_metadata()) {
      throw undecodable("a column of the file is in another file, or encrypted");
    }
    ColumnMetaData column = chunk.getMeta_data();
    String name = String.join(".", column.getPath_in_schema());
    // One that is not known is absent.
    if (column.getCodec() == null || !CODECS.contains(column.getCodec())) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          column.getPath_in_schema().get(0),
          "column "
              + name
              + " is compressed with "
              + (column.getCodec() == null ? "something unknown" : column.getCodec())
              + "; use ZSTD");
    }
    long values = checkPages(column, name);
    boolean isList = column.getPath_in_schema().size() > 1;
    if (isList ? values < group.getNum_rows() : values != group.getNum_rows()) {
      throw undecodable(
          "column "
              + name
              + " has "
              + values
              + " values in a row group of "
              + group.getNum_rows()
              + " rows");
    }
    if (values != column.getNum_values()) {
      throw undecodable(
          "column "
              + name
              + " says it has "
              + column.getNum_values()
              + " values, its pages have "
              + values);
    }
  }

  /** Checks the pages of a column, and returns how many values they have. */
  private long checkPages(ColumnMetaData column, String name) throws InvalidMessageException {
    long start = column.getData_page_offset();
    if (column.isSetDictionary_page_offset() && column.getDictionary_page_offset() > 0) {
      start = Math.min(start, column.getDictionary_page_offset());
    }
    long last = start + column.getTotal_compressed_size();
    if (start < 4 || last < start || last > end) {
      throw undecodable("column " + name + " lies outside of the file");
    }
    long values = 0;
    long dictionary = 0;
    long page = 0;
    int at = (int) start;
    while (at < last) {
      PageHeader header = new PageHeader();
      ByteArrayInputStream in = new ByteArrayInputStream(file, at, (int) last - at);
      try {
        header.read(new BoundedThrift(in, (int) last - at));
        header.validate();
      } catch (TException | RuntimeException e) {
        throw undecodable("a page of column " + name + " can't be read: " + e.getMessage());
      }
      int body = (int) last - in.available();
      long size = header.getCompressed_page_size();
      if (size < 0 || header.getUncompressed_page_size() < 0 || size > last - body) {
        throw undecodable("a page of column " + name + " lies outside of the file");
      }
      checkDictionary(header, column.getType(), name);
      checkLengths(file, body, header, column.getCodec(), name);
      decompressed += header.getUncompressed_page_size();
      if (header.getType() == PageType.DICTIONARY_PAGE) {
        dictionary = Math.max(dictionary, header.getUncompressed_page_size());
      } else {
        page = Math.max(page, header.getUncompressed_page_size());
      }
      checkRoom(room == Room.ALL ? decompressed : atOnce + dictionary + page);
      decoded.add(header, column.getType());
      values += valuesIn(header, name);
      at = body + (int) size;
    }
    atOnce += dictionary + page;
    return values;
  }

  private void checkRoom(long bytes) throws InvalidMessageException {
    if (bytes > FileStructure.MAX_DECOMPRESSED_BYTES || ++pages > MAX_PAGES) {
      throw tooLarge(
          "decompressed, the file has more than "
              + FileStructure.MAX_DECOMPRESSED_BYTES
              + (room == Room.ALL
                  ? " bytes; raise -Xmx, or send fewer rows in a file"
                  : " bytes at once; raise -Xmx, or write smaller pages or row groups"));
    }
  }

  /** Parquet's reader makes room for as many entries as a dictionary says it has. */
  private static void checkDictionary(PageHeader header, Type type, String column)
      throws InvalidMessageException {
    if (header.getType() != PageType.DICTIONARY_PAGE || !header.isSetDictionary_page_header()) {
      return;
    }
    long entries = header.getDictionary_page_header().getNum_values();
    // A text takes at least its length.
    int least =
        switch (type) {
          case BOOLEAN, FIXED_LEN_BYTE_ARRAY -> 1;
          case INT32, FLOAT, BYTE_ARRAY -> Integer.BYTES;
          case INT64, DOUBLE -> Long.BYTES;
          case INT96 -> 12;
        };
    if (entries < 0 || entries * least > header.getUncompressed_page_size()) {
      throw undecodable(
          "the dictionary of column "
              + column
              + " says it has "
              + entries
              + " entries in "
              + header.getUncompressed_page_size()
              + " bytes");
    }
    if (entries > MAX_DICTIONARY_ENTRIES) {
      throw tooLarge(
          "the dictionary of column "
              + column
              + " has "
              + entries
              + " entries; "
              + MAX_DICTIONARY_ENTRIES
              + " are allowed");
    }
  }

  /**
   * Checks the lengths of a page's parts. Snappy's decompressor makes room for what the compressed
   * bytes say, whatever the header does.
   */
  private static void checkLengths(
      byte[] file, int body, PageHeader header, CompressionCodec codec, String column)
      throws InvalidMessageException {
    long levels = 0;
    boolean isCompressed = true;
    if (header.isSetData_page_header_v2()) {
      DataPageHeaderV2 page = header.getData_page_header_v2();
      long repetitions = page.getRepetition_levels_byte_length();
      long definitions = page.getDefinition_levels_byte_length();
      levels = repetitions + definitions;
      isCompressed = page.isIs_compressed();
      if (repetitions < 0
          || definitions < 0
          || levels > header.getCompressed_page_size()
          || levels > header.getUncompressed_page_size()) {
        throw undecodable("the levels of a page of column " + column + " lie outside of it");
      }
    }
    int at = body + (int) levels;
    int end = body + header.getCompressed_page_size();
    if (codec != CompressionCodec.SNAPPY || !isCompressed || at == end) {
      return;
    }
    long length = 0;
    for (int shift = 0; at < end && shift < Integer.SIZE; shift += 7) {
      byte next = file[at++];
      length |= (next & 0x7fL) << shift;
      if (next >= 0) {
        break;
      }
    }
    if (length > header.getUncompressed_page_size() - levels) {
      throw undecodable(
          "a page of column "
              + column
              + " decompresses to "
              + length
              + " bytes; its header says "
              + (header.getUncompressed_page_size() - levels));
    }
  }

  private static long valuesIn(PageHeader header, String column) throws InvalidMessageException {
    PageType type = header.getType();
    long values =
        type == PageType.DATA_PAGE && header.isSetData_page_header()
            ? header.getData_page_header().getNum_values()
            : type == PageType.DATA_PAGE_V2 && header.isSetData_page_header_v2()
                ? header.getData_page_header_v2().getNum_values()
                : type == PageType.DICTIONARY_PAGE && header.isSetDictionary_page_header() ? 0 : -1;
    if (values < 0) {
      throw undecodable("column " + column + " has a page that is neither data nor a dictionary");
    }
    return values;
  }

  private static InvalidMessageException undecodable(String message) {
    return new InvalidMessageException(Reason.UNDECODABLE, "", message);
  }

  private static InvalidMessageException tooLarge(String message) {
    return new InvalidMessageException(Reason.TOO_LARGE, "", message);
  }
}
