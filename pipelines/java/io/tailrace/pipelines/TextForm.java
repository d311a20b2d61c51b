package io.tailrace.pipelines;

import io.tailrace.endpoint.Durations;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How the text of an option is written, said once for all who read it: the writer that parses it,
 * and forms that look at it before a writer does. Immutable and thread-safe.
 *
 * @param <T> what the text means
 * @param pattern matches every text that is right, and few others; in what Java, RE2 and JavaScript
 *     have in common
 * @param choices all that it may be, where these are few; otherwise empty
 * @param parser throws an {@link IllegalArgumentException} whose message says what is wrong
 */
public record TextForm<T>(String pattern, List<String> choices, Function<String, T> parser) {
  private static final String LENGTH_OF_TIME =
      "^([0-9]{1,18}(ms|[dhmsDHMS])"
          // ISO-8601.
          + "|[-+]?[Pp]([-+]?[0-9]+[Dd])?([Tt]([-+]?[0-9]+[Hh])?([-+]?[0-9]+[Mm])?"
          + "([-+]?[0-9]+([.,][0-9]{0,9})?[Ss])?)?)$";

  /** A length of time above zero. */
  public static final TextForm<Duration> DURATION = written(LENGTH_OF_TIME, Durations::parse);

  /** A length of time; zero turns off what it is for. */
  public static final TextForm<Duration> DURATION_OR_ZERO =
      written(LENGTH_OF_TIME, Durations::parseOrZero);

  /** A whole number above zero. */
  public static final TextForm<Integer> COUNT =
      written("^\\s*[+]?0*[1-9][0-9]{0,9}\\s*$", TextForm::positive);

  /** Copies the list. */
  public TextForm {
    choices = List.copyOf(choices);
  }

  /** A form that a pattern tells. */
  public static <T> TextForm<T> written(String pattern, Function<String, T> parser) {
    return new TextForm<>(pattern, List.of(), parser);
  }

  /** One of a few texts, of small letters and digits. */
  public static <T> TextForm<T> oneOf(List<String> choices, Function<String, T> parser) {
    return new TextForm<>(
        choices.stream().collect(Collectors.joining("|", "^(", ")$")), choices, parser);
  }

  private static int positive(String text) {
    int number;
    try {
      number = Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      number = 0;
    }
    if (number < 1) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a whole number above zero, such as 10000");
    }
    return number;
  }
}
