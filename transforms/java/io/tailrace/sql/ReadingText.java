package io.tailrace.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Looks at the text of a query before it is run where sessions that only read are not to be had, or
 * could be left: it has to be one statement that reads. Texts in quotes and comments are passed
 * over; whether a backslash in them means anything, and whether two slashes begin one, differs: all
 * is tried. Stateless and thread-safe.
 */
public final class ReadingText {
  private static final Set<String> READ =
      Set.of("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "VALUES", "TABLE");

  /** What may stand behind a WITH or an EXPLAIN. */
  private static final Set<String> WRITE =
      Set.of("INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "CALL", "EXECUTE");

  /** Snowflake's way to write several statements as one. */
  private static final String PIPE = "->>";

  private final String sql;
  private final boolean hasEscapes;
  private final boolean hasSlashes;
  private final List<String> words = new ArrayList<>();
  private int at;
  private int depth;
  private boolean ended;
  private boolean isMore;

  private ReadingText(String sql, boolean hasEscapes, boolean hasSlashes) {
    this.sql = sql;
    this.hasEscapes = hasEscapes;
    this.hasSlashes = hasSlashes;
  }

  /** Returns why a text is not one statement that reads; empty: it is. */
  public static Optional<String> whyNot(String sql) {
    return new ReadingText(sql, false, false)
        .why()
        .or(() -> new ReadingText(sql, true, false).why())
        .or(() -> new ReadingText(sql, false, true).why())
        .or(() -> new ReadingText(sql, true, true).why());
  }

  private Optional<String> why() {
    read();
    if (words.isEmpty() || !READ.contains(words.get(0))) {
      return Optional.of("only queries are run here, such as SELECT …: " + sql.strip());
    }
    if (isMore) {
      return Optional.of("only one query is run at once: " + sql.strip());
    }
    return words.stream()
        .filter(WRITE::contains)
        .findFirst()
        .map(word -> "only queries are run here, and this has " + word + ": " + sql.strip());
  }

  /** Gathers the very first word, and those that stand outside of parentheses. */
  private void read() {
    while (at < sql.length()) {
      char c = sql.charAt(at);
      if (Character.isWhitespace(c)) {
        at++;
      } else if (sql.startsWith("--", at) || (hasSlashes && sql.startsWith("//", at))) {
        skipTo("\n");
      } else if (sql.startsWith("/*", at)) {
        at += 2;
        skipTo("*/");
      } else {
        isMore |= (ended && c != ';') || sql.startsWith(PIPE, at);
        token(c);
      }
    }
  }

  private void token(char c) {
    if (c == '\'' || c == '"' || c == '`') {
      at++;
      skipQuoted(c);
    } else if (isOfWord(c) && c != '$') {
      word();
    } else if (c == '$' && tag() > at) {
      String tag = sql.substring(at, tag() + 1);
      at += tag.length();
      skipTo(tag);
    } else {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      ended |= c == ';';
      at++;
    }
  }

  private static boolean isOfWord(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '$';
  }

  private void word() {
    int from = at;
    while (at < sql.length() && isOfWord(sql.charAt(at))) {
      at++;
    }
    // That of a column is behind a dot, that of a function before a parenthesis.
    boolean isName =
        (from > 0 && sql.charAt(from - 1) == '.')
            || sql.substring(at).stripLeading().startsWith("(");
    if (words.isEmpty() || (depth <= 0 && !isName)) {
      words.add(sql.substring(from, at).toUpperCase(Locale.ROOT));
    }
  }

  /** Returns where the mark ends that begins a text in dollars here; where it is: there is none. */
  private int tag() {
    int end = at + 1;
    while (end < sql.length() && isOfWord(sql.charAt(end)) && sql.charAt(end) != '$') {
      end++;
    }
    return end < sql.length() && sql.charAt(end) == '$' ? end : at;
  }

  private void skipTo(String end) {
    int found = sql.indexOf(end, at);
    at = found < 0 ? sql.length() : found + end.length();
  }

  /** A quote that is doubled begins another text at once. */
  private void skipQuoted(char quote) {
    while (at < sql.length() && sql.charAt(at) != quote) {
      at += hasEscapes && sql.charAt(at) == '\\' ? 2 : 1;
    }
    at++;
  }
}
