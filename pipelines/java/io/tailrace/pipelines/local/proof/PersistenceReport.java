package io.tailrace.pipelines.local.proof;

import io.tailrace.pipelines.MetricsBusWriter;
import io.tailrace.pipelines.MetricsWriter;
import io.tailrace.pipelines.StreamingInsertWriter;
import io.tailrace.pipelines.local.watch.FlowProgress;
import io.tailrace.pipelines.local.watch.LocalScreen;
import io.tailrace.pipelines.local.watch.WriterProgress;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Whether everything that was published has become what it must become.
 *
 * @param published how many messages were published, broken ones among them
 * @param publishing how long that took
 * @param persisting how long it took from the first message until the last was dealt with
 * @param flow what the writers say of themselves at the end
 * @param expectedDeadLetters how many broken messages there were, by what is wrong with them
 * @param deadLetters how many dead letters there are, by writer
 * @param comparison the online store beside the model
 * @param offline the offline store beside the model
 * @param metrics the metrics store beside the model
 * @param trouble why the end was not awaited, if so
 */
public record PersistenceReport(
    long published,
    Duration publishing,
    Duration persisting,
    FlowProgress.Snapshot flow,
    Map<Reason, Long> expectedDeadLetters,
    Map<String, Map<Reason, Long>> deadLetters,
    OnlineModel.Comparison comparison,
    OfflineModel.Comparison offline,
    MetricsModel.Comparison metrics,
    Optional<String> trouble) {

  private WriterProgress.Snapshot progress() {
    return flow.online();
  }

  /**
   * Returns which dead letters a writer must write. All writers of the result bus refuse the same
   * messages, but only those who store values look at the times of values; what the writers tell
   * each other is never at fault.
   */
  public static Map<Reason, Long> expected(String writer, Map<Reason, Long> broken) {
    if (writer.equals(StreamingInsertWriter.WRITER.name())
        || writer.equals(MetricsBusWriter.WRITER.name())) {
      return Map.of();
    }
    Map<Reason, Long> refused = new EnumMap<>(Reason.class);
    refused.putAll(broken);
    if (writer.equals(MetricsWriter.WRITER.name())) {
      refused.remove(Reason.OBSERVED_IN_FUTURE);
    }
    return refused;
  }

  private Map<Reason, Long> expected(String writer) {
    return expected(writer, expectedDeadLetters);
  }

  /** Returns whether nothing is wrong. */
  public boolean isRight() {
    return trouble.isEmpty()
        && comparison.differences() == 0
        && offline.differences() == 0
        && metrics.differences() == 0
        && deadLetters.entrySet().stream()
            .allMatch(writer -> writer.getValue().equals(expected(writer.getKey())));
  }

  public void print(PrintWriter out) {
    long broken = LocalScreen.total(expectedDeadLetters);
    row(
        out,
        "published",
        "%,d results in %s (%s), %,d of them broken on purpose",
        published,
        seconds(publishing),
        perSecond(published, publishing),
        broken);
    row(
        out,
        "persisted",
        "%,d results after %s (%s from the first to the last)",
        progress().persisted(),
        seconds(persisting),
        perSecond(progress().persisted(), persisting));
    row(
        out,
        "cells",
        "%,d written, %,d older than stored, %,d duplicates, %,d expired before they came,"
            + " %,d not to be stored, %,d rejected",
        progress().written("cells_written"),
        progress().written("cells_stale"),
        progress().written("cells_duplicate"),
        progress().written("cells_expired"),
        progress().written("cells_skipped_by_policy"),
        progress().written("cells_rejected"));
    if (progress().restarts() > 0) {
      row(out, "", "(counted since the last of %,d restarts)", progress().restarts());
    }
    row(
        out,
        "rows",
        "%,d encoded in %,d Parquet files of %,d KB, %,d inserted, %,d duplicates",
        flow.encoding().written("rows_encoded"),
        flow.encoding().written("files_encoded"),
        flow.encoding().written("bytes_encoded") / 1_000,
        flow.inserting().written("rows_inserted"),
        flow.inserting().written("rows_duplicate"));
    row(
        out,
        "metrics",
        "%,d values of %,d results summarised, %,d summaries published, %,d stored",
        flow.summarizing().written("values_summarized"),
        flow.summarizing().written("results_summarized"),
        flow.summarizing().written("summaries_published"),
        flow.storingMetrics().written("summaries_written"));
    deadLetters.forEach(
        (writer, letters) ->
            row(
                out,
                "dead letters",
                "%,d of the %s%s",
                LocalScreen.total(letters),
                writer,
                letters.isEmpty() ? "" : ": " + LocalScreen.byReason(letters)));
    row(
        out,
        "compared",
        "%,d entities and %,d features read back from the store: %s",
        comparison.entities(),
        comparison.features(),
        comparison.differences() == 0
            ? "all as they must be"
            : String.format(Locale.ROOT, "%,d DIFFERENCES", comparison.differences()));
    row(
        out,
        "",
        "%,d tables and %,d rows read back from the offline store: %s",
        offline.tablesFound(),
        offline.rows(),
        offline.differences() == 0
            ? "all as they must be"
            : String.format(Locale.ROOT, "%,d DIFFERENCES", offline.differences()));
    row(
        out,
        "",
        "%,d series and minutes read back from the metrics store: %s",
        metrics.series(),
        metrics.differences() == 0
            ? "all as they must be"
            : String.format(Locale.ROOT, "%,d DIFFERENCES", metrics.differences()));
    out.println();
    trouble.ifPresent(out::println);
    deadLetters.forEach((writer, letters) -> printDifference(out, writer, letters));
    comparison.first().forEach(out::println);
    if (comparison.differences() > comparison.first().size()) {
      out.printf(
          Locale.ROOT, "… and %,d more%n", comparison.differences() - comparison.first().size());
    }
    offline.first().forEach(out::println);
    if (offline.differences() > offline.first().size()) {
      out.printf(Locale.ROOT, "… and %,d more%n", offline.differences() - offline.first().size());
    }
    metrics.first().forEach(out::println);
    if (metrics.differences() > metrics.first().size()) {
      out.printf(Locale.ROOT, "… and %,d more%n", metrics.differences() - metrics.first().size());
    }
    out.println(
        isRight()
            ? "Everything that was published is in the stores, as it must be, or is a dead letter."
            : "Something is WRONG: see above.");
    out.flush();
  }

  private void printDifference(PrintWriter out, String writer, Map<Reason, Long> letters) {
    TreeSet<Reason> reasons = new TreeSet<>(expected(writer).keySet());
    reasons.addAll(letters.keySet());
    for (Reason reason : reasons) {
      long expected = expected(writer).getOrDefault(reason, 0L);
      long found = letters.getOrDefault(reason, 0L);
      if (expected != found) {
        out.printf(
            Locale.ROOT,
            "Dead letters of the %s, %s: expected %,d, found %,d%n",
            writer,
            reason,
            expected,
            found);
      }
    }
  }

  private static void row(PrintWriter out, String label, String format, Object... values) {
    out.printf(Locale.ROOT, "  %-14s%s%n", label, String.format(Locale.ROOT, format, values));
  }

  private static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.1f s", duration.toNanos() / 1e9);
  }

  private static String perSecond(long count, Duration duration) {
    return LocalScreen.perSecond(count / Math.max(1e-3, duration.toNanos() / 1e9));
  }
}
