package io.tailrace.testing.fakes;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says in DuckDB's words what a statement of Databricks says, and refuses those that DuckDB takes
 * and Databricks does not. Stateless and thread-safe.
 */
final class DatabricksSql {
  private static final int CASELESS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;

  /** Texts, in which a backslash escapes what is behind it, and quoted names. */
  private static final Pattern QUOTED =
      Pattern.compile("'[^'\\\\]*+(?:\\\\.[^'\\\\]*+)*+'|`(?:[^`]|``)*`", Pattern.DOTALL);

  private record Rule(Pattern pattern, String replacement) {
    static Rule of(String pattern, String replacement) {
      return new Rule(Pattern.compile(pattern, CASELESS), replacement);
    }
  }

  private static final List<Rule> RULES =
      List.of(
          Rule.of("\\bARRAY\\s*<\\s*FLOAT\\s*>", "FLOAT[]"),
          Rule.of("\\bARRAY\\s*<\\s*STRING\\s*>", "VARCHAR[]"),
          Rule.of("\\bSTRING\\b", "VARCHAR"),
          Rule.of("\\bBINARY\\b", "BLOB"),
          Rule.of("\\bTIMESTAMP\\b(?!\\s*_)", "TIMESTAMPTZ"),
          Rule.of("\\bUSING\\s+DELTA\\b", ""),
          Rule.of("\\bCLUSTER\\s+BY\\s*\\([^)]*\\)", ""),
          Rule.of("\\bTBLPROPERTIES\\s*\\([^)]*\\)", ""),
          Rule.of("\\bunix_micros\\s*\\(", "epoch_us("),
          Rule.of("\\btimestamp_micros\\s*\\(", "make_timestamptz("),
          Rule.of("\\bcurrent_timestamp\\s*\\(\\s*\\)", "current_timestamp"),
          Rule.of("\\bcollect_list\\s*\\(", "list("),
          Rule.of("\\barray_sort\\s*\\(", "list_sort("),
          Rule.of("\\barray_distinct\\s*\\(", "list_distinct("),
          Rule.of("\\boctet_length\\s*\\(", "strlen("),
          Rule.of("\\bsize\\s*\\(", "len("),
          Rule.of("\\btransform\\s*\\(", "list_transform("),
          Rule.of("\\binformation_schema\\s*\\.\\s*(tables|columns|catalogs)\\b", "of_schema_$1"));

  /** What DuckDB has and Databricks has not. */
  private static final List<Rule> LACKING =
      List.of(
          Rule.of("\\bON\\s+CONFLICT\\b", "ON CONFLICT"),
          Rule.of("^\\s*UPDATE\\b(?!.*\\bMERGE\\b).*\\bFROM\\b", "UPDATE with FROM"),
          Rule.of("\\bADD\\s+COLUMN\\s+IF\\b", "ADD COLUMN IF NOT EXISTS"),
          Rule.of("^\\s*(BEGIN|COMMIT|ROLLBACK)\\b", "transactions over statements"),
          Rule.of("\\b(TEMP|TEMPORARY)\\s+TABLE\\b", "temporary tables"),
          Rule.of("\\b(VARCHAR|BLOB|TIMESTAMPTZ|UUID|JSON)\\b", "such a type"));

  private static final Pattern COPY =
      Pattern.compile(
          "\\s*COPY\\s+INTO\\s+(\\S+)\\s+FROM\\s+(?:\\((?<select>SELECT\\s.*)\\sFROM\\s+)?"
              + "(?<from>'(?:[^'\\\\]|\\\\.)*')\\)?\\s+FILEFORMAT\\s*=\\s*"
              + "PARQUET\\s*(?:FILES\\s*=\\s*\\((?<files>.*?)\\))?\\s*"
              + "(?:FORMAT_OPTIONS\\s*\\((.*?)\\))?\\s*(?:COPY_OPTIONS\\s*\\((?<options>.*?)\\))?\\s*;?\\s*",
          CASELESS);

  private static final Pattern COMMENT_OF_VIEW =
      Pattern.compile(
          "(CREATE\\s+(?:OR\\s+REPLACE\\s+)?VIEW\\s+(\\S+))\\s+COMMENT\\s+"
              + "('(?:[^'\\\\]|\\\\.)*')\\s+AS\\b",
          CASELESS);

  private DatabricksSql() {}

  /** A statement that the fake refuses. */
  static final class UnknownStatementException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UnknownStatementException(String message) {
      super(message);
    }
  }

  /**
   * A COPY INTO of Parquet files.
   *
   * @param select what is selected of them, in DuckDB's words
   */
  record Copy(String table, String select, String from, List<String> files, boolean force) {
    static Optional<Copy> of(String sql) {
      Matcher copy = COPY.matcher(sql);
      if (!copy.matches()) {
        return Optional.empty();
      }
      List<String> files = new ArrayList<>();
      Matcher names = QUOTED.matcher(orNothing(copy.group("files")));
      while (names.find()) {
        files.add(text(names.group()));
      }
      return Optional.of(
          new Copy(
              translate(copy.group(1)).get(0),
              copy.group("select") == null ? "SELECT *" : translate(copy.group("select")).get(0),
              text(copy.group("from")),
              files,
              orNothing(copy.group("options")).matches("(?i)\\s*'force'\\s*=\\s*'true'.*")));
    }

    private static String orNothing(String group) {
      return group == null ? "" : group;
    }
  }

  /** Returns what a literal stands for. */
  static String text(String literal) {
    StringBuilder text = new StringBuilder();
    for (int i = 1; i < literal.length() - 1; i++) {
      char c = literal.charAt(i);
      text.append(c == '\\' ? literal.charAt(++i) : c);
    }
    return text.toString();
  }

  private static String literal(String text) {
    return '\'' + text.replace("'", "''") + '\'';
  }

  /** Translates any other statement, into one or more that belong together. */
  static List<String> translate(String sql) {
    Matcher comment = COMMENT_OF_VIEW.matcher(sql);
    if (comment.find()) {
      return List.of(
          translateOne(comment.group(1) + " AS" + sql.substring(comment.end())),
          "COMMENT ON VIEW "
              + translateOne(comment.group(2))
              + " IS "
              + literal(text(comment.group(3))));
    }
    return List.of(translateOne(sql));
  }

  private static String translateOne(String sql) {
    StringBuilder translated = new StringBuilder();
    StringBuilder words = new StringBuilder();
    Matcher quoted = QUOTED.matcher(sql);
    int from = 0;
    while (quoted.find()) {
      String before = sql.substring(from, quoted.start());
      words.append(before).append(" q ");
      translated.append(words(before));
      String found = quoted.group();
      translated.append(
          found.startsWith("'")
              ? literal(text(found))
              : '"'
                  + found.substring(1, found.length() - 1).replace("``", "`").replace("\"", "\"\"")
                  + '"');
      from = quoted.end();
    }
    words.append(sql.substring(from));
    translated.append(words(sql.substring(from)));
    for (Rule rule : LACKING) {
      if (rule.pattern.matcher(words).find()) {
        throw new UnknownStatementException(
            "[PARSE_SYNTAX_ERROR] Databricks has no " + rule.replacement + ": " + sql);
      }
    }
    // Clauses whose parentheses hold texts.
    return translated
        .toString()
        .replaceAll("(?is)\\bADD\\s+COLUMNS\\s*\\((.*)\\)", "ADD COLUMN $1")
        .replaceAll("(?is)\\bTBLPROPERTIES\\s*\\([^)]*\\)", "")
        .replaceAll("(?is)\"\\w+\"\\.of_schema_", "of_schema_");
  }

  private static String words(String text) {
    String translated = text;
    for (Rule rule : RULES) {
      translated = rule.pattern.matcher(translated).replaceAll(rule.replacement);
    }
    return translated;
  }
}
