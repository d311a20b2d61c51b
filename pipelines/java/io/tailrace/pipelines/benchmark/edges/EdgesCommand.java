package io.tailrace.pipelines.benchmark.edges;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.benchmark.edges.EdgesSoak.Outcome;
import io.tailrace.pipelines.benchmark.edges.EdgesSoak.Plan;
import io.tailrace.pipelines.local.servers.DirectoryTree;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code benchmark edges}: whether anything breaks the promise. */
@Command(
    name = "edges",
    description = {
      "Runs all writers on the embedded servers and PostgreSQL, throws every kind of bad record at",
      "them while servers go away and writers start anew, and compares the stores and the dead",
      "letters with what the bus has acknowledged. Exits with 0 if all is right, else with 1."
    },
    mixinStandardHelpOptions = true)
public final class EdgesCommand implements Callable<Integer> {
  private static final Duration BETWEEN_DISTURBANCES = Duration.ofSeconds(12);

  private static final double MEGABYTE = 1 << 20;

  /** What servers and writers in one process want, roughly. */
  private static final long HEAP_OF_STACK = 500L << 20;

  /** What a result and its rows take in the models of stores, in bytes, roughly. */
  private static final long HEAP_OF_RESULT = 5_000;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--seconds",
      description = "How long to publish (default: ${DEFAULT-VALUE}).",
      defaultValue = "600")
  private long seconds;

  @Option(
      names = "--rate",
      description = "Records a second (default: ${DEFAULT-VALUE}).",
      defaultValue = "100")
  private long rate;

  @Option(
      names = "--seed",
      description = "Other traffic for another number (default: ${DEFAULT-VALUE}).",
      defaultValue = "1")
  private long seed;

  @Option(names = "--calm", description = "Let no server go away and no writer start anew.")
  private boolean calm;

  /** What must be in the stores is held in memory until the end. */
  private void checkHeap() {
    double needed = HEAP_OF_STACK + (double) seconds * rate * HEAP_OF_RESULT;
    long heap = Runtime.getRuntime().maxMemory();
    if (needed > heap) {
      throw new ParameterException(
          spec.commandLine(),
          String.format(
              Locale.ROOT,
              "--seconds=%d --rate=%d: so many results want a heap of %,.0f MB, and this program"
                  + " has %,d: add -Dtailrace.heap=%.0fg to mvn, or ask for fewer",
              seconds,
              rate,
              needed / MEGABYTE,
              (long) (heap / MEGABYTE),
              // A virtual machine does not count all of it as heap.
              Math.ceil(1.1 * needed / MEGABYTE / 1024)));
    }
  }

  @Override
  public Integer call() throws CommandException, IOException, InterruptedException {
    checkHeap();
    PrintWriter out = spec.commandLine().getOut();
    Path directory = Files.createTempDirectory("tailrace-edges");
    long start = System.nanoTime();
    try {
      Outcome outcome =
          new EdgesSoak(
                  new Plan(
                      Duration.ofSeconds(seconds),
                      seed,
                      rate,
                      calm ? Optional.empty() : Optional.of(BETWEEN_DISTURBANCES)),
                  line -> {
                    out.printf(
                        Locale.ROOT, "%6.1f s  %s%n", (System.nanoTime() - start) / 1e9, line);
                    out.flush();
                  })
              .run(directory);
      print(out, outcome);
      return outcome.isRight() ? 0 : 1;
    } finally {
      DirectoryTree.delete(directory);
    }
  }

  private static void print(PrintWriter out, Outcome outcome) {
    out.println();
    outcome.bad().forEach((kind, count) -> out.printf(Locale.ROOT, "%8d  %s%n", count, kind));
    out.printf(
        Locale.ROOT,
        "%nresults %,d, disturbances %d, letters %,d, of them written again %,d,"
            + " wrong or missing %,d%n",
        outcome.results(),
        outcome.disturbances().size(),
        outcome.letters().letters(),
        outcome.letters().again(),
        outcome.letters().wrong());
    outcome.letters().first().forEach(out::println);
    outcome
        .stores()
        .forEach(
            store -> {
              out.println(store.inWords());
              store.listed().forEach(out::println);
            });
    out.println("restarts " + outcome.failures().restarts());
    out.println("unaccounted " + outcome.failures().unaccounted());
    out.println(outcome.isRight() ? "All is right." : "Something is WRONG: see above.");
    out.flush();
  }
}
