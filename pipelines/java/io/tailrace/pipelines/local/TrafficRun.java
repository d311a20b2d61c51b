package io.tailrace.pipelines.local;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.proof.PersistenceReport;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.traffic.SampleMessage;
import io.tailrace.pipelines.local.traffic.SampleTraffic;
import io.tailrace.pipelines.local.traffic.TrafficPublisher;
import io.tailrace.pipelines.local.watch.Books;
import io.tailrace.pipelines.local.watch.FlowProgress;
import io.tailrace.pipelines.local.watch.FreshnessProbe;
import io.tailrace.pipelines.local.watch.LocalScreen;
import io.tailrace.pipelines.local.watch.StackWatch;
import io.tailrace.pipelines.local.watch.WriterProgress;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobStatus;
import picocli.CommandLine;

/**
 * Publishes sample traffic to a stack and shows what becomes of it, until it is time to end; or, if
 * it is a proof, until everything has been dealt with, and then compares the stores with models of
 * them. Not thread-safe.
 */
final class TrafficRun {
  /** A writer that gets nowhere for so long is not waited for any longer. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** How long letters and counters may take to be seen after everything was committed. */
  private static final Duration AFTERMATH = Duration.ofSeconds(30);

  /** How long summaries may take after that. */
  private static final Duration METRICS_TIMEOUT = Duration.ofSeconds(30);

  private static final Duration LOOK_EVERY = Duration.ofMillis(250);
  private static final int FRESHNESS_WINDOW = 1_000;
  private static final int UPLOADED_ROWS = 2_000;
  private static final int UPLOADED_ROWS_OF_FILE = 700;

  private final LocalStack stack;
  private final TrafficPlan plan;
  private final Ending ending;
  private final Optional<CommandLine> deadLetters;
  private final Consumer<LocalStack> beforeComparison;
  private final StoreModels models = new StoreModels();

  /**
   * Creates one.
   *
   * @param deadLetters sends letters back before the comparison; empty: none is
   */
  TrafficRun(
      LocalStack stack,
      TrafficPlan plan,
      Ending ending,
      Optional<CommandLine> deadLetters,
      Consumer<LocalStack> beforeComparison) {
    this.stack = stack;
    this.plan = plan;
    this.ending = ending;
    this.deadLetters = deadLetters;
    this.beforeComparison = beforeComparison;
  }

  /** An engine that is not sure of the first message publishes it again. */
  private void upload() throws CommandException {
    OutgoingMessage message =
        SampleUpload.write(
            stack.uploadBucket(), plan.seed(), UPLOADED_ROWS, UPLOADED_ROWS_OF_FILE, models);
    try (BusPublisher bus = Buses.at(stack.bulkUploadBus()).publisher()) {
      bus.publish(message);
      bus.publish(message);
      bus.flush();
    } catch (UnavailableException e) {
      throw new CommandException("Files can't be published: " + e.getMessage(), e);
    }
  }

  /** Runs, and returns whether everything was persisted, if that was to be found out. */
  Optional<PersistenceReport> run(PrintWriter out) throws CommandException {
    // Before the traffic, as that tells the models in a thread of its own.
    if (stack.writers().stream().anyMatch(each -> each.writer().takes("uploadBucket"))) {
      upload();
    }
    try (StackWatch watch = new StackWatch(stack, out, FRESHNESS_WINDOW);
        TrafficPublisher traffic =
            TrafficPublisher.start(
                new SampleTraffic(plan.seed()),
                stack.kafka().bootstrapServers(),
                LocalStack.RESULT_TOPIC,
                plan.perSecond(),
                plan.limit(),
                new Watcher(
                    watch.probe(),
                    plan.exitWhenPersisted() ? Optional.of(models) : Optional.empty()))) {
      Pace pace = new Pace();
      long lastShown = 0;
      while (!ending.comesWithin(LOOK_EVERY)) {
        FlowProgress.Snapshot seen = watch.look();
        long now = System.nanoTime();
        if (now - lastShown >= LocalScreen.REDRAW.toNanos()) {
          lastShown = now;
          watch.show(seen);
        }
        if (traffic.failure().isPresent()) {
          throw new CommandException("Publishing has failed: " + traffic.failure().get());
        }
        if (!plan.exitWhenPersisted()) {
          continue;
        }
        pace.note(seen, watch.letters().total());
        Optional<String> trouble = trouble(seen, pace);
        if (trouble.isPresent()
            || (traffic.isFinished() && seen.hasCommitted(traffic.published()))) {
          awaitAftermath(traffic, watch);
          if (trouble.isEmpty()) {
            awaitMetrics();
          }
          FlowProgress.Snapshot last = watch.look();
          watch.show(last);
          return Optional.of(
              report(
                  out, traffic, watch, last, pace.persisting(watch.start()), books(trouble, out)));
        }
      }
      return Optional.empty();
    }
  }

  /** When anything got on last, and each writer. */
  private static final class Pace {
    private record Step(long messages, long at) {}

    private final Map<String, Step> byWriter = new HashMap<>();
    private Step published = new Step(0, System.nanoTime());
    private Step letters = published;

    void note(FlowProgress.Snapshot seen, long lettersWritten) {
      published = step(published, seen.published());
      letters = step(letters, lettersWritten);
      for (WriterProgress.Snapshot writer : seen.writers()) {
        byWriter.merge(
            writer.name(),
            new Step(writer.messages().persisted(), System.nanoTime()),
            (before, now) -> before.messages == now.messages ? before : now);
      }
    }

    private static Step step(Step before, long messages) {
      return before.messages == messages ? before : new Step(messages, System.nanoTime());
    }

    Duration withoutProgress() {
      long last =
          byWriter.values().stream()
              .mapToLong(Step::at)
              .reduce(Math.max(published.at, letters.at), Math::max);
      return Duration.ofNanos(System.nanoTime() - last);
    }

    Map<String, Duration> persisting(long start) {
      return byWriter.entrySet().stream()
          .collect(
              Collectors.toMap(
                  Map.Entry::getKey, each -> Duration.ofNanos(each.getValue().at - start)));
    }
  }

  /** Picks cells whose freshness is measured, and tells the models of everything. */
  private static final class Watcher implements TrafficPublisher.Listener {
    private static final int SAMPLES_PER_SECOND = 50;
    private static final long SAMPLE_EVERY_NANOS = 1_000_000_000L / SAMPLES_PER_SECOND;

    private final FreshnessProbe probe;
    private final Optional<StoreModels> models;
    private long nextSample = System.nanoTime();

    Watcher(FreshnessProbe probe, Optional<StoreModels> models) {
      this.probe = probe;
      this.models = models;
    }

    @Override
    public void published(SampleMessage message, long takenAtMicros) {
      models.ifPresent(it -> it.taken(message, takenAtMicros));
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

  private Optional<String> trouble(FlowProgress.Snapshot seen, Pace pace) {
    for (WriterProgress.Snapshot writer : seen.writers()) {
      JobStatus status = writer.health().status();
      if (status == JobStatus.FAILED || status == JobStatus.CANCELED) {
        return Optional.of("The " + writer.name() + " has ended: " + lastFailure(writer.name()));
      }
    }
    if (pace.withoutProgress().compareTo(PATIENCE) > 0) {
      return Optional.of(
          "Nothing has happened for "
              + PATIENCE.toSeconds()
              + " s; the writers' last failures: "
              + seen.writers().stream()
                  .map(writer -> writer.name() + ": " + lastFailure(writer.name()))
                  .collect(Collectors.joining("; ")));
    }
    return Optional.empty();
  }

  private String lastFailure(String name) {
    return stack.writers().stream()
        .filter(writer -> writer.name().equals(name))
        .findFirst()
        .flatMap(writer -> stack.flink().lastFailure(writer.job()))
        .orElse("none");
  }

  /** What was committed has been written; that it is seen here may take a moment. */
  private void awaitAftermath(TrafficPublisher traffic, StackWatch watch) {
    long deadline = System.nanoTime() + AFTERMATH.toNanos();
    while (System.nanoTime() < deadline && !ending.comesWithin(LOOK_EVERY)) {
      FlowProgress.Snapshot seen = watch.look();
      long expected =
          seen.writers().stream()
              .map(
                  writer ->
                      PersistenceReport.expected(writer.writer(), traffic.expectedDeadLetters()))
              .mapToLong(LocalScreen::total)
              .sum();
      if (watch.letters().total() >= expected
          && seen.hasCounted(traffic.published(), watch.letters())) {
        return;
      }
    }
  }

  /** Summaries are published some seconds after the last result. */
  private void awaitMetrics() throws CommandException {
    long deadline = System.nanoTime() + METRICS_TIMEOUT.toNanos();
    while (!ending.comesWithin(LOOK_EVERY)) {
      boolean last = System.nanoTime() > deadline;
      try {
        if (last || models.metricsAreThere(stack.metricsStore())) {
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

  /** Looks at the stages' books until they agree: counters of several writers come one by one. */
  private Books booksAtRest() {
    long deadline = System.nanoTime() + AFTERMATH.toNanos();
    Books books = Books.of(stack);
    while (!books.differences().isEmpty()
        && System.nanoTime() < deadline
        && !ending.comesWithin(LOOK_EVERY)) {
      books = Books.of(stack);
    }
    return books;
  }

  /** Returns what the stages' books say, unless they are still being written. */
  private Optional<String> books(Optional<String> trouble, PrintWriter out) {
    if (trouble.isPresent()) {
      return trouble;
    }
    Books books = booksAtRest();
    books.remarks().forEach(out::println);
    List<String> differences = books.differences();
    return differences.isEmpty()
        ? Optional.empty()
        : Optional.of(String.join(System.lineSeparator(), differences));
  }

  private PersistenceReport report(
      PrintWriter out,
      TrafficPublisher traffic,
      StackWatch watch,
      FlowProgress.Snapshot last,
      Map<String, Duration> persisting,
      Optional<String> trouble)
      throws CommandException {
    // A letter that is replayed and refused again is another one.
    Map<String, Map<Reason, Long>> letters = new HashMap<>();
    last.writers()
        .forEach(writer -> letters.put(writer.name(), watch.letters().byReason(writer.name())));
    if (deadLetters.isPresent() && trouble.isEmpty()) {
      new LocalReplay(stack, models, deadLetters.get(), out).run();
      awaitMetrics();
    }
    beforeComparison.accept(stack);
    try {
      return new PersistenceReport(
          new PersistenceReport.Traffic(
              traffic.published(), traffic.took(), traffic.expectedDeadLetters(), persisting),
          last,
          letters,
          models.compare(stack),
          trouble);
    } catch (UnavailableException e) {
      throw new CommandException("A store can't be read back: " + e.getMessage(), e);
    }
  }
}
