package io.tailrace.offline.bigquery;

import io.tailrace.bus.BusMessage;
import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.QueryRow;
import io.tailrace.result.ValueType;
import java.util.Optional;
import org.apache.beam.sdk.coders.DefaultCoder;

/**
 * A row on its way into a table, with all that its dead letter would say. Immutable.
 *
 * @param destination its table
 * @param origin the message that brought it, without its payload
 * @param environment its environment
 * @param content what it says
 */
@DefaultCoder(AppendedRowCoder.class)
record AppendedRow(
    Destination destination, BusMessage origin, String environment, Content content) {
  /** What a row says. */
  sealed interface Content {}

  /**
   * An observation or a deletion.
   *
   * @param valueType empty for a deletion
   */
  record Observed(LooseRow row, boolean stringKeys, Optional<ValueType> valueType)
      implements Content {}

  /** A query. */
  record Asked(QueryRow row) implements Content {}

  /** Returns the same for another table. */
  AppendedRow to(Destination other) {
    return new AppendedRow(other, origin, environment, content);
  }
}
