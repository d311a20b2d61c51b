package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.BulkInsertWriter;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.MetricsBusWriter;
import io.tailrace.pipelines.OnlineWriter;
import io.tailrace.pipelines.StreamingInsertWriter;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.benchmark.edges.Acknowledged;
import io.tailrace.pipelines.benchmark.edges.EdgePublisher;
import io.tailrace.pipelines.benchmark.edges.LetterAudit;
import io.tailrace.pipelines.benchmark.edges.Settled;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.proof.ComparedStore;
import io.tailrace.pipelines.local.proof.Departure;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.watch.GroupOffsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Runs writers on servers that are disturbed, one fault after the other, each under traffic of its
 * own, and compares after each what the stores hold with what the bus has acknowledged since the
 * servers were started. What compares them knows the publisher's record and the stores' contents,
 * and nothing of the writers. Not thread-safe.
 */
final class FaultRuns implements AutoCloseable {
  /** For how long a writer may commit nothing. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final long POLL_MILLIS = 100;

  /** The most starts of a writer, and so letters of one message, that nobody counts. */
  private static final int STARTS_ELSEWHERE = 4;

  /**
   * What goes on in each run.
   *
   * @param rate records a second
   * @param calm how long before a fault and after it, at least
   * @param idle how long nothing is published, where that is the fault
   */
  record Traffic(long rate, Duration calm, Duration idle) {}

  private final FaultServers servers;
  private final Traffic plan;
  private final StoreModels models = new StoreModels();
  private final Acknowledged acknowledged = new Acknowledged();
  private final Map<String, Integer> starts = new HashMap<>();
  private final Set<Long> seeds = new HashSet<>();

  private FaultRuns(FaultServers servers, Traffic plan) {
    this.servers = servers;
    this.plan = plan;
  }

  /** Starts servers, whose files are below a directory, which stays, and writers on them. */
  static FaultRuns start(Path directory, List<Writer<?>> writers, Traffic plan)
      throws CommandException {
    if (writers.contains(BulkInsertWriter.WRITER)
        && !writers.contains(StreamingInsertWriter.WRITER)) {
      throw new IllegalArgumentException(
          "A store is compared as a whole: "
              + BulkInsertWriter.WRITER
              + " runs beside "
              + StreamingInsertWriter.WRITER
              + " alone");
    }
    return new FaultRuns(FaultServers.start(directory, writers), plan);
  }

  /**
   * Does one fault.
   *
   * @param seed another one makes other traffic, at another moment, and another choice where there
   *     is one; not that of an earlier run, whose operations its traffic would repeat
   */
  FaultResult run(Fault fault, long seed) throws CommandException, InterruptedException {
    if (!seeds.add(seed)) {
      throw new IllegalArgumentException("Seed " + seed + " was that of an earlier run");
    }
    Instant at = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    SplittableRandom random = new SplittableRandom(seed);
    FaultWatch watch = new FaultWatch(servers);
    try (FaultTraffic traffic =
        new FaultTraffic(
            new EdgePublisher(
                servers.bootstrapServers(), servers.writers(), seed, models, acknowledged),
            writes(BulkInsertWriter.WRITER)
                ? Optional.of(new UploadTraffic(servers, seed, models))
                : Optional.empty(),
            plan.rate())) {
      Thread.sleep(plan.calm().toMillis() + random.nextLong(plan.calm().toMillis() + 1));
      long began = System.nanoTime();
      Evidence evidence = new Infliction(servers, traffic, plan.idle(), seed).inflict(fault);
      boolean settled = awaitPublished();
      double recovery = (System.nanoTime() - began) / 1e9;
      Map<String, String> seen = watch.seen(evidence);
      Thread.sleep(plan.calm().toMillis());
      traffic.stop();
      settled &=
          Settled.await(
              servers.bootstrapServers(),
              servers.writers(),
              models,
              writes(MetricsBusWriter.WRITER)
                  ? Optional.of(servers.metricsStoreToRead())
                  : Optional.empty(),
              PATIENCE);
      for (RunningWriter writer : servers.writers()) {
        starts.merge(
            writer.name(),
            watch.starts(writer) + (fault == Fault.REACTIVE ? STARTS_ELSEWHERE : 0),
            Integer::sum);
      }
      return compared(
          new FaultResult(
              at.toString(),
              seed,
              fault,
              evidence.what(),
              servers.writers().stream().map(RunningWriter::name).toList(),
              traffic.results(),
              0,
              Map.of(),
              0,
              Math.round(recovery * 10) / 10.0,
              seen,
              settled,
              List.of()));
    }
  }

  private boolean writes(Writer<?> writer) {
    return servers.writers().stream().anyMatch(it -> it.name().equals(writer.name()));
  }

  /** Waits until all that is on the buses now is dealt with. */
  private boolean awaitPublished() throws InterruptedException {
    for (RunningWriter writer : servers.writers()) {
      try (GroupOffsets offsets = new GroupOffsets(servers.bootstrapServers(), writer)) {
        long published = offsets.published();
        long committed = offsets.committed();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (committed < published) {
          if (System.nanoTime() > deadline) {
            return false;
          }
          Thread.sleep(POLL_MILLIS);
          long now = offsets.committed();
          if (now != committed) {
            committed = now;
            deadline = System.nanoTime() + PATIENCE.toNanos();
          }
        }
      }
    }
    return true;
  }

  private FaultResult compared(FaultResult run) throws CommandException {
    LetterAudit.Findings letters =
        LetterAudit.of(servers.bootstrapServers(), acknowledged.refused(), starts);
    Map<Departure, Long> departures = new EnumMap<>(Departure.class);
    List<String> first = new ArrayList<>(letters.first());
    long stored = 0;
    for (ComparedStore store : stores()) {
      store.departures().forEach((how, count) -> departures.merge(how, count, Long::sum));
      first.addAll(store.listed());
      stored += store.stored();
    }
    return new FaultResult(
        run.at(),
        run.seed(),
        run.fault(),
        run.what(),
        run.writers(),
        run.acknowledged(),
        stored,
        departures,
        letters.wrong(),
        run.recoverySeconds(),
        run.seen(),
        run.settled(),
        first);
  }

  private List<ComparedStore> stores() throws CommandException {
    List<ComparedStore> stores = new ArrayList<>();
    try {
      if (writes(OnlineWriter.WRITER)) {
        stores.add(models.compareOnline(servers.onlineStoreToRead()));
      }
      if (writes(StreamingInsertWriter.WRITER)) {
        stores.add(models.compareOffline(servers.offlineStoreToRead()));
      }
      if (writes(MetricsBusWriter.WRITER)) {
        stores.add(models.compareMetrics(servers.metricsStoreToRead()));
      }
      return stores;
    } catch (UnavailableException e) {
      throw new CommandException("A store can't be read back: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    servers.close();
  }
}
