package io.tailrace.pipelines.local.watch;

import io.tailrace.pipelines.MetricsBusWriter;
import io.tailrace.pipelines.MetricsWriter;
import io.tailrace.pipelines.OfflineWriter;
import io.tailrace.pipelines.OnlineWriter;
import io.tailrace.pipelines.StreamingInsertWriter;
import io.tailrace.pipelines.local.LocalStack;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** How far all writers of a {@link LocalStack} have come. Not thread-safe. */
public final class FlowProgress implements AutoCloseable {
  /**
   * What is known at one moment.
   *
   * @param byWriter by the writers' names
   */
  public record Snapshot(Map<String, WriterProgress.Snapshot> byWriter) {
    public WriterProgress.Snapshot of(String writer) {
      return Objects.requireNonNull(byWriter.get(writer), writer);
    }

    public WriterProgress.Snapshot online() {
      return of(OnlineWriter.WRITER.name());
    }

    public WriterProgress.Snapshot encoding() {
      return of(OfflineWriter.WRITER.name());
    }

    public WriterProgress.Snapshot inserting() {
      return of(StreamingInsertWriter.WRITER.name());
    }

    public WriterProgress.Snapshot summarizing() {
      return of(MetricsWriter.WRITER.name());
    }

    public WriterProgress.Snapshot storingMetrics() {
      return of(MetricsBusWriter.WRITER.name());
    }

    /** Returns whether so many results, and all files made of them, are certainly stored. */
    public boolean hasCommitted(long results) {
      // In this order: what the second has committed is on the bus of the third.
      return online().committed() >= results
          && encoding().committed() >= results
          && summarizing().committed() >= results
          && inserting().committed() >= inserting().published();
    }

    /** Returns whether the writers' counters, which come a little later, tell of all of them. */
    public boolean hasCounted(long results, DeadLetterTally letters) {
      return byWriter.values().stream().anyMatch(writer -> writer.restarts() > 0)
          || (online().written("results_settled") + letters.refused(OnlineWriter.WRITER.name())
                  >= results
              && encoding().written("queries_encoded")
                      + letters.refused(OfflineWriter.WRITER.name())
                  >= results
              && summarizing().written("results_summarized")
                      + letters.refused(MetricsWriter.WRITER.name())
                  >= results
              && inserting().written("files_inserted")
                      + letters.refused(StreamingInsertWriter.WRITER.name())
                  >= inserting().published());
    }

    /** Says in words how the writers are. */
    String writers() {
      return byWriter.entrySet().stream()
          .map(
              each ->
                  each.getKey()
                      + " "
                      + each.getValue().status().toString().toLowerCase(Locale.ROOT)
                      + " ("
                      + each.getValue().checkpoints()
                      + " checkpoints"
                      + (each.getValue().restarts() == 0
                          ? ")"
                          : ", " + each.getValue().restarts() + " restarts)"))
          .collect(Collectors.joining(", "));
    }
  }

  private final Map<String, WriterProgress> writers = new LinkedHashMap<>();

  public FlowProgress(LocalStack stack) {
    for (LocalStack.RunningWriter writer : stack.writers()) {
      writers.put(writer.name(), new WriterProgress(stack, writer));
    }
  }

  /** Asks everybody. */
  public Snapshot look(DeadLetterTally letters) {
    Map<String, WriterProgress.Snapshot> all = new LinkedHashMap<>();
    writers.forEach((name, writer) -> all.put(name, writer.look(letters.refused(name))));
    return new Snapshot(all);
  }

  @Override
  public void close() {
    writers.values().forEach(WriterProgress::close);
  }
}
