package io.tailrace.parquet;

import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows.Keys;
import io.tailrace.parquet.ObservationRows.Names;
import io.tailrace.parquet.ObservationRows.Origins;
import io.tailrace.parquet.ObservationRows.Values;
import io.tailrace.parquet.SomeRows.Distinct;
import io.tailrace.parquet.SomeRows.Gathered;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Makes canonical files of rows that have gone their own way, such as those that a store has
 * refused. Stateless and thread-safe.
 */
public final class LooseRows {
  private LooseRows() {}

  /**
   * Returns the file of some observations.
   *
   * @param rows at least one
   * @throws IOException if they take more room than those of a file may
   */
  public static byte[] file(
      String environment, boolean stringKeys, Optional<ValueType> valueType, List<LooseRow> rows)
      throws IOException {
    CanonicalRows canonical = new CanonicalRows(gather(rows, valueType), stringKeys, valueType);
    try {
      return canonical.encode(
          canonical.order(new RowFaults()),
          new FileFooter(Kind.OBSERVATIONS, environment, valueType, 0));
    } catch (InvalidMessageException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Returns the file of some rows of the log of queries. */
  public static byte[] queries(String environment, List<QueryRow> queries) throws IOException {
    try (ObservationEncoder encoder = new ObservationEncoder()) {
      return encoder.queryRows(
          new FileFooter(Kind.QUERIES, environment, Optional.empty(), 0), queries);
    }
  }

  private static ObservationRows gather(List<LooseRow> rows, Optional<ValueType> valueType) {
    int count = rows.size();
    boolean isInBytes = valueType.map(RowColumns::isInBytes).orElse(false);
    Distinct<String> features = new Distinct<>(count);
    Distinct<String> namespaces = new Distinct<>(count);
    Distinct<ByteBuffer> keys = new Distinct<>(count);
    Distinct<ByteBuffer> resolvers = new Distinct<>(count);
    Distinct<ByteBuffer> deployments = new Distinct<>(count);
    Distinct<ByteBuffer> operations = new Distinct<>(count);
    byte[] ids = new byte[count * ObservationIds.LENGTH];
    long[] integerKeys = new long[count];
    long[] observedAt = new long[count];
    Values values =
        new Values(new boolean[count], new long[count], new byte[count][], new boolean[count]);
    for (int at = 0; at < count; at++) {
      LooseRow row = rows.get(at);
      features.put(at, row.name().feature());
      namespaces.put(at, row.name().namespace());
      row.id().get(ids, at * ObservationIds.LENGTH, ObservationIds.LENGTH);
      keys.put(at, ByteBuffer.wrap(row.key().text()));
      integerKeys[at] = row.key().number();
      observedAt[at] = row.observedAt();
      values.present()[at] = row.value().state() == LooseRow.State.VALUE;
      values.deleted()[at] = row.value().state() == LooseRow.State.DELETED;
      if (values.present()[at] && isInBytes) {
        values.bytes()[at] = row.value().bytes();
      }
      values.numbers()[at] = row.value().number();
      Gathered.putKnown(resolvers, at, row.source().resolverFqn());
      Gathered.putKnown(deployments, at, row.source().deploymentId());
      operations.put(at, ByteBuffer.wrap(row.source().operationId()));
    }
    return new ObservationRows(
        count,
        new Names(features.values, features.index, namespaces.values, namespaces.index),
        new Keys(ids, Gathered.texts(keys), integerKeys, observedAt),
        values,
        new Origins(
            Gathered.texts(resolvers), Gathered.texts(deployments), Gathered.texts(operations)));
  }
}
