package io.tailrace.offline.bigquery;

import io.tailrace.offline.bigquery.AppendedRow.Observed;
import io.tailrace.result.ValueType;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * Says which of two observations of one entity and feature stands in the latest table: four numbers
 * of 64 bits, which BigQuery compares one after the other, as unsigned ones. The first is the time
 * of the observation, the second its kind (a value, a null, a deletion) and then its type, the
 * third the first eight bytes of the value, the fourth those of its MD5: so values of one time are
 * told apart the same way everywhere, and those of eight bytes and less as the online stores do it.
 * Stateless.
 */
final class LatestSequence {
  private LatestSequence() {}

  /** Returns the numbers, in hexadecimal digits with slashes between them. */
  static String of(Observed observed) {
    byte[] payload = RowFormat.payload(observed.row().value(), observed.valueType());
    return String.format(
        "%016x/%04x/%016x/%016x",
        // Times before 1970 are less than those after.
        observed.row().observedAt() ^ Long.MIN_VALUE,
        (observed.row().value().state().code() << Byte.SIZE)
            | observed.valueType().map(ValueType::code).orElse(0),
        leading(payload),
        leading(md5(payload)));
  }

  private static long leading(byte[] bytes) {
    return ByteBuffer.wrap(Arrays.copyOf(bytes, Long.BYTES)).getLong();
  }

  private static byte[] md5(byte[] bytes) {
    try {
      return MessageDigest.getInstance("MD5").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }
}
