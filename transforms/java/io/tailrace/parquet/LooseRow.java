package io.tailrace.parquet;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A row of a file of observations that goes its own way, for a store that takes rows and not files.
 * {@link LooseRows} makes a file of several again. Immutable, as long as nobody writes into the
 * arrays.
 *
 * @param name the feature
 * @param key what the row is known by
 * @param observedAt microseconds since the epoch
 * @param value what was observed
 * @param source where it comes from
 */
public record LooseRow(Name name, Key key, long observedAt, Value value, Source source) {
  /**
   * A feature.
   *
   * @param feature fully qualified; ends with a dot for the entities themselves
   */
  public record Name(String namespace, String feature) {}

  /**
   * What a row is known by.
   *
   * @param id 16 bytes
   * @param text the primary key as UTF-8; empty where keys are integers
   * @param number the primary key, where keys are integers
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Key(byte[] id, byte[] text, long number) {}

  /** What a row says of its feature, in the order in which the later one stands. */
  public enum State {
    VALUE(0),
    NULL(1),
    DELETED(2);

    private final int code;

    State(int code) {
      this.code = code;
    }

    /** Returns its number: of two rows of one moment the one with the greater stands. */
    public int code() {
      return code;
    }

    /**
     * Returns the one with a number.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static State of(int code) {
      for (State each : values()) {
        if (each.code == code) {
          return each;
        }
      }
      throw new IllegalArgumentException(code + " is no state of a row");
    }
  }

  /**
   * A value, in that one of the two that suits its type.
   *
   * @param number int64, timestamp (microseconds), date (days), bool (0 or 1), float64 (its bits)
   * @param bytes string, JSON (UTF-8), bytes; vector: its numbers, big-endian
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Value(State state, long number, byte[] bytes) {}

  /** Where a row comes from, as UTF-8; empty where it is not known. */
  @SuppressWarnings("ArrayRecordComponent")
  public record Source(byte[] resolverFqn, byte[] deploymentId, byte[] operationId) {}

  private static final byte[] NONE = {};

  /** Takes a row out of a file. */
  public static LooseRow of(ObservationFile file, ObservationRows rows, int row) {
    byte[] id = new byte[ObservationIds.LENGTH];
    rows.id(row).get(id);
    boolean isInBytes = file.valueType().map(RowColumns::isInBytes).orElse(false);
    boolean has = rows.hasValue(row);
    State state = rows.isDeleted(row) ? State.DELETED : has ? State.VALUE : State.NULL;
    return new LooseRow(
        new Name(rows.namespace(row), rows.feature(row)),
        new Key(
            id,
            file.stringKeys() ? rows.stringKey(row) : NONE,
            file.stringKeys() ? 0 : rows.integerKey(row)),
        rows.observedAt(row),
        new Value(
            state,
            has && !isInBytes ? rows.number(row) : 0,
            has && isInBytes ? rows.bytes(row) : NONE),
        new Source(rows.resolverFqn(row), rows.deploymentId(row), rows.operationId(row)));
  }

  /**
   * Compares two rows with the same id: a deletion stands before a null before a value, then the
   * greater bytes of the value, and then the greater resolver and deployment.
   */
  public int compareWithSameId(LooseRow other) {
    int byState = value.state.compareTo(other.value.state);
    if (byState != 0) {
      return byState;
    }
    int byNumber = Long.compareUnsigned(value.number, other.value.number);
    if (byNumber != 0) {
      return byNumber;
    }
    int byBytes = Arrays.compareUnsigned(value.bytes, other.value.bytes);
    if (byBytes != 0) {
      return byBytes;
    }
    int byResolver = Arrays.compareUnsigned(source.resolverFqn, other.source.resolverFqn);
    return byResolver != 0
        ? byResolver
        : Arrays.compareUnsigned(source.deploymentId, other.source.deploymentId);
  }

  /** Returns the id, by which rows can be looked up. */
  public ByteBuffer id() {
    return ByteBuffer.wrap(key.id);
  }
}
