package io.tailrace.offline.warehouse;

import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How a warehouse compares texts, whose names and keys are the same only if every character is.
 * Stateless and thread-safe.
 */
interface ComparedTexts {
  /** Returns how it writes names, texts and types. */
  Dialect sql();

  /** Returns the condition that {@code t} and {@code s} have the same keys. */
  default String equal(List<String> keys) {
    return keys.stream()
        .map(key -> same("t." + key, "s." + key))
        .collect(Collectors.joining(" AND "));
  }

  /**
   * Returns an expression that tells a text from those that are equal to it in the warehouse's eyes
   * and yet others, as where blanks at the end do not count. Empty: there are none.
   *
   * @param text the name of a column, perhaps with an alias
   */
  default Optional<String> difference(String text) {
    return Optional.empty();
  }

  /** Returns the condition that two columns have the very same text. */
  default String same(String text, String other) {
    return Stream.concat(
            Stream.of(text + " = " + other),
            difference(text).stream()
                .flatMap(one -> difference(other).map(another -> one + " = " + another).stream()))
        .collect(Collectors.joining(" AND "));
  }

  /** Returns the condition that a column has this very text. */
  default String is(String text, String value) {
    String literal = sql().literal(value);
    return text
        + " = "
        + literal
        + difference(text)
            .map(
                difference ->
                    " AND "
                        + difference
                        + " = "
                        + difference("CAST(" + literal + " AS " + sql().type(ColumnType.TEXT) + ")")
                            .orElseThrow())
            .orElse("");
  }

  /** Returns, with commas between them, by what rows are put together whose texts are the same. */
  default String together(List<String> texts) {
    return Stream.concat(texts.stream(), texts.stream().flatMap(text -> difference(text).stream()))
        .collect(Collectors.joining(", "));
  }
}
