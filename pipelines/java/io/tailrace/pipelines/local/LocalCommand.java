package io.tailrace.pipelines.local;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStores;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.proof.MetricsModel;
import io.tailrace.pipelines.local.proof.OfflineModel;
import io.tailrace.pipelines.local.proof.OnlineModel;
import io.tailrace.pipelines.local.proof.PersistenceReport;
import io.tailrace.pipelines.local.traffic.SampleMessage;
import io.tailrace.pipelines.local.traffic.SampleTraffic;
import io.tailrace.pipelines.local.traffic.TrafficPublisher;
import io.tailrace.pipelines.local.watch.BusiestFeatures;
import io.tailrace.pipelines.local.watch.DeadLetterTally;
import io.tailrace.pipelines.local.watch.FlowProgress;
import io.tailrace.pipelines.local.watch.FreshnessProbe;
import io.tailrace.pipelines.local.watch.LocalScreen;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobStatus;
import org.jspecify.annotations.Nullable;
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
  private static final Pattern SCHEMA = Pattern.compile("[?&]schema=([^&]*)");

  private static final long DEFAULT_RATE = 2_000;
  private static final long DEFAULT_RECORDS = 50_000;

  /** A writer that gets nowhere for so long is not waited for any longer. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** How long letters and counters may take to be seen after everything was committed. */
  private static final Duration AFTERMATH = Duration.ofSeconds(5);

  /** How long summaries may take after that. */
  private static final Duration METRICS_TIMEOUT = Duration.ofSeconds(30);

  private static final Duration LOOK_EVERY = Duration.ofMillis(250);

  /** How long a signal waits for a clean end before the JVM ends anyway. */
  private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(10);

  private static final int SAMPLES_PER_SECOND = 50;
  private static final int FRESHNESS_WINDOW = 1_000;

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
  private final Consumer<LocalStack> beforeComparison;
  private final QuietLog quiet = new QuietLog();
  private final CountDownLatch stop = new CountDownLatch(1);

  /** Creates the command. */
  public LocalCommand() {
    this(RunningStack.defaultFile(), stack -> {});
  }

  /**
   * Creates the command for a test.
   *
   * @param stackFile where it writes down where its parts are
   * @param beforeComparison called when everything has been written, before it is read back
   */
  LocalCommand(Path stackFile, Consumer<LocalStack> beforeComparison) {
    this.stackFile = stackFile;
    this.beforeComparison = beforeComparison;
  }

  @Override
  public Integer call() throws CommandException {
    checkOptions();
    CountDownLatch ended = new CountDownLatch(1);
    Thread main = Thread.currentThread();
    CountDownLatch started = new CountDownLatch(1);
    Thread onSignal = new Thread(() -> end(main, started, ended), "end-local");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      return runInDirectory(started);
    } catch (RuntimeException e) {
      if (stop.getCount() == 0) {
        // Whatever broke, broke because everything is being ended.
        return 0;
      }
      throw new CommandException(rootMessage(e), e);
    } finally {
      if (stop.getCount() > 0) {
        quiet.close();
      }
      ended.countDown();
      removeHook(onSignal);
    }
  }

  /** On Ctrl-C or SIGTERM: has the main thread close everything, in order, and waits for that. */
  private void end(Thread main, CountDownLatch started, CountDownLatch ended) {
    stop.countDown();
    quiet.begin();
    if (started.getCount() > 0) {
      main.interrupt();
    }
    try {
      boolean unused = ended.await(SHUTDOWN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The hook runs already.
    }
  }

  private void checkOptions() {
    if (noTraffic && (records != null || rate != null || exitWhenPersisted)) {
      throw wrong("--noTraffic goes without --records, --rate and --exitWhenPersisted");
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

  private int runInDirectory(CountDownLatch started) throws CommandException {
    if (directory != null) {
      return run(directory, started);
    }
    Path temporary;
    try {
      temporary = Files.createTempDirectory("tailrace-");
    } catch (IOException e) {
      throw new CommandException("No temporary directory can be made: " + e.getMessage(), e);
    }
    try {
      return run(temporary, started);
    } finally {
      deleteRecursively(temporary);
    }
  }

  private int run(Path files, CountDownLatch started) throws CommandException {
    PrintWriter out = spec.commandLine().getOut();
    out.println("Starting Kafka, Redis, Flink and the writers …");
    out.flush();
    long start = System.nanoTime();
    LocalStack.Builder builder =
        LocalStack.in(files)
            .kafkaPort(kafkaPort)
            .redisPort(redisPort)
            .flinkPort(flinkPort)
            .prometheusPort(prometheusPort)
            .parallelism(parallelism);
    if (offlineStore != null) {
      builder.offlineStore(offlineStore);
    }
    try (LocalStack stack = (directory == null ? builder : builder.durable()).start();
        SqlEndpoint sql = SqlEndpoint.start(OfflineStores.at(stack.offlineStore()).reader())) {
      started.countDown();
      RunningStack running = RunningStack.of(stack).withSql(sql);
      running.write(stackFile);
      try {
        introduce(out, stack, files, Duration.ofNanos(System.nanoTime() - start));
        if (noTraffic) {
          watch(out, stack);
          return 0;
        }
        Optional<PersistenceReport> report = watchTraffic(out, stack);
        if (report.isPresent()) {
          out.println();
          report.get().print(out);
        }
        return report.map(PersistenceReport::isRight).orElse(true) ? 0 : 1;
      } finally {
        running.remove(stackFile);
        if (stop.getCount() == 0) {
          out.println("Stopping …");
          out.flush();
        }
        quiet.begin();
      }
    }
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
                              + schema(store, "%").replace("_", "\\_")
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

  private void watch(PrintWriter out, LocalStack stack) {
    try (DeadLetterTally letters = tally(stack);
        FlowProgress progress = new FlowProgress(stack);
        FreshnessProbe probe = FreshnessProbe.start(stack.onlineStore(), 1);
        BusiestFeatures busiest =
            BusiestFeatures.start(OfflineStores.at(stack.metricsStore()).reader());
        LocalScreen screen = LocalScreen.open(out)) {
      long start = System.nanoTime();
      while (!stopsWithin(LocalScreen.REDRAW)) {
        screen.show(status(start, progress.look(letters), letters, probe, busiest));
      }
    }
  }

  /** Shows traffic until it is time to end; if everything is to be persisted, whether it was. */
  private Optional<PersistenceReport> watchTraffic(PrintWriter out, LocalStack stack)
      throws CommandException {
    Models models = new Models(new OnlineModel(), new OfflineModel(), new MetricsModel());
    long limit = records != null ? records : exitWhenPersisted ? DEFAULT_RECORDS : Long.MAX_VALUE;
    long perSecond =
        rate != null
            ? rate
            : limit < Long.MAX_VALUE ? TrafficPublisher.AS_FAST_AS_IT_GOES : DEFAULT_RATE;
    try (DeadLetterTally letters = tally(stack);
        FlowProgress progress = new FlowProgress(stack);
        FreshnessProbe probe = FreshnessProbe.start(stack.onlineStore(), FRESHNESS_WINDOW);
        BusiestFeatures busiest =
            BusiestFeatures.start(OfflineStores.at(stack.metricsStore()).reader());
        LocalScreen screen = LocalScreen.open(out);
        TrafficPublisher traffic =
            TrafficPublisher.start(
                new SampleTraffic(seed),
                stack.kafka().bootstrapServers(),
                LocalStack.RESULT_TOPIC,
                perSecond,
                limit,
                new Watcher(probe, exitWhenPersisted ? Optional.of(models) : Optional.empty()))) {
      long start = System.nanoTime();
      long lastShown = 0;
      Progress last = new Progress(0, 0, 0, 0);
      long lastProgress = start;
      while (!stopsWithin(LOOK_EVERY)) {
        FlowProgress.Snapshot snapshot = progress.look(letters);
        long now = System.nanoTime();
        if (now - lastShown >= LocalScreen.REDRAW.toNanos()) {
          lastShown = now;
          screen.show(status(start, snapshot, letters, probe, busiest));
        }
        if (traffic.failure().isPresent()) {
          throw new CommandException("Publishing has failed: " + traffic.failure().get());
        }
        if (!exitWhenPersisted) {
          continue;
        }
        Progress current =
            new Progress(
                snapshot.online().published(),
                snapshot.online().persisted(),
                snapshot.inserting().persisted(),
                letters.total());
        if (!current.equals(last)) {
          last = current;
          lastProgress = now;
        }
        Optional<String> trouble = trouble(stack, snapshot, now - lastProgress);
        if (trouble.isPresent()
            || (traffic.isFinished() && snapshot.hasCommitted(traffic.published()))) {
          Duration took = Duration.ofNanos(lastProgress - start);
          awaitAftermath(traffic, letters, progress);
          if (trouble.isEmpty()) {
            awaitMetrics(stack, models.metrics);
          }
          snapshot = progress.look(letters);
          screen.show(status(start, snapshot, letters, probe, busiest));
          return Optional.of(compare(stack, models, traffic, took, snapshot, letters, trouble));
        }
      }
      return Optional.empty();
    }
  }

  /** What changes as long as anything gets on. */
  private record Progress(long published, long persisted, long inserted, long deadLetters) {}

  /** What the stores must hold. */
  private record Models(OnlineModel online, OfflineModel offline, MetricsModel metrics) {
    void add(SampleMessage message, long publishedAt) {
      if (message.decodable()) {
        online.add(message.result(), publishedAt);
        offline.add(message.result(), publishedAt);
        metrics.add(message.result(), publishedAt);
      } else {
        online.addRefused(message.result());
        offline.addRefused(message.result());
      }
    }
  }

  /** Picks cells whose freshness is measured, and tells the model of everything. */
  private static final class Watcher implements TrafficPublisher.Listener {
    private static final long SAMPLE_EVERY_NANOS = 1_000_000_000L / SAMPLES_PER_SECOND;

    private final FreshnessProbe probe;
    private final Optional<Models> models;
    private long nextSample = System.nanoTime();

    Watcher(FreshnessProbe probe, Optional<Models> models) {
      this.probe = probe;
      this.models = models;
    }

    @Override
    public void publishing(SampleMessage message, long publishedAtMicros) {
      models.ifPresent(it -> it.add(message, publishedAtMicros));
      long now = System.nanoTime();
      if (now >= nextSample && message.sighting().isPresent()) {
        nextSample = now + SAMPLE_EVERY_NANOS;
        SampleMessage.Sighting cell = message.sighting().get();
        probe.published(cell.entity(), cell.name(), cell.observedAt(), now);
      }
    }
  }

  private static DeadLetterTally tally(LocalStack stack) {
    return DeadLetterTally.start(stack.kafka().bootstrapServers(), LocalStack.DEAD_LETTER_TOPIC);
  }

  private static LocalScreen.Status status(
      long start,
      FlowProgress.Snapshot snapshot,
      DeadLetterTally letters,
      FreshnessProbe probe,
      BusiestFeatures busiest) {
    return new LocalScreen.Status(
        Duration.ofNanos(System.nanoTime() - start),
        snapshot,
        letters.byReason(),
        probe.percentiles(),
        busiest.last());
  }

  private static Optional<String> trouble(
      LocalStack stack, FlowProgress.Snapshot snapshot, long withoutProgressNanos) {
    for (LocalStack.RunningWriter writer : stack.writers()) {
      JobStatus status = snapshot.of(writer.name()).status();
      if (status == JobStatus.FAILED || status == JobStatus.CANCELED) {
        return Optional.of("The " + writer.name() + " has ended: " + lastFailure(stack, writer));
      }
    }
    if (withoutProgressNanos > PATIENCE.toNanos()) {
      return Optional.of(
          "Nothing has happened for "
              + PATIENCE.toSeconds()
              + " s; the writers' last failures: "
              + stack.writers().stream()
                  .map(writer -> writer.name() + ": " + lastFailure(stack, writer))
                  .collect(Collectors.joining("; ")));
    }
    return Optional.empty();
  }

  private static String lastFailure(LocalStack stack, LocalStack.RunningWriter writer) {
    return stack.flink().lastFailure(writer.job()).orElse("none");
  }

  /** What was committed has been written; that it is seen here may take a moment. */
  private void awaitAftermath(
      TrafficPublisher traffic, DeadLetterTally letters, FlowProgress progress) {
    long deadline = System.nanoTime() + AFTERMATH.toNanos();
    while (System.nanoTime() < deadline && !stopsWithin(LOOK_EVERY)) {
      FlowProgress.Snapshot snapshot = progress.look(letters);
      long expected =
          snapshot.byWriter().keySet().stream()
              .map(writer -> PersistenceReport.expected(writer, traffic.expectedDeadLetters()))
              .mapToLong(LocalScreen::total)
              .sum();
      if (letters.total() >= expected && snapshot.hasCounted(traffic.published(), letters)) {
        return;
      }
    }
  }

  /** Summaries are published some seconds after the last result. */
  private void awaitMetrics(LocalStack stack, MetricsModel model) throws CommandException {
    OfflineReader store = OfflineStores.at(stack.metricsStore()).reader();
    long deadline = System.nanoTime() + METRICS_TIMEOUT.toNanos();
    while (!stopsWithin(LOOK_EVERY)) {
      boolean last = System.nanoTime() > deadline;
      try {
        if (last || MetricsModel.observations(store) >= model.observations()) {
          return;
        }
      } catch (UnavailableException e) {
        // Before the first summary is stored there are no tables.
        if (last) {
          throw new CommandException("The metrics can't be read back: " + e.getMessage(), e);
        }
      }
    }
  }

  private PersistenceReport compare(
      LocalStack stack,
      Models models,
      TrafficPublisher traffic,
      Duration took,
      FlowProgress.Snapshot snapshot,
      DeadLetterTally letters,
      Optional<String> trouble)
      throws CommandException {
    beforeComparison.accept(stack);
    try (OnlineReader reader = OnlineReader.open(stack.onlineStore())) {
      return new PersistenceReport(
          traffic.published(),
          traffic.took(),
          took,
          snapshot,
          traffic.expectedDeadLetters(),
          stack.writers().stream()
              .collect(
                  Collectors.toMap(
                      LocalStack.RunningWriter::name,
                      writer -> letters.byReason(writer.name()),
                      (a, b) -> a,
                      LinkedHashMap::new)),
          models.online.compare(reader, Instant.now()),
          models.offline.compare(
              OfflineStores.at(stack.offlineStore()).reader(),
              environment -> schema(stack.offlineStore(), environment)),
          models.metrics.compare(OfflineStores.at(stack.metricsStore()).reader()),
          trouble);
    } catch (UnavailableException e) {
      throw new CommandException("A store can't be read back: " + e.getMessage(), e);
    }
  }

  /** Returns the schema of an environment, as the URI names it; sample environments are plain. */
  private static String schema(String store, String environment) {
    Matcher schema = SCHEMA.matcher(store);
    return schema.find() ? schema.group(1).replace("{environment}", environment) : "tailrace";
  }

  /** Waits, and returns whether it is time to end. */
  private boolean stopsWithin(Duration duration) {
    try {
      return stop.await(duration.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      return true;
    }
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

  private static void deleteRecursively(Path root) {
    try (Stream<Path> paths = Files.walk(root)) {
      List<Path> deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
      for (Path path : deepestFirst) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot delete " + root, e);
    }
  }
}
