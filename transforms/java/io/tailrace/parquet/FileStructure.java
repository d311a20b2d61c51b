package io.tailrace.parquet;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.Encoding;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.KeyValue;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.Util;
import shaded.parquet.org.apache.thrift.TException;

/**
 * The structure of a Parquet file, looked at before any library allocates what the file asks for:
 * that the footer and the page headers can be read, that they point into the file, and that what
 * they announce fits into memory. Not thread-safe.
 */
final class FileStructure {
  /** Rows that a file may have. */
  static final long MAX_ROWS = 1_000_000;

  /** Bytes that a file may have when decompressed, or decoded: what one message may take. */
  static final long MAX_DECOMPRESSED_BYTES =
      Math.min(256L << 20, MemoryBudget.ofProcess().largest());

  private static final int MAX_COLUMNS = 1_000;
  private static final int MAX_ROW_GROUPS = 1_000;

  /** What a byte of a footer takes when it has been read, roughly: many are a field each. */
  private static final int FOOTER_GROWTH = 16;

  private static final int MAGIC = 'P' | 'A' << 8 | 'R' << 16 | '1' << 24;

  private final byte[] file;
  private final int footerStart;
  private final FileMetaData footer;

  private FileStructure(byte[] file, int footerStart, FileMetaData footer) {
    this.file = file;
    this.footerStart = footerStart;
    this.footer = footer;
  }

  /**
   * What a file takes.
   *
   * @param decompressedBytes its pages, when decompressed
   * @param decodedBytes its rows, when decoded, at most
   */
  record Checked(Map<String, String> texts, long decompressedBytes, long decodedBytes) {}

  /**
   * Reads the footer of a file.
   *
   * @throws InvalidMessageException if it is not a Parquet file, or one that is too large
   */
  static FileStructure of(byte[] file) throws InvalidMessageException {
    int length = file.length;
    if (length < 12 || intAt(file, 0) != MAGIC || intAt(file, length - 4) != MAGIC) {
      throw undecodable("the message is not a Parquet file: it does not begin and end with PAR1");
    }
    int footerLength = intAt(file, length - 8);
    if (footerLength <= 0 || footerLength > length - 12) {
      throw undecodable("the Parquet file says its footer has " + footerLength + " bytes");
    }
    if ((long) FOOTER_GROWTH * footerLength > MAX_DECOMPRESSED_BYTES) {
      throw tooLarge("the footer of the Parquet file has " + footerLength + " bytes");
    }
    int footerStart = length - 8 - footerLength;
    FileMetaData footer = new FileMetaData();
    try {
      footer.read(
          new BoundedThrift(
              new ByteArrayInputStream(file, footerStart, footerLength), footerLength));
      // Sets what the format requires against what was read.
      footer.validate();
    } catch (TException | RuntimeException e) {
      throw undecodable("the footer of the Parquet file can't be read: " + e.getMessage());
    }
    return new FileStructure(file, footerStart, footer);
  }

  /** Returns the footer; not to be changed. */
  FileMetaData footer() {
    return footer;
  }

  /** Returns whether the file has so many columns, in a schema without nesting but for lists. */
  boolean hasColumns(int count) {
    return !footer.getSchema().isEmpty() && footer.getSchema().get(0).getNum_children() == count;
  }

  /** Returns the texts in the footer. */
  Map<String, String> texts() {
    Map<String, String> texts = new TreeMap<>();
    if (footer.isSetKey_value_metadata()) {
      for (KeyValue text : footer.getKey_value_metadata()) {
        texts.put(text.getKey(), text.isSetValue() ? text.getValue() : "");
      }
    }
    return texts;
  }

  /**
   * Checks rows and pages, as far as columns are of interest.
   *
   * @param wanted the names of those
   * @throws InvalidMessageException if they can't be read, or are too large
   */
  Checked check(Set<String> wanted) throws InvalidMessageException {
    if (footer.getRow_groupsSize() > MAX_ROW_GROUPS) {
      throw tooLarge(
          "the file has "
              + footer.getRow_groupsSize()
              + " row groups; "
              + MAX_ROW_GROUPS
              + " are allowed");
    }
    checkRows();
    ColumnChunks chunks = checked(wanted, ColumnChunks.Room.ALL);
    long decoded = chunks.decodedBytes() + DecodedSize.ofRows(footer.getNum_rows());
    if (decoded > MAX_DECOMPRESSED_BYTES) {
      throw tooLarge(
          "decoded, the rows of the file take "
              + decoded
              + " bytes, and a file may take "
              + MAX_DECOMPRESSED_BYTES
              + " of this process, an eighth of its heap: raise -Xmx, or send fewer rows in a"
              + " file");
    }
    return new Checked(texts(), chunks.decompressedBytes(), decoded);
  }

  /** Checks pages, as far as columns are of interest, and returns what they take. */
  ColumnChunks checked(Set<String> wanted, ColumnChunks.Room room) throws InvalidMessageException {
    ColumnChunks chunks = new ColumnChunks(file, footerStart, room);
    for (RowGroup group : footer.getRow_groups()) {
      if (isEmpty(group)) {
        // Some writers leave one behind; nobody reads it, and its pages may be nowhere.
        continue;
      }
      int columns = 0;
      for (ColumnChunk chunk : group.getColumns()) {
        if (wanted.contains(nameOf(chunk))) {
          chunks.check(chunk, group);
          columns++;
        }
      }
      if (columns > MAX_COLUMNS) {
        throw tooLarge("the file has " + columns + " columns; " + MAX_COLUMNS + " are allowed");
      }
    }
    return chunks;
  }

  private void checkRows() throws InvalidMessageException {
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

  /** Returns whether a row group has nothing, as some writers leave one behind. */
  static boolean isEmpty(RowGroup group) {
    return group.getNum_rows() == 0
        && group.getColumns().stream()
            .allMatch(chunk -> chunk.isSetMeta_data() && chunk.getMeta_data().getNum_values() == 0);
  }

  /** Returns the name of the column of the table that a column of the file is of, if it has one. */
  static String nameOf(ColumnChunk chunk) {
    return chunk.isSetMeta_data() && !chunk.getMeta_data().getPath_in_schema().isEmpty()
        ? chunk.getMeta_data().getPath_in_schema().get(0)
        : "";
  }

  /**
   * Returns the same file as if it had no other columns, and no row group without rows: what it has
   * beside them may be of types, encodings and annotations that no library knows, many, and of any
   * name. Statistics are left out too, as nobody needs them here.
   *
   * @param wanted the names of the columns
   * @throws InvalidMessageException if one of these has a type that is not known, or two have the
   *     same name
   */
  byte[] reducedTo(Set<String> wanted) throws InvalidMessageException {
    FileMetaData less = new FileMetaData(footer);
    less.unsetColumn_orders();
    less.setSchema(reducedSchema(wanted));
    less.setRow_groups(reduced(footer.getRow_groups(), wanted));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(file.length);
    bytes.write(file, 0, footerStart);
    return ended(bytes, less);
  }

  /** Returns the footer that the file would have with these columns of some row groups alone. */
  FileMetaData reduced(Set<String> wanted, List<RowGroup> groups) throws InvalidMessageException {
    FileMetaData less =
        new FileMetaData(
            footer.getVersion(),
            reducedSchema(wanted),
            groups.stream().mapToLong(RowGroup::getNum_rows).sum(),
            reduced(groups, wanted));
    // Some writers' pages have to be read as only their names tell.
    less.setCreated_by(footer.getCreated_by());
    return less;
  }

  /** Ends a file with a footer. */
  static byte[] ended(ByteArrayOutputStream file, FileMetaData footer)
      throws InvalidMessageException {
    try {
      int start = file.size();
      Util.writeFileMetaData(footer, file);
      int length = file.size() - start;
      for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
        file.write(length >>> shift);
      }
      for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
        file.write(MAGIC >>> shift);
      }
      return file.toByteArray();
    } catch (IOException | RuntimeException e) {
      throw undecodable("the footer of the Parquet file can't be read: " + e.getMessage());
    }
  }

  private static List<RowGroup> reduced(List<RowGroup> groups, Set<String> wanted) {
    return groups.stream()
        .filter(group -> !isEmpty(group))
        .map(group -> reduced(group, wanted))
        .toList();
  }

  private static RowGroup reduced(RowGroup group, Set<String> wanted) {
    RowGroup less = new RowGroup(group);
    less.unsetSorting_columns();
    List<ColumnChunk> chunks = new ArrayList<>();
    for (ColumnChunk chunk : group.getColumns()) {
      if (wanted.contains(nameOf(chunk))) {
        ColumnChunk kept = new ColumnChunk(chunk);
        kept.unsetColumn_index_offset();
        kept.unsetColumn_index_length();
        kept.unsetOffset_index_offset();
        kept.unsetOffset_index_length();
        kept.getMeta_data().unsetStatistics();
        kept.getMeta_data().unsetSize_statistics();
        kept.getMeta_data().unsetEncoding_stats();
        kept.getMeta_data().unsetBloom_filter_offset();
        kept.getMeta_data().unsetBloom_filter_length();
        // Those that are not known would be absent; what a page has it says itself.
        kept.getMeta_data().setEncodings(List.of(Encoding.PLAIN, Encoding.RLE));
        chunks.add(kept);
      }
    }
    less.setColumns(chunks);
    return less;
  }

  /** The elements of a schema follow each other, each before those that it consists of. */
  private List<SchemaElement> reducedSchema(Set<String> wanted) throws InvalidMessageException {
    List<SchemaElement> all = footer.getSchema();
    if (all.isEmpty()) {
      throw undecodable("the Parquet file has no schema");
    }
    List<SchemaElement> kept = new ArrayList<>();
    kept.add(new SchemaElement(all.get(0)));
    Set<String> names = new LinkedHashSet<>();
    Map<String, Integer> counts = new HashMap<>();
    int top = 0;
    for (int at = 1; at < all.size(); top++) {
      int end = endOf(all, at, 0);
      String name = all.get(at).getName();
      if (wanted.contains(name)) {
        counts.merge(name, 1, Integer::sum);
        names.add(name);
        for (SchemaElement element : all.subList(at, end)) {
          checkKnown(name, element);
          kept.add(element);
        }
      }
      at = end;
    }
    if (all.get(0).getNum_children() != top) {
      throw undecodable(
          "the Parquet file says its schema has "
              + all.get(0).getNum_children()
              + " columns; it has "
              + top);
    }
    for (String name : names) {
      int count = counts.getOrDefault(name, 0);
      if (count > 1) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE, name, "the file has " + count + " columns named '" + name + "'");
      }
    }
    kept.get(0).setNum_children(names.size());
    return kept;
  }

  /** Returns where an element of the schema, with those that it consists of, ends. */
  static int endOf(List<SchemaElement> all, int at, int depth) throws InvalidMessageException {
    int children = all.get(at).isSetNum_children() ? all.get(at).getNum_children() : 0;
    int end = at + 1;
    for (int i = 0; i < children; i++) {
      if (end >= all.size() || depth > BoundedThrift.MAX_DEPTH) {
        throw undecodable("the schema of the Parquet file is not whole, or nested too deeply");
      }
      end = endOf(all, end, depth + 1);
    }
    return end;
  }

  private static void checkKnown(String column, SchemaElement element)
      throws InvalidMessageException {
    boolean isKnown =
        (!element.isSetLogicalType() || element.getLogicalType().getSetField() != null)
            && (element.isSetType() || element.isSetNum_children());
    if (!isKnown) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          column,
          "column '"
              + column
              + "' has a type or an annotation that this version does not know; write it without");
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
