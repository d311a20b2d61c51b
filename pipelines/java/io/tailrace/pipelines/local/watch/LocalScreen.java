package io.tailrace.pipelines.local.watch;

import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobStatus;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/**
 * Shows what happens: on a terminal a few lines that are drawn anew again and again, otherwise a
 * line every few seconds. Not thread-safe.
 */
public final class LocalScreen implements AutoCloseable {
  /** How often a terminal is drawn; also how exact the rates of a short run are. */
  public static final Duration REDRAW = Duration.ofSeconds(1);

  private static final Duration LINE_EVERY = Duration.ofSeconds(5);

  /** Rates are of the last seconds, so that they are calm. */
  private static final Duration RATE_WINDOW = Duration.ofSeconds(5);

  /** Where the width is not known. */
  private static final int USUAL_WIDTH = 80;

  private static final int LABEL_WIDTH = 14;
  private static final int NUMBER_WIDTH = 14;

  /** What fits into {@link #USUAL_WIDTH}, whatever the numbers. */
  private static final String WRITER = "  %-23s%11s%10s%9s%11s  %s";

  /**
   * What is shown.
   *
   * @param sinceStart since traffic began
   * @param busiest the features that are computed most, the busiest first
   */
  public record Status(
      Duration sinceStart,
      FlowProgress.Snapshot flow,
      Map<Reason, Long> deadLetters,
      FreshnessProbe.Percentiles freshness,
      List<BusiestFeatures.Busy> busiest) {}

  private final PrintWriter out;
  private final Optional<Terminal> terminal;
  private final Deque<Status> recent = new ArrayDeque<>();
  private Duration lastLine = LINE_EVERY.negated();
  private int drawnLines;

  private LocalScreen(PrintWriter out, Optional<Terminal> terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** Shows on the terminal that standard output is, if it is one, and otherwise in lines. */
  public static LocalScreen open(PrintWriter lines) {
    try {
      Terminal terminal =
          TerminalBuilder.builder()
              .system(true)
              .systemOutput(TerminalBuilder.SystemOutput.SysOut)
              .provider(TerminalBuilder.PROP_PROVIDER_EXEC)
              // It would take Ctrl-C away from the JVM's shutdown, which closes the servers.
              .nativeSignals(false)
              .dumb(true)
              .build();
      if (!terminal.getType().startsWith(Terminal.TYPE_DUMB)) {
        return new LocalScreen(terminal.writer(), Optional.of(terminal));
      }
      terminal.close();
    } catch (IOException e) {
      // Lines are shown instead.
    }
    return new LocalScreen(lines, Optional.empty());
  }

  /** Shows a status; without a terminal only now and then. */
  public void show(Status status) {
    remember(status);
    if (terminal.isPresent()) {
      draw(terminal.get(), status);
    } else if (status.sinceStart().minus(lastLine).compareTo(LINE_EVERY) >= 0) {
      lastLine = status.sinceStart();
      out.println(line(status));
      out.flush();
    }
  }

  private void remember(Status status) {
    recent.addLast(status);
    while (recent.size() > 2
        && status.sinceStart().minus(recent.getFirst().sinceStart()).compareTo(RATE_WINDOW) > 0) {
      recent.removeFirst();
    }
  }

  private void draw(Terminal screen, Status status) {
    int width = screen.getWidth() > 0 ? screen.getWidth() : USUAL_WIDTH;
    StringBuilder all = new StringBuilder();
    if (drawnLines > 0) {
      // To the first of the lines drawn before.
      all.append("\033[").append(drawnLines).append("A\r");
    }
    List<String> lines = lines(status, width - 1);
    for (String line : lines) {
      // A line that wraps would move everything below it.
      all.append(line, 0, Math.min(line.length(), width - 1)).append("\033[K\n");
    }
    drawnLines = lines.size();
    out.print(all);
    out.flush();
  }

  /** Returns the lines for a status, which fit into a width; what must not be cut is wrapped. */
  List<String> lines(Status status, int width) {
    FreshnessProbe.Percentiles freshness = status.freshness();
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add(
        row(
            "published",
            number(status.flow().published()),
            perSecond(rate(FlowProgress.Snapshot::published)),
            "results on the bus"));
    lines.add(
        row(
            "freshness",
            freshness.samples() == 0 ? "" : "p50 " + millis(freshness.p50Millis()),
            freshness.samples() == 0 ? "" : "p99 " + millis(freshness.p99Millis()),
            "from publishing to readable"));
    lines.add("");
    lines.add(text(WRITER, "writer", "settled", "rate", "lag", "p99 within", "state"));
    for (WriterProgress.Snapshot writer : status.flow().writers()) {
      lines.add(writer(writer, width));
    }
    lines.add("");
    String label = "busiest, 2 min";
    for (BusiestFeatures.Busy feature : status.busiest()) {
      String line =
          row(
              label,
              number(feature.computed()),
              percent(feature.nullRate()) + " null",
              feature.feature());
      String p95 =
          feature.p95().isPresent() ? text(", p95 %,.4g", feature.p95().getAsDouble()) : "";
      lines.add(line.length() + p95.length() <= width ? line + p95 : line);
      label = "";
    }
    lines.addAll(
        wrapped(
            text(
                "  %-" + LABEL_WIDTH + "s%" + NUMBER_WIDTH + "s   ",
                "dead letters",
                number(total(status.deadLetters()))),
            reasons(status.deadLetters()),
            width));
    lines.add(
        text("  %-" + LABEL_WIDTH + "s%" + NUMBER_WIDTH + "s", "time", clock(status.sinceStart())));
    return lines;
  }

  /** What every width has room for, and then what this one has room for. */
  private String writer(WriterProgress.Snapshot writer, int width) {
    long p99 = writer.freshnessMillis(0.99);
    String line =
        text(
            WRITER,
            writer.name(),
            number(writer.messages().persisted()),
            perSecond(rate(flow -> flow.persisted(writer.name()))),
            number(writer.messages().lag()),
            p99 < 0 ? "" : p99 < 10_000 ? text("%,d ms", p99) : text("%,d s", p99 / 1_000),
            state(writer.health()));
    for (String more :
        List.of(
            counted(writer, writer.writer().made()),
            number(writer.health().checkpoints()) + " checkpoints")) {
      if (line.length() + 2 + more.length() <= width) {
        line += ", " + more;
      }
    }
    return line;
  }

  private static String state(WriterProgress.Health health) {
    return health.status() == JobStatus.RUNNING && health.restarts() > 0
        ? health.restarts() + (health.restarts() == 1 ? " restart" : " restarts")
        : health.status().toString().toLowerCase(Locale.ROOT);
  }

  /** Says a counter in words, such as {@code 5 rows inserted}. */
  public static String counted(WriterProgress.Snapshot writer, String counter) {
    return number(writer.counted(counter)) + " " + counter.replace('_', ' ');
  }

  /** Joins parts by commas into lines of a width; those after the first are indented. */
  private static List<String> wrapped(String start, List<String> parts, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder(start);
    for (int i = 0; i < parts.size(); i++) {
      String part = parts.get(i) + (i + 1 < parts.size() ? "," : "");
      if (line.length() > start.length() && line.length() + 1 + part.length() > width) {
        lines.add(line.toString());
        line = new StringBuilder(" ".repeat(start.length()));
      } else if (line.length() > start.length()) {
        line.append(' ');
      }
      line.append(part);
    }
    lines.add(line.toString());
    return lines;
  }

  public static String percent(double part) {
    return text("%.1f %%", 100 * part);
  }

  private static String row(String label, String number, String second, String comment) {
    return text(
        "  %-" + LABEL_WIDTH + "s%" + NUMBER_WIDTH + "s%" + NUMBER_WIDTH + "s   %s",
        label,
        number,
        second,
        comment);
  }

  private String line(Status status) {
    FreshnessProbe.Percentiles freshness = status.freshness();
    return clock(status.sinceStart())
        + "  published "
        + number(status.flow().published())
        + " ("
        + perSecond(rate(FlowProgress.Snapshot::published))
        + ")"
        + (freshness.samples() == 0
            ? ""
            : ", fresh after p50 "
                + millis(freshness.p50Millis())
                + " p99 "
                + millis(freshness.p99Millis()))
        + status.flow().writers().stream()
            .map(LocalScreen::inLine)
            .collect(Collectors.joining("; ", "; ", "; "))
        + status.busiest().stream()
            .limit(1)
            .map(it -> "busiest " + it.feature() + " (" + percent(it.nullRate()) + " null), ")
            .collect(Collectors.joining())
        + "dead letters "
        + number(total(status.deadLetters()));
  }

  private static String inLine(WriterProgress.Snapshot writer) {
    return writer.name()
        + " "
        + number(writer.messages().persisted())
        + ", lag "
        + number(writer.messages().lag())
        + ", "
        + state(writer.health());
  }

  private interface Count {
    long of(FlowProgress.Snapshot snapshot);
  }

  private double rate(Count count) {
    Status first = recent.getFirst();
    Status last = recent.getLast();
    double seconds = last.sinceStart().minus(first.sinceStart()).toNanos() / 1e9;
    return seconds <= 0 ? 0 : (count.of(last.flow()) - count.of(first.flow())) / seconds;
  }

  public static long total(Map<Reason, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Lists counts in words, the reasons in their order. */
  public static String byReason(Map<Reason, Long> counts) {
    return String.join(", ", reasons(counts));
  }

  private static List<String> reasons(Map<Reason, Long> counts) {
    return counts.entrySet().stream()
        .map(
            each ->
                number(each.getValue())
                    + " "
                    + each.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' '))
        .toList();
  }

  public static String number(long number) {
    return text("%,d", number);
  }

  public static String perSecond(double rate) {
    return number(Math.round(rate)) + "/s";
  }

  public static String millis(double millis) {
    return text(millis < 10 ? "%.1f ms" : "%,.0f ms", millis);
  }

  public static String clock(Duration duration) {
    return text(
        "%02d:%02d:%02d", duration.toHours(), duration.toMinutesPart(), duration.toSecondsPart());
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** Leaves the last state on the terminal, and the terminal as it was. */
  @Override
  public void close() {
    if (terminal.isPresent()) {
      try {
        terminal.get().close();
      } catch (IOException e) {
        // There is nobody left to be told.
      }
    }
  }
}
