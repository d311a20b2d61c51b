package io.tailrace.pipelines.local.servers.snowflake;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A statement of Snowflake, taken apart: its texts, and what stands around them. Immutable.
 *
 * @param skeleton the statement with {@link #TEXT} in the place of each text
 * @param texts the texts, as they are meant
 */
record SnowflakeSql(String skeleton, List<String> texts) {
  /** Stands for a text. */
  private static final char TEXT = '\u0001';

  private static final Pattern TEXTS = Pattern.compile(String.valueOf(TEXT));

  /** What is called otherwise. */
  private static final List<Map.Entry<Pattern, String>> OTHERWISE =
      List.of(
          Map.entry(Pattern.compile("\\bNUMBER\\(19,0\\)"), "BIGINT"),
          Map.entry(Pattern.compile("\\bTIMESTAMP_LTZ\\(6\\)"), "TIMESTAMPTZ"),
          Map.entry(Pattern.compile("\\b(?:VARIANT|ARRAY)\\b"), "JSON"),
          Map.entry(Pattern.compile("\\bBINARY\\b(?!\")"), "BLOB"),
          Map.entry(Pattern.compile("\\bFLOAT\\b(?!\")"), "DOUBLE"),
          Map.entry(Pattern.compile("\\bOCTET_LENGTH\\("), "strlen("),
          Map.entry(Pattern.compile("\\bCURRENT_TIMESTAMP\\(\\)"), "current_timestamp"),
          Map.entry(Pattern.compile("\\bDATE_PART\\(EPOCH_MICROSECOND, "), "epoch_us("),
          Map.entry(Pattern.compile(" CLUSTER BY \\(.*\\)$"), ""),
          Map.entry(Pattern.compile(" COPY GRANTS\\b"), ""),
          Map.entry(Pattern.compile("\"(\\w+)\"\\.INFORMATION_SCHEMA\\.(\\w+)"), "sf_$2"));

  static SnowflakeSql parse(String sql) {
    StringBuilder skeleton = new StringBuilder();
    List<String> texts = new ArrayList<>();
    int at = 0;
    while (at < sql.length()) {
      char c = sql.charAt(at);
      if (c == '\'') {
        StringBuilder text = new StringBuilder();
        at = text(sql, at + 1, text);
        texts.add(text.toString());
        skeleton.append(TEXT);
      } else if (c == '"') {
        int end = sql.indexOf('"', at + 1) + 1;
        skeleton.append(sql, at, end);
        at = end;
      } else {
        skeleton.append(c);
        at++;
      }
    }
    return new SnowflakeSql(skeleton.toString().strip(), List.copyOf(texts));
  }

  /** Reads a text up to its end, as Snowflake reads it, and returns what is behind it. */
  private static int text(String sql, int from, StringBuilder text) {
    int at = from;
    while (at < sql.length()) {
      char c = sql.charAt(at);
      if (c == '\\' && at + 1 < sql.length()) {
        text.append(escaped(sql.charAt(at + 1)));
        at += 2;
      } else if (c == '\'' && at + 1 < sql.length() && sql.charAt(at + 1) == '\'') {
        text.append('\'');
        at += 2;
      } else if (c == '\'') {
        return at + 1;
      } else {
        text.append(c);
        at++;
      }
    }
    throw new IllegalArgumentException("a text has no end");
  }

  private static char escaped(char c) {
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'b' -> '\b';
      case 'f' -> '\f';
      case '0' -> '\0';
      default -> c;
    };
  }

  /** Returns the first word, in capitals. */
  String verb() {
    Matcher word = Pattern.compile("\\w+").matcher(skeleton);
    return word.lookingAt() ? word.group().toUpperCase(java.util.Locale.ROOT) : "";
  }

  /** Returns the text that stands behind some words, if they are there. */
  String textBehind(String words) {
    int at = skeleton.indexOf(words + TEXT);
    return at < 0 ? "" : texts.get(countTexts(skeleton.substring(0, at)));
  }

  private static int countTexts(String part) {
    return (int) part.chars().filter(c -> c == TEXT).count();
  }

  /** Returns the statement without some words and the text behind them. */
  SnowflakeSql without(String words) {
    int at = skeleton.indexOf(words + TEXT);
    if (at < 0) {
      return this;
    }
    List<String> others = new ArrayList<>(texts);
    others.remove(countTexts(skeleton.substring(0, at)));
    return new SnowflakeSql(
        skeleton.substring(0, at) + skeleton.substring(at + words.length() + 1), others);
  }

  /** Returns the texts that stand in parentheses behind some words. */
  List<String> textsIn(String words) {
    int at = skeleton.indexOf(words + "(");
    if (at < 0) {
      return List.of();
    }
    int first = countTexts(skeleton.substring(0, at));
    int end = skeleton.indexOf(')', at);
    return texts.subList(first, first + countTexts(skeleton.substring(at, end)));
  }

  /** Returns it with other words around its texts. */
  SnowflakeSql withSkeleton(String other) {
    return new SnowflakeSql(other, texts);
  }

  /** Returns what DuckDB is told. */
  String forDuckDb() {
    String sql = skeleton;
    for (Map.Entry<Pattern, String> other : OTHERWISE) {
      sql = other.getKey().matcher(sql).replaceAll(other.getValue());
    }
    int[] next = {0};
    return TEXTS
        .matcher(sql)
        .replaceAll(
            unused ->
                Matcher.quoteReplacement('\'' + texts.get(next[0]++).replace("'", "''") + '\''));
  }
}
