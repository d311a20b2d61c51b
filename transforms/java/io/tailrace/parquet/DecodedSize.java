package io.tailrace.parquet;

import org.apache.parquet.format.Encoding;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.Type;

/**
 * What the values of a file take when they are decoded, counted from the headers of its pages: a
 * few bytes of a page can stand for a million values. Not thread-safe.
 */
final class DecodedSize {
  /** Of each row: its id, its place in the order, and indices of columns that are absent. */
  private static final int ROW = 40;

  /** Of each value: a number, or the index of a text, and whether it is there. */
  private static final int VALUE = 9;

  /** Of each distinct text: an array of its own, and where it is found again. */
  private static final int TEXT = 32;

  private long bytes;

  /** Adds a page of a column. */
  void add(PageHeader header, Type type) {
    boolean isText = type == Type.BYTE_ARRAY || type == Type.FIXED_LEN_BYTE_ARRAY;
    if (header.isSetDictionary_page_header()) {
      long entries = header.getDictionary_page_header().getNum_values();
      bytes += header.getUncompressed_page_size() + (isText ? TEXT * entries : 0);
      return;
    }
    boolean isV2 = header.isSetData_page_header_v2();
    long values =
        isV2
            ? header.getData_page_header_v2().getNum_values()
            : header.isSetData_page_header() ? header.getData_page_header().getNum_values() : 0;
    Encoding encoding =
        isV2
            ? header.getData_page_header_v2().getEncoding()
            : header.isSetData_page_header() ? header.getData_page_header().getEncoding() : null;
    boolean isIndex = encoding == Encoding.RLE_DICTIONARY || encoding == Encoding.PLAIN_DICTIONARY;
    bytes += VALUE * values;
    if (isText && !isIndex) {
      bytes += header.getUncompressed_page_size() + TEXT * values;
    }
  }

  /** Returns what so many rows take beside their values. */
  static long ofRows(long rows) {
    return ROW * rows;
  }

  long bytes() {
    return bytes;
  }
}
