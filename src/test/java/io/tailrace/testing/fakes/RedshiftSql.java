package io.tailrace.testing.fakes;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says in PostgreSQL's words what a statement of Redshift says, and refuses those that PostgreSQL
 * takes and Redshift does not. Stateless and thread-safe.
 */
final class RedshiftSql {
  private static final int CASELESS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;

  /** Texts, of any length, and quoted names, in which nothing is a word. */
  private static final Pattern QUOTED =
      Pattern.compile(
          "'[^'\\\\]*+(?:(?:''|\\\\.)[^'\\\\]*+)*+'|\"(?:[^\"]|\"\")*\"", Pattern.DOTALL);

  private record Rule(Pattern pattern, String replacement) {
    static Rule of(String pattern, String replacement) {
      return new Rule(Pattern.compile(pattern, CASELESS), replacement);
    }
  }

  private static final List<Rule> RULES =
      List.of(
          Rule.of("\\bVARBYTE\\s*(\\(\\s*\\d+\\s*\\))?", "bytea"),
          Rule.of("\\bSUPER\\b", "jsonb"),
          Rule.of("\\bDISTSTYLE\\s+(EVEN|KEY|ALL|AUTO)\\b", ""),
          Rule.of("\\bDISTKEY\\s*\\([^)]*\\)", ""),
          Rule.of("\\b(COMPOUND\\s+|INTERLEAVED\\s+)?SORTKEY\\s*\\([^)]*\\)", ""),
          Rule.of("\\bENCODE\\s+\\w+", ""),
          Rule.of("\\bBACKUP\\s+(YES|NO)\\b", ""),
          Rule.of("\\bSYSDATE\\b", "(now() AT TIME ZONE 'UTC')"),
          Rule.of("\\bDATEDIFF\\s*\\(\\s*(us|microsecond|microseconds)\\s*,", "datediff_us("),
          Rule.of("\\bformat_type\\s*\\(", "redshift_type("),
          Rule.of("\\bGET_ARRAY_LENGTH\\b", "jsonb_array_length"));

  /** What PostgreSQL has and Redshift has not. */
  private static final List<Rule> LACKING =
      List.of(
          Rule.of("\\bON\\s+CONFLICT\\b", "ON CONFLICT"),
          Rule.of("\\bRETURNING\\b", "RETURNING"),
          Rule.of("\\bCREATE\\s+(UNIQUE\\s+)?INDEX\\b", "CREATE INDEX"),
          Rule.of("\\bADD\\s+COLUMN\\s+IF\\s+NOT\\s+EXISTS\\b", "ADD COLUMN IF NOT EXISTS"),
          Rule.of("\\(\\s*VALUES\\s*\\(", "VALUES as a table"),
          Rule.of("\\bCREATE\\s+OR\\s+REPLACE\\s+(TEMP|TABLE)", "CREATE OR REPLACE TABLE"),
          Rule.of("\\b(BYTEA|JSONB?|UUID)\\b(?!\\s*[.(\"])", "such a type"),
          Rule.of("\\bARRAY_AGG\\b|\\bSTRING_AGG\\b|\\bUNNEST\\b", "such a function"),
          Rule.of("\\bCREATE\\s+SEQUENCE\\b", "CREATE SEQUENCE"));

  private static final Pattern COPY =
      Pattern.compile(
          "\\s*COPY\\s+(\\S+)\\s+FROM\\s+'(s3://[^']*)'\\s+IAM_ROLE\\s+(default|'[^']*')\\s+"
              + "(?:FORMAT\\s+(?:AS\\s+)?)PARQUET\\b(.*)",
          CASELESS);

  private RedshiftSql() {}

  /** A statement that the fake refuses. */
  static final class UnknownStatementException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UnknownStatementException(String message) {
      super(message);
    }
  }

  /**
   * A COPY of Parquet files.
   *
   * @param options what stands behind the format, in capitals
   */
  record Copy(String table, String from, String role, List<String> options) {
    static Optional<Copy> of(String sql) {
      Matcher copy = COPY.matcher(sql);
      if (!copy.matches()) {
        return Optional.empty();
      }
      List<String> options =
          List.of(copy.group(4).strip().replace(";", "").toUpperCase(Locale.ROOT).split("\\s+"));
      return Optional.of(
          new Copy(copy.group(1), copy.group(2), copy.group(3).replace("'", ""), options));
    }
  }

  /** Translates any other statement. */
  static String translate(String sql) {
    StringBuilder translated = new StringBuilder();
    List<String> words = new ArrayList<>();
    Matcher quoted = QUOTED.matcher(sql);
    int from = 0;
    while (quoted.find()) {
      words.add(sql.substring(from, quoted.start()));
      translated.append(words(sql.substring(from, quoted.start()))).append(quoted.group());
      from = quoted.end();
    }
    words.add(sql.substring(from));
    translated.append(words(sql.substring(from)));
    String all = String.join(" ", words);
    for (Rule rule : LACKING) {
      if (rule.pattern.matcher(all).find()) {
        throw new UnknownStatementException("Redshift has no " + rule.replacement + ": " + sql);
      }
    }
    return translated.toString();
  }

  private static String words(String text) {
    String translated = text;
    for (Rule rule : RULES) {
      translated = rule.pattern.matcher(translated).replaceAll(rule.replacement);
    }
    return translated;
  }
}
