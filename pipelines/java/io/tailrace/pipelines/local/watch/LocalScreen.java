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

  private static final int LABEL_WIDTH = 14;
  private static final int NUMBER_WIDTH = 14;

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
      List<BusiestFeatures.Busy> busiest) {
    WriterProgress.Snapshot progress() {
      return flow.online();
    }
  }

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
    recent.addLast(status);
    while (recent.size() > 2
        && status.sinceStart().minus(recent.getFirst().sinceStart()).compareTo(RATE_WINDOW) > 0) {
      recent.removeFirst();
    }
    if (terminal.isPresent()) {
      draw(terminal.get(), status);
    } else if (status.sinceStart().minus(lastLine).compareTo(LINE_EVERY) >= 0) {
      lastLine = status.sinceStart();
      out.println(line(status));
      out.flush();
    }
  }

  private void draw(Terminal screen, Status status) {
    int width = screen.getWidth() > 0 ? screen.getWidth() : 80;
    StringBuilder all = new StringBuilder();
    if (drawnLines > 0) {
      // To the first of the lines drawn before.
      all.append("\033[").append(drawnLines).append("A\r");
    }
    List<String> lines = lines(status);
    for (String line : lines) {
      // A line that wraps would move everything below it.
      all.append(line, 0, Math.min(line.length(), width - 1)).append("\033[K\n");
    }
    drawnLines = lines.size();
    out.print(all);
    out.flush();
  }

  private List<String> lines(Status status) {
    WriterProgress.Snapshot progress = status.progress();
    long lag = progress.lag();
    double persistRate = rate(flow -> flow.online().persisted());
    FreshnessProbe.Percentiles freshness = status.freshness();
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.addAll(
        List.of(
            row(
                "published",
                number(progress.published()),
                perSecond(rate(flow -> flow.online().published())),
                "results on the bus"),
            row(
                "persisted",
                number(progress.persisted()),
                perSecond(persistRate),
                "results settled in the online store or dead-lettered"),
            row(
                "lag",
                number(lag),
                persistRate > 0 ? text("%.1f s", lag / persistRate) : "",
                "results still to be written"),
            row(
                "freshness",
                freshness.samples() == 0 ? "" : "p50 " + millis(freshness.p50Millis()),
                freshness.samples() == 0 ? "" : "p99 " + millis(freshness.p99Millis()),
                "from publishing to being readable"),
            row(
                "encoded",
                number(status.flow().encoding().written("rows_encoded")),
                perSecond(rate(flow -> flow.encoding().written("rows_encoded"))),
                "rows in "
                    + number(status.flow().encoding().written("files_encoded"))
                    + " Parquet files"
                    + stageFreshness(status.flow().encoding())),
            row(
                "inserted",
                number(status.flow().inserting().written("rows_inserted")),
                perSecond(rate(flow -> flow.inserting().written("rows_inserted"))),
                "rows in the offline store" + stageFreshness(status.flow().inserting())),
            row(
                "summarised",
                number(status.flow().summarizing().written("results_summarized")),
                perSecond(rate(flow -> flow.summarizing().written("results_summarized"))),
                "results, "
                    + number(status.flow().storingMetrics().written("summaries_written"))
                    + " summaries in the metrics store"
                    + stageFreshness(status.flow().storingMetrics()))));
    String label = "busiest";
    for (BusiestFeatures.Busy feature : status.busiest()) {
      lines.add(
          text(
              "  %-"
                  + LABEL_WIDTH
                  + "s%"
                  + NUMBER_WIDTH
                  + "s%"
                  + NUMBER_WIDTH
                  + "s   %s, values in two minutes%s",
              label,
              number(feature.computed()),
              percent(feature.nullRate()) + " null",
              feature.feature(),
              feature.p95().isPresent() ? text(", p95 %,.4g", feature.p95().getAsDouble()) : ""));
      label = "";
    }
    lines.addAll(
        List.of(
            text(
                "  %-" + LABEL_WIDTH + "s%" + NUMBER_WIDTH + "s   %s",
                "dead letters",
                number(total(status.deadLetters())),
                byReason(status.deadLetters())),
            text(
                "  %-" + LABEL_WIDTH + "s%" + NUMBER_WIDTH + "s   %s",
                "writers",
                clock(status.sinceStart()),
                status.flow().writers())));
    lines.add("");
    return lines;
  }

  public static String percent(double part) {
    return text("%.1f %%", 100 * part);
  }

  private static String stageFreshness(WriterProgress.Snapshot stage) {
    long p50 = stage.freshnessMillis(0.5);
    return p50 < 0
        ? ""
        : text(", p50 ≤ %,d ms, p99 ≤ %,d ms after publishing", p50, stage.freshnessMillis(0.99));
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
    WriterProgress.Snapshot progress = status.progress();
    FreshnessProbe.Percentiles freshness = status.freshness();
    return clock(status.sinceStart())
        + "  published "
        + number(progress.published())
        + " ("
        + perSecond(rate(flow -> flow.online().published()))
        + "), persisted "
        + number(progress.persisted())
        + " ("
        + perSecond(rate(flow -> flow.online().persisted()))
        + "), lag "
        + number(progress.lag())
        + (freshness.samples() == 0
            ? ""
            : ", fresh after p50 "
                + millis(freshness.p50Millis())
                + " p99 "
                + millis(freshness.p99Millis()))
        + ", rows encoded "
        + number(status.flow().encoding().written("rows_encoded"))
        + ", inserted "
        + number(status.flow().inserting().written("rows_inserted"))
        + ", summaries stored "
        + number(status.flow().storingMetrics().written("summaries_written"))
        + status.busiest().stream()
            .limit(1)
            .map(it -> ", busiest " + it.feature() + " (" + percent(it.nullRate()) + " null)")
            .collect(Collectors.joining())
        + ", dead letters "
        + number(total(status.deadLetters()))
        + ", checkpoints "
        + progress.checkpoints()
        + (progress.restarts() == 0 ? "" : ", restarts " + progress.restarts());
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
    return counts.entrySet().stream()
        .map(
            each ->
                number(each.getValue())
                    + " "
                    + each.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' '))
        .collect(Collectors.joining(", "));
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
