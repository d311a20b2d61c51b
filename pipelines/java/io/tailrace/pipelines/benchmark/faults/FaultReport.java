package io.tailrace.pipelines.benchmark.faults;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.proof.Departure;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A file to which each run adds a line of JSON, and which adds up over days. */
final class FaultReport {
  private static final ObjectMapper json = new ObjectMapper();

  private final Path file;

  FaultReport(Path file) {
    this.file = file.toAbsolutePath();
  }

  /** Adds a run. */
  void add(FaultResult result) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(
        file,
        json.writeValueAsString(result) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  /**
   * Reads all runs.
   *
   * @throws CommandException if there are none, or a line is not one
   */
  List<FaultResult> read() throws CommandException, IOException {
    if (Files.notExists(file)) {
      throw new CommandException("There is no report " + file + " yet: run benchmark faults");
    }
    List<FaultResult> results = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      try {
        results.add(json.readValue(line, FaultResult.class));
      } catch (JsonProcessingException e) {
        throw new CommandException(
            file + ", line " + (results.size() + 1) + ": " + e.getOriginalMessage(), e);
      }
    }
    return results;
  }

  /** Prints what runs came to, by their faults. */
  static void summarize(List<FaultResult> results, PrintWriter out) {
    Map<Fault, List<FaultResult>> byFault = new TreeMap<>();
    results.forEach(it -> byFault.computeIfAbsent(it.fault(), fault -> new ArrayList<>()).add(it));
    out.printf(
        Locale.ROOT,
        "%-24s%6s%9s%9s%12s%6s%12s%7s%7s%9s%14s%n",
        "fault",
        "runs",
        "mattered",
        "writers",
        "results",
        "lost",
        "duplicated",
        "stale",
        "other",
        "letters",
        "recovered (s)");
    byFault.forEach((fault, its) -> row(fault.words(), its, out));
    row("all", results, out);
    out.flush();
  }

  private static void row(String name, List<FaultResult> results, PrintWriter out) {
    double[] recoveries =
        results.stream().mapToDouble(FaultResult::recoverySeconds).sorted().toArray();
    out.printf(
        Locale.ROOT,
        "%-24s%6d%9d%9d%,12d%6d%12d%7d%7d%9d%14s%n",
        name,
        results.size(),
        results.stream().filter(FaultResult::hasMattered).count(),
        results.stream().mapToInt(it -> it.seen().size()).sum(),
        results.stream().mapToLong(FaultResult::acknowledged).sum(),
        departed(results, Departure.LOST),
        departed(results, Departure.DUPLICATED),
        departed(results, Departure.STALE),
        departed(results, Departure.OTHER),
        results.stream().mapToLong(FaultResult::wrongLetters).sum(),
        String.format(
            Locale.ROOT, "%.0f to %.0f", recoveries[0], recoveries[recoveries.length - 1]));
  }

  private static long departed(List<FaultResult> results, Departure how) {
    return results.stream().mapToLong(it -> it.departed(how)).sum();
  }
}
