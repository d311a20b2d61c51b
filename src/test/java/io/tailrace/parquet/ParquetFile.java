package io.tailrace.parquet;

import io.tailrace.offline.BundleEncoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/**
 * A file that Parquet's own writer makes, of any schema, as Spark and others write theirs. Not
 * thread-safe.
 */
final class ParquetFile {
  private final MessageType schema;
  private final Map<String, String> footer = new TreeMap<>();
  private final List<Group> rows = new ArrayList<>();
  private CompressionCodecName codec = CompressionCodecName.SNAPPY;
  private boolean dictionary = true;
  private long rowGroupBytes = ParquetWriter.DEFAULT_BLOCK_SIZE;

  /**
   * Begins a file of observations.
   *
   * @param columns its schema, column by column, in Parquet's words
   */
  ParquetFile(String valueType, String... columns) {
    this(parsed(columns), valueType);
  }

  /** Begins a file of observations with a schema. */
  static ParquetFile of(MessageType schema, String valueType) {
    return new ParquetFile(schema, valueType);
  }

  private static MessageType parsed(String... columns) {
    StringBuilder text = new StringBuilder("message spark_schema {");
    for (String column : columns) {
      text.append(column).append(column.endsWith("}") ? " " : "; ");
    }
    return MessageTypeParser.parseMessageType(text.append("}").toString());
  }

  private ParquetFile(MessageType schema, String valueType) {
    this.schema = schema;
    footer.put("tailrace.kind", "observations");
    footer.put("tailrace.environment_id", ForeignFile.ENVIRONMENT);
    footer.put("tailrace.schema_version", "1");
    if (!valueType.isEmpty()) {
      footer.put("tailrace.value_type", valueType);
    }
  }

  ParquetFile compressed(CompressionCodecName with) {
    codec = with;
    return this;
  }

  ParquetFile withoutDictionary() {
    dictionary = false;
    return this;
  }

  /** Ends a row group at about so many bytes, which is looked at every few rows. */
  ParquetFile rowGroups(long bytes) {
    rowGroupBytes = bytes;
    return this;
  }

  ParquetFile text(String key, String value) {
    footer.put(key, value);
    return this;
  }

  ParquetFile row(Consumer<Group> values) {
    Group row = new SimpleGroup(schema);
    values.accept(row);
    rows.add(row);
    return this;
  }

  MessageType schema() {
    return schema;
  }

  byte[] bytes() throws IOException {
    FileBytes bytes = new FileBytes(0);
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(bytes)
            .withConf(new PlainParquetConfiguration())
            .withType(schema)
            .withCompressionCodec(codec)
            .withDictionaryEncoding(dictionary)
            .withRowGroupSize(rowGroupBytes)
            .withMinRowCountForPageSizeCheck(1)
            .withExtraMetaData(footer)
            .build()) {
      for (Group row : rows) {
        writer.write(row);
      }
    }
    return bytes.toByteArray();
  }

  ObservationFile file() throws Exception {
    return FileDecoder.decode(BundleEncoder.message(bytes()));
  }
}
