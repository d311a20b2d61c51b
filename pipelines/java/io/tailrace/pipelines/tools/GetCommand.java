package io.tailrace.pipelines.tools;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.OnlineStores;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningStack;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.Column.Overflow;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what the online store holds of an entity. */
@Command(
    name = "get",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Shows what the online store holds of an entity: values with their types, when each was"
            + " observed and how long it may still be served.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:something can be served",
      "1:nothing can be served, or the store can't be read",
      "2:wrong use"
    })
public final class GetCommand implements Callable<Integer> {
  private static final int GAP = 2;
  private static final int MAX_WIDTH = 60;

  @Parameters(
      index = "0",
      paramLabel = "NAMESPACE",
      description = "The feature namespace, for example user.")
  private String namespace = "";

  @Parameters(
      index = "1",
      paramLabel = "KEY",
      description = "The primary key: text, or an integer in decimal (a negative one after --).")
  private String key = "";

  @Parameters(
      index = "2..*",
      paramLabel = "FEATURE",
      description = "Features to show, with or without the namespace. Default: all.")
  private List<String> features = new ArrayList<>();

  @Option(
      names = "--environment",
      paramLabel = "NAME",
      defaultValue = "prod",
      description = "The environment of the entity. Default: ${DEFAULT-VALUE}.")
  private String environment = "";

  @Option(
      names = "--onlineStore",
      paramLabel = "URI",
      description =
          "The store, as the online-writer names it. Default: the store of the 'local' that was"
              + " started last on this machine.")
  private @Nullable String onlineStore;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Path stackFile;

  /** Creates the command. */
  public GetCommand() {
    this(RunningStack.defaultFile());
  }

  /** Creates the command for a test. */
  GetCommand(Path stackFile) {
    this.stackFile = stackFile;
  }

  @Override
  public Integer call() throws CommandException {
    EntityKey entity = new EntityKey(environment, namespace, key);
    Map<String, Cell> cells;
    try (OnlineReader reader = OnlineReader.open(uri())) {
      cells = reader.readCells(List.of(entity)).get(0);
    } catch (UnavailableException | IllegalArgumentException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
    Instant now = Instant.now();
    PrintWriter out = spec.commandLine().getOut();
    if (cells.isEmpty()) {
      out.println(
          namespace
              + " "
              + key
              + " is absent in environment "
              + environment
              + ": never written, deleted, or expired."
              + (onlineStore == null
                  ? " Users of the traffic of 'local' have numbers: try 'get user 0'."
                  : ""));
      out.flush();
      return 1;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("FEATURE", "TYPE", "OBSERVED AT (UTC)", "AGE", "EXPIRES IN", "VALUE"));
    boolean served = false;
    for (String name : names(cells.keySet())) {
      Cell cell = cells.get(name);
      if (cell == null) {
        rows.add(List.of(text(name), "", "", "", "", "(absent)"));
      } else {
        served |= isServed(cell, now);
        rows.add(row(name, cell, now));
      }
    }
    out.print(table(rows));
    out.flush();
    return served ? 0 : 1;
  }

  private String uri() throws CommandException {
    return Optional.ofNullable(onlineStore)
        .or(() -> RunningStack.find(stackFile).map(RunningStack::onlineStore))
        .orElseThrow(
            () ->
                new CommandException(
                    "No 'local' runs on this machine; say where to read, with --onlineStore=URI. "
                        + "Example: "
                        + OnlineStores.KINDS.examples()));
  }

  private Set<String> names(Set<String> stored) {
    if (features.isEmpty()) {
      return stored;
    }
    Set<String> names = new LinkedHashSet<>();
    for (String feature : features) {
      names.add(
          feature.startsWith(namespace + ".")
              ? feature.substring(namespace.length() + 1)
              : feature);
    }
    return names;
  }

  private static boolean isServed(Cell cell, Instant now) {
    return cell.kind() != Cell.Kind.TOMBSTONE && !cell.isExpired(Micros.of(now));
  }

  private static List<String> row(String name, Cell cell, Instant now) {
    Instant observedAt = Micros.instant(cell.observedAt());
    boolean served = isServed(cell, now);
    String value =
        switch (cell.kind()) {
          case VALUE -> served ? text(cell.value().orElseThrow()) : "(expired)";
          case NULL -> served ? "(null)" : "(expired)";
          case TOMBSTONE -> "(deleted)";
        };
    String expiresIn =
        cell.kind() == Cell.Kind.TOMBSTONE
            ? ""
            : cell.expiresAt() == Cell.NEVER
                ? "never"
                : inWords(Duration.between(now, Micros.instant(cell.expiresAt())));
    return List.of(
        text(name),
        cell.type().map(Enum::name).orElse(""),
        observedAt.toString(),
        observedAt.isAfter(now)
            ? "in " + inWords(Duration.between(now, observedAt))
            : inWords(Duration.between(observedAt, now)),
        expiresIn,
        value);
  }

  private static String text(Object value) {
    String text;
    if (value instanceof byte[] bytes) {
      text = "0x" + HexFormat.of().formatHex(bytes);
    } else if (value instanceof float[] numbers) {
      text = Arrays.toString(numbers);
    } else {
      text = value.toString();
    }
    // What was stored must not be able to steer a terminal, or the table.
    StringBuilder safe = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT) {
                safe.append(String.format("\\u%04X", c));
              } else {
                safe.appendCodePoint(c);
              }
            });
    return safe.isEmpty() ? "\"\"" : safe.toString().replace("@|", "@ |");
  }

  /** Says a duration with its two greatest units; one below zero lies back. */
  static String inWords(Duration duration) {
    if (duration.isNegative()) {
      return inWords(duration.negated()) + " ago";
    }
    long days = duration.toDays();
    if (days >= 1_000) {
      return days / 365 + " years";
    }
    if (days > 0) {
      return days + " d " + duration.toHoursPart() + " h";
    }
    if (duration.toHours() > 0) {
      return duration.toHours() + " h " + duration.toMinutesPart() + " min";
    }
    if (duration.toMinutes() > 0) {
      return duration.toMinutes() + " min " + duration.toSecondsPart() + " s";
    }
    return duration.toSeconds() > 0 ? duration.toSeconds() + " s" : duration.toMillis() + " ms";
  }

  private static String table(List<List<String>> rows) {
    int count = rows.get(0).size();
    Column[] columns = new Column[count];
    for (int c = 0; c < count; c++) {
      int width = 1;
      for (List<String> row : rows) {
        width = Math.max(width, row.get(c).length());
      }
      columns[c] =
          new Column(
              Math.min(width, MAX_WIDTH) + (c == 0 ? 0 : GAP), c == 0 ? 0 : GAP, Overflow.WRAP);
    }
    TextTable table = TextTable.forColumns(Help.defaultColorScheme(Ansi.OFF), columns);
    table.indentWrappedLines = 0;
    for (List<String> row : rows) {
      table.addRowValues(row.toArray(String[]::new));
    }
    return table.toString();
  }
}
