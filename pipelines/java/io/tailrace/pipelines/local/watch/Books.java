package io.tailrace.pipelines.local.watch;

import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compares what stages have counted, when all is at rest: what one has put out, the next has
 * received, in the same writer or in the next, and no stage has anything left over. Counters are
 * compared only where nothing was restarted, since what is repeated is counted again. Immutable.
 */
public final class Books {
  /**
   * What one stage puts out, and the next receives: stages and counters as Flink joins them, those
   * of a side added up.
   *
   * @param unless not compared if one of these is not zero: it counts in other units
   */
  private record Page(List<String> putOut, List<String> received, List<String> unless) {
    static Page of(String putOut, String received) {
      return new Page(List.of(putOut), List.of(received), List.of());
    }

    Stream<String> stages() {
      return Stream.of(putOut, received, unless)
          .flatMap(List::stream)
          .map(counter -> counter.substring(0, counter.indexOf('_') + 1));
    }
  }

  /** What one writer publishes, and another one reads, which others may publish to. */
  private record Passage(String publisher, String reader, Page page) {}

  private static final List<Page> WITHIN_A_WRITER =
      List.of(
          Page.of("DecodeResults_results_decoded", "WriteOnline_results_received"),
          Page.of("DecodeResults_results_decoded", "CreateFeatureTables_results_received"),
          Page.of("CreateFeatureTables_results_passed", "EncodeObservations_results_received"),
          Page.of("DecodeObservationFiles_files_decoded", "InsertObservations_files_received"),
          Page.of("DecodeObservationFiles_rows_read", "InsertObservations_rows_received"),
          Page.of(
              "DecodeNotifications_notifications_decoded",
              "LoadResultFiles_notifications_received"),
          Page.of("DecodeSummaries_summaries_decoded", "WriteSummaries_summaries_received"));

  private static final List<Passage> BETWEEN_WRITERS =
      List.of(
          new Passage(
              "offline-writer",
              "streaming-insert-writer",
              Page.of("EncodeObservations_files_encoded", "DecodeObservationFiles_files_read")),
          new Passage(
              "offline-writer",
              "streaming-insert-writer",
              new Page(
                  List.of("EncodeObservations_rows_encoded", "EncodeObservations_queries_encoded"),
                  List.of(
                      "DecodeObservationFiles_rows_read", "DecodeObservationFiles_rows_rejected"),
                  List.of("DecodeObservationFiles_files_rejected"))),
          new Passage(
              "metrics-writer",
              "metrics-bus-writer",
              Page.of("SummarizeResults_summaries_published", "DecodeSummaries_summaries_read")));

  private static final String UNACCOUNTED = "unaccounted";

  // By writer: counters with their stages.
  private final Map<String, Map<String, Long>> counted;
  private final Set<String> restarted;

  Books(Map<String, Map<String, Long>> counted, Set<String> restarted) {
    this.counted = counted;
    this.restarted = restarted;
  }

  /** Asks the writers that run. */
  public static Books of(LocalStack stack) {
    Set<String> stages =
        Stream.concat(
                WITHIN_A_WRITER.stream(), BETWEEN_WRITERS.stream().map(passage -> passage.page))
            .flatMap(Page::stages)
            .collect(Collectors.toCollection(TreeSet::new));
    Map<String, Map<String, Long>> counted = new TreeMap<>();
    Set<String> restarted = new TreeSet<>();
    for (RunningWriter writer : stack.writers()) {
      Map<String, Long> counters = new TreeMap<>();
      stages.forEach(
          stage ->
              counters.putAll(
                  stack.flink().counters(writer.job(), name -> name.startsWith(stage))));
      counted.put(writer.name(), counters);
      if (stack.flink().restarts(writer.job()) > 0) {
        restarted.add(writer.name());
      }
    }
    return new Books(counted, restarted);
  }

  /** Returns a sentence for each stage that has something left over, whatever was restarted. */
  public List<String> leftOver() {
    List<String> leftOver = new ArrayList<>();
    counted.forEach(
        (writer, counters) ->
            counters.forEach(
                (counter, count) -> {
                  if (counter.endsWith(UNACCOUNTED) && count > 0) {
                    leftOver.add(
                        String.format(Locale.ROOT, "The %s: %s = %,d", writer, counter, count));
                  }
                }));
    return leftOver;
  }

  /** Returns a sentence for everything that does not come out even, and should. */
  public List<String> differences() {
    List<String> differences = leftOver();
    counted.forEach(
        (writer, counters) -> {
          if (!restarted.contains(writer)) {
            for (Page page : WITHIN_A_WRITER) {
              Sides.of(page, counters, counters)
                  .filter(sides -> sides.putOut != sides.received)
                  .ifPresent(sides -> differences.add("The " + writer + ": " + sides));
            }
          }
        });
    for (Passage passage : BETWEEN_WRITERS) {
      sides(passage)
          .filter(sides -> sides.received < sides.putOut && !isRestarted(passage))
          .ifPresent(
              sides ->
                  differences.add(
                      "The " + passage.publisher + " and the " + passage.reader + ": " + sides));
    }
    return differences;
  }

  /**
   * Returns a sentence for what does not come out even, and need not: what was repeated after a
   * restart, and what others published.
   */
  public List<String> remarks() {
    List<String> remarks = new ArrayList<>();
    for (Passage passage : BETWEEN_WRITERS) {
      sides(passage)
          .filter(sides -> sides.received != sides.putOut)
          .filter(sides -> sides.received > sides.putOut || isRestarted(passage))
          .ifPresent(
              sides ->
                  remarks.add(
                      "The "
                          + passage.publisher
                          + " and the "
                          + passage.reader
                          + ": "
                          + sides
                          + (isRestarted(passage)
                              ? "; one was restarted, and what it repeats is counted again"
                              : "; others published, or it was published before this start")));
    }
    return remarks;
  }

  private boolean isRestarted(Passage passage) {
    return restarted.contains(passage.publisher) || restarted.contains(passage.reader);
  }

  private Optional<Sides> sides(Passage passage) {
    return Sides.of(
        passage.page,
        counted.getOrDefault(passage.publisher, Map.of()),
        counted.getOrDefault(passage.reader, Map.of()));
  }

  /** Both sides of a page, added up. */
  private record Sides(Page page, long putOut, long received) {
    /** Returns nothing where a stage is missing: a writer has some of them only. */
    static Optional<Sides> of(Page page, Map<String, Long> publisher, Map<String, Long> reader) {
      boolean isOther = page.unless.stream().anyMatch(each -> reader.getOrDefault(each, 0L) != 0);
      if (isOther
          || !publisher.keySet().containsAll(page.putOut)
          || !reader.keySet().containsAll(page.received)) {
        return Optional.empty();
      }
      return Optional.of(new Sides(page, sum(page.putOut, publisher), sum(page.received, reader)));
    }

    private static long sum(List<String> counters, Map<String, Long> counted) {
      return counters.stream().mapToLong(each -> counted.getOrDefault(each, 0L)).sum();
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s = %,d, but %s = %,d",
          String.join(" + ", page.putOut),
          putOut,
          String.join(" + ", page.received),
          received);
    }
  }
}
