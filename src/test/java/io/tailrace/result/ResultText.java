package io.tailrace.result;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import io.tailrace.v1.QueryResult;
import java.util.HexFormat;
import java.util.List;

/**
 * Says everything that a result says, as text: once of our {@link Result} and once of protobuf's
 * own class, so that both can be compared. Values of rows that are null say nothing.
 */
final class ResultText {
  private final StringBuilder text = new StringBuilder();

  private ResultText() {}

  /** The texts of a result's head, however many the proto declares. */
  private static List<FieldDescriptor> texts() {
    return QueryResult.getDescriptor().getFields().stream()
        .filter(it -> it.getType() == FieldDescriptor.Type.STRING && !it.isRepeated())
        .toList();
  }

  static String of(Result result) {
    ResultText out = new ResultText();
    for (FieldDescriptor text : texts()) {
      out.line(text.getName(), result.text(text.getNumber()));
    }
    out.line("kind", result.operationKind());
    out.line("status", result.status());
    out.line("query_timestamp", result.queryTimestamp());
    out.line("execution_started_at", result.executionStartedAt());
    out.line("execution_finished_at", result.executionFinishedAt());
    out.line("part", result.part());
    out.line("parts", result.parts());
    out.line("publisher", result.publisherId());
    out.line("sequence", result.sequence());
    out.line("errors", result.errorCount());
    for (Frame frame : result.frames()) {
      out.line("frame", frame.namespace());
      out.keys(frame.keys());
      for (Column column : frame.columns()) {
        out.column(column, frame.rows());
      }
    }
    for (Deletion deletion : result.deletions()) {
      out.line("deletion", deletion.namespace());
      out.keys(deletion.keys());
      out.line("names", deletion.names());
      out.line("whole entities", deletion.wholeEntities());
      out.line("observed_at", deletion.observedAt());
    }
    return out.text.toString();
  }

  private void keys(PrimaryKeys keys) {
    line("keys", keys.count());
    for (int row = 0; row < keys.count(); row++) {
      line(keys.areStrings() ? "string" : "integer", keys.text(row));
      if (!keys.areStrings()) {
        line("number", keys.number(row));
      }
    }
  }

  private void column(Column column, int rows) {
    ColumnSpec spec = column.spec();
    line("column", spec.feature());
    line("name", spec.name());
    line("type", spec.type());
    line("resolver", spec.resolverFqn());
    line("origin", spec.origin());
    line("max_staleness", spec.maxStaleness());
    line("skip", spec.skipOnline() + " " + spec.skipOffline());
    line("nulls", spec.nullHandling());
    line("defaults", spec.defaultHandling());
    for (int row = 0; row < rows; row++) {
      line("at", column.observedAt(row));
      if (column.isNull(row)) {
        line("value", null);
      } else {
        value(column, row);
      }
    }
  }

  private void value(Column column, int row) {
    switch (column.spec().type()) {
      case INT64, TIMESTAMP, DATE -> line("value", column.int64(row));
      case FLOAT64 -> line("value", hex(column.float64(row)));
      case BOOL -> line("value", column.bool(row));
      case STRING, JSON -> line("value", column.text(row));
      case BYTES -> {
        byte[] bytes = new byte[column.length(row)];
        column.copyTo(row, bytes, 0);
        line("value", HexFormat.of().formatHex(bytes));
      }
      case VECTOR -> {
        for (int i = 0; i < column.dimension(); i++) {
          line("value", hex(column.vector(row, i)));
        }
      }
    }
  }

  static String of(QueryResult result) {
    ResultText out = new ResultText();
    for (FieldDescriptor text : texts()) {
      out.line(text.getName(), result.getField(text));
    }
    out.line("kind", result.getOperationKind());
    out.line("status", result.getStatus());
    out.line("query_timestamp", result.getQueryTimestamp());
    out.line("execution_started_at", result.getExecutionStartedAt());
    out.line("execution_finished_at", result.getExecutionFinishedAt());
    out.line("part", result.getPart());
    out.line("parts", Math.max(1, result.getParts()));
    out.line("publisher", result.getPublisherId());
    out.line("sequence", result.getSequence());
    out.line("errors", result.getErrorsCount());
    for (io.tailrace.v1.Frame frame : result.getFramesList()) {
      out.line("frame", frame.getNamespace());
      out.keys(frame.getStringKeysList(), frame.getInt64KeysList());
      int rows = frame.getStringKeysCount() + frame.getInt64KeysCount();
      for (io.tailrace.v1.Column column : frame.getColumnsList()) {
        out.column(column, frame.getNamespace(), rows);
      }
    }
    for (io.tailrace.v1.Deletion deletion : result.getDeletionsList()) {
      int prefix = deletion.getNamespace().length() + 1;
      out.line("deletion", deletion.getNamespace());
      out.keys(deletion.getStringKeysList(), deletion.getInt64KeysList());
      out.line("names", deletion.getFeaturesList().stream().map(f -> f.substring(prefix)).toList());
      out.line("whole entities", deletion.getFeaturesCount() == 0);
      out.line("observed_at", deletion.getObservedAt());
    }
    return out.text.toString();
  }

  private void keys(Iterable<String> strings, Iterable<Long> numbers) {
    int start = text.length();
    int count = 0;
    for (String key : strings) {
      line("string", key);
      count++;
    }
    for (Long key : numbers) {
      line("integer", key);
      line("number", key);
      count++;
    }
    text.insert(start, "keys: " + count + "\n");
  }

  private void column(io.tailrace.v1.Column column, String namespace, int rows) {
    line("column", column.getFeature());
    line("name", column.getFeature().substring(namespace.length() + 1));
    line("type", column.getType());
    line("resolver", column.getResolverFqn());
    line("origin", column.getOrigin());
    line("max_staleness", column.getMaxStaleness());
    line("skip", column.getSkipOnline() + " " + column.getSkipOffline());
    line(
        "nulls",
        switch (column.getCacheNulls()) {
          case CACHE_NULLS_UNSPECIFIED, WRITE_NULLS -> "WRITE";
          case SKIP_NULLS -> "SKIP";
          case EVICT_NULLS -> "EVICT";
          case UNRECOGNIZED -> "?";
        });
    line(
        "defaults",
        switch (column.getCacheDefaults()) {
          case CACHE_DEFAULTS_UNSPECIFIED, SKIP_DEFAULTS -> "SKIP";
          case WRITE_DEFAULTS -> "WRITE";
          case EVICT_DEFAULTS -> "EVICT";
          case UNRECOGNIZED -> "?";
        });
    for (int row = 0; row < rows; row++) {
      line("at", column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row));
      if (isNull(column.getNulls(), row)) {
        line("value", null);
      } else {
        value(column, row);
      }
    }
  }

  private static boolean isNull(ByteString nulls, int row) {
    return row / 8 < nulls.size() && (nulls.byteAt(row / 8) & 1 << row % 8) != 0;
  }

  private void value(io.tailrace.v1.Column column, int row) {
    switch (column.getType()) {
      case INT64 -> line("value", column.getInt64Values(row));
      case FLOAT64 -> line("value", hex(column.getFloat64Values(row)));
      case BOOL -> line("value", column.getBoolValues(row));
      case STRING -> line("value", column.getStringValues(row));
      case BYTES ->
          line("value", HexFormat.of().formatHex(column.getBytesValues(row).toByteArray()));
      case TIMESTAMP -> line("value", column.getTimestampValues(row));
      case DATE -> line("value", column.getDateValues(row));
      case VECTOR -> {
        int dimension = column.getVectorDimension();
        for (int i = 0; i < dimension; i++) {
          line("value", hex(column.getVectorValues(row * dimension + i)));
        }
      }
      case JSON -> line("value", column.getJsonValues(row));
      default -> throw new AssertionError(column.getType());
    }
  }

  private static String hex(double number) {
    return Long.toHexString(Double.doubleToRawLongBits(number));
  }

  private static String hex(float number) {
    return Integer.toHexString(Float.floatToRawIntBits(number));
  }

  private void line(String name, Object value) {
    text.append(name).append(": ").append(value).append('\n');
  }
}
