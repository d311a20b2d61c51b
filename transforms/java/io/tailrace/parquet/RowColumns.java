package io.tailrace.parquet;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.tailrace.result.ValueType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;

/** Writes decoded observations into the columns of a file, row by row. Not thread-safe. */
final class RowColumns {
  private final ObservationRows rows;
  private final boolean stringKeys;
  private final Optional<ValueType> type;
  private final IndexedTexts features;
  private final IndexedTexts namespaces;
  private final ColumnPages ids;
  private final boolean textIds;
  private final ColumnPages keys;
  private final Optional<ColumnPages> values;
  private final ColumnPages times;
  private final IndexedTexts resolvers;
  private final IndexedTexts deployments;
  private final IndexedTexts operations;
  private final ColumnPages deleted;

  RowColumns(FileWriter file, ObservationRows rows, boolean stringKeys, Optional<ValueType> type) {
    this.rows = rows;
    this.stringKeys = stringKeys;
    this.type = type;
    features = new IndexedTexts(file.at(ObservationSchema.FEATURE), rows.names().featureTexts());
    namespaces =
        new IndexedTexts(file.at(ObservationSchema.NAMESPACE), rows.names().namespaceTexts());
    ids = file.at(ObservationSchema.OBSERVATION_ID);
    textIds = ids.isOfTexts();
    keys = file.at(ObservationSchema.PKEY);
    values = type.map(unused -> file.at(ObservationSchema.VALUE));
    times = file.at(ObservationSchema.OBSERVED_AT);
    resolvers =
        new IndexedTexts(file.at(ObservationSchema.RESOLVER_FQN), rows.origins().resolvers());
    deployments =
        new IndexedTexts(file.at(ObservationSchema.DEPLOYMENT_ID), rows.origins().deployments());
    operations =
        new IndexedTexts(file.at(ObservationSchema.OPERATION_ID), rows.origins().operations());
    deleted = file.at(ObservationSchema.DELETED);
  }

  /** Returns whether values of a type are bytes among the decoded rows. */
  static boolean isInBytes(ValueType type) {
    return switch (type) {
      case STRING, BYTES, JSON, VECTOR -> true;
      case INT64, FLOAT64, BOOL, TIMESTAMP, DATE -> false;
    };
  }

  /** Returns about how many bytes a row takes. */
  static int bytes(ObservationRows rows, int row, boolean stringKeys, Optional<ValueType> type) {
    boolean inBytes = type.isPresent() && rows.hasValue(row) && isInBytes(type.get());
    return 4 * Long.BYTES
        + (stringKeys ? rows.stringKey(row).length : 0)
        + (inBytes ? rows.bytes(row).length : 0);
  }

  /** Adds a row. */
  void put(int row) throws IOException {
    features.putRequired(row);
    namespaces.putRequired(row);
    putId(row);
    if (stringKeys) {
      byte[] key = rows.stringKey(row);
      keys.putBytes(key, 0, key.length);
    } else {
      keys.putLong(rows.integerKey(row));
    }
    keys.plainRows(1);
    if (values.isPresent()) {
      putValue(values.get(), row);
    }
    times.putCounted(rows.observedAt(row));
    times.plainRows(1);
    resolvers.putOptional(row);
    deployments.putOptional(row);
    operations.putRequired(row);
    deleted.putBoolean(rows.isDeleted(row));
    deleted.plainRows(1);
  }

  private void putId(int row) {
    ByteBuffer id = rows.id(row);
    if (textIds) {
      byte[] text = new UUID(id.getLong(), id.getLong()).toString().getBytes(US_ASCII);
      ids.putBytes(text, 0, text.length);
    } else {
      byte[] room = ids.room(ObservationIds.LENGTH);
      id.get(room, ids.skip(ObservationIds.LENGTH), ObservationIds.LENGTH);
    }
    ids.plainRows(1);
  }

  private void putValue(ColumnPages column, int row) throws IOException {
    if (!rows.hasValue(row)) {
      column.row(0);
      return;
    }
    ValueType valueType = type.orElseThrow();
    if (valueType == ValueType.VECTOR) {
      putVector(column, rows.bytes(row));
      return;
    }
    column.row(1);
    switch (valueType) {
      case INT64, TIMESTAMP -> column.putLong(rows.number(row));
      case DATE -> column.putInt((int) rows.number(row));
      case FLOAT64 -> column.putNumber(rows.float64(row));
      case BOOL -> column.putBoolean(rows.number(row) != 0);
      default -> column.putBytes(rows.bytes(row), 0, rows.bytes(row).length);
    }
  }

  private static void putVector(ColumnPages column, byte[] bytes) throws IOException {
    ByteBuffer numbers = ByteBuffer.wrap(bytes);
    // Level 1 is a list without elements, 2 one with.
    column.row(bytes.length == 0 ? 1 : 2);
    for (int at = 0; at < bytes.length; at += Float.BYTES) {
      if (at > 0) {
        column.element(2);
      }
      column.putNumber(numbers.getFloat(at));
    }
  }

  /** Ends the columns: nothing is put any more. */
  void end() throws IOException {
    features.end();
    namespaces.end();
    resolvers.end();
    deployments.end();
    operations.end();
  }
}
