package io.tailrace.parquet;

import static java.util.Objects.requireNonNull;

import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.Column;
import io.tailrace.result.PrimaryKeys;
import io.tailrace.result.Result;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Encodes rows as a Parquet file of the {@link ObservationSchema}: one row group, ZSTD, page
 * checksums, statistics on times. Not thread-safe; close it.
 */
public final class ObservationEncoder implements AutoCloseable {
  /** What all rows of a result have in common. */
  public static final class Operation {
    public final Result result;
    final byte[] id;
    final String deployment;
    // Bytes of the result: no value in it has more.
    final int size;
    // Its place in the dictionary of the file that is being written.
    private int index;
    private @Nullable Object file;

    public Operation(Result result) {
      this.result = result;
      id = result.operationId().getBytes(StandardCharsets.UTF_8);
      deployment = result.deploymentId();
      size = result.message().payload().length;
    }
  }

  /**
   * A feature that rows are of.
   *
   * @param namespace its namespace
   * @param name fully qualified; ends with a dot for the entities themselves
   * @param bytes the name as UTF-8
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Feature(String namespace, String name, byte[] bytes) {}

  /**
   * What a run says of its entities: values, or that they were deleted.
   *
   * @param column the values; absent: deletions
   * @param deletedAt when they were deleted, if they were
   */
  public record Content(@Nullable Column column, long deletedAt) {
    /** Returns that entities have values. */
    public static Content of(Column values) {
      return new Content(values, 0);
    }

    /** Returns that entities were deleted. */
    public static Content deleted(long at) {
      return new Content(null, at);
    }

    long observedAt(int row) {
      return column == null ? deletedAt : column.observedAt(row);
    }

    String resolver() {
      return column == null ? "" : column.spec().resolverFqn();
    }
  }

  /**
   * Rows of one feature that come from one result.
   *
   * @param rows which rows of the keys are meant; absent: all
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Run(
      Feature feature,
      Operation operation,
      PrimaryKeys keys,
      Content content,
      int @Nullable [] rows) {

    public int count() {
      return rows == null ? keys.count() : rows.length;
    }

    public int row(int i) {
      return rows == null ? i : rows[i];
    }

    /** Returns the same for some of its rows, from one to before another. */
    public Run part(int from, int to) {
      int[] some = new int[to - from];
      for (int i = from; i < to; i++) {
        some[i - from] = row(i);
      }
      return new Run(feature, operation, keys, content, some);
    }
  }

  /**
   * A row of the log of queries.
   *
   * @param result the execution, or a part of it
   * @param tables the tables that hold its values
   */
  public record Query(Result result, List<String> tables) {}

  private final PageCompression compression = new PageCompression();
  private final ObservationIds ids = new ObservationIds();
  private final QueryLog log;

  /** Creates one for the columns that this version knows. */
  public ObservationEncoder() {
    this(QueryLog.CURRENT);
  }

  /** Creates one for other columns of the log of queries. */
  public ObservationEncoder(QueryLog log) {
    this.log = log;
  }

  /**
   * Encodes observations, or deletions where the value type is empty.
   *
   * @param runs sorted by feature; the keys of all are strings or of all integers
   * @param publishedFrom when the oldest of their results was published
   */
  public byte[] observations(
      String environment,
      boolean stringKeys,
      Optional<ValueType> valueType,
      List<Run> runs,
      long publishedFrom)
      throws IOException {
    FileFooter footer = new FileFooter(Kind.OBSERVATIONS, environment, valueType, publishedFrom);
    try (FileWriter file =
        new FileWriter(compression, ObservationSchema.observations(stringKeys, valueType))) {
      TextDictionary features = new TextDictionary(file.at(ObservationSchema.FEATURE));
      TextDictionary namespaces = new TextDictionary(file.at(ObservationSchema.NAMESPACE));
      TextDictionary resolvers = new TextDictionary(file.at(ObservationSchema.RESOLVER_FQN));
      TextDictionary deployments = new TextDictionary(file.at(ObservationSchema.DEPLOYMENT_ID));
      ColumnPages operations = file.at(ObservationSchema.OPERATION_ID);
      ColumnPages deleted = file.at(ObservationSchema.DELETED);
      KeyColumns keys =
          new KeyColumns(
              file.at(ObservationSchema.OBSERVATION_ID),
              file.at(ObservationSchema.PKEY),
              file.at(ObservationSchema.OBSERVED_AT),
              stringKeys);
      Optional<ColumnPages> values = valueType.map(type -> file.at(ObservationSchema.VALUE));
      List<byte[]> operationIds = new ArrayList<>();
      for (Run run : runs) {
        int count = run.count();
        features.putRequired(run.feature.name, count);
        namespaces.putRequired(run.feature.namespace, count);
        writeKeys(keys, run);
        if (values.isPresent()) {
          writeValues(values.get(), valueType.orElseThrow(), run);
        }
        resolvers.putOptional(run.content.resolver(), count);
        deployments.putOptional(run.operation.deployment, count);
        if (run.operation.file != file) {
          run.operation.file = file;
          run.operation.index = operationIds.size();
          operationIds.add(run.operation.id);
        }
        operations.plainRows(count);
        operations.putIndex(run.operation.index, count);
        deleted.plainRows(count);
        for (int i = 0; i < count; i++) {
          deleted.putBoolean(run.content.column == null);
        }
        file.ended(count, run.operation.size);
      }
      features.end();
      namespaces.end();
      resolvers.end();
      deployments.end();
      operations.writeDictionary(operationIds);
      return file.finish(footer.texts());
    }
  }

  /** The columns that every observation's key and time go to. */
  private record KeyColumns(
      ColumnPages ids, ColumnPages keys, ColumnPages times, boolean stringKeys) {}

  private void writeKeys(KeyColumns columns, Run run) {
    int count = run.count();
    if (run.content.column == null) {
      ids.beginDeletions(run.operation.id, run.feature.bytes);
    } else {
      ids.begin(run.operation.id, run.feature.bytes);
    }
    for (int i = 0; i < count; i++) {
      int row = run.row(i);
      long observedAt = run.content.observedAt(row);
      byte[] room = columns.ids.room(ObservationIds.LENGTH);
      int at = columns.ids.skip(ObservationIds.LENGTH);
      if (columns.stringKeys) {
        byte[] source = run.keys.source();
        int start = run.keys.start(row);
        int length = run.keys.length(row);
        ids.compute(source, start, length, observedAt, room, at);
        columns.keys.putBytes(source, start, length);
      } else {
        long key = run.keys.number(row);
        ids.compute(key, observedAt, room, at);
        columns.keys.putLong(key);
      }
      columns.times.putCounted(observedAt);
    }
    columns.ids.plainRows(count);
    columns.keys.plainRows(count);
    columns.times.plainRows(count);
  }

  private static void writeValues(ColumnPages values, ValueType type, Run run) throws IOException {
    Column column = requireNonNull(run.content.column);
    int count = run.count();
    for (int i = 0; i < count; i++) {
      int row = run.row(i);
      if (column.isNull(row)) {
        values.row(0);
        continue;
      }
      if (type == ValueType.VECTOR) {
        writeVector(values, column, row);
        continue;
      }
      values.row(1);
      switch (type) {
        case INT64, TIMESTAMP -> values.putLong(column.int64(row));
        case DATE -> values.putInt((int) column.int64(row));
        case FLOAT64 -> values.putNumber(column.float64(row));
        case BOOL -> values.putBoolean(column.bool(row));
        default -> values.putBytes(column.source(), column.start(row), column.length(row));
      }
    }
  }

  private static void writeVector(ColumnPages values, Column column, int row) throws IOException {
    int dimension = column.dimension();
    // Level 1 is a list without elements, 2 one with.
    values.row(dimension == 0 ? 1 : 2);
    for (int i = 0; i < dimension; i++) {
      if (i > 0) {
        values.element(2);
      }
      values.putNumber(column.vector(row, i));
    }
  }

  /**
   * Encodes rows of the log of queries.
   *
   * @param publishedFrom when the oldest of the results was published
   */
  public byte[] queries(String environment, List<Query> queries, long publishedFrom)
      throws IOException {
    try (FileWriter file = new FileWriter(compression, log.schema())) {
      List<QueryColumn> columns = columns(file);
      for (Query query : queries) {
        for (QueryColumn column : columns) {
          column.put(query);
        }
        file.ended(1, query.result.message().payload().length);
      }
      for (QueryColumn column : columns) {
        column.end();
      }
      FileFooter footer =
          new FileFooter(Kind.QUERIES, environment, Optional.empty(), publishedFrom);
      return file.finish(footer.texts());
    }
  }

  /** Encodes rows of the log of queries that were decoded, in their order. */
  byte[] queryRows(FileFooter footer, List<QueryRow> rows) throws IOException {
    try (FileWriter file = new FileWriter(compression, log.schema())) {
      List<QueryColumn> columns = columns(file);
      for (QueryRow row : rows) {
        int bytes = 0;
        for (QueryColumn column : columns) {
          bytes += column.put(row);
        }
        file.ended(1, bytes);
      }
      for (QueryColumn column : columns) {
        column.end();
      }
      return file.finish(footer.texts());
    }
  }

  private List<QueryColumn> columns(FileWriter file) {
    List<QueryColumn> columns = new ArrayList<>();
    for (QueryLog.Column column : log.columns()) {
      columns.add(new QueryColumn(column, file.at(column.name())));
    }
    return columns;
  }

  @Override
  public void close() {
    compression.close();
  }
}
