package io.tailrace.pipelines.local;

import io.tailrace.v1.DeadLetter.Reason;
import java.io.PrintWriter;
import java.time.Duration;
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
 * @param progress what the writer says of itself at the end
 * @param expectedDeadLetters how many broken messages there were, by what is wrong with them
 * @param deadLetters how many dead letters there are
 * @param comparison the store beside the model
 * @param trouble why the end was not awaited, if so
 */
record PersistenceReport(
    long published,
    Duration publishing,
    Duration persisting,
    WriterProgress.Snapshot progress,
    Map<Reason, Long> expectedDeadLetters,
    Map<Reason, Long> deadLetters,
    OnlineModel.Comparison comparison,
    Optional<String> trouble) {

  /** Returns whether nothing is wrong. */
  boolean isRight() {
    return trouble.isEmpty()
        && comparison.differences() == 0
        && expectedDeadLetters.equals(deadLetters);
  }

  void print(PrintWriter out) {
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
        progress.persisted(),
        seconds(persisting),
        perSecond(progress.persisted(), persisting));
    row(
        out,
        "cells",
        "%,d written, %,d older than stored, %,d duplicates, %,d expired before they came,"
            + " %,d not to be stored, %,d rejected",
        progress.written("cells_written"),
        progress.written("cells_stale"),
        progress.written("cells_duplicate"),
        progress.written("cells_expired"),
        progress.written("cells_skipped_by_policy"),
        progress.written("cells_rejected"));
    if (progress.restarts() > 0) {
      row(out, "", "(counted since the last of %,d restarts)", progress.restarts());
    }
    row(
        out,
        "dead letters",
        "%,d%s",
        LocalScreen.total(deadLetters),
        deadLetters.isEmpty() ? "" : ": " + LocalScreen.byReason(deadLetters));
    row(
        out,
        "compared",
        "%,d entities and %,d features read back from the store: %s",
        comparison.entities(),
        comparison.features(),
        comparison.differences() == 0
            ? "all as they must be"
            : String.format(Locale.ROOT, "%,d DIFFERENCES", comparison.differences()));
    out.println();
    trouble.ifPresent(out::println);
    if (!expectedDeadLetters.equals(deadLetters)) {
      for (Reason reason : reasons()) {
        long expected = expectedDeadLetters.getOrDefault(reason, 0L);
        long found = deadLetters.getOrDefault(reason, 0L);
        if (expected != found) {
          out.printf(
              Locale.ROOT, "Dead letters %s: expected %,d, found %,d%n", reason, expected, found);
        }
      }
    }
    comparison.first().forEach(out::println);
    if (comparison.differences() > comparison.first().size()) {
      out.printf(
          Locale.ROOT, "… and %,d more%n", comparison.differences() - comparison.first().size());
    }
    out.println(
        isRight()
            ? "Everything that was published is in the store, as it must be, or is a dead letter."
            : "Something is WRONG: see above.");
    out.flush();
  }

  private Iterable<Reason> reasons() {
    TreeSet<Reason> reasons = new TreeSet<>(expectedDeadLetters.keySet());
    reasons.addAll(deadLetters.keySet());
    return reasons;
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
