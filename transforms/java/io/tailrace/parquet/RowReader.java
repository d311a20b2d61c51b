package io.tailrace.parquet;

import io.tailrace.parquet.ObservationRows.Keys;
import io.tailrace.parquet.ObservationRows.Names;
import io.tailrace.parquet.ObservationRows.Origins;
import io.tailrace.parquet.ObservationRows.Texts;
import io.tailrace.parquet.ObservationRows.Values;
import io.tailrace.result.ValueType;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The one reader of files of observations, whoever wrote them: what it can't read of a row exactly
 * is the row's fault. Not thread-safe.
 */
final class RowReader {
  private final FileColumns file;
  private final Set<String> absent;
  private final RowFaults faults;
  private final int count;
  private final DecodeBudget budget = DecodeBudget.ofFile();
  private final Map<String, FileColumns.ColumnTaker> takers = new LinkedHashMap<>();

  /** Rows that were read, and the ids that their file gives them. */
  record Read(ObservationRows rows, IdColumn ids) {}

  /**
   * Creates one.
   *
   * @param absent names of columns of the file that count as absent
   * @param faults takes the rows that can't be read
   */
  RowReader(FileColumns file, Set<String> absent, RowFaults faults) {
    this.file = file;
    this.absent = absent;
    this.faults = faults;
    this.count = file.rowCount();
  }

  /** Reads all rows; the columns of the file have been checked. */
  Read read(boolean stringKeys, Optional<ValueType> valueType) throws IOException {
    TextColumn features = text(ObservationSchema.FEATURE, true);
    TextColumn namespaces = text(ObservationSchema.NAMESPACE, false);
    IdColumn ids = taker(ObservationSchema.OBSERVATION_ID, new IdColumn(count));
    TextColumn strings = new TextColumn(ObservationSchema.PKEY, budget, true, faults);
    NumberColumn integers =
        new NumberColumn(ObservationSchema.PKEY, stringKeys ? 0 : count, true, faults);
    takers.put(ObservationSchema.PKEY, stringKeys ? strings : integers);
    NumberColumn times =
        taker(
            ObservationSchema.OBSERVED_AT,
            new NumberColumn(ObservationSchema.OBSERVED_AT, count, true, faults));
    TextColumn resolvers = text(ObservationSchema.RESOLVER_FQN, false);
    TextColumn deployments = text(ObservationSchema.DEPLOYMENT_ID, false);
    TextColumn operations = text(ObservationSchema.OPERATION_ID, true);
    boolean saysDeleted = has(ObservationSchema.DELETED);
    NumberColumn deleted =
        taker(
            ObservationSchema.DELETED,
            new NumberColumn(ObservationSchema.DELETED, saysDeleted ? count : 0, true, faults));
    ValueColumn values = new ValueColumn(valueType, count, budget, faults);
    if (valueType.isPresent() && has(ObservationSchema.VALUE)) {
      takers.put(ObservationSchema.VALUE, values);
    }
    file.read(takers);
    fillNamespaces(features, namespaces);
    ObservationRows rows =
        new ObservationRows(
            count,
            new Names(
                features.texts(), features.indices(), namespaces.texts(), namespaces.indices()),
            new Keys(
                ids.bytes,
                new Texts(strings.distinct, strings.indices()),
                integers.numbers,
                times.numbers),
            new Values(
                values.present,
                values.numbers,
                values.bytes,
                saysDeleted ? deleted.truths() : new boolean[count]),
            new Origins(
                new Texts(resolvers.distinct, resolvers.indices()),
                new Texts(deployments.distinct, deployments.indices()),
                new Texts(operations.distinct, operations.indices())));
    return new Read(rows, ids);
  }

  private boolean has(String name) {
    return file.has(name) && !absent.contains(name);
  }

  private TextColumn text(String name, boolean required) {
    TextColumn column = new TextColumn(name, budget, required, faults);
    if (has(name)) {
      takers.put(name, column);
    } else {
      column.takeNulls(count);
    }
    return column;
  }

  private <T extends FileColumns.ColumnTaker> T taker(String name, T column) {
    if (has(name)) {
      takers.put(name, column);
    }
    return column;
  }

  /**
   * Where the file doesn't say it, the namespace is what stands before the last dot, of which there
   * must be one only: with more of them, it could be read in two ways.
   */
  private void fillNamespaces(TextColumn features, TextColumn namespaces) {
    int[] feature = features.indices();
    int[] namespace = namespaces.indices();
    int[] ofFeature = new int[features.distinct.size()];
    Arrays.fill(ofFeature, TextColumn.NULL);
    for (int row = 0; row < namespace.length; row++) {
      if (namespace[row] >= 0 || feature[row] < 0) {
        continue;
      }
      String name = features.text(feature[row]);
      int dot = name.lastIndexOf('.');
      if (ofFeature[feature[row]] < 0) {
        ofFeature[feature[row]] = namespaces.indexOf(name.substring(0, Math.max(0, dot)));
      }
      namespace[row] = ofFeature[feature[row]];
      if (name.indexOf('.') < dot) {
        faults.add(
            row,
            Reason.INVALID_VALUE,
            ObservationSchema.FEATURE,
            "has more than one dot, and the row no namespace: which dot ends it?");
      }
    }
  }
}
