package io.tailrace.offline.postgres;

import com.google.common.base.Utf8;
import io.tailrace.parquet.JsonText;
import org.jspecify.annotations.Nullable;

/**
 * What PostgreSQL can hold. It refuses a whole {@code COPY} for one value that it can't. Messages
 * are parts of a sentence whose subject is a column. Stateless and thread-safe.
 */
final class Storable {
  /** Microseconds from 1970 to 2000, from where PostgreSQL counts. */
  private static final long EPOCH_MICROS = 946_684_800_000_000L;

  /** Days from 1970 to 2000. */
  private static final long EPOCH_DAYS = 10_957;

  /** 4714-11-24 BC, in microseconds from 2000; the last time is one that no 64 bits can name. */
  private static final long FIRST_TIME = -211_813_488_000_000_000L;

  /** 4714-11-24 BC, and the day after 5874897-12-31, in days from 2000. */
  private static final long FIRST_DAY = -2_451_545;

  private static final long END_DAY = 2_145_031_949;

  /** A row of an index has at most 2,704 bytes: the key, a time, and what describes them. */
  static final int MAX_INDEXED_BYTES = 2_600;

  private Storable() {}

  /** Returns a time as PostgreSQL has it. */
  static long time(long micros) {
    return micros - EPOCH_MICROS;
  }

  /** Returns a day as PostgreSQL has it. */
  static int day(long days) {
    return (int) (days - EPOCH_DAYS);
  }

  static @Nullable String whyNotTime(long micros) {
    return micros < FIRST_TIME + EPOCH_MICROS
        ? "is before 4714 BC, where PostgreSQL's calendar begins"
        : null;
  }

  static @Nullable String whyNotDay(long days) {
    return days < FIRST_DAY + EPOCH_DAYS || days >= END_DAY + EPOCH_DAYS
        ? "is outside of PostgreSQL's calendar, from 4714 BC to the year 5874897"
        : null;
  }

  /** Takes a text as UTF-8. */
  static @Nullable String whyNotText(byte[] text) {
    for (byte b : text) {
      if (b == 0) {
        return "has a NUL character, which PostgreSQL's text can't hold";
      }
    }
    return Utf8.isWellFormed(text) ? null : "is not UTF-8";
  }

  /** Takes a text that is to be in an index, as UTF-8. */
  static @Nullable String whyNotIndexed(byte[] text) {
    return text.length > MAX_INDEXED_BYTES
        ? "has "
            + text.length
            + " bytes; an index of PostgreSQL holds keys of up to "
            + MAX_INDEXED_BYTES
        : null;
  }

  /** Takes a JSON text as UTF-8. */
  static @Nullable String whyNotJson(byte[] text) {
    String whyNot = whyNotText(text);
    if (whyNot != null) {
      return whyNot;
    }
    return JsonText.whyNot(text, 0, text.length);
  }
}
