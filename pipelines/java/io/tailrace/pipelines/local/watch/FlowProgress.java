package io.tailrace.pipelines.local.watch;

import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import java.util.ArrayList;
import java.util.List;

/** How far all writers of a {@link LocalStack} have come. Not thread-safe. */
public final class FlowProgress implements AutoCloseable {
  /**
   * What is known at one moment.
   *
   * @param writers in the order in which a result comes by
   */
  public record Snapshot(List<WriterProgress.Snapshot> writers) {
    /** Copies the list. */
    public Snapshot {
      writers = List.copyOf(writers);
    }

    /** Returns how many results are on the bus. */
    public long published() {
      return writers.stream()
          .filter(WriterProgress.Snapshot::readsResults)
          .mapToLong(writer -> writer.messages().published())
          .max()
          .orElse(0);
    }

    /** Returns how many results every writer that reads them has dealt with. */
    public long persisted() {
      return writers.stream()
          .filter(WriterProgress.Snapshot::readsResults)
          .mapToLong(writer -> writer.messages().persisted())
          .min()
          .orElse(0);
    }

    /** Returns how many messages a writer has dealt with. */
    long persisted(String writer) {
      return writers.stream()
          .filter(it -> it.name().equals(writer))
          .mapToLong(it -> it.messages().persisted())
          .sum();
    }

    /**
     * Returns whether so many results, and all that writers have published because of them so far,
     * are certainly stored. What a writer holds back, such as the summary of a minute, is not
     * looked at.
     */
    public boolean hasCommitted(long results) {
      // In their order: what one has committed is on the bus of the next.
      return writers.stream()
          .allMatch(writer -> writer.messages().committed() >= due(writer, results));
    }

    /** Returns whether the writers' counters, which come a little later, tell of all of them. */
    public boolean hasCounted(long results, DeadLetterTally letters) {
      return writers.stream().anyMatch(writer -> writer.health().restarts() > 0)
          || writers.stream()
              .allMatch(
                  writer ->
                      writer.counted(writer.writer().settled()) + letters.refused(writer.name())
                          >= due(writer, results));
    }

    private static long due(WriterProgress.Snapshot writer, long results) {
      return writer.readsResults() ? results : writer.messages().published();
    }
  }

  private final List<WriterProgress> writers = new ArrayList<>();

  public FlowProgress(LocalStack stack) {
    for (RunningWriter writer : stack.writers()) {
      writers.add(new WriterProgress(stack, writer));
    }
  }

  /** Asks everybody. */
  public Snapshot look(DeadLetterTally letters) {
    List<WriterProgress.Snapshot> all = new ArrayList<>();
    writers.forEach(writer -> all.add(writer.look(letters)));
    return new Snapshot(all);
  }

  @Override
  public void close() {
    writers.forEach(WriterProgress::close);
  }
}
