package io.tailrace.offline.postgres;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FileBatch;
import io.tailrace.parquet.FileBytes;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationIds;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;

/** Makes files of the streaming-insert bus, row by row, as another publisher would. */
final class RowFile {
  static final String ENVIRONMENT = "prod";

  private final String environment;
  private final Optional<ValueType> valueType;
  private final boolean stringKeys;
  private final Kind kind;
  private final MessageType schema;
  private final List<Group> rows = new ArrayList<>();
  private String operation = "op";

  private RowFile(
      String environment, Optional<ValueType> valueType, boolean stringKeys, Kind kind) {
    this.environment = environment;
    this.valueType = valueType;
    this.stringKeys = stringKeys;
    this.kind = kind;
    this.schema =
        kind == Kind.QUERIES
            ? io.tailrace.parquet.QueryLog.CURRENT.schema()
            : ObservationSchema.observations(stringKeys, valueType);
  }

  /** Begins a file of values of one type, whose keys are strings. */
  static RowFile of(ValueType type) {
    return of(ENVIRONMENT, type);
  }

  static RowFile of(String environment, ValueType type) {
    return new RowFile(environment, Optional.of(type), true, Kind.OBSERVATIONS);
  }

  static RowFile withIntegerKeys(ValueType type) {
    return new RowFile(ENVIRONMENT, Optional.of(type), false, Kind.OBSERVATIONS);
  }

  static RowFile ofDeletions() {
    return new RowFile(ENVIRONMENT, Optional.empty(), true, Kind.OBSERVATIONS);
  }

  static RowFile ofQueries() {
    return new RowFile(ENVIRONMENT, Optional.empty(), false, Kind.QUERIES);
  }

  /** Says of which operation the next rows are. */
  RowFile operation(String id) {
    operation = id;
    return this;
  }

  /** Adds a row; a null is a computed null. */
  RowFile row(String feature, Object key, long observedAt, Object value) {
    return row(feature, key, observedAt, value, "resolvers.get", "dep-1");
  }

  RowFile deletion(String feature, Object key, long observedAt) {
    return row(feature, key, observedAt, null, null, null);
  }

  RowFile row(
      String feature,
      Object key,
      long observedAt,
      Object value,
      String resolver,
      String deployment) {
    byte[] id =
        valueType.isEmpty()
            ? ObservationIds.ofDeletion(operation, feature, String.valueOf(key), observedAt)
            : ObservationIds.of(operation, feature, String.valueOf(key), observedAt);
    Group row = new SimpleGroup(schema);
    row.append("feature", feature);
    row.append("namespace", feature.substring(0, feature.lastIndexOf('.')));
    row.append("observation_id", Binary.fromConstantByteArray(id));
    if (stringKeys) {
      row.append("pkey", (String) key);
    } else {
      row.append("pkey", (long) key);
    }
    if (value != null) {
      append(row, value);
    }
    row.append("observed_at", observedAt);
    if (resolver != null) {
      row.append("resolver_fqn", resolver);
    }
    if (deployment != null) {
      row.append("deployment_id", deployment);
    }
    row.append("operation_id", operation);
    row.append("deleted", valueType.isEmpty());
    rows.add(row);
    return this;
  }

  private void append(Group row, Object value) {
    switch (valueType.orElseThrow()) {
      case INT64, TIMESTAMP -> row.append("value", (long) value);
      case DATE -> row.append("value", (int) value);
      case FLOAT64 -> row.append("value", (double) value);
      case BOOL -> row.append("value", (boolean) value);
      case STRING, JSON -> row.append("value", (String) value);
      case BYTES -> row.append("value", Binary.fromConstantByteArray((byte[]) value));
      case VECTOR -> {
        Group list = row.addGroup("value");
        for (float number : (float[]) value) {
          list.addGroup("list").append("element", number);
        }
      }
    }
  }

  /** Adds a row of the log of queries. */
  RowFile query(
      String operationId,
      long timestamp,
      Optional<Long> started,
      Map<String, String> texts,
      String... tables) {
    Group row = new SimpleGroup(schema);
    row.append("operation_id", operationId);
    row.append("environment_id", environment);
    row.append("operation_kind", "ONLINE_QUERY");
    row.append("query_status", "SUCCEEDED");
    row.append("query_timestamp", timestamp);
    started.ifPresent(time -> row.append("execution_started_at", (long) time));
    texts.forEach(row::append);
    Group list = row.addGroup("value_tables");
    for (String table : tables) {
      list.addGroup("list").append("element", table);
    }
    rows.add(row);
    return this;
  }

  /** Returns the file as the decoder of the bus's messages has it. */
  ObservationFile file() {
    Map<String, String> footer = new HashMap<>();
    footer.put(
        ObservationSchema.KIND,
        kind == Kind.QUERIES ? ObservationSchema.QUERIES : ObservationSchema.OBSERVATIONS);
    footer.put(ObservationSchema.ENVIRONMENT_ID, environment);
    footer.put(ObservationSchema.SCHEMA_VERSION, ObservationSchema.VERSION);
    valueType.ifPresent(type -> footer.put(ObservationSchema.VALUE_TYPE, type.name()));
    FileBytes bytes = new FileBytes(1 << 10);
    try {
      try (ParquetWriter<Group> writer =
          ExampleParquetWriter.builder(bytes)
              .withConf(new PlainParquetConfiguration())
              .withType(schema)
              .withExtraMetaData(footer)
              .build()) {
        for (Group row : rows) {
          writer.write(row);
        }
      }
      byte[] file = bytes.toByteArray();
      return FileDecoder.decode(
          BusMessage.of(file, Place.numbered("topic", 0, 0), MessageTime.ofBus(0)));
    } catch (IOException | InvalidMessageException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns a batch of this file alone. */
  FileBatch batch() {
    return batch(file());
  }

  /** Returns a batch of files that are alike, with all their features. */
  static FileBatch batch(ObservationFile... files) {
    SortedMap<Feature, String> tables = new TreeMap<>();
    for (ObservationFile file : files) {
      file.features().forEach(it -> tables.put(Feature.of(it), Feature.of(it).table()));
    }
    ObservationFile first = files[0];
    return new FileBatch(
        first.environment(),
        first.kind(),
        first.stringKeys(),
        first.valueType(),
        List.of(files),
        tables);
  }
}
