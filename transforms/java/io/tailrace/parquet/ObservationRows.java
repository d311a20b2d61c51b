package io.tailrace.parquet;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * The decoded rows of a file of observations, column by column: an array for each column, an index
 * for each row. Immutable, as long as nobody writes into the arrays.
 */
public final class ObservationRows {
  private final int count;
  private final List<String> features;
  private final int[] feature;
  private final byte[] ids;
  private final Texts stringKeys;
  private final long[] integerKeys;
  private final boolean[] present;
  private final Values values;
  private final long[] observedAt;
  private final Texts resolvers;
  private final Texts deployments;
  private final Texts operations;
  private final boolean[] deleted;

  /** Texts of rows that are often the same: an index into a list for each row; -1 is none. */
  record Texts(List<byte[]> distinct, int[] index) {
    static final byte[] NONE = {};

    byte[] at(int row) {
      return index[row] < 0 ? NONE : distinct.get(index[row]);
    }
  }

  /**
   * Values, in the one of the arrays that suits their type.
   *
   * @param numbers int64, timestamp (microseconds), date (days), bool (0 or 1), float64 (its bits)
   * @param bytes string, JSON (UTF-8), bytes; vector: its numbers, big-endian
   */
  record Values(long[] numbers, byte[][] bytes) {}

  ObservationRows(
      int count,
      List<String> features,
      int[] feature,
      byte[] ids,
      Texts stringKeys,
      long[] integerKeys,
      boolean[] present,
      Values values,
      long[] observedAt,
      Texts resolvers,
      Texts deployments,
      Texts operations,
      boolean[] deleted) {
    this.count = count;
    this.features = features;
    this.feature = feature;
    this.ids = ids;
    this.stringKeys = stringKeys;
    this.integerKeys = integerKeys;
    this.present = present;
    this.values = values;
    this.observedAt = observedAt;
    this.resolvers = resolvers;
    this.deployments = deployments;
    this.operations = operations;
    this.deleted = deleted;
  }

  /** Returns the number of rows. */
  public int count() {
    return count;
  }

  /** Returns the feature of a row, fully qualified; the same object for the same feature. */
  public String feature(int row) {
    return features.get(feature[row]);
  }

  /** Returns the 16 bytes of the id of a row. */
  public ByteBuffer id(int row) {
    return ByteBuffer.wrap(ids, row * ObservationIds.LENGTH, ObservationIds.LENGTH).slice();
  }

  /** Returns the key of a row, as UTF-8, where keys are strings. */
  public byte[] stringKey(int row) {
    return stringKeys.at(row);
  }

  /** Returns the key of a row, where keys are integers. */
  public long integerKey(int row) {
    return integerKeys[row];
  }

  /** Returns whether a row has a value; a null and a deletion have none. */
  public boolean hasValue(int row) {
    return present[row];
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
    return observedAt[row];
  }

  /** Returns the resolver of a row, as UTF-8; empty when it is not known. */
  public byte[] resolverFqn(int row) {
    return resolvers.at(row);
  }

  /** Returns the deployment of a row, as UTF-8; empty when it is not known. */
  public byte[] deploymentId(int row) {
    return deployments.at(row);
  }

  /** Returns the operation of a row, as UTF-8. */
  public byte[] operationId(int row) {
    return operations.at(row);
  }

  /** Returns whether a row records a deletion. */
  public boolean isDeleted(int row) {
    return deleted[row];
  }
}
