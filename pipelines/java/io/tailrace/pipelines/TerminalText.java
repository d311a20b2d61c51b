package io.tailrace.pipelines;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Texts as a terminal may show them: what others have written must not be able to steer it.
 * Stateless and thread-safe.
 */
public final class TerminalText {
  private TerminalText() {}

  /** Escapes what could steer a terminal or break a line, as JSON does it. */
  public static String safe(String text) {
    StringBuilder safe = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              switch (Character.getType(c)) {
                case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE -> {
                  for (char unit : Character.toChars(c)) {
                    safe.append(String.format("\\u%04X", (int) unit));
                  }
                }
                default -> safe.appendCodePoint(c);
              }
            });
    return safe.toString();
  }

  /** Returns a text of at most so many characters, and {@code …} where it was cut. */
  public static String cut(String text, int most) {
    return text.codePointCount(0, text.length()) <= most
        ? text
        : text.substring(0, text.offsetByCodePoints(0, most - 1)) + "…";
  }

  /** Returns how many things there are, in words. */
  public static String count(long number, String what) {
    return String.format("%,d %s%s", number, what, number == 1 ? "" : "s");
  }

  /** Returns rows as lines, each column as wide as its widest text but the last. */
  public static String table(List<List<String>> rows) {
    List<ColumnData<List<String>>> columns = new ArrayList<>();
    for (int c = 0; c < rows.get(0).size(); c++) {
      int column = c;
      columns.add(
          new Column()
              .dataAlign(HorizontalAlign.LEFT)
              .maxWidth(Integer.MAX_VALUE)
              .with(row -> row.get(column)));
    }
    return AsciiTable.builder()
        .border(AsciiTable.NO_BORDERS)
        .lineSeparator("\n")
        .data(rows, columns)
        .asString()
        .lines()
        // The library leaves a space on both sides of each text.
        .map(line -> line.substring(1).stripTrailing() + "\n")
        .collect(Collectors.joining());
  }
}
