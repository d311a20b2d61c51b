package io.tailrace.pipelines.tools;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader.Table;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.SqlEndpoint;
import io.tailrace.testing.FixedRowsReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.junit.After;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import picocli.CommandLine;

@RunWith(JUnit4.class)
public class SqlCommandTest {
  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final List<SqlEndpoint> endpoints = new ArrayList<>();

  @After
  public void close() {
    endpoints.forEach(SqlEndpoint::close);
  }

  @Test
  public void showsWhatTheLocalStackAnswersAsATable() throws Exception {
    local(
        (sql, limit) ->
            new Table(
                List.of("statement", "limit"),
                List.of(List.of(sql, Integer.toString(limit)), List.of("x", "y")),
                true));

    assertThat(run("SELECT 'Zoë'")).isEqualTo(0);

    assertThat(lines(out))
        .containsExactly(
            "+--------------+-------+",
            "| statement    | limit |",
            "+--------------+-------+",
            "| SELECT 'Zoë' | 100   |",
            "| x            | y     |",
            "+--------------+-------+",
            "2 rows")
        .inOrder();
    assertThat(err.toString()).isEmpty();
  }

  @Test
  public void saysHowManyRowsThereAreAndHowToSeeMore() throws Exception {
    Table none = new Table(List.of("a"), List.of(), true);
    assertThat(lastLine(none)).isEqualTo("0 rows");
    assertThat(lastLine(rows(true, "1"))).isEqualTo("1 row");
    assertThat(lastLine(rows(false, "1"))).isEqualTo("the first row; --limit=N shows more");
    assertThat(lastLine(rows(false, "1", "2"))).isEqualTo("the first 2 rows; --limit=N shows more");
    assertThat(lastLine(rows(false, "1", "2"), "--limit=100000"))
        .isEqualTo("the first 2 rows; there are more");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  public void thereIsNoTableWithoutColumns() throws Exception {
    local(new Table(List.of(), List.of(List.of()), true));
    assertThat(run("x")).isEqualTo(0);
    assertThat(lines(out)).containsExactly("1 row");
  }

  @Test
  public void aTableTellsNullFromTextThatReadsLikeItAndFromNoText() throws Exception {
    local(rows(true, null, "null", "", "NULL"));
    assertThat(run("x")).isEqualTo(0);
    assertThat(lines(out).subList(3, 7))
        .containsExactly("| null   |", "| \"null\" |", "| \"\"     |", "| NULL   |")
        .inOrder();
  }

  @Test
  public void aTableCutsLongValuesBetweenCharacters() throws Exception {
    String face = "\uD83D\uDE00";
    local(
        new Table(
            List.of("b".repeat(61)),
            List.of(List.of("a".repeat(60)), List.of("a".repeat(61)), List.of(face.repeat(61))),
            true));

    assertThat(run("x")).isEqualTo(0);

    assertThat(out.toString()).contains("| " + "b".repeat(59) + "… ");
    assertThat(out.toString()).contains("| " + "a".repeat(60) + " ");
    assertThat(out.toString()).contains("| " + "a".repeat(59) + "… ");
    assertThat(out.toString()).contains("| " + face.repeat(59) + "… ");
  }

  @Test
  public void aTableCannotSteerTheTerminal() throws Exception {
    local(
        new Table(
            List.of("a\033[2J"),
            List.of(List.of("b\n\u009B\u202E\u2028\uDB40\uDC01\uD800")),
            true));

    assertThat(run("x")).isEqualTo(0);

    assertThat(lines(out)).hasSize(6);
    assertThat(out.toString()).contains("| a\\u001B[2J ");
    assertThat(out.toString()).contains("| b\\u000A\\u009B\\u202E\\u2028\\uDB40\\uDC01\\uD800 ");
  }

  @Test
  public void csvHasWholeValuesQuotedWhereTheyMustBe() throws Exception {
    String longText = "a".repeat(100);
    local(
        new Table(
            List.of("k,1", "v"),
            List.of(
                Arrays.asList(null, ""),
                List.of("say \"no\"", "two\nlines"),
                List.of(" null", "\r"),
                List.of(longText, "Zoë")),
            true));

    assertThat(run("x", "--format=csv")).isEqualTo(0);

    assertThat(out.toString())
        .isEqualTo(
            "\"k,1\",v\n"
                + ",\"\"\n"
                + "\"say \"\"no\"\"\",\"two\nlines\"\n"
                + " null,\"\r\"\n"
                + longText
                + ",Zoë\n");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  public void jsonLinesHaveAnObjectForEachRow() throws Exception {
    String longText = "a".repeat(100);
    local(
        new Table(
            List.of("b", "a"),
            List.of(Arrays.asList("1", null), List.of("", "\"\n\u009B"), List.of(longText, "Zoë")),
            true));

    assertThat(run("x", "--format=jsonl")).isEqualTo(0);

    assertThat(out.toString())
        .isEqualTo(
            "{\"b\":\"1\",\"a\":null}\n"
                + "{\"b\":\"\",\"a\":\"\\\"\\n\\u009B\"}\n"
                + "{\"b\":\""
                + longText
                + "\",\"a\":\"Zoë\"}\n");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  public void jsonLinesWithTwoColumnsOfOneNameAreRefused() throws Exception {
    local(new Table(List.of("a", "b", "a"), List.of(List.of("1", "2", "3")), true));
    assertThat(run("x", "--format=jsonl")).isEqualTo(1);
    assertThat(err.toString())
        .isEqualTo(
            "An object can't have two values named 'a': name one of them with AS, or use"
                + " --format=csv\n");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  public void thatThereAreMoreRowsIsNotSaidAmongThoseForAProgram() throws Exception {
    local(rows(false, "1", "2"));
    assertThat(run("x", "--format=csv", "--limit=2")).isEqualTo(0);
    assertThat(run("x", "--format=JSONL", "--limit=2")).isEqualTo(0);
    assertThat(out.toString()).isEqualTo("a\n1\n2\n{\"a\":\"1\"}\n{\"a\":\"2\"}\n");
    assertThat(lines(err))
        .containsExactly(
            "the first 2 rows; --limit=N shows more", "the first 2 rows; --limit=N shows more");
  }

  @Test
  public void takesTheStatementFromStandardInput() throws Exception {
    local((sql, limit) -> rows(true, sql));
    assertThat(run(input("SELECT\n'Zoë'".getBytes(UTF_8)), "-", "--format=jsonl")).isEqualTo(0);
    assertThat(out.toString()).isEqualTo("{\"a\":\"SELECT\\n'Zoë'\"}\n");
  }

  @Test
  public void aStatementOnStandardInputThatCannotBeOneIsAFailure() throws Exception {
    local(rows(true));
    assertThat(run(input("'é'".getBytes(ISO_8859_1)), "-")).isEqualTo(1);
    assertThat(run(input(new byte[(1 << 20) + 1]), "-")).isEqualTo(1);
    assertThat(lines(err))
        .containsExactly(
            "The statement on standard input is not UTF-8",
            "The statement on standard input is longer than 1048576 bytes")
        .inOrder();
  }

  @Test
  public void whatTheStoreRefusesIsSaidInItsOwnWords() throws Exception {
    local(
        (sql, limit) -> {
          throw new UnavailableException("there is no table usr__age\n  ^ \033[2J");
        });
    assertThat(run("SELECT * FROM usr__age")).isEqualTo(1);
    assertThat(err.toString()).isEqualTo("there is no table usr__age\n  ^ \\u001B[2J\n");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  public void saysWhatToDoWithoutALocalStackThatCanBeQueried() throws Exception {
    assertThat(run("x")).isEqualTo(1);
    assertThat(err.toString()).contains("No 'local' runs on this machine");
    assertThat(err.toString()).contains("--offlineStore=postgresql://host/database");

    Properties older = running();
    write(older);
    assertThat(run("x")).isEqualTo(1);
    assertThat(lines(err).get(1)).contains("is of an older version");

    local(rows(true));
    close();
    assertThat(run("x")).isEqualTo(1);
    assertThat(lines(err).get(2)).contains("does not answer at http://127.0.0.1:");
    assertThat(lines(err)).hasSize(3);
  }

  @Test
  public void anAddressOfNoOfflineStoreIsAFailure() {
    assertThat(run("x", "--offlineStore=redis://localhost")).isEqualTo(1);
    assertThat(err.toString()).contains("'redis://localhost' names no offline store");
  }

  @Test
  public void readsADuckDbFileThatNoProcessHasOpen() throws Exception {
    Path file = duckDbFile();
    assertThat(
            run(
                "SELECT k, v FROM main.t ORDER BY k",
                "--limit=2",
                "--offlineStore=duckdb://" + file))
        .isEqualTo(0);
    assertThat(err.toString()).isEmpty();
    assertThat(lines(out))
        .containsExactly(
            "+---+------+",
            "| k | v    |",
            "+---+------+",
            "| 1 | null |",
            "| 2 | Zoë  |",
            "+---+------+",
            "the first 2 rows; --limit=N shows more")
        .inOrder();
  }

  @Test
  public void saysToLeaveTheOptionOutForTheFileOfTheLocalStackAlone() throws Exception {
    Path file = duckDbFile();
    Path link = Files.createSymbolicLink(file.resolveSibling("link.db"), file);
    Process owner = DuckDbOwner.start(file);
    try {
      assertThat(run("SELECT 1", "--offlineStore=duckdb://" + file)).isEqualTo(1);
      Properties stack = running();
      stack.setProperty("offlineStore", "duckdb://" + temporary.newFile("another.db"));
      stack.setProperty("sql", "http://127.0.0.1:1/sql");
      write(stack);
      assertThat(run("SELECT 1", "--offlineStore=duckdb://" + file)).isEqualTo(1);
      assertThat(err.toString()).doesNotContain("leave --offlineStore out");

      stack.setProperty("offlineStore", "duckdb://" + file);
      write(stack);
      assertThat(run("SELECT 1", "--offlineStore=duckdb://" + link)).isEqualTo(1);
      assertThat(err.toString()).contains("leave --offlineStore out");
    } finally {
      owner.destroy();
      owner.waitFor();
    }
  }

  @Test
  public void wrongUseIsToldFromFailure() {
    assertThat(run()).isEqualTo(2);
    assertThat(run(" ")).isEqualTo(2);
    assertThat(run("x", "--limit=0")).isEqualTo(2);
    assertThat(run("x", "--limit=100001")).isEqualTo(2);
    assertThat(run("x", "--format=xml")).isEqualTo(2);
    assertThat(err.toString()).contains("The statement is empty");
    assertThat(err.toString()).contains("--limit must be from 1 to 100000, not 0");
    assertThat(err.toString()).contains("--limit must be from 1 to 100000, not 100001");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  public void rowsThatCannotBeWrittenAreAFailure() throws Exception {
    local(rows(true, "1"));
    PrintStream standardOutput = System.out;
    System.setOut(
        new PrintStream(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("no space left");
              }
            }));
    try {
      // As in the program, picocli finds standard output by itself.
      CommandLine command = command(InputStream.nullInputStream());
      assertThat(command.execute("x", "--format=csv")).isEqualTo(1);
    } finally {
      System.setOut(standardOutput);
    }
    assertThat(err.toString()).contains("Standard output can't be written to");
  }

  /** Another process that has a DuckDB file open, as a running stack has. */
  static final class DuckDbOwner {
    static Process start(Path file) throws IOException {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  DuckDbOwner.class.getName(),
                  file.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      assertThat(process.inputReader().readLine()).isEqualTo("open");
      return process;
    }

    public static void main(String[] args) throws Exception {
      try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + args[0])) {
        System.out.println(connection.isClosed() ? "closed" : "open");
        // Until it is destroyed, or whoever has started it is gone.
        while (System.in.read() >= 0) {}
      }
    }
  }

  private Path duckDbFile() throws Exception {
    Path file = temporary.getRoot().toPath().resolve("offline.db");
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TABLE t AS SELECT * FROM (VALUES (3, 'x'), (1, NULL), (2, 'Zoë')) AS t(k, v)");
    }
    return file;
  }

  private static Table rows(boolean complete, String... values) {
    List<List<String>> rows = new ArrayList<>();
    for (String value : values) {
      rows.add(Arrays.asList(value));
    }
    return new Table(List.of("a"), rows, complete);
  }

  private String lastLine(Table table, String... options) throws Exception {
    local(table);
    String[] arguments = Arrays.copyOf(options, options.length + 1);
    arguments[options.length] = "x";
    assertThat(run(arguments)).isEqualTo(0);
    List<String> lines = lines(out);
    return lines.get(lines.size() - 1);
  }

  private void local(Table table) throws IOException {
    local((sql, limit) -> table);
  }

  /** Lets a stack run whose store answers like this. */
  private void local(FixedRowsReader.Answer answer) throws IOException {
    SqlEndpoint endpoint = SqlEndpoint.start(new FixedRowsReader("duckdb:///fixed.db", answer));
    endpoints.add(endpoint);
    Properties stack = running();
    stack.setProperty("offlineStore", endpoint.offlineStore());
    stack.setProperty("sql", endpoint.url());
    stack.setProperty("sqlToken", endpoint.token());
    write(stack);
  }

  private static Properties running() {
    ProcessHandle self = ProcessHandle.current();
    Properties stack = new Properties();
    stack.setProperty("process", Long.toString(self.pid()));
    stack.setProperty(
        "processStarted", Long.toString(self.info().startInstant().orElseThrow().toEpochMilli()));
    return stack;
  }

  private void write(Properties stack) throws IOException {
    try (Writer file = Files.newBufferedWriter(stackFile())) {
      stack.store(file, null);
    }
  }

  private Path stackFile() {
    return temporary.getRoot().toPath().resolve("local.properties");
  }

  private int run(String... arguments) {
    return run(InputStream.nullInputStream(), arguments);
  }

  private int run(InputStream standardInput, String... arguments) {
    return command(standardInput).setOut(new PrintWriter(out, true)).execute(arguments);
  }

  private CommandLine command(InputStream standardInput) {
    return new CommandLine(new SqlCommand(stackFile(), standardInput))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setErr(new PrintWriter(err, true))
        .setExecutionExceptionHandler(
            (e, command, parsed) -> {
              if (e instanceof CommandException) {
                command.getErr().println(e.getMessage());
                return 1;
              }
              throw e;
            });
  }

  private static InputStream input(byte[] bytes) {
    return new ByteArrayInputStream(bytes);
  }

  private static List<String> lines(StringWriter text) {
    return text.toString().lines().toList();
  }
}
