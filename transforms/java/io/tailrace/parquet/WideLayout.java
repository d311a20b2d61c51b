package io.tailrace.parquet;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.converter.ParquetMetadataConverter;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DateLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.JsonLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/**
 * The columns that a wide file has, all of them in their order, and how they are compressed: what a
 * store must be told that reads the file itself. Immutable.
 *
 * @param codecs the names of the compressions, such as {@code SNAPPY}
 */
public record WideLayout(List<Found> columns, Set<String> codecs) {
  /** Copies the collections. */
  public WideLayout {
    columns = ImmutableList.copyOf(columns);
    codecs = ImmutableSet.copyOf(codecs);
  }

  /** What a column has, where every reader of Parquet means the same by it. */
  public enum Form {
    BOOLEAN,
    /** With a sign. */
    INT32,
    /** With a sign. */
    INT64,
    FLOAT,
    DOUBLE,
    /** UTF-8. */
    TEXT,
    BYTES,
    /** Texts that say they are JSON. */
    JSON,
    /** Microseconds, adjusted to UTC. */
    TIMESTAMP,
    DATE,
    /** A list. */
    FLOATS,
    /** Whatever else there is. */
    OTHER
  }

  /** A column. */
  public record Found(String name, Form form) {}

  /**
   * Looks at a schema.
   *
   * @param schema its elements, each before those that it consists of
   */
  static WideLayout of(List<SchemaElement> schema, Set<String> codecs)
      throws InvalidMessageException {
    List<Found> columns = new ArrayList<>();
    for (int at = 1; at < schema.size(); ) {
      int end = FileStructure.endOf(schema, at, 0);
      columns.add(new Found(schema.get(at).getName(), form(schema.subList(at, end))));
      at = end;
    }
    return new WideLayout(columns, codecs);
  }

  /** Returns what a column has, which may be of a type that no library knows. */
  private static Form form(List<SchemaElement> column) {
    List<SchemaElement> alone = new ArrayList<>();
    alone.add(new SchemaElement("alone").setNum_children(1));
    alone.addAll(column);
    try {
      return form(
          new ParquetMetadataConverter()
              .fromParquetMetadata(new FileMetaData(1, alone, 0, List.of()))
              .getFileMetaData()
              .getSchema()
              .getType(0));
    } catch (IOException | RuntimeException e) {
      return Form.OTHER;
    }
  }

  /** Returns what a column has. */
  public Form form(String name) {
    return columns.stream()
        .filter(column -> column.name.equals(name))
        .map(Found::form)
        .findFirst()
        .orElse(Form.OTHER);
  }

  /** Returns whether two columns are called the same by whoever does not tell capitals apart. */
  public boolean hasTwins() {
    Set<String> names = new HashSet<>();
    return !columns.stream().allMatch(column -> names.add(column.name.toLowerCase(Locale.ROOT)));
  }

  private static Form form(Type type) {
    if (type.isRepetition(Type.Repetition.REPEATED)) {
      return Form.OTHER;
    }
    if (!type.isPrimitive()) {
      return isListOfFloats(type.asGroupType()) ? Form.FLOATS : Form.OTHER;
    }
    PrimitiveType primitive = type.asPrimitiveType();
    LogicalTypeAnnotation logical = primitive.getLogicalTypeAnnotation();
    return switch (primitive.getPrimitiveTypeName()) {
      case BOOLEAN -> Form.BOOLEAN;
      case FLOAT -> Form.FLOAT;
      case DOUBLE -> Form.DOUBLE;
      case INT32 ->
          logical instanceof DateLogicalTypeAnnotation
              ? Form.DATE
              : isInteger(logical) ? Form.INT32 : Form.OTHER;
      case INT64 ->
          logical instanceof TimestampLogicalTypeAnnotation time
              ? time.isAdjustedToUTC() && time.getUnit() == TimeUnit.MICROS
                  ? Form.TIMESTAMP
                  : Form.OTHER
              : isInteger(logical) ? Form.INT64 : Form.OTHER;
      case BINARY ->
          logical instanceof StringLogicalTypeAnnotation
              ? Form.TEXT
              : logical instanceof JsonLogicalTypeAnnotation
                  ? Form.JSON
                  : logical == null ? Form.BYTES : Form.OTHER;
      case INT96, FIXED_LEN_BYTE_ARRAY -> Form.OTHER;
    };
  }

  private static boolean isInteger(LogicalTypeAnnotation logical) {
    return logical == null || (logical instanceof IntLogicalTypeAnnotation it && it.isSigned());
  }

  private static boolean isListOfFloats(GroupType list) {
    if (!(list.getLogicalTypeAnnotation() instanceof ListLogicalTypeAnnotation)
        || list.getFieldCount() != 1
        || list.getType(0).isPrimitive()) {
      return false;
    }
    GroupType repeated = list.getType(0).asGroupType();
    return repeated.getFieldCount() == 1
        && repeated.getType(0).isPrimitive()
        && repeated.getType(0).asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.FLOAT;
  }
}
