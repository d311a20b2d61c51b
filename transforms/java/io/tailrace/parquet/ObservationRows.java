package io.tailrace.parquet;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The decoded rows of a file of observations, column by column: an array for each column, an index
 * for each row. Immutable, as long as nobody writes into the arrays.
 */
public final class ObservationRows {
  private final int count;
  private final Names names;
  private final Keys keys;
  private final Values values;
  private final Origins origins;

  /**
   * A column of texts, each distinct one once.
   *
   * @param distinct the texts, as UTF-8
   * @param index which of them a row has; below zero: none
   */
  record Texts(List<byte[]> distinct, int[] index) {
    static final byte[] NONE = new byte[0];

    byte[] at(int row) {
      return index[row] < 0 ? NONE : distinct.get(index[row]);
    }
  }

  /**
   * What the rows are of: the distinct features and namespaces, and which of them a row has.
   *
   * @param feature the index of a row's feature among the features
   */
  record Names(List<String> features, int[] feature, List<String> namespaces, int[] namespace) {
    Texts featureTexts() {
      return texts(features, feature);
    }

    Texts namespaceTexts() {
      return texts(namespaces, namespace);
    }

    private static Texts texts(List<String> distinct, int[] index) {
      return new Texts(
          distinct.stream().map(text -> text.getBytes(StandardCharsets.UTF_8)).toList(), index);
    }
  }

  /**
   * What a row is known by: only one of the two arrays of keys has them.
   *
   * @param ids 16 bytes for each row
   */
  record Keys(byte[] ids, Texts strings, long[] integers, long[] observedAt) {}

  /**
   * The values, in that one of the arrays that suits their type.
   *
   * @param numbers int64, timestamp (microseconds), date (days), bool (0 or 1), float64 (its bits)
   * @param bytes string, JSON (UTF-8), bytes; vector: its numbers, big-endian
   */
  record Values(boolean[] present, long[] numbers, byte[][] bytes, boolean[] deleted) {}

  /** Where the rows come from. */
  record Origins(Texts resolvers, Texts deployments, Texts operations) {}

  ObservationRows(int count, Names names, Keys keys, Values values, Origins origins) {
    this.count = count;
    this.names = names;
    this.keys = keys;
    this.values = values;
    this.origins = origins;
  }

  /** Returns the number of rows. */
  public int count() {
    return count;
  }

  /** Returns the feature of a row, fully qualified; the same object for the same feature. */
  public String feature(int row) {
    return names.features.get(names.feature[row]);
  }

  /** Returns the namespace of a row; the same object for the same namespace. */
  public String namespace(int row) {
    return names.namespaces.get(names.namespace[row]);
  }

  Names names() {
    return names;
  }

  Keys keys() {
    return keys;
  }

  Origins origins() {
    return origins;
  }

  /** Returns the 16 bytes of the id of a row. */
  public ByteBuffer id(int row) {
    return ByteBuffer.wrap(keys.ids, row * ObservationIds.LENGTH, ObservationIds.LENGTH).slice();
  }

  /** Returns the key of a row, as UTF-8, where keys are strings. */
  public byte[] stringKey(int row) {
    return keys.strings.at(row);
  }

  /** Returns the key of a row, where keys are integers. */
  public long integerKey(int row) {
    return keys.integers[row];
  }

  String keyText(int row, boolean stringKeys) {
    return stringKeys
        ? new String(stringKey(row), StandardCharsets.UTF_8)
        : Long.toString(integerKey(row));
  }

  /** Returns whether a row has a value; a null and a deletion have none. */
  public boolean hasValue(int row) {
    return values.present[row];
  }

  /**
   * Returns the value of a row that is an int64, a timestamp (microseconds since the epoch), a date
   * (days since the epoch) or a bool (0 or 1).
   */
  public long number(int row) {
    return values.numbers[row];
  }

  /** Returns the value of a row that is a float64. */
  public double float64(int row) {
    return Double.longBitsToDouble(values.numbers[row]);
  }

  /**
   * Returns the value of a row that is a string or JSON (as UTF-8), bytes, or a vector (its 32-bit
   * numbers, big-endian).
   */
  public byte[] bytes(int row) {
    return values.bytes[row];
  }

  /** Returns when a row was observed, in microseconds since the epoch. */
  public long observedAt(int row) {
    return keys.observedAt[row];
  }

  /** Returns the resolver of a row, as UTF-8; empty when it is not known. */
  public byte[] resolverFqn(int row) {
    return origins.resolvers.at(row);
  }

  /** Returns the deployment of a row, as UTF-8; empty when it is not known. */
  public byte[] deploymentId(int row) {
    return origins.deployments.at(row);
  }

  /** Returns the operation of a row, as UTF-8. */
  public byte[] operationId(int row) {
    return origins.operations.at(row);
  }

  /** Returns whether a row records a deletion. */
  public boolean isDeleted(int row) {
    return values.deleted[row];
  }
}
