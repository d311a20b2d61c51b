package io.tailrace.parquet;

import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows.Keys;
import io.tailrace.parquet.ObservationRows.Names;
import io.tailrace.parquet.ObservationRows.Origins;
import io.tailrace.parquet.ObservationRows.Texts;
import io.tailrace.parquet.ObservationRows.Values;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a canonical file of some rows of others that are alike: of those that a store has refused,
 * for a letter that holds them alone. Stateless and thread-safe.
 */
public final class SomeRows {
  private SomeRows() {}

  /**
   * Rows of a file.
   *
   * @param rows their numbers, from zero
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Part(ObservationFile file, int[] rows) {}

  /**
   * Returns the file of some rows.
   *
   * @param parts at least one, whose files are of one environment, kind and type
   * @throws IOException if a file can't be decoded, which one with a right checksum never causes,
   *     or the rows of all take more room than those of a file may
   */
  public static byte[] of(List<Part> parts) throws IOException {
    ObservationFile first = parts.get(0).file;
    FileFooter footer =
        new FileFooter(
            first.kind(),
            first.environment(),
            first.valueType(),
            parts.stream()
                .mapToLong(part -> part.file.publishedFrom().orElse(0L))
                .filter(time -> time != 0)
                .min()
                .orElse(0));
    if (first.kind() == Kind.QUERIES) {
      List<QueryRow> queries = new ArrayList<>();
      for (Part part : parts) {
        List<QueryRow> all = part.file.queries();
        for (int row : part.rows) {
          queries.add(all.get(row));
        }
      }
      try (ObservationEncoder encoder = new ObservationEncoder()) {
        return encoder.queryRows(footer, queries);
      }
    }
    ObservationRows rows = new Gathered(parts).rows();
    CanonicalRows canonical = new CanonicalRows(rows, first.stringKeys(), first.valueType());
    try {
      return canonical.encode(canonical.order(new RowFaults()), footer);
    } catch (InvalidMessageException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Copies rows, column by column. */
  static final class Gathered {
    private final int count;
    private final Distinct<String> features;
    private final Distinct<String> namespaces;
    private final Distinct<ByteBuffer> keys;
    private final Distinct<ByteBuffer> resolvers;
    private final Distinct<ByteBuffer> deployments;
    private final Distinct<ByteBuffer> operations;
    private final byte[] ids;
    private final long[] integerKeys;
    private final long[] observedAt;
    private final Values values;

    Gathered(List<Part> parts) throws IOException {
      count = parts.stream().mapToInt(part -> part.rows.length).sum();
      features = new Distinct<>(count);
      namespaces = new Distinct<>(count);
      keys = new Distinct<>(count);
      resolvers = new Distinct<>(count);
      deployments = new Distinct<>(count);
      operations = new Distinct<>(count);
      ids = new byte[count * ObservationIds.LENGTH];
      integerKeys = new long[count];
      observedAt = new long[count];
      values =
          new Values(new boolean[count], new long[count], new byte[count][], new boolean[count]);
      int at = 0;
      for (Part part : parts) {
        ObservationRows from = part.file.rows();
        for (int row : part.rows) {
          copy(from, row, at++, part.file);
        }
      }
    }

    private void copy(ObservationRows from, int row, int at, ObservationFile file) {
      features.put(at, from.feature(row));
      namespaces.put(at, from.namespace(row));
      from.id(row).get(ids, at * ObservationIds.LENGTH, ObservationIds.LENGTH);
      if (file.stringKeys()) {
        keys.put(at, ByteBuffer.wrap(from.stringKey(row)));
      } else {
        integerKeys[at] = from.integerKey(row);
      }
      observedAt[at] = from.observedAt(row);
      values.present()[at] = from.hasValue(row);
      values.deleted()[at] = from.isDeleted(row);
      if (from.hasValue(row)) {
        if (file.valueType().map(RowColumns::isInBytes).orElse(false)) {
          values.bytes()[at] = from.bytes(row);
        } else {
          values.numbers()[at] = from.number(row);
        }
      }
      putKnown(resolvers, at, from.resolverFqn(row));
      putKnown(deployments, at, from.deploymentId(row));
      operations.put(at, ByteBuffer.wrap(from.operationId(row)));
    }

    static void putKnown(Distinct<ByteBuffer> column, int at, byte[] text) {
      if (text.length > 0) {
        column.put(at, ByteBuffer.wrap(text));
      }
    }

    ObservationRows rows() {
      return new ObservationRows(
          count,
          new Names(features.values, features.index, namespaces.values, namespaces.index),
          new Keys(ids, texts(keys), integerKeys, observedAt),
          values,
          new Origins(texts(resolvers), texts(deployments), texts(operations)));
    }

    static Texts texts(Distinct<ByteBuffer> column) {
      return new Texts(column.values.stream().map(ByteBuffer::array).toList(), column.index);
    }
  }

  /** A column of which each distinct value is held once. */
  static final class Distinct<T> {
    private final Map<T, Integer> places = new HashMap<>();
    final List<T> values = new ArrayList<>();
    final int[] index;

    Distinct(int count) {
      index = new int[count];
      Arrays.fill(index, -1);
    }

    void put(int row, T value) {
      index[row] =
          places.computeIfAbsent(
              value,
              unused -> {
                values.add(value);
                return values.size() - 1;
              });
    }
  }
}
