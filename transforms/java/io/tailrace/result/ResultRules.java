package io.tailrace.result;

import com.google.common.base.Utf8;
import io.tailrace.result.WireCursor.MalformedException;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.charset.StandardCharsets;

/**
 * What the contract demands of the texts, names and times of a result. Stateless and thread-safe.
 */
final class ResultRules {
  private ResultRules() {}

  static String text(WireCursor in, String path, String field)
      throws MalformedException, InvalidMessageException {
    int length = in.readLength();
    checkUtf8(in, length, path, field);
    String text = new String(in.bytes, in.position, length, StandardCharsets.UTF_8);
    in.position += length;
    return text;
  }

  /** Refuses names of which no store can make one: those of a table for each feature, say. */
  static void checkName(String field, String namespace, String name)
      throws InvalidMessageException {
    if (namespace.startsWith(".") || name.endsWith(".") || name.indexOf('\0') >= 0) {
      throw invalid(
          field,
          "'"
              + name.replace("\0", "\\0")
              + "' is not a name: it may neither begin nor end with a dot, nor hold a NUL");
    }
  }

  static void checkTime(long time, String field) throws InvalidMessageException {
    if (time < ResultDecoder.MIN_TIME || time > ResultDecoder.MAX_TIME) {
      throw invalid(field, time + " microseconds is not a time between the years 1 and 9999");
    }
  }

  static void checkUtf8(WireCursor in, int length, String path, String field)
      throws InvalidMessageException {
    if (!Utf8.isWellFormed(in.bytes, in.position, length)) {
      throw notUtf8(path + field);
    }
  }

  static InvalidMessageException notUtf8(String field) {
    return new InvalidMessageException(Reason.UNDECODABLE, field, "the text is not UTF-8");
  }

  /** A field that has to be there. */
  static InvalidMessageException missing(String field, String message) {
    return new InvalidMessageException(Reason.MISSING_FIELD, field, message);
  }

  /** A value that no result may have. */
  static InvalidMessageException invalid(String field, String message) {
    return new InvalidMessageException(Reason.INVALID_VALUE, field, message);
  }

  /** Something that this version does not know, and that changes what values mean. */
  static InvalidMessageException unknown(String field, String feature, String what) {
    return new InvalidMessageException(Reason.UNKNOWN_TYPE, field, "'" + feature + "' " + what);
  }

  /** A column whose parts differ in length. */
  static InvalidMessageException mismatch(String field, ColumnSpec spec, String what) {
    return new InvalidMessageException(
        Reason.LENGTH_MISMATCH, field, "'" + spec.feature() + "' has " + what);
  }
}
