package io.tailrace.pipelines.benchmark.edges;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.watch.GroupOffsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Waits until writers have dealt with everything that was published. */
public final class Settled {
  private static final Duration POLL = Duration.ofMillis(200);

  private Settled() {}

  /**
   * Waits until all that is on the bus of each writer is committed, and the metrics store has
   * everything. In the writers' order: what one has committed is on the bus of the next.
   *
   * @param metricsStore the URI of the metrics store, if anything is written to it
   * @param patience for how long nothing may be dealt with: a slow machine is no writer that stands
   * @return whether that came to pass
   */
  public static boolean await(
      String bootstrapServers,
      List<RunningWriter> writers,
      StoreModels models,
      Optional<String> metricsStore,
      Duration patience)
      throws InterruptedException {
    List<GroupOffsets> offsets =
        writers.stream().map(writer -> new GroupOffsets(bootstrapServers, writer)).toList();
    try {
      long deadline = System.nanoTime() + patience.toNanos();
      long before = 0;
      while (System.nanoTime() < deadline) {
        boolean quiet = true;
        long committed = 0;
        for (GroupOffsets group : offsets) {
          long its = group.committed();
          quiet &= its >= group.published();
          committed += its;
        }
        if (committed != before) {
          before = committed;
          deadline = System.nanoTime() + patience.toNanos();
        }
        if (quiet && metricsStore.map(store -> areThere(models, store)).orElse(true)) {
          return true;
        }
        Thread.sleep(POLL.toMillis());
      }
      return false;
    } finally {
      offsets.forEach(GroupOffsets::close);
    }
  }

  private static boolean areThere(StoreModels models, String metricsStore) {
    try {
      return models.metricsAreThere(metricsStore);
    } catch (UnavailableException e) {
      // Before the first summary there are no tables.
      return false;
    }
  }
}
