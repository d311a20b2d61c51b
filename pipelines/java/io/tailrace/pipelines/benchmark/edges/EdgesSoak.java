package io.tailrace.pipelines.benchmark.edges;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.proof.ComparedStore;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.pipelines.local.watch.Books;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * Throws everything that is known to break a writer at all writers at once, and holds the stores
 * and the dead letters to what the bus has acknowledged. Not thread-safe.
 */
public final class EdgesSoak {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Duration POLL = Duration.ofMillis(500);

  /**
   * What is done.
   *
   * @param seed other traffic for another number
   * @param rate records a second
   * @param calm after how long a server goes away next, or a writer starts anew; empty: never
   */
  public record Plan(Duration duration, long seed, long rate, Optional<Duration> calm) {}

  /**
   * What became of it.
   *
   * @param results how many results the bus has acknowledged, good and bad
   * @param bad how many records of each kind must have become letters
   * @param disturbances what was done to the stack, in words
   * @param letters the dead letters
   * @param stores each store beside its model
   * @param failures why writers' jobs were restarted after a failure, and what their stages do not
   *     account for
   */
  public record Outcome(
      long results,
      Map<String, Long> bad,
      List<String> disturbances,
      LetterAudit.Findings letters,
      List<ComparedStore> stores,
      Failures failures) {
    /** Returns whether everything is as it must be. */
    public boolean isRight() {
      return letters.wrong() == 0
          && failures.restarts.isEmpty()
          && failures.unaccounted.isEmpty()
          && stores.stream().allMatch(store -> store.differences() == 0);
    }
  }

  /**
   * What became of the writers themselves.
   *
   * @param restarts why each writer's job was restarted after a failure, where it was
   * @param unaccounted a sentence for each stage that has something left over
   */
  public record Failures(Map<String, String> restarts, List<String> unaccounted) {}

  private final Plan plan;
  private final Consumer<String> told;
  private final StoreModels models = new StoreModels();
  private final Acknowledged acknowledged = new Acknowledged();
  private final List<String> disturbances = new ArrayList<>();
  private final Map<String, String> restarts = new HashMap<>();
  private Map<String, Integer> starts = Map.of();

  /**
   * Plans one.
   *
   * @param told hears what goes on, a line at a time
   */
  public EdgesSoak(Plan plan, Consumer<String> told) {
    this.plan = plan;
    this.told = told;
  }

  /** Runs on servers of its own, whose files are below a directory, which stays. */
  public Outcome run(Path directory) throws CommandException, InterruptedException {
    try (LocalPostgres postgres = LocalPostgres.start(directory.resolve("postgres"));
        LocalStack stack =
            LocalStack.in(directory)
                .durable()
                .parallelism(1)
                .offlineStore(postgres.uri() + "&schema=edges_{environment}")
                .topicSettings(
                    Map.of("max.message.bytes", Integer.toString(BadRecords.TOPIC_BYTES)))
                .start()) {
      told.accept("started");
      long results = publish(stack, postgres);
      told.accept("published " + results + " results, " + acknowledged.refused().size() + " bad");
      if (!Settled.await(
          stack.kafka().bootstrapServers(),
          stack.writers(),
          models,
          Optional.of(stack.metricsStore()),
          PATIENCE)) {
        told.accept("not everything was dealt with in " + PATIENCE);
      }
      stack.writers().forEach(writer -> noteRestarts(stack, writer));
      return new Outcome(
          results,
          acknowledged.byKind(),
          List.copyOf(disturbances),
          LetterAudit.of(stack.kafka().bootstrapServers(), acknowledged.refused(), starts),
          models.compare(stack),
          new Failures(Map.copyOf(restarts), Books.of(stack).leftOver()));
    } catch (UnavailableException e) {
      throw new CommandException("A store can't be read back: " + e.getMessage(), e);
    }
  }

  private long publish(LocalStack stack, LocalPostgres postgres)
      throws CommandException, InterruptedException {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (EdgePublisher publisher =
        new EdgePublisher(
            stack.kafka().bootstrapServers(), stack.writers(), plan.seed(), models, acknowledged)) {
      Future<?> publishing = thread.submit(() -> publisher.publish(plan.duration(), plan.rate()));
      Disturbance disturbance = new Disturbance(stack, postgres, plan.seed());
      long calmNanos = plan.calm().map(Duration::toNanos).orElse(plan.duration().toNanos());
      long calmUntil = System.nanoTime() + calmNanos;
      while (!publishing.isDone()) {
        Thread.sleep(POLL.toMillis());
        if (System.nanoTime() > calmUntil && !publishing.isDone()) {
          stack.writers().forEach(writer -> noteRestarts(stack, writer));
          String what = disturbance.next();
          told.accept(what);
          disturbances.add(what);
          calmUntil = System.nanoTime() + calmNanos;
        }
      }
      starts = disturbance.starts();
      publishing.get();
      return publisher.results();
    } catch (ExecutionException | CancellationException e) {
      throw new CommandException("Publishing has failed: " + e.getCause(), e);
    } finally {
      thread.shutdownNow();
    }
  }

  private void noteRestarts(LocalStack stack, RunningWriter writer) {
    if (stack.flink().restarts(writer.job()) > 0) {
      Optional<String> why = stack.flink().lastFailure(writer.job());
      restarts.put(writer.name(), why.map(EdgesSoak::rootCause).orElse("nobody knows why"));
    }
  }

  private static String rootCause(String stackTrace) {
    int last = stackTrace.lastIndexOf("Caused by: ");
    return stackTrace.substring(Math.max(0, last)).lines().findFirst().orElse(stackTrace);
  }
}
