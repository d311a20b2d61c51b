package io.tailrace.endpoint;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lengths of time as people write them: {@code 500ms}, {@code 30s}, {@code 10m}, {@code 1h}, {@code
 * 14d}, or ISO-8601 ({@code PT1M30S}). They are between a millisecond and 100 years, so that sums
 * of them, in whatever unit a server or a clock counts, have room. Stateless and thread-safe.
 */
public final class Durations {
  /** The shortest. */
  public static final Duration SHORTEST = Duration.ofMillis(1);

  /** The longest: 100 years. */
  public static final Duration LONGEST = Duration.ofDays(36_500);

  private static final Pattern WITH_UNIT = Pattern.compile("(\\d{1,18})(ms|[dhmsDHMS])");

  private Durations() {}

  /**
   * Parses a duration.
   *
   * @throws IllegalArgumentException if it is none, or not between {@link #SHORTEST} and {@link
   *     #LONGEST}; the message is a sentence that begins with the text
   */
  public static Duration parse(String text) {
    Duration duration = any(text);
    if (duration.compareTo(SHORTEST) < 0 || duration.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(text + " is not between 1ms and 36500d (100 years)");
    }
    return duration;
  }

  /**
   * Parses a duration that may be zero, which turns off what it is for.
   *
   * @throws IllegalArgumentException if it is none, or neither zero nor between {@link #SHORTEST}
   *     and {@link #LONGEST}; the message is a sentence that begins with the text
   */
  public static Duration parseOrZero(String text) {
    return any(text).isZero() ? Duration.ZERO : parse(text);
  }

  private static Duration any(String text) {
    try {
      Matcher number = WITH_UNIT.matcher(text);
      return number.matches()
          ? Duration.of(Long.parseLong(number.group(1)), unit(number.group(2)))
          : Duration.parse(text);
    } catch (ArithmeticException e) {
      return Duration.ofSeconds(Long.MAX_VALUE);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(
          text + " is not a duration such as 500ms, 30s, 10m, 1h or 14d", e);
    }
  }

  private static ChronoUnit unit(String letters) {
    return switch (letters) {
      case "ms" -> ChronoUnit.MILLIS;
      case "s", "S" -> ChronoUnit.SECONDS;
      case "m", "M" -> ChronoUnit.MINUTES;
      case "h", "H" -> ChronoUnit.HOURS;
      default -> ChronoUnit.DAYS;
    };
  }

  /** Returns a duration for a sentence: {@code 30 s}, {@code 500 ms}. */
  public static String text(Duration duration) {
    return duration.compareTo(Duration.ofSeconds(1)) < 0
        ? duration.toMillis() + " ms"
        : duration.toSeconds() + " s";
  }

  /** Returns a duration in milliseconds, for what counts them in an int; at most its greatest. */
  public static int intMillis(Duration duration) {
    return (int) Math.min(Integer.MAX_VALUE, duration.toMillis());
  }
}
