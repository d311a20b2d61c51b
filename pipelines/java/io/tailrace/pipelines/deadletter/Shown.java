package io.tailrace.pipelines.deadletter;

import java.util.List;

/**
 * Texts as a terminal may show them: what others have written must not be able to steer it.
 * Stateless and thread-safe.
 */
final class Shown {
  private Shown() {}

  /** Escapes what could steer a terminal or break a line, as JSON does it. */
  static String safe(String text) {
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
  static String cut(String text, int most) {
    return text.codePointCount(0, text.length()) <= most
        ? text
        : text.substring(0, text.offsetByCodePoints(0, most - 1)) + "…";
  }

  /** Returns how many things there are, in words. */
  static String count(long number, String what) {
    return String.format("%,d %s%s", number, what, number == 1 ? "" : "s");
  }

  /** Returns rows as lines, each column as wide as its widest text but the last. */
  static String table(List<List<String>> rows) {
    int[] widths = new int[rows.get(0).size()];
    for (List<String> row : rows) {
      for (int c = 0; c < widths.length; c++) {
        widths[c] = Math.max(widths[c], row.get(c).codePointCount(0, row.get(c).length()));
      }
    }
    StringBuilder lines = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < widths.length; c++) {
        String cell = row.get(c);
        line.append(cell);
        int gap = widths[c] - cell.codePointCount(0, cell.length()) + 2;
        line.append(" ".repeat(gap));
      }
      lines.append(line.toString().stripTrailing()).append('\n');
    }
    return lines.toString();
  }
}
