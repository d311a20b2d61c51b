package io.tailrace.offline.bigquery;

import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.LooseRow.State;
import io.tailrace.parquet.QueryRow;
import io.tailrace.result.ValueType;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What BigQuery can hold. Messages are parts of a sentence that begin with a column. Stateless and
 * thread-safe.
 */
final class Storable {
  /** The year 1, in microseconds and in days from 1970. */
  private static final long FIRST_TIME = -62_135_596_800_000_000L;

  private static final long FIRST_DAY = -719_162;

  /** The year 10000. */
  private static final long END_TIME = 253_402_300_800_000_000L;

  private static final long END_DAY = 2_932_897;

  /**
   * What a row may take: a request holds 10 MB, and Beam puts a row into one that has up to 2 MB.
   */
  static final int MAX_ROW_BYTES = 7 << 20;

  private Storable() {}

  /** Returns why an observation can't be stored. */
  static Optional<String> whyNot(LooseRow row, Optional<ValueType> type) {
    Optional<String> time = whyNotTime("observed_at", row.observedAt());
    if (time.isPresent()) {
      return time;
    }
    long bytes =
        row.key().text().length
            + row.source().operationId().length
            + row.source().resolverFqn().length
            + row.source().deploymentId().length
            + row.value().bytes().length * (type.equals(Optional.of(ValueType.VECTOR)) ? 2L : 1L);
    if (bytes > MAX_ROW_BYTES) {
      return tooLarge(bytes);
    }
    return row.value().state() == State.VALUE && type.isPresent()
        ? whyNotValue(row.value(), type.get())
        : Optional.empty();
  }

  private static Optional<String> whyNotValue(LooseRow.Value value, ValueType type) {
    return switch (type) {
      case TIMESTAMP -> whyNotTime("value", value.number());
      case DATE ->
          value.number() < FIRST_DAY || value.number() >= END_DAY
              ? Optional.of("value is outside of BigQuery's calendar, the years 1 to 9999")
              : Optional.empty();
      case VECTOR ->
          value.bytes().length == 0
              ? Optional.of("value is an empty vector, which BigQuery can't tell from a null")
              : Optional.empty();
      case INT64, FLOAT64, BOOL, STRING, BYTES, JSON -> Optional.empty();
    };
  }

  private static Optional<String> whyNotTime(String column, long micros) {
    return micros < FIRST_TIME || micros >= END_TIME
        ? Optional.of(column + " is outside of BigQuery's calendar, the years 1 to 9999")
        : Optional.empty();
  }

  private static Optional<String> tooLarge(long bytes) {
    return Optional.of(
        "it takes " + bytes + " bytes; BigQuery's streams take rows of up to " + MAX_ROW_BYTES);
  }

  /** Returns why a query can't be stored. */
  static Optional<String> whyNot(QueryRow query) {
    for (Map.Entry<String, Long> time : new TreeMap<>(query.times()).entrySet()) {
      Optional<String> whyNot = whyNotTime(time.getKey(), time.getValue());
      if (whyNot.isPresent()) {
        return whyNot;
      }
    }
    long bytes = query.texts().values().stream().mapToLong(text -> 3L * text.length()).sum();
    for (String table : query.valueTables()) {
      bytes += table.length() + 2L;
    }
    return bytes > MAX_ROW_BYTES ? tooLarge(bytes) : Optional.empty();
  }
}
