package io.tailrace.pipelines.local.watch;

import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Compares what stages have counted, when all is at rest: what one has put out, the next has
 * received, and no stage has anything left over. Counters are compared only where nothing was
 * restarted, since a bundle that is repeated is counted again. Immutable.
 */
public final class Books {
  /** What one stage puts out, and the next receives: stages and counters as Flink joins them. */
  private record Page(String putOut, String received) {
    String writerStage(boolean first) {
      String counter = first ? putOut : received;
      return counter.substring(0, counter.indexOf('_') + 1);
    }
  }

  private static final List<Page> WITHIN_A_WRITER =
      List.of(
          new Page("DecodeResults_results_decoded", "WriteOnline_results_received"),
          new Page("DecodeResults_results_decoded", "CreateFeatureTables_results_received"),
          new Page("CreateFeatureTables_results_passed", "EncodeObservations_results_received"),
          new Page("DecodeObservationFiles_files_decoded", "InsertObservations_files_received"),
          new Page("DecodeSummaries_summaries_decoded", "WriteSummaries_summaries_received"));

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
    Set<String> stages = new TreeSet<>();
    for (Page page : WITHIN_A_WRITER) {
      stages.add(page.writerStage(true));
      stages.add(page.writerStage(false));
    }
    Map<String, Map<String, Long>> counted = new TreeMap<>();
    Set<String> restarted = new TreeSet<>();
    for (RunningWriter writer : stack.writers()) {
      Map<String, Long> counters = new TreeMap<>();
      stages.forEach(stage -> counters.putAll(stack.flink().counters(writer.job(), stage)));
      counted.put(writer.name(), counters);
      if (stack.flink().restarts(writer.job()) > 0) {
        restarted.add(writer.name());
      }
    }
    return new Books(counted, restarted);
  }

  /** Returns a sentence for everything that does not come out even. */
  public List<String> differences() {
    List<String> differences = new ArrayList<>();
    counted.forEach(
        (writer, counters) -> {
          counters.forEach(
              (counter, count) -> {
                if (counter.endsWith(UNACCOUNTED) && count > 0) {
                  differences.add(
                      String.format(Locale.ROOT, "The %s: %s = %,d", writer, counter, count));
                }
              });
          if (!restarted.contains(writer)) {
            WITHIN_A_WRITER.forEach(page -> compare(writer, counters, page, differences));
          }
        });
    return differences;
  }

  private static void compare(
      String writer, Map<String, Long> counters, Page page, List<String> differences) {
    Long putOut = counters.get(page.putOut);
    Long received = counters.get(page.received);
    // A writer has some of the stages only.
    if (putOut != null && received != null && !putOut.equals(received)) {
      differences.add(
          String.format(
              Locale.ROOT,
              "The %s: %s = %,d, but %s = %,d",
              writer,
              page.putOut,
              putOut,
              page.received,
              received));
    }
  }
}
