package io.tailrace.parquet;

import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.ByteArrayInputStream;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.KeyValue;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Type;
import shaded.parquet.org.apache.thrift.TConfiguration;
import shaded.parquet.org.apache.thrift.TException;
import shaded.parquet.org.apache.thrift.protocol.TCompactProtocol;
import shaded.parquet.org.apache.thrift.protocol.TList;
import shaded.parquet.org.apache.thrift.protocol.TMap;
import shaded.parquet.org.apache.thrift.protocol.TSet;
import shaded.parquet.org.apache.thrift.transport.TIOStreamTransport;

/**
 * Looks at the structure of a Parquet file before any library allocates what the file asks for:
 * that the footer and the page headers can be read, that they point into the file, and that what
 * they announce fits into memory. Stateless and thread-safe.
 */
final class FileStructure {
  /** Rows that a file may have. */
  static final long MAX_ROWS = 1_000_000;

  /** Bytes that a file may have when decompressed. */
  static final long MAX_DECOMPRESSED_BYTES =
      Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 4);

  private static final int MAX_COLUMNS = 1_000;
  private static final int MAX_ROW_GROUPS = 1_000;
  private static final int MAX_PAGES = 100_000;
  private static final int MAX_DEPTH = 32;

  /** Entries that a dictionary may have: there are no more distinct values than rows. */
  private static final long MAX_DICTIONARY_ENTRIES = MAX_ROWS;

  private static final int MAGIC = 'P' | 'A' << 8 | 'R' << 16 | '1' << 24;

  private static final Set<CompressionCodec> CODECS =
      Set.of(
          CompressionCodec.UNCOMPRESSED,
          CompressionCodec.SNAPPY,
          CompressionCodec.GZIP,
          CompressionCodec.ZSTD,
          CompressionCodec.LZ4_RAW);

  private FileStructure() {}

  /**
   * What a file says of itself.
   *
   * @param texts the texts in its footer
   * @param decompressedBytes what its pages take when decompressed
   */
  record Checked(Map<String, String> texts, long decompressedBytes) {}

  /**
   * Checks a file.
   *
   * @throws InvalidMessageException if it is not a Parquet file, or one that is too large
   */
  static Checked check(byte[] file) throws InvalidMessageException {
    int length = file.length;
    if (length < 12 || intAt(file, 0) != MAGIC || intAt(file, length - 4) != MAGIC) {
      throw undecodable("the message is not a Parquet file: it does not begin and end with PAR1");
    }
    int footerLength = intAt(file, length - 8);
    if (footerLength <= 0 || footerLength > length - 12) {
      throw undecodable("the Parquet file says its footer has " + footerLength + " bytes");
    }
    int footerStart = length - 8 - footerLength;
    FileMetaData footer = new FileMetaData();
    try {
      footer.read(protocol(file, footerStart, footerLength));
      // Sets what the format requires against what was read.
      footer.validate();
    } catch (TException | RuntimeException e) {
      throw undecodable("the footer of the Parquet file can't be read: " + e.getMessage());
    }
    if (footer.getSchemaSize() > MAX_COLUMNS || footer.getRow_groupsSize() > MAX_ROW_GROUPS) {
      throw tooLarge(
          "the file has "
              + footer.getSchemaSize()
              + " columns, nested ones included, and "
              + footer.getRow_groupsSize()
              + " row groups; "
              + MAX_COLUMNS
              + " and "
              + MAX_ROW_GROUPS
              + " are allowed");
    }
    checkRows(footer);
    long decompressedBytes = checkPages(file, footerStart, footer);
    Map<String, String> texts = new TreeMap<>();
    if (footer.isSetKey_value_metadata()) {
      for (KeyValue text : footer.getKey_value_metadata()) {
        texts.put(text.getKey(), text.isSetValue() ? text.getValue() : "");
      }
    }
    return new Checked(texts, decompressedBytes);
  }

  private static void checkRows(FileMetaData footer) throws InvalidMessageException {
    long rows = 0;
    for (RowGroup group : footer.getRow_groups()) {
      if (group.getNum_rows() < 0 || group.getNum_rows() > MAX_ROWS) {
        throw tooLarge("a row group says it has " + group.getNum_rows() + " rows");
      }
      rows += group.getNum_rows();
    }
    if (rows != footer.getNum_rows()) {
      throw undecodable(
          "the file says it has " + footer.getNum_rows() + " rows, its row groups have " + rows);
    }
    if (rows > MAX_ROWS) {
      throw tooLarge("the file has " + rows + " rows; " + MAX_ROWS + " are allowed");
    }
  }

  private static boolean isEmpty(RowGroup group) {
    return group.getNum_rows() == 0
        && group.getColumns().stream()
            .allMatch(chunk -> chunk.isSetMeta_data() && chunk.getMeta_data().getNum_values() == 0);
  }

  private static long checkPages(byte[] file, int footerStart, FileMetaData footer)
      throws InvalidMessageException {
    long decompressed = 0;
    int pages = 0;
    for (RowGroup group : footer.getRow_groups()) {
      if (isEmpty(group)) {
        // Some writers leave one behind; nobody reads it, and its pages may be nowhere.
        continue;
      }
      for (ColumnChunk chunk : group.getColumns()) {
        if (!chunk.isSetMeta_data() || chunk.isSetFile_path() || chunk.isSetCrypto_metadata()) {
          throw undecodable("a column of the file is in another file, or encrypted");
        }
        ColumnMetaData column = chunk.getMeta_data();
        String name = String.join(".", column.getPath_in_schema());
        if (!CODECS.contains(column.getCodec())) {
          throw new InvalidMessageException(
              Reason.UNKNOWN_TYPE,
              name,
              "column " + name + " is compressed with " + column.getCodec() + "; use ZSTD");
        }
        long start = column.getData_page_offset();
        if (column.isSetDictionary_page_offset() && column.getDictionary_page_offset() > 0) {
          start = Math.min(start, column.getDictionary_page_offset());
        }
        long end = start + column.getTotal_compressed_size();
        if (start < 4 || end < start || end > footerStart) {
          throw undecodable("column " + name + " lies outside of the file");
        }
        long values = 0;
        int at = (int) start;
        while (at < end) {
          PageHeader header = new PageHeader();
          ByteArrayInputStream in = new ByteArrayInputStream(file, at, (int) end - at);
          try {
            header.read(protocol(in, (int) end - at));
            header.validate();
          } catch (TException | RuntimeException e) {
            throw undecodable("a page of column " + name + " can't be read: " + e.getMessage());
          }
          int body = (int) end - in.available();
          long size = header.getCompressed_page_size();
          if (size < 0 || header.getUncompressed_page_size() < 0 || size > end - body) {
            throw undecodable("a page of column " + name + " lies outside of the file");
          }
          checkDictionary(header, column.getType(), name);
          checkLengths(file, body, header, column.getCodec(), name);
          decompressed += header.getUncompressed_page_size();
          if (decompressed > MAX_DECOMPRESSED_BYTES || ++pages > MAX_PAGES) {
            throw tooLarge(
                "decompressed, the file has more than " + MAX_DECOMPRESSED_BYTES + " bytes");
          }
          values += valuesIn(header, name);
          at = body + (int) size;
        }
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
    }
    return decompressed;
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

  private static TCompactProtocol protocol(byte[] file, int start, int length) throws TException {
    return protocol(new ByteArrayInputStream(file, start, length), length);
  }

  private static TCompactProtocol protocol(ByteArrayInputStream in, int length) throws TException {
    return new Bounded(in, length);
  }

  /**
   * Thrift reserves room for as many elements as a list says it has. Here it can't say more than
   * there are bytes left, as each takes one at least.
   */
  private static final class Bounded extends TCompactProtocol {
    private final ByteArrayInputStream in;

    Bounded(ByteArrayInputStream in, int length) throws TException {
      super(new TIOStreamTransport(new TConfiguration(length, length, MAX_DEPTH), in));
      this.in = in;
    }

    @Override
    public TList readListBegin() throws TException {
      TList list = super.readListBegin();
      check(list.size);
      return list;
    }

    @Override
    public TSet readSetBegin() throws TException {
      TSet set = super.readSetBegin();
      check(set.size);
      return set;
    }

    @Override
    public TMap readMapBegin() throws TException {
      TMap map = super.readMapBegin();
      check(map.size);
      return map;
    }

    private void check(int size) throws TException {
      if (size < 0 || size > in.available()) {
        throw new TException("a list says it has " + size + " elements");
      }
    }
  }

  private static int intAt(byte[] file, int at) {
    return (file[at] & 0xff)
        | (file[at + 1] & 0xff) << 8
        | (file[at + 2] & 0xff) << 16
        | file[at + 3] << 24;
  }

  private static InvalidMessageException undecodable(String message) {
    return new InvalidMessageException(Reason.UNDECODABLE, "", message);
  }

  private static InvalidMessageException tooLarge(String message) {
    return new InvalidMessageException(Reason.TOO_LARGE, "", message);
  }
}
