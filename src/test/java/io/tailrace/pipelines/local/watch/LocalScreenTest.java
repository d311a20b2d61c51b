package io.tailrace.pipelines.local.watch;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.local.watch.WriterProgress.Health;
import io.tailrace.pipelines.local.watch.WriterProgress.Messages;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.testing.TallyWriter;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobStatus;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a screen of some width shows. */
@RunWith(JUnit4.class)
public class LocalScreenTest {
  private static final List<Writer<?>> WRITERS =
      Stream.concat(Writers.ALL.stream(), Stream.of(TallyWriter.WRITER)).toList();

  private static final List<Integer> WIDTHS = List.of(80, 100, 150);

  private final StringWriter out = new StringWriter();

  @Test
  public void everyWriterOfTheListHasARowAtEveryWidth() {
    for (int width : WIDTHS) {
      List<String> lines = lines(width);

      for (Writer<?> writer : WRITERS) {
        assertWithMessage("%s at %s", writer, width)
            .that(
                lines.stream().filter(line -> line.startsWith("  " + writer.name() + " ")).toList())
            .hasSize(1);
        assertWithMessage("%s at %s", writer, width)
            .that(row(lines, writer.name()))
            .containsMatch(
                "12,345,678 +345,678/s +123,456 +3,600 s  (restarting|15 restarts|running)");
      }
    }
  }

  @Test
  public void noLineIsCut() {
    for (int width : WIDTHS) {
      for (String line : lines(width)) {
        assertWithMessage(line).that(line.length()).isLessThan(width);
      }
    }
  }

  @Test
  public void aScreenOfTheUsualHeightHasRoomForAllLines() {
    // Five busy features and most reasons of dead letters among them; the cursor is in the last.
    assertThat(lines(80).size()).isAtMost(23);
  }

  @Test
  public void reasonsThatDoNotFitIntoALineGoOnInTheNext() {
    List<String> lines = lines(80);
    String all =
        lines.stream()
            .dropWhile(line -> !line.startsWith("  dead letters"))
            .takeWhile(line -> !line.startsWith("  time"))
            .map(String::strip)
            .collect(Collectors.joining(" "));

    assertThat(all).endsWith(LocalScreen.byReason(letters()));
  }

  @Test
  public void aWideScreenAlsoShowsWhatEveryWriterMade() {
    List<String> lines = lines(150);

    for (Writer<?> writer : WRITERS) {
      assertThat(row(lines, writer.name()))
          .endsWith(", 98,765,432 " + writer.made().replace('_', ' ') + ", 1,234 checkpoints");
    }
  }

  @Test
  public void withoutATerminalALineTellsOfEveryWriter() {
    lines(80);

    assertThat(out.toString().lines().toList()).hasSize(1);
    for (Writer<?> writer : WRITERS) {
      assertThat(out.toString()).contains("; " + writer.name() + " 12,000,000, lag 123,456, ");
    }
  }

  private List<String> lines(int width) {
    // In a test standard output is no terminal.
    try (LocalScreen screen = LocalScreen.open(new PrintWriter(out))) {
      screen.show(status(Duration.ofSeconds(1), 12_000_000));
      LocalScreen.Status last = status(Duration.ofSeconds(2), 12_345_678);
      screen.show(last);
      return screen.lines(last, width - 1);
    }
  }

  private static LocalScreen.Status status(Duration since, long persisted) {
    List<Health> healths =
        List.of(
            new Health(JobStatus.RUNNING, 1_234, 0),
            new Health(JobStatus.RUNNING, 1_234, 15),
            new Health(JobStatus.RESTARTING, 1_234, 3));
    List<WriterProgress.Snapshot> writers =
        IntStream.range(0, WRITERS.size())
            .mapToObj(
                i ->
                    new WriterProgress.Snapshot(
                        WRITERS.get(i),
                        new Messages(persisted, persisted, persisted, 123_456),
                        counters(WRITERS.get(i)),
                        healths.get(i % healths.size())))
            .toList();
    return new LocalScreen.Status(
        since,
        new FlowProgress.Snapshot(writers),
        letters(),
        new FreshnessProbe.Percentiles(1_000, 12.3, 1_234.5, 2_000, 0),
        IntStream.range(0, 5)
            .mapToObj(
                i ->
                    new BusiestFeatures.Busy(
                        "transaction.feature_" + i, 1_234_567, 0.123, OptionalDouble.of(12345.678)))
            .toList());
  }

  private static Map<String, Long> counters(Writer<?> writer) {
    Map<String, Long> counters = new HashMap<>();
    counters.put(writer.made(), 98_765_432L);
    for (String name : FreshnessCounters.names()) {
      counters.put(name, 0L);
    }
    counters.put("freshness_count", 100L);
    counters.put("freshness_up_to_3600000_ms", 100L);
    return counters;
  }

  private static Map<Reason, Long> letters() {
    Map<Reason, Long> letters = new EnumMap<>(Reason.class);
    for (Reason reason :
        List.of(
            Reason.UNDECODABLE,
            Reason.MISSING_FIELD,
            Reason.LENGTH_MISMATCH,
            Reason.UNKNOWN_TYPE,
            Reason.OBSERVED_IN_FUTURE)) {
      letters.put(reason, 12_345L);
    }
    return letters;
  }

  private static String row(List<String> lines, String label) {
    return lines.stream()
        .filter(line -> line.startsWith("  " + label + " "))
        .findFirst()
        .orElseThrow();
  }
}
