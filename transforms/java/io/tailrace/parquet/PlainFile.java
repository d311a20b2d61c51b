package io.tailrace.parquet;

import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BINARY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT64;

import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/**
 * Writes a file again for warehouses that know few of Parquet's types, or not which file and row
 * they read: {@code observation_id} is a text, as UUIDs are written, JSON is a text, pages are
 * compressed by Snappy, the namespace comes first, and two columns come last, {@link #FILE} and
 * {@link #ROW}. All else, the order of rows too, stays. Spark refuses a whole file for one column
 * of UUIDs, and Redshift's documentation names neither UUIDs nor ZSTD. Whoever decodes such a file
 * gets the canonical one back, as of every file that somebody else wrote. Stateless and
 * thread-safe.
 */
public final class PlainFile {
  /** The column that names the file. */
  public static final String FILE = "staged_file";

  /** The column that numbers the rows, from zero. */
  public static final String ROW = "staged_row";

  private PlainFile() {}

  /**
   * Returns the bytes of a plain file.
   *
   * @param name what {@link #FILE} says
   * @throws IOException if the rows can't be decoded, which a file with a right checksum never
   *     causes
   */
  public static byte[] of(ObservationFile file, String name) throws IOException {
    Map<String, String> footer = file.contents().footer().texts();
    // It is not canonical.
    footer.remove(ObservationSchema.CHECKSUM);
    MessageType schema =
        file.kind() == Kind.QUERIES
            ? numbered(QueryLog.CURRENT.schema().getFields())
            : observations(file.stringKeys(), file.valueType());
    try (PageCompression compression = new PageCompression(CompressionCodecName.SNAPPY);
        FileWriter writer = new FileWriter(compression, schema)) {
      Numbers numbers = new Numbers(writer, name);
      if (file.kind() == Kind.QUERIES) {
        putQueries(writer, numbers, file.queries());
      } else {
        putObservations(writer, numbers, file);
      }
      return writer.finish(footer);
    }
  }

  private static MessageType observations(boolean stringKeys, Optional<ValueType> valueType) {
    List<Type> columns = new ArrayList<>();
    for (Type column : ObservationSchema.observations(stringKeys, valueType).getFields()) {
      switch (column.getName()) {
        case ObservationSchema.NAMESPACE -> columns.add(0, column);
        case ObservationSchema.OBSERVATION_ID ->
            columns.add(Types.required(BINARY).as(stringType()).named(column.getName()));
        case ObservationSchema.VALUE ->
            columns.add(
                valueType.equals(Optional.of(ValueType.JSON))
                    ? Types.optional(BINARY).as(stringType()).named(column.getName())
                    : column);
        default -> columns.add(column);
      }
    }
    return numbered(columns);
  }

  private static MessageType numbered(List<Type> fields) {
    List<Type> columns = new ArrayList<>(fields);
    columns.add(Types.required(BINARY).as(stringType()).named(FILE));
    columns.add(Types.required(INT64).named(ROW));
    return new MessageType("rows", columns);
  }

  /** The columns that say where a row is. */
  private static final class Numbers {
    private final String name;
    private final TextDictionary files;
    private final ColumnPages numbers;

    Numbers(FileWriter writer, String name) {
      this.name = name;
      this.files = new TextDictionary(writer.at(FILE));
      this.numbers = writer.at(ROW);
    }

    void put(long row) throws IOException {
      files.putRequired(name, 1);
      numbers.putLong(row);
      numbers.plainRows(1);
    }
  }

  private static void putObservations(FileWriter writer, Numbers numbers, ObservationFile file)
      throws IOException {
    ObservationRows rows = file.rows();
    RowColumns columns = new RowColumns(writer, rows, file.stringKeys(), file.valueType());
    for (int row = 0; row < rows.count(); row++) {
      columns.put(row);
      numbers.put(row);
      writer.ended(1, RowColumns.bytes(rows, row, file.stringKeys(), file.valueType()));
    }
    columns.end();
    numbers.files.end();
  }

  private static void putQueries(FileWriter writer, Numbers numbers, List<QueryRow> queries)
      throws IOException {
    List<QueryColumn> columns =
        QueryLog.CURRENT.columns().stream()
            .map(column -> new QueryColumn(column, writer.at(column.name())))
            .toList();
    int number = 0;
    for (QueryRow query : queries) {
      int bytes = 0;
      for (QueryColumn column : columns) {
        bytes += column.put(query);
      }
      numbers.put(number++);
      writer.ended(1, bytes);
    }
    for (QueryColumn column : columns) {
      column.end();
    }
    numbers.files.end();
  }
}
