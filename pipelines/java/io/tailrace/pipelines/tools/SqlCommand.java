package io.tailrace.pipelines.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader.Table;
import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.TerminalText;
import io.tailrace.pipelines.local.RunningStack;
import io.tailrace.pipelines.local.SqlEndpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what a query of the offline store returns. */
@Command(
    name = "sql",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Runs a query on the offline store and shows the rows. Each feature has a table, such as"
          + " user__age, and the queries have query_log. They are in the schema 'tailrace', unless"
          + " the store's URI names another.",
      "",
      "For example:",
      "",
      "sql \"SELECT * FROM tailrace.user__age ORDER BY observed_at DESC\" --limit=10"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the query has run, whether or not there are rows",
      "1:the store refuses the statement, or can't be read",
      "2:wrong use"
    })
public final class SqlCommand implements Callable<Integer> {
  /** How rows are written. */
  enum Format {
    TABLE,
    CSV,
    JSONL
  }

  private static final int MAX_WIDTH = 60;
  private static final ObjectMapper JSON = new ObjectMapper();

  @Parameters(
      index = "0",
      paramLabel = "STATEMENT",
      description = "One statement that only reads, or - to take it from standard input.")
  private String statement = "-";

  @Option(
      names = "--offlineStore",
      paramLabel = "URI",
      description =
          "The store: postgresql://host:5432/database?user=NAME&password=env:VARIABLE, which names"
              + " a password and does not give it; or duckdb:///data/offline.db, while no other"
              + " process has that file open. Default: the store of the 'local' that was started"
              + " last on this machine.")
  private @Nullable String offlineStore;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "100",
      description =
          "Show this many rows at most, up to " + SqlEndpoint.MAX_ROWS + ". Default: 100.")
  private int limit;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "TABLE",
      description = {
        "How to write the rows. Default: table.",
        "table: for people. Long values are cut, control characters escaped.",
        "csv: whole values after a line of names; null is nothing, an empty text \"\".",
        "jsonl: an object on each line, with all values as text."
      })
  private Format format = Format.TABLE;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Path stackFile;
  private final InputStream standardInput;

  /** Creates the command. */
  public SqlCommand() {
    this(RunningStack.defaultFile(), System.in);
  }

  /** Creates the command for a test. */
  SqlCommand(Path stackFile, InputStream standardInput) {
    this.stackFile = stackFile;
    this.standardInput = standardInput;
  }

  @Override
  public Integer call() throws CommandException {
    if (limit < 1 || limit > SqlEndpoint.MAX_ROWS) {
      throw wrong("--limit must be from 1 to " + SqlEndpoint.MAX_ROWS + ", not " + limit);
    }
    String sql = statement.equals("-") ? readStatement() : statement;
    if (sql.isBlank()) {
      throw wrong("The statement is empty; for example: SELECT * FROM tailrace.query_log");
    }
    Table table;
    try {
      table = query(sql);
    } catch (UnavailableException | IllegalArgumentException | IllegalStateException e) {
      throw new CommandException(escapeLines(String.valueOf(e.getMessage())), e);
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (format) {
      case TABLE -> {
        if (!table.columns().isEmpty()) {
          printTable(table, out);
        }
        out.println(summary(table));
      }
      case CSV -> printCsv(table, out);
      case JSONL -> printJsonLines(table, out);
    }
    // Both: the one that picocli makes of standard output never hears of errors there.
    if (out.checkError() || System.out.checkError()) {
      throw new CommandException("Standard output can't be written to; rows are missing there");
    }
    if (format != Format.TABLE && !table.complete()) {
      // Not among the rows, which a program reads.
      PrintWriter err = spec.commandLine().getErr();
      err.println(summary(table));
      err.flush();
    }
    return 0;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private String readStatement() throws CommandException {
    try {
      byte[] bytes = standardInput.readNBytes(SqlEndpoint.MAX_STATEMENT_BYTES + 1);
      if (bytes.length > SqlEndpoint.MAX_STATEMENT_BYTES) {
        throw new CommandException(
            "The statement on standard input is longer than "
                + SqlEndpoint.MAX_STATEMENT_BYTES
                + " bytes");
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new CommandException("The statement on standard input is not UTF-8", e);
    } catch (IOException e) {
      throw new CommandException("Standard input can't be read: " + e.getMessage(), e);
    }
  }

  private Table query(String sql) throws UnavailableException, CommandException {
    Optional<RunningStack> running = RunningStack.find(stackFile);
    if (offlineStore != null) {
      return query(offlineStore, running.flatMap(RunningStack::sql), sql);
    }
    if (running.isEmpty()) {
      throw new CommandException(
          "No 'local' runs on this machine; say where to read:"
              + " --offlineStore=postgresql://host/database or"
              + " --offlineStore=duckdb:///data/offline.db");
    }
    RunningStack.Sql local =
        running
            .get()
            .sql()
            .orElseThrow(
                () ->
                    new CommandException(
                        "The 'local' that runs on this machine is of an older version, which has"
                            + " no offline store to query; start it anew, or say where to read:"
                            + " --offlineStore=postgresql://host/database"));
    return SqlEndpoint.query(local, sql, limit);
  }

  private Table query(String uri, Optional<RunningStack.Sql> local, String sql)
      throws UnavailableException {
    try {
      return OfflineStores.at(uri).reader().query(sql, limit);
    } catch (UnavailableException e) {
      if (local.isPresent() && isSameFile(uri, local.get().offlineStore())) {
        throw new UnavailableException(
            e.getMessage()
                + " (it belongs to the 'local' that runs on this machine: leave --offlineStore out"
                + " to query it)",
            e);
      }
      throw e;
    }
  }

  private static boolean isSameFile(String one, String other) {
    EndpointUri first = EndpointUri.parse(one);
    EndpointUri second = EndpointUri.parse(other);
    if (!first.scheme().equals("duckdb") || !second.scheme().equals("duckdb")) {
      return false;
    }
    try {
      return Files.isSameFile(Path.of("/", first.path()), Path.of("/", second.path()));
    } catch (IOException | InvalidPathException e) {
      // One of them is no file here.
      return false;
    }
  }

  private String summary(Table table) {
    int count = table.rows().size();
    String rows = count == 1 ? "row" : count + " rows";
    if (table.complete()) {
      return count == 1 ? "1 row" : rows;
    }
    return "the first "
        + rows
        + (limit < SqlEndpoint.MAX_ROWS ? "; --limit=N shows more" : "; there are more");
  }

  private static void printTable(Table table, PrintWriter out) {
    List<ColumnData<List<String>>> columns = new ArrayList<>();
    for (int c = 0; c < table.columns().size(); c++) {
      int column = c;
      columns.add(
          new Column()
              .header(cut(table.columns().get(c)))
              .headerAlign(HorizontalAlign.LEFT)
              .dataAlign(HorizontalAlign.LEFT)
              // Values have been cut, but not within a character.
              .maxWidth(Short.MAX_VALUE)
              .with(row -> cell(row.get(column))));
    }
    out.println(
        AsciiTable.builder()
            .border(AsciiTable.BASIC_ASCII_NO_DATA_SEPARATORS)
            .data(table.rows(), columns)
            .asString());
  }

  /** Shows a value so that null, a text that reads like it and an empty one are told apart. */
  private static String cell(@Nullable String value) {
    if (value == null) {
      return "null";
    }
    return value.isEmpty() || value.equals("null") ? '"' + value + '"' : cut(value);
  }

  private static String cut(String text) {
    // Not all of it: a value may have megabytes.
    String start = text.substring(0, end(text, MAX_WIDTH + 1));
    String safe = TerminalText.safe(start);
    return safe.codePointCount(0, safe.length()) <= MAX_WIDTH
        ? safe
        : safe.substring(0, end(safe, MAX_WIDTH - 1)) + "…";
  }

  private static int end(String text, int codePoints) {
    return text.codePointCount(0, text.length()) <= codePoints
        ? text.length()
        : text.offsetByCodePoints(0, codePoints);
  }

  /** Escapes a message, which may quote values, but leaves it its lines. */
  private static String escapeLines(String message) {
    return message.lines().map(TerminalText::safe).collect(Collectors.joining("\n"));
  }

  /** Writes what RFC 4180 describes, except that lines end as they do everywhere else. */
  private static void printCsv(Table table, PrintWriter out) {
    printCsvLine(table.columns(), out);
    for (List<String> row : table.rows()) {
      printCsvLine(row, out);
    }
  }

  private static void printCsvLine(List<String> values, PrintWriter out) {
    StringJoiner line = new StringJoiner(",", "", "\n");
    for (@Nullable String value : values) {
      line.add(value == null ? "" : quoted(value));
    }
    out.print(line);
  }

  private static String quoted(String value) {
    boolean plain = !value.isEmpty() && value.chars().noneMatch(c -> ",\"\r\n".indexOf(c) >= 0);
    return plain ? value : '"' + value.replace("\"", "\"\"") + '"';
  }

  private static void printJsonLines(Table table, PrintWriter out) throws CommandException {
    Set<String> names = new HashSet<>();
    for (String name : table.columns()) {
      if (!names.add(name)) {
        throw new CommandException(
            "An object can't have two values named '"
                + TerminalText.safe(name)
                + "': name one of them with AS, or use --format=csv");
      }
    }
    for (List<String> row : table.rows()) {
      Map<String, @Nullable String> object = new LinkedHashMap<>();
      for (int c = 0; c < row.size(); c++) {
        object.put(table.columns().get(c), row.get(c));
      }
      try {
        // Within JSON there is nothing to escape but in its texts.
        out.print(TerminalText.safe(JSON.writeValueAsString(object)) + "\n");
      } catch (JsonProcessingException e) {
        throw new CommandException("A row can't be written as JSON: " + e.getMessage(), e);
      }
    }
  }
}
