package io.tailrace.parquet;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/**
 * A Parquet file of any size that somebody else wrote, of which the footer is read, and of the rest
 * what is asked for, a row group at a time. Not thread-safe; closes its channel.
 */
public final class WideFile implements AutoCloseable {
  /** Whoever looks through whole columns: files are checked many at a time. */
  private static final Object ONE_AT_A_TIME = new Object();

  private final SeekableByteChannel channel;
  private final FileStructure structure;
  private final RowGroups groups;

  private WideFile(SeekableByteChannel channel, FileStructure structure, long footerStart) {
    this.channel = channel;
    this.structure = structure;
    this.groups = new RowGroups(channel, structure, footerStart);
  }

  /**
   * How the columns of a mapping are in a file.
   *
   * @param stringKeys whether primary keys are strings
   * @param empty names of columns that have another type and nothing in them
   * @param exact names of columns whose type can hold nothing that is not taken as it is, whoever
   *     reads it; of others each value is to be looked at
   * @param types the columns' types, in words
   * @param layout all columns of the file
   */
  public record Checked(
      boolean stringKeys, Set<String> empty, Set<String> exact, String types, WideLayout layout) {}

  /**
   * Reads the footer of a file; where it can't, it closes the channel.
   *
   * @throws InvalidMessageException if it is not a Parquet file, or not whole
   * @throws IOException if it can't be read now
   */
  public static WideFile open(SeekableByteChannel channel)
      throws IOException, InvalidMessageException {
    try {
      return read(channel);
    } catch (Throwable e) {
      // In a bucket it is one of few connections, which nobody else gives back.
      try {
        channel.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private static WideFile read(SeekableByteChannel channel)
      throws IOException, InvalidMessageException {
    long size = channel.size();
    if (size < 12) {
      throw undecodable("it is not a Parquet file: it has " + size + " bytes");
    }
    byte[] end = RowGroups.read(channel, size - 8, 8);
    byte[] start = RowGroups.read(channel, 0, 4);
    int length = ByteBuffer.wrap(end).order(ByteOrder.LITTLE_ENDIAN).getInt();
    if (!isMagic(start, 0) || !isMagic(end, 4)) {
      throw undecodable(
          isMagic(start, 0)
              ? "it begins as a Parquet file and does not end as one: it is cut off"
              : "it is not a Parquet file: it does not begin and end with PAR1");
    }
    if (length <= 0 || length > size - 12) {
      throw undecodable("the Parquet file says its footer has " + length + " bytes");
    }
    if (length > FileStructure.MAX_DECOMPRESSED_BYTES / 16) {
      throw new InvalidMessageException(
          Reason.TOO_LARGE, "", "the footer of the Parquet file has " + length + " bytes");
    }
    ByteArrayOutputStream footer = new ByteArrayOutputStream(length + 12);
    footer.write(RowGroups.MAGIC, 0, 4);
    footer.write(RowGroups.read(channel, size - 8 - length, length), 0, length);
    footer.write(end, 0, 8);
    return new WideFile(channel, FileStructure.of(footer.toByteArray()), size - 8 - length);
  }

  private static boolean isMagic(byte[] bytes, int at) {
    return bytes[at] == RowGroups.MAGIC[0]
        && bytes[at + 1] == RowGroups.MAGIC[1]
        && bytes[at + 2] == RowGroups.MAGIC[2]
        && bytes[at + 3] == RowGroups.MAGIC[3];
  }

  /** Returns the texts in the footer. */
  public Map<String, String> texts() {
    return structure.texts();
  }

  /** Returns the number of rows. */
  public long rows() {
    return structure.footer().getNum_rows();
  }

  /** Returns the number of row groups. */
  public int rowGroups() {
    return structure.footer().getRow_groupsSize();
  }

  /** Returns the row groups. */
  RowGroups groups() {
    return groups;
  }

  /**
   * Looks at the columns that a mapping names.
   *
   * @throws InvalidMessageException if one is missing, or has a type that can't be read exactly
   */
  public Checked check(WideMapping mapping) throws InvalidMessageException, IOException {
    Set<String> wanted = mapping.columns();
    groups.check(wanted);
    try (FileColumns file = new FileColumns(groups.schema(wanted))) {
      String key = mapping.keyColumn();
      if (!file.has(key)) {
        throw missing(key, "the primary keys");
      }
      boolean stringKeys = isText(file.schema().getType(key));
      for (WideMapping.FeatureColumn feature : mapping.features()) {
        if (!file.has(feature.column())) {
          throw missing(feature.column(), "the feature " + feature.feature());
        }
      }
      if (mapping.time().named().isPresent() && !file.has(mapping.time().column())) {
        throw missing(mapping.time().column(), "the times of observation");
      }
      Map<String, Type> other = new ColumnTypes(file).checkAll(expected(mapping, stringKeys));
      for (String column : other.keySet()) {
        if (!isAllNull(column)) {
          throw new InvalidMessageException(
              Reason.UNKNOWN_TYPE,
              column,
              "column '"
                  + column
                  + "' is '"
                  + oneLine(file.schema().getType(column))
                  + "', which can't be read as '"
                  + oneLine(requireNonNull(other.get(column)))
                  + "'");
        }
      }
      StringBuilder types = new StringBuilder();
      Set<String> exact = new HashSet<>();
      for (String column : wanted) {
        Type type = file.schema().getType(column);
        types.append(oneLine(type)).append('\n');
        if (!other.containsKey(column) && isExact(type)) {
          exact.add(column);
        }
      }
      return new Checked(
          stringKeys, Set.copyOf(other.keySet()), Set.copyOf(exact), types.toString(), layout());
    } catch (RuntimeException e) {
      throw undecodable("the Parquet file can't be read: " + e.getMessage());
    }
  }

  private WideLayout layout() throws InvalidMessageException {
    FileMetaData all = structure.footer();
    Set<String> codecs = new HashSet<>();
    for (RowGroup group : all.getRow_groups()) {
      for (ColumnChunk chunk : group.getColumns()) {
        CompressionCodec codec = chunk.getMeta_data().getCodec();
        codecs.add(codec == null ? "UNKNOWN" : codec.name());
      }
    }
    return WideLayout.of(all.getSchema(), codecs);
  }

  /** Nanoseconds may be no whole microseconds, and unsigned numbers too great; others read so. */
  private static boolean isExact(Type type) {
    if (!type.isPrimitive()) {
      return true;
    }
    PrimitiveType primitive = type.asPrimitiveType();
    return switch (NumberType.of(primitive)) {
      case BOOLEAN, INT32, UNSIGNED_INT32 -> true;
      case INT64 -> primitive.getPrimitiveTypeName() != PrimitiveTypeName.FIXED_LEN_BYTE_ARRAY;
      case UNSIGNED_INT64, MILLIS, NANOS, INT96 -> false;
    };
  }

  private static String oneLine(Type type) {
    return type.toString().replaceAll("\\s+", " ");
  }

  private InvalidMessageException missing(String column, String what) {
    return new InvalidMessageException(
        Reason.MISSING_FIELD,
        column,
        "the file has no column '"
            + column
            + "' for "
            + what
            + "; it has "
            + String.join(", ", topColumns()));
  }

  private List<String> topColumns() {
    List<String> names = new ArrayList<>();
    for (int at = 1, of = structure.footer().getSchemaSize(); at < of && names.size() < 20; at++) {
      names.add(structure.footer().getSchema().get(at).getName());
    }
    return names;
  }

  /** Returns the columns as they should be: of one that two features want, it is there twice. */
  static List<Type> expected(WideMapping mapping, boolean stringKeys) {
    List<Type> columns = new ArrayList<>();
    columns.add(
        stringKeys
            ? Types.required(PrimitiveTypeName.BINARY)
                .as(LogicalTypeAnnotation.stringType())
                .named(mapping.keyColumn())
            : Types.required(PrimitiveTypeName.INT64).named(mapping.keyColumn()));
    mapping
        .time()
        .named()
        .ifPresent(
            name ->
                columns.add(
                    Types.required(PrimitiveTypeName.INT64)
                        .as(
                            LogicalTypeAnnotation.timestampType(
                                true, LogicalTypeAnnotation.TimeUnit.MICROS))
                        .named(name)));
    for (WideMapping.FeatureColumn feature : mapping.features()) {
      columns.add(ObservationSchema.value(feature.kind().type(), feature.column()));
    }
    return columns;
  }

  private static boolean isText(Type type) {
    return type.isPrimitive()
        && type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveType.PrimitiveTypeName.BINARY;
  }

  /** A column of a wrong type may be large: that it has values is seldom to be looked up. */
  private boolean isAllNull(String column) throws IOException, InvalidMessageException {
    if (groups.saysItHasValues(column)) {
      return false;
    }
    synchronized (ONE_AT_A_TIME) {
      try (MemoryBudget.Share memory = MemoryBudget.ofProcess().share()) {
        for (int group = 0; group < rowGroups(); group++) {
          if (groups.rows(group) > 0) {
            byte[] bytes = groups.read(group, Set.of(column)).file();
            memory.hold(2L * bytes.length);
            try (FileColumns file = new FileColumns(bytes)) {
              if (!file.isAllNull(column)) {
                return false;
              }
            }
          }
        }
      }
    }
    return true;
  }

  private static InvalidMessageException undecodable(String message) {
    return new InvalidMessageException(Reason.UNDECODABLE, "", message);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
