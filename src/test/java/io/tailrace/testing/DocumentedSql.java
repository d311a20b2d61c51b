package io.tailrace.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The statements of a page of the documentation, so that a test runs them as they stand. */
public final class DocumentedSql {
  private static final Pattern SQL = Pattern.compile("```sql\n(.*?)```", Pattern.DOTALL);
  private static final Pattern NAME = Pattern.compile("'[^']*'|`[^`]*`|\\b[a-z_]\\w*");

  private DocumentedSql() {}

  /** Returns the blocks of a page, such as {@code offline-store}. */
  public static List<String> blocks(String page) throws IOException {
    return SQL.matcher(Files.readString(Path.of("docs", page + ".md")))
        .results()
        .map(it -> it.group(1))
        .toList();
  }

  /** Returns the statements of a page that begin with a word, without semicolons. */
  public static List<String> statements(String page, String word) throws IOException {
    return blocks(page).stream()
        .flatMap(block -> Pattern.compile(";").splitAsStream(block))
        .map(String::strip)
        .filter(statement -> statement.startsWith(word))
        .toList();
  }

  /** Returns a statement, or a sentence about one, with {@code …} for every name in it. */
  public static String withoutNames(String statement) {
    return NAME.matcher(statement).replaceAll("…");
  }
}
