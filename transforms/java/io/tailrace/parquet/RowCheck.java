package io.tailrace.parquet;

import com.google.common.base.Utf8;
import io.tailrace.endpoint.Micros;
import io.tailrace.result.ValueType;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Checks the rows of a file that somebody else wrote, one by one, and computes their ids. What is
 * wrong with a row is its fault alone. Not thread-safe.
 */
final class RowCheck {
  /** The years 1 to 9999, in microseconds since the epoch. */
  private static final long FIRST_TIME = -62_135_596_800_000_000L;

  private static final long LAST_TIME = 253_402_300_799_999_999L;

  private final ObservationRows rows;
  private final boolean stringKeys;
  private final Optional<ValueType> type;
  private final RowFaults faults;
  private final ObservationIds ids = new ObservationIds();
  private final byte[] id = new byte[ObservationIds.LENGTH];
  private long observedUntil = FileDecoder.ANY_TIME;
  // What is wrong with a feature in a namespace, which is looked at once; empty: nothing.
  private final Map<Long, String> features = new HashMap<>();

  RowCheck(ObservationRows rows, boolean stringKeys, Optional<ValueType> type, RowFaults faults) {
    this.rows = rows;
    this.stringKeys = stringKeys;
    this.type = type;
    this.faults = faults;
  }

  /** Finds fault with what was observed later than this. */
  RowCheck observedUntil(long micros) {
    observedUntil = micros;
    return this;
  }

  /** Returns whether a time lies in the years 1 to 9999. */
  static boolean isTime(long micros) {
    return micros >= FIRST_TIME && micros <= LAST_TIME;
  }

  /** Checks all rows, and writes the ids of those that are without fault. */
  void check(IdColumn given) {
    for (int row = 0; row < rows.count(); row++) {
      if (!faults.contains(row) && isSound(row)) {
        computeId(row);
        if (given.differs(row, id)) {
          add(
              row,
              Reason.INVALID_VALUE,
              ObservationSchema.OBSERVATION_ID,
              "is not the MD5 of its operation_id, feature, pkey and observed_at"
                  + (type.isEmpty() ? ", and 'deleted', " : ", ")
                  + HexFormat.of().formatHex(id));
        }
        System.arraycopy(
            id, 0, rows.keys().ids(), row * ObservationIds.LENGTH, ObservationIds.LENGTH);
      }
    }
  }

  private void computeId(int row) {
    byte[] operation = rows.operationId(row);
    byte[] feature = rows.feature(row).getBytes(StandardCharsets.UTF_8);
    if (type.isEmpty()) {
      ids.beginDeletions(operation, feature);
    } else {
      ids.begin(operation, feature);
    }
    if (stringKeys) {
      byte[] key = rows.stringKey(row);
      ids.compute(key, 0, key.length, rows.observedAt(row), id, 0);
    } else {
      ids.compute(rows.integerKey(row), rows.observedAt(row), id, 0);
    }
  }

  private boolean isSound(int row) {
    String whyNot = whyNoFeature(row);
    if (!whyNot.isEmpty()) {
      return add(row, Reason.INVALID_VALUE, ObservationSchema.FEATURE, whyNot);
    }
    if (rows.operationId(row).length == 0) {
      return add(row, Reason.MISSING_FIELD, ObservationSchema.OPERATION_ID, "is empty");
    }
    if (stringKeys && rows.stringKey(row).length == 0) {
      return add(row, Reason.MISSING_FIELD, ObservationSchema.PKEY, "is empty");
    }
    if (!isTime(rows.observedAt(row))) {
      return add(
          row,
          Reason.INVALID_VALUE,
          ObservationSchema.OBSERVED_AT,
          "lies outside of the years 1 to 9999");
    }
    if (rows.observedAt(row) > observedUntil) {
      return add(
          row,
          Reason.OBSERVED_IN_FUTURE,
          ObservationSchema.OBSERVED_AT,
          "is "
              + Micros.instant(rows.observedAt(row))
              + ", and after "
              + Micros.instant(observedUntil)
              + " it lies in the future of the file's publication: check the publisher's clock, and"
              + " the unit of the column");
    }
    if (type.isEmpty() != rows.isDeleted(row)) {
      return add(
          row,
          Reason.INVALID_VALUE,
          ObservationSchema.DELETED,
          type.isEmpty()
              ? "is false, and a file without tailrace.value_type holds deletions"
              : "is true: deletions go into a file without tailrace.value_type");
    }
    String value = rows.hasValue(row) ? whyNoValue(row) : null;
    return value == null || add(row, Reason.INVALID_VALUE, ObservationSchema.VALUE, value);
  }

  /** Adds a fault, and returns that the row is not sound. */
  private boolean add(int row, Reason reason, String column, String what) {
    faults.add(row, reason, column, what);
    return false;
  }

  private String whyNoFeature(int row) {
    long names = (long) rows.names().feature()[row] << Integer.SIZE | rows.names().namespace()[row];
    return features.computeIfAbsent(
        names, unused -> whyNoFeature(rows.namespace(row), rows.feature(row), type.isPresent()));
  }

  /** Returns why a feature in a namespace is none; empty if it is one. */
  static String whyNoFeature(String namespace, String feature, boolean hasValues) {
    if (namespace.isEmpty() || feature.indexOf('.') <= 0 || feature.indexOf('\0') >= 0) {
      return "has '" + feature + "', no feature: expected namespace.name, such as user.age";
    }
    if (!feature.startsWith(namespace + ".")) {
      return "has '" + feature + "', no feature of the namespace '" + namespace + "'";
    }
    return hasValues && feature.length() == namespace.length() + 1
        ? "has '" + feature + "', the entities themselves, which have no values: a name is missing"
        : "";
  }

  private @Nullable String whyNoValue(int row) {
    if (type.equals(Optional.of(ValueType.STRING))) {
      return Utf8.isWellFormed(rows.bytes(row)) ? null : "is not UTF-8";
    }
    if (type.equals(Optional.of(ValueType.JSON))) {
      byte[] text = rows.bytes(row);
      return Utf8.isWellFormed(text)
          ? JsonText.whyNotEverywhere(text, 0, text.length)
          : "is not UTF-8";
    }
    return null;
  }
}
