package io.tailrace.pipelines.local;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.local.proof.PersistenceReport;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.servers.DirectoryTree;
import io.tailrace.pipelines.local.watch.LocalScreen;
import io.tailrace.pipelines.local.watch.StackWatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Runs everything on this machine and shows what happens: {@link LocalStack} with sample traffic.
 *
 * <p>With {@code --exitWhenPersisted} it is a test of its own: it ends when everything published
 * has been dealt with, after comparing the whole store with a model.
 */
@Command(
    name = "local",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Starts Kafka, Redis and Flink in one process, runs the writers on them, publishes sample"
          + " traffic and shows what happens. Ctrl-C ends everything.",
      "",
      "It prints where its parts are, and writes that to ~/.tailrace/local.properties, so that"
          + " 'get' and 'publish' in another shell find the stack that was started last."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:success",
      "1:with --exitWhenPersisted, something is not as it must be",
      "2:wrong use"
    })
public final class LocalCommand implements Callable<Integer> {
  @Option(
      names = "--records",
      paramLabel = "N",
      description = "Publish this many results and no more. Default: without end.")
  private @Nullable Long records;

  @Option(
      names = "--exitWhenPersisted",
      description =
          "When all results have been dealt with, read every entity back from the store, compare"
              + " with an independent model of what must be there, and exit: 0 if everything is"
              + " right, 1 otherwise. Publishes 50,000 results unless --records says how many.")
  private boolean exitWhenPersisted;

  @Option(
      names = "--replay",
      description =
          "With --exitWhenPersisted, and before it compares: mend a table because of which a result"
              + " was refused, send all dead letters back with 'dead-letters replay', and show it."
              + " What was mended must be stored then, and nothing else may have changed.")
  private boolean replay;

  @Option(
      names = "--rate",
      paramLabel = "N",
      description =
          "Publish this many results a second. Default: 2,000, or as fast as it goes if the number"
              + " of results is limited.")
  private @Nullable Long rate;

  @Option(
      names = "--noTraffic",
      description = "Start the servers and writers alone; publish with 'publish' or a program.")
  private boolean noTraffic;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Make other traffic, the same for the same number. Default: ${DEFAULT-VALUE}.",
      defaultValue = "1")
  private long seed;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      description = "Run every writer in this many parallel copies. Default: ${DEFAULT-VALUE}.",
      defaultValue = "2")
  private int parallelism;

  @Option(
      names = "--kafkaPort",
      paramLabel = "PORT",
      description = "Port of Kafka. Default: a free one.",
      defaultValue = "0")
  private int kafkaPort;

  @Option(
      names = "--redisPort",
      paramLabel = "PORT",
      description = "Port of Redis. Default: a free one.",
      defaultValue = "0")
  private int redisPort;

  @Option(
      names = "--flinkPort",
      paramLabel = "PORT",
      description = "Port of Flink's REST endpoint. Default: a free one.",
      defaultValue = "0")
  private int flinkPort;

  @Option(
      names = "--prometheusPort",
      paramLabel = "PORT",
      description = "Port of the metrics for Prometheus. Default: a free one.",
      defaultValue = "0")
  private int prometheusPort;

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description =
          "Keep all data here, and go on with what a run before has left. Default: a new directory"
              + " among the temporary files, which is deleted at the end.")
  private @Nullable Path directory;

  @Option(
      names = "--offlineStore",
      paramLabel = "URI",
      description =
          "Write to this offline store, such as postgresql://host/database?schema=t_{environment}."
              + " Default: a file of DuckDB among the data.")
  private @Nullable String offlineStore;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Path stackFile;
  private final List<Writer<?>> writers;
  private final Consumer<LocalStack> beforeComparison;

  /** Creates the command. */
  public LocalCommand() {
    this(RunningStack.defaultFile(), Writers.ALL, stack -> {});
  }

  /**
   * Creates the command for a test.
   *
   * @param stackFile where it writes down where its parts are
   * @param writers those that it runs
   * @param beforeComparison called when everything has been written, before it is read back
   */
  LocalCommand(Path stackFile, List<Writer<?>> writers, Consumer<LocalStack> beforeComparison) {
    this.stackFile = stackFile;
    this.writers = List.copyOf(writers);
    this.beforeComparison = beforeComparison;
  }

  @Override
  public Integer call() throws CommandException {
    checkOptions();
    Ending ending = Ending.onSignal();
    try {
      return runInDirectory(ending);
    } catch (RuntimeException e) {
      if (ending.hasBegun()) {
        // Whatever broke, broke because everything is being ended.
        return 0;
      }
      throw new CommandException(rootMessage(e), e);
    } finally {
      ending.close();
    }
  }

  private void checkOptions() {
    if (noTraffic && (records != null || rate != null || exitWhenPersisted)) {
      throw wrong("--noTraffic goes without --records, --rate and --exitWhenPersisted");
    }
    if (replay && (!exitWhenPersisted || offlineStore != null)) {
      throw wrong("--replay goes with --exitWhenPersisted, and without --offlineStore");
    }
    if (records != null && records < 1) {
      throw wrong("--records must be 1 or more");
    }
    if (rate != null && rate < 1) {
      throw wrong("--rate must be 1 or more; without it, limited traffic is as fast as it goes");
    }
    if (parallelism < 1 || parallelism > 128) {
      throw wrong("--parallelism must be from 1 to 128");
    }
    for (int port : new int[] {kafkaPort, redisPort, flinkPort, prometheusPort}) {
      if (port < 0 || port > 65_535) {
        throw wrong("a port is a number from 1 to 65535, or 0 for a free one; not " + port);
      }
    }
    if (exitWhenPersisted && directory != null && !isEmpty(directory)) {
      throw wrong(
          "--exitWhenPersisted compares a whole store, so it needs a directory that is empty; "
              + directory
              + " is not");
    }
    if (exitWhenPersisted && offlineStore != null) {
      checkEmpty(offlineStore);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private static boolean isEmpty(Path directory) {
    if (!Files.exists(directory)) {
      return true;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.findAny().isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  private int runInDirectory(Ending ending) throws CommandException {
    if (directory != null) {
      return run(directory, ending);
    }
    Path temporary;
    try {
      temporary = Files.createTempDirectory("tailrace-");
    } catch (IOException e) {
      throw new CommandException("No temporary directory can be made: " + e.getMessage(), e);
    }
    try {
      return run(temporary, ending);
    } finally {
      DirectoryTree.delete(temporary);
    }
  }

  private int run(Path files, Ending ending) throws CommandException {
    PrintWriter out = spec.commandLine().getOut();
    out.println("Starting Kafka, Redis, Flink and the writers …");
    out.flush();
    long start = System.nanoTime();
    try (LocalStack stack = describe(files).start();
        SqlEndpoint sql = SqlEndpoint.start(OfflineStores.at(stack.offlineStore()).reader())) {
      ending.started();
      RunningStack running = RunningStack.of(stack).withSql(sql);
      running.write(stackFile);
      try {
        introduce(out, stack, files, Duration.ofNanos(System.nanoTime() - start));
        return watch(out, stack, ending);
      } finally {
        running.remove(stackFile);
        if (ending.hasBegun()) {
          out.println("Stopping …");
          out.flush();
        }
        ending.quiet();
      }
    }
  }

  private LocalStack.Builder describe(Path files) {
    LocalStack.Builder builder =
        LocalStack.in(files)
            .kafkaPort(kafkaPort)
            .redisPort(redisPort)
            .flinkPort(flinkPort)
            .prometheusPort(prometheusPort)
            .parallelism(parallelism)
            .writers(writers);
    if (offlineStore != null) {
      builder.offlineStore(offlineStore);
    }
    return directory == null ? builder : builder.durable();
  }

  private int watch(PrintWriter out, LocalStack stack, Ending ending) throws CommandException {
    if (noTraffic) {
      try (StackWatch watch = new StackWatch(stack, out, 1)) {
        while (!ending.comesWithin(LocalScreen.REDRAW)) {
          watch.show(watch.look());
        }
      }
      return 0;
    }
    TrafficPlan plan = new TrafficPlan(optional(records), optional(rate), seed, exitWhenPersisted);
    Optional<PersistenceReport> report =
        new TrafficRun(stack, plan, ending, deadLetters(), beforeComparison).run(out);
    if (report.isPresent()) {
      out.println();
      report.get().print(out);
    }
    return report.map(PersistenceReport::isRight).orElse(true) ? 0 : 1;
  }

  /** Finds the command beside this one, which knows of stacks, while these know nothing of it. */
  private Optional<CommandLine> deadLetters() {
    return replay
        ? Optional.ofNullable(spec.root().commandLine().getSubcommands().get("dead-letters"))
        : Optional.empty();
  }

  private static OptionalLong optional(@Nullable Long number) {
    return number == null ? OptionalLong.empty() : OptionalLong.of(number);
  }

  /** What was there before would be compared too. */
  private void checkEmpty(String store) {
    long tables;
    try {
      tables =
          Long.parseLong(
              String.valueOf(
                  OfflineStores.at(store)
                      .reader()
                      .query(
                          "SELECT count(*) FROM information_schema.tables WHERE table_schema LIKE '"
                              + StoreModels.schema(store, "%").replace("_", "\\_")
                              + "' ESCAPE '\\'",
                          1)
                      .rows()
                      .get(0)
                      .get(0)));
    } catch (UnavailableException | IllegalArgumentException e) {
      // A file that is yet to be made; what else is wrong, the writers say when they start.
      return;
    }
    if (tables > 0) {
      throw wrong(
          "--exitWhenPersisted compares a whole store, so it needs one that is empty; "
              + OfflineStores.at(store).uri()
              + " has "
              + tables
              + " tables. Drop its schema, or name another one with schema=NAME_{environment}");
    }
  }

  private void introduce(PrintWriter out, LocalStack stack, Path files, Duration took) {
    out.printf(Locale.ROOT, "Started in %.1f s:%n%n", took.toNanos() / 1e9);
    out.println("  result bus    " + stack.resultBus());
    out.println("  dead letters  " + stack.deadLetterBus());
    out.println("  Parquet bus   " + stack.streamingInsertBus());
    out.println("  metrics bus   " + stack.metricsBus());
    out.println("  online store  " + stack.onlineStore());
    out.println("  offline store " + stack.offlineStore());
    out.println("  metrics store " + stack.metricsStore());
    out.println("  Flink (REST)  " + stack.flinkUrl());
    out.println("  metrics       " + stack.metricsUrl());
    out.println("  files         " + files + (directory == null ? "  (deleted at the end)" : ""));
    out.println();
    if (!exitWhenPersisted) {
      out.println(
          "In another shell, 'get user 0' reads an entity online, 'sql \"SHOW ALL TABLES\"' asks");
      out.println(
          "the offline store, and 'publish FILE' publishes results from JSON lines; all find");
      out.println("this stack by themselves. Ctrl-C ends it.");
      out.println();
    }
    out.flush();
  }

  private static String rootMessage(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String first = String.valueOf(e.getMessage());
    return cause.equals(e) || cause.getMessage() == null
        ? first
        : first + " (" + cause.getMessage() + ")";
  }
}
