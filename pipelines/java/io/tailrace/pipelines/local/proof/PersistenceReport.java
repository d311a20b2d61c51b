package io.tailrace.pipelines.local.proof;

import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.watch.FlowProgress;
import io.tailrace.pipelines.local.watch.LocalScreen;
import io.tailrace.pipelines.local.watch.WriterProgress;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Whether everything that was published has become what it must become.
 *
 * @param traffic what was published
 * @param flow what the writers say of themselves at the end
 * @param deadLetters how many dead letters there are, by writer
 * @param stores each store beside its model
 * @param trouble why the end was not awaited, or where the books of stages differ, if so
 */
public record PersistenceReport(
    Traffic traffic,
    FlowProgress.Snapshot flow,
    Map<String, Map<Reason, Long>> deadLetters,
    List<ComparedStore> stores,
    Optional<String> trouble) {
  /** The option of every writer that takes an observation too far ahead for a clock's error. */
  private static final String CLOCK_OPTION = "maxClockSkew";

  /** Counters of how fresh messages are, which are no sums of what was done. */
  private static final String FRESHNESS = "freshness_";

  /**
   * What was published.
   *
   * @param published how many messages, broken ones among them
   * @param publishing how long that took
   * @param broken how many broken ones, by what is wrong with them
   * @param persisting how long it took from the first message until each writer had dealt with its
   *     last, by the writers' names
   */
  public record Traffic(
      long published,
      Duration publishing,
      Map<Reason, Long> broken,
      Map<String, Duration> persisting) {}

  /**
   * Returns which dead letters a writer must write. All writers of the result bus refuse the same
   * messages, but only those who store values look at the times of values; what the writers tell
   * each other is never at fault.
   */
  public static Map<Reason, Long> expected(Writer<?> writer, Map<Reason, Long> broken) {
    if (!writer.reads().equals(LocalStack.RESULT_BUS)) {
      return Map.of();
    }
    Map<Reason, Long> refused = new EnumMap<>(Reason.class);
    refused.putAll(broken);
    if (!writer.takes(CLOCK_OPTION)) {
      refused.remove(Reason.OBSERVED_IN_FUTURE);
    }
    return refused;
  }

  private Map<Reason, Long> expected(WriterProgress.Snapshot writer) {
    return expected(writer.writer(), traffic.broken());
  }

  private Map<Reason, Long> found(WriterProgress.Snapshot writer) {
    return deadLetters.getOrDefault(writer.name(), Map.of());
  }

  /** Returns whether nothing is wrong. */
  public boolean isRight() {
    return trouble.isEmpty()
        && stores.stream().allMatch(store -> store.differences() == 0)
        && flow.writers().stream().allMatch(writer -> found(writer).equals(expected(writer)));
  }

  /** Prints what was published, what every writer did of it, and everything that is wrong. */
  public void print(PrintWriter out) {
    row(
        out,
        "published",
        "%,d results in %s (%s), %,d of them broken on purpose",
        traffic.published(),
        seconds(traffic.publishing()),
        perSecond(traffic.published(), traffic.publishing()),
        LocalScreen.total(traffic.broken()));
    Duration persisting =
        flow.writers().stream()
            .filter(WriterProgress.Snapshot::readsResults)
            .map(this::persisting)
            .max(Duration::compareTo)
            .orElse(Duration.ZERO);
    row(
        out,
        "persisted",
        "%,d results after %s (%s from the first to the last)",
        flow.persisted(),
        seconds(persisting),
        perSecond(flow.persisted(), persisting));
    for (WriterProgress.Snapshot writer : flow.writers()) {
      print(out, writer);
    }
    flow.writers().forEach(writer -> printLetters(out, writer));
    String label = "compared";
    for (ComparedStore store : stores) {
      row(out, label, "%s", store.inWords());
      label = "";
    }
    out.println();
    trouble.ifPresent(out::println);
    flow.writers().forEach(writer -> printDifference(out, writer));
    stores.forEach(store -> store.listed().forEach(out::println));
    out.println(
        isRight()
            ? "Everything that was published is in the stores, as it must be, or is a dead letter."
            : "Something is WRONG: see above.");
    out.flush();
  }

  private Duration persisting(WriterProgress.Snapshot writer) {
    return traffic.persisting().getOrDefault(writer.name(), Duration.ZERO);
  }

  /** Every counter of a writer, the one of messages and the one of what it made first. */
  private void print(PrintWriter out, WriterProgress.Snapshot writer) {
    String settled = writer.writer().settled();
    String made = writer.writer().made();
    String counted =
        Stream.concat(
                Stream.of(made),
                writer.counters().keySet().stream()
                    .filter(name -> !name.equals(settled) && !name.equals(made)))
            .filter(name -> writer.counted(name) > 0 && !name.startsWith(FRESHNESS))
            .map(name -> LocalScreen.counted(writer, name))
            .collect(Collectors.joining(", "));
    row(
        out,
        writer.name(),
        "%s after %s%s%s",
        LocalScreen.counted(writer, settled),
        seconds(persisting(writer)),
        counted.isEmpty() ? "" : ": " + counted,
        writer.health().restarts() == 0
            ? ""
            : String.format(
                Locale.ROOT,
                " (counted since the last of %,d restarts)",
                writer.health().restarts()));
  }

  private void printLetters(PrintWriter out, WriterProgress.Snapshot writer) {
    Map<Reason, Long> letters = found(writer);
    row(
        out,
        "dead letters",
        "%,d of the %s%s",
        LocalScreen.total(letters),
        writer.name(),
        letters.isEmpty() ? "" : ": " + LocalScreen.byReason(letters));
  }

  private void printDifference(PrintWriter out, WriterProgress.Snapshot writer) {
    TreeSet<Reason> reasons = new TreeSet<>(expected(writer).keySet());
    reasons.addAll(found(writer).keySet());
    for (Reason reason : reasons) {
      long expected = expected(writer).getOrDefault(reason, 0L);
      long found = found(writer).getOrDefault(reason, 0L);
      if (expected != found) {
        out.printf(
            Locale.ROOT,
            "Dead letters of the %s, %s: expected %,d, found %,d%n",
            writer.name(),
            reason,
            expected,
            found);
      }
    }
  }

  private static void row(PrintWriter out, String label, String format, Object... values) {
    out.printf(Locale.ROOT, "  %-24s%s%n", label, String.format(Locale.ROOT, format, values));
  }

  private static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.1f s", duration.toNanos() / 1e9);
  }

  private static String perSecond(long count, Duration duration) {
    return LocalScreen.perSecond(count / Math.max(1e-3, duration.toNanos() / 1e9));
  }
}
