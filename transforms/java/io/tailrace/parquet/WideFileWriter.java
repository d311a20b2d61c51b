package io.tailrace.parquet;

import io.tailrace.endpoint.Micros;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.checkerframework.checker.nullness.qual.Nullable;

/**
 * Writes a wide file into memory: a row for each entity (and time), a column for each feature. Page
 * checksums, one row group. Not thread-safe; close it.
 */
public final class WideFileWriter implements AutoCloseable {
  private final WideMapping mapping;
  private final boolean stringKeys;
  private final PageCompression compression;
  private final FileWriter file;
  private int rows;
  private long bytes;

  /**
   * Begins a file.
   *
   * @param mapping whose features have a column each
   * @param stringKeys whether primary keys are strings; otherwise they are integers
   * @param codec how it is compressed
   */
  public WideFileWriter(WideMapping mapping, boolean stringKeys, CompressionCodecName codec)
      throws IOException {
    this.compression = new PageCompression(codec);
    this.mapping = mapping;
    this.stringKeys = stringKeys;
    List<Type> columns = WideFile.expected(mapping, stringKeys);
    if (mapping.columns().size() < columns.size()) {
      throw new IllegalArgumentException("two of " + mapping.columns() + " have one column");
    }
    this.file = new FileWriter(compression, new MessageType("results", columns));
  }

  /** Returns how many rows it has so far. */
  public int rows() {
    return rows;
  }

  /** Returns about how many bytes they take, before compression. */
  public long bytes() {
    return bytes;
  }

  /**
   * Adds a row.
   *
   * @param key a text, or an integer
   * @param observedAt microseconds since the epoch; of no meaning where all rows have one time
   * @param values of the features, in the mapping's order: a Long, Double, Boolean, String, byte[],
   *     Instant, LocalDate, float[], or the text of JSON; null: none
   * @throws IllegalArgumentException if a value is not of its feature's type
   */
  public void add(Object key, long observedAt, List<? extends @Nullable Object> values)
      throws IOException {
    if (values.size() != mapping.features().size()) {
      throw new IllegalArgumentException(
          values.size() + " values of " + mapping.features().size() + " features");
    }
    List<@Nullable Object> checked = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      checked.add(checked(mapping.features().get(i), values.get(i)));
    }
    if (!(stringKeys ? key instanceof String : key instanceof Long)) {
      throw new IllegalArgumentException(
          "the key " + key + " is no " + (stringKeys ? "String" : "Long"));
    }
    long before = bytes;
    ColumnPages keys = file.at(mapping.keyColumn());
    if (key instanceof Long number) {
      keys.putLong(number);
      bytes += Long.BYTES;
    } else {
      putText(keys, (String) key);
    }
    keys.plainRows(1);
    if (mapping.time().named().isPresent()) {
      ColumnPages times = file.at(mapping.time().column());
      times.putCounted(observedAt);
      times.plainRows(1);
      bytes += Long.BYTES;
    }
    for (int i = 0; i < checked.size(); i++) {
      FeatureColumn feature = mapping.features().get(i);
      put(file.at(feature.column()), feature.kind().type(), checked.get(i));
    }
    rows++;
    file.ended(1, (int) Math.min(Integer.MAX_VALUE, bytes - before));
  }

  private static @Nullable Object checked(FeatureColumn feature, @Nullable Object value) {
    if (value == null) {
      return null;
    }
    boolean isRight =
        switch (feature.kind().type()) {
          case INT64 -> value instanceof Long;
          case FLOAT64 -> value instanceof Double;
          case BOOL -> value instanceof Boolean;
          case STRING, JSON -> value instanceof String;
          case BYTES -> value instanceof byte[];
          case TIMESTAMP -> value instanceof Instant;
          case DATE -> value instanceof LocalDate;
          case VECTOR -> value instanceof float[];
        };
    if (!isRight) {
      throw new IllegalArgumentException(
          "the value of "
              + feature.feature()
              + " is a "
              + value.getClass().getSimpleName()
              + ", and its type "
              + feature.kind().type());
    }
    return value;
  }

  private void put(ColumnPages column, ValueType type, @Nullable Object value) throws IOException {
    if (value == null) {
      column.row(0);
      return;
    }
    if (value instanceof float[] vector) {
      column.row(vector.length == 0 ? 1 : 2);
      for (int i = 0; i < vector.length; i++) {
        if (i > 0) {
          column.element(2);
        }
        column.putNumber(vector[i]);
      }
      bytes += (long) Float.BYTES * vector.length;
      return;
    }
    column.row(1);
    bytes += Long.BYTES;
    switch (type) {
      case INT64 -> column.putLong((Long) value);
      case FLOAT64 -> column.putNumber((Double) value);
      case BOOL -> column.putBoolean((Boolean) value);
      case TIMESTAMP -> column.putLong(Micros.of((Instant) value));
      case DATE -> column.putInt(Math.toIntExact(((LocalDate) value).toEpochDay()));
      case BYTES -> {
        byte[] source = (byte[]) value;
        column.putBytes(source, 0, source.length);
        bytes += source.length;
      }
      default -> putText(column, Objects.toString(value));
    }
  }

  private void putText(ColumnPages column, String text) {
    byte[] source = text.getBytes(StandardCharsets.UTF_8);
    column.putBytes(source, 0, source.length);
    bytes += source.length;
  }

  /** Returns the file with some texts in its footer; nothing is added after that. */
  public byte[] finish(Map<String, String> footer) throws IOException {
    return file.finish(footer);
  }

  @Override
  public void close() throws IOException {
    file.close();
    compression.close();
  }
}
