package io.tailrace.parquet;

import com.google.protobuf.ByteString;
import io.tailrace.result.ValueType;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheDefaults;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Says everything that a row of a file says, as text: once of our {@link ObservationFile}, once of
 * protobuf's own classes, so that both can be compared.
 */
public final class FileRows {
  private FileRows() {}

  public static String row(
      String feature,
      String id,
      String key,
      String value,
      long observedAt,
      String resolver,
      String deployment,
      String operation,
      boolean deleted) {
    return String.join(
        " | ",
        feature,
        id,
        key,
        value,
        Long.toString(observedAt),
        resolver,
        deployment,
        operation,
        Boolean.toString(deleted));
  }

  /** Returns the rows of a file of observations, in its order. */
  public static List<String> of(ObservationFile file) throws IOException {
    ObservationRows rows = file.rows();
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < rows.count(); i++) {
      byte[] id = new byte[ObservationIds.LENGTH];
      rows.id(i).get(id);
      texts.add(
          row(
              rows.feature(i),
              hex(id),
              file.stringKeys() ? utf8(rows.stringKey(i)) : Long.toString(rows.integerKey(i)),
              rows.hasValue(i) ? value(file.valueType().orElseThrow(), rows, i) : "null",
              rows.observedAt(i),
              utf8(rows.resolverFqn(i)),
              utf8(rows.deploymentId(i)),
              utf8(rows.operationId(i)),
              rows.isDeleted(i)));
    }
    return texts;
  }

  private static String value(ValueType type, ObservationRows rows, int row) {
    return switch (type) {
      case INT64, TIMESTAMP, DATE, BOOL -> Long.toString(rows.number(row));
      case FLOAT64 -> Long.toHexString(Double.doubleToRawLongBits(rows.float64(row)));
      case STRING, BYTES, JSON, VECTOR -> hex(rows.bytes(row));
    };
  }

  /** Returns the rows that a result is to become. */
  public static List<String> of(QueryResult result) {
    List<String> texts = new ArrayList<>();
    for (Frame frame : result.getFramesList()) {
      for (Column column : frame.getColumnsList()) {
        boolean isKept =
            column.getOrigin() == Origin.COMPUTED
                || (column.getOrigin() == Origin.DEFAULT
                    && column.getCacheDefaults() == CacheDefaults.WRITE_DEFAULTS);
        if (isKept && !column.getSkipOffline()) {
          addRows(result, frame, column, texts);
        }
      }
    }
    for (Deletion deletion : result.getDeletionsList()) {
      List<String> features =
          deletion.getFeaturesCount() == 0
              ? List.of(deletion.getNamespace() + ".")
              : deletion.getFeaturesList();
      for (String feature : features) {
        for (String key : keys(deletion.getStringKeysList(), deletion.getInt64KeysList())) {
          texts.add(row(result, feature, key, "null", deletion.getObservedAt(), "", true));
        }
      }
    }
    return texts;
  }

  private static void addRows(QueryResult result, Frame frame, Column column, List<String> texts) {
    List<String> keys = keys(frame.getStringKeysList(), frame.getInt64KeysList());
    for (int row = 0; row < keys.size(); row++) {
      ByteString nulls = column.getNulls();
      boolean isNull = row / 8 < nulls.size() && (nulls.byteAt(row / 8) >> row % 8 & 1) != 0;
      texts.add(
          row(
              result,
              column.getFeature(),
              keys.get(row),
              isNull ? "null" : value(column, row),
              column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row),
              column.getResolverFqn(),
              false));
    }
  }

  private static String row(
      QueryResult result,
      String feature,
      String key,
      String value,
      long observedAt,
      String resolver,
      boolean deleted) {
    String operation = result.getOperationId();
    String id =
        hex(
            deleted
                ? ObservationIds.ofDeletion(operation, feature, key, observedAt)
                : ObservationIds.of(operation, feature, key, observedAt));
    return row(
        feature,
        id,
        key,
        value,
        observedAt,
        resolver,
        result.getDeploymentId(),
        result.getOperationId(),
        deleted);
  }

  private static List<String> keys(List<String> strings, List<Long> integers) {
    return integers.isEmpty() ? strings : integers.stream().map(key -> Long.toString(key)).toList();
  }

  private static String value(Column column, int row) {
    return switch (column.getType()) {
      case INT64 -> Long.toString(column.getInt64Values(row));
      case TIMESTAMP -> Long.toString(column.getTimestampValues(row));
      case DATE -> Integer.toString(column.getDateValues(row));
      case BOOL -> column.getBoolValues(row) ? "1" : "0";
      // One zero and one NaN. Adding a zero makes the negative one positive.
      case FLOAT64 -> Long.toHexString(Double.doubleToLongBits(column.getFloat64Values(row) + 0.0));
      case STRING -> hex(column.getStringValues(row).getBytes(StandardCharsets.UTF_8));
      case JSON -> hex(column.getJsonValues(row).getBytes(StandardCharsets.UTF_8));
      case BYTES -> hex(column.getBytesValues(row).toByteArray());
      case VECTOR -> {
        int dimension = column.getVectorDimension();
        ByteBuffer numbers = ByteBuffer.allocate(dimension * Float.BYTES);
        for (int i = 0; i < dimension; i++) {
          numbers.putInt(Float.floatToIntBits(column.getVectorValues(row * dimension + i) + 0.0f));
        }
        yield hex(numbers.array());
      }
      default -> throw new AssertionError(column.getType());
    };
  }

  public static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static String utf8(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
