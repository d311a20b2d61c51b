package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.BulkInsertWriter;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.StreamingInsertWriter;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.servers.DirectoryTree;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code benchmark faults}: whether any failure breaks the promise. */
@Command(
    name = "faults",
    description = {
      "Runs writers on a Flink cluster of several processes, with a broker, Redis and PostgreSQL",
      "behind proxies, does one fault after the other to them under traffic, and compares the",
      "stores and the dead letters with what the bus has acknowledged. Exits with 0 if nothing was",
      "lost, doubled or stale and every fault has mattered to a writer, else with 1."
    },
    mixinStandardHelpOptions = true)
public final class FaultsCommand implements Callable<Integer> {
  /**
   * With so much in the stores servers are started anew: all of it is read back after each fault.
   */
  private static final long MOST_STORED = 400_000;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--runs", description = "How many faults (default: one of each).")
  private long runs;

  @Option(
      names = "--seconds",
      description = "Begin no fault after so many seconds (default: no bound, or with no --runs).")
  private long seconds;

  @Option(
      names = "--seed",
      description = "The first fault's seed; each further one's is greater by one (default: 1).")
  private long seed = 1;

  @Option(
      names = "--writers",
      split = ",",
      paramLabel = "WRITER",
      description =
          "These writers, those that publish what they read, and those that read what they publish;"
              + " with the bulk-insert-writer also those that write the same tables (default: all"
              + " for PostgreSQL).")
  private List<String> writers = new ArrayList<>();

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "FAULT",
      description = "These faults, in this order (default: all), such as task-manager-killed.")
  private List<String> only = new ArrayList<>();

  @Option(names = "--rate", description = "Records a second (default: ${DEFAULT-VALUE}).")
  private long rate = 100;

  @Option(
      names = "--idle",
      description = "Seconds without a message, where that is the fault (default: 60).")
  private long idle = 60;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Where each fault adds a line (default: ${DEFAULT-VALUE}).")
  private Path report = Path.of("target", "benchmarks", "faults.jsonl");

  @Option(names = "--summary", description = "Do nothing, but add up the report.")
  private boolean summary;

  @Override
  public Integer call() throws CommandException, IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    FaultReport all = new FaultReport(report);
    if (summary) {
      FaultReport.summarize(all.read(), out);
      return 0;
    }
    List<FaultResult> results = new ArrayList<>();
    List<Writer<?>> running = running();
    List<Fault> faults = faults(running);
    long most = runs > 0 ? runs : seconds > 0 ? Long.MAX_VALUE : faults.size();
    long deadline =
        seconds > 0 ? System.nanoTime() + Duration.ofSeconds(seconds).toNanos() : Long.MAX_VALUE;
    while (results.size() < most && System.nanoTime() < deadline) {
      Path directory = Files.createTempDirectory("tailrace-faults");
      try (FaultRuns session =
          FaultRuns.start(
              directory,
              running,
              new FaultRuns.Traffic(rate, Duration.ofSeconds(1), Duration.ofSeconds(idle)))) {
        boolean passed = true;
        long stored = 0;
        while (passed
            && stored < MOST_STORED
            && results.size() < most
            && System.nanoTime() < deadline) {
          Fault fault = faults.get(results.size() % faults.size());
          out.printf(Locale.ROOT, "%s, seed %d ...%n", fault.words(), seed + results.size());
          out.flush();
          FaultResult result = run(session, fault, seed + results.size(), running);
          all.add(result);
          print(result, out);
          results.add(result);
          stored = result.stored();
          // What is wrong once would be found again after each further fault.
          passed = result.wrong() == 0 && result.settled();
        }
      } finally {
        DirectoryTree.delete(directory);
      }
    }
    out.println();
    FaultReport.summarize(results, out);
    return results.stream().allMatch(FaultResult::hasPassed) ? 0 : 1;
  }

  /** What does not come back is a failure of the fault's, and no reason to try no other. */
  private static FaultResult run(FaultRuns session, Fault fault, long seed, List<Writer<?>> running)
      throws InterruptedException {
    try {
      return session.run(fault, seed);
    } catch (CommandException | RuntimeException e) {
      return FaultResult.failed(
          fault, seed, running.stream().map(Writer::name).toList(), String.valueOf(e));
    }
  }

  private static void print(FaultResult result, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%s  seed %d  %s %s: %,d results, %,d stored, %s, recovered in %.1f s%n",
        result.at(),
        result.seed(),
        result.fault().words(),
        result.what(),
        result.acknowledged(),
        result.stored(),
        result.hasPassed()
            ? "all right"
            : "WRONG: " + result.departures() + ", letters " + result.wrongLetters(),
        result.recoverySeconds());
    result.seen().forEach((writer, words) -> out.println("    " + writer + ": " + words));
    if (!result.hasMattered()) {
      out.println("    NOBODY has noticed it: it proves nothing");
    }
    if (result.stored() == 0) {
      out.println("    NOTHING is in the stores: it proves nothing");
    }
    if (!result.settled()) {
      out.println("    NOT EVERYTHING was dealt with in time");
    }
    result.first().forEach(line -> out.println("    " + line));
    out.flush();
  }

  /** Those that are asked for, with those between the results and them, and them and a store. */
  private List<Writer<?>> running() {
    List<Writer<?>> all = withTraffic();
    Set<String> names = all.stream().map(Writer::name).collect(Collectors.toSet());
    for (String name : writers) {
      if (!names.contains(name)) {
        throw wrong("--writers: there is no " + name + ", but " + String.join(", ", names));
      }
    }
    if (writers.isEmpty()) {
      return all;
    }
    Set<Writer<?>> wanted = new LinkedHashSet<>();
    if (writers.contains(BulkInsertWriter.WRITER.name())) {
      // The store is compared as a whole, and all results are in it.
      wanted.add(StreamingInsertWriter.WRITER);
    }
    for (Writer<?> writer : all) {
      // What it publishes proves nothing before it is in a store.
      if (writers.contains(writer.name())
          || wanted.stream().anyMatch(it -> publishes(it, writer.reads()))) {
        wanted.add(writer);
      }
    }
    // Backwards: who publishes stands before who reads.
    for (int i = all.size() - 1; i >= 0; i--) {
      Writer<?> writer = all.get(i);
      if (wanted.stream().anyMatch(it -> publishes(writer, it.reads()))) {
        wanted.add(writer);
      }
    }
    return all.stream().filter(wanted::contains).collect(Collectors.toList());
  }

  /** Those that read results, what others make of them, or files with results. */
  private static List<Writer<?>> withTraffic() {
    List<Writer<?>> all = Writers.forOfflineStore(Writers.ALL, "postgresql://host/database");
    return all.stream()
        .filter(
            writer ->
                writer.reads().equals(LocalStack.RESULT_BUS)
                    || writer.equals(BulkInsertWriter.WRITER)
                    || all.stream().anyMatch(it -> publishes(it, writer.reads())))
        .collect(Collectors.toList());
  }

  private static boolean publishes(Writer<?> writer, String bus) {
    return !writer.reads().equals(bus) && writer.endpoints().containsKey(bus);
  }

  private List<Fault> faults(List<Writer<?>> running) {
    List<Fault> faults =
        only.isEmpty() ? List.of(Fault.values()) : only.stream().map(this::fault).toList();
    List<Fault> reaching =
        faults.stream()
            .filter(fault -> running.stream().anyMatch(fault::reaches))
            .collect(Collectors.toList());
    if (reaching.isEmpty()) {
      throw wrong("--only: " + only + " reaches none of the writers " + running);
    }
    return reaching;
  }

  private Fault fault(String words) {
    return Arrays.stream(Fault.values())
        .filter(fault -> fault.words().equalsIgnoreCase(words.strip()))
        .findFirst()
        .orElseThrow(
            () -> wrong("--only: there is no " + words + ", but " + List.of(Fault.values())));
  }

  private ParameterException wrong(String problem) {
    return new ParameterException(spec.commandLine(), problem);
  }
}
