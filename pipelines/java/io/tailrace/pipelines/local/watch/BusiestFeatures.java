package io.tailrace.pipelines.local.watch;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineReader.Table;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks again and again which features are computed most, by what the metrics store tells of the
 * last two minutes. Thread-safe.
 */
public final class BusiestFeatures implements AutoCloseable {
  private static final int FEATURES = 5;
  private static final Duration LOOK_EVERY = Duration.ofSeconds(2);

  private static final String SQL =
      "SELECT feature, sum(computed), sum(nulls) / sum(computed), arg_max(value_p95, value_count)"
          + " FROM tailrace_metrics.feature_metrics WHERE computed > 0 AND NOT overflow"
          + " AND minute > current_timestamp - INTERVAL 2 MINUTE"
          + " GROUP BY feature ORDER BY 2 DESC, 1 LIMIT "
          + FEATURES;

  private static final Logger log = LoggerFactory.getLogger(BusiestFeatures.class);

  /**
   * A feature.
   *
   * @param computed how many of its values were computed in the last two minutes
   * @param nullRate which part of them is null
   * @param p95 of those that are numbers, in the minute and series that has most of them; empty if
   *     none is
   */
  record Busy(String feature, long computed, double nullRate, OptionalDouble p95) {}

  private final OfflineReader store;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "busiest-features");
  private volatile List<Busy> last = List.of();

  private BusiestFeatures(OfflineReader store) {
    this.store = store;
  }

  /** Starts to look; the store is one that can read the schema of metrics. */
  public static BusiestFeatures start(OfflineReader store) {
    BusiestFeatures features = new BusiestFeatures(store);
    features.thread.setDaemon(true);
    features.thread.start();
    return features;
  }

  /** Returns them, the busiest first, as they were some seconds ago. */
  public List<Busy> last() {
    return last;
  }

  private void run() {
    try {
      while (!closed.await(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
        look();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() {
    try {
      Table table = store.query(SQL, FEATURES);
      List<Busy> found = new ArrayList<>();
      for (List<@Nullable String> row : table.rows()) {
        String p95 = row.get(3);
        found.add(
            new Busy(
                String.valueOf(row.get(0)),
                Long.parseLong(String.valueOf(row.get(1))),
                Double.parseDouble(String.valueOf(row.get(2))),
                p95 == null ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(p95))));
      }
      last = List.copyOf(found);
    } catch (UnavailableException e) {
      // Before the first summary is written there are no tables.
      log.debug("The busiest features are not known: {}", e.getMessage());
    }
  }

  /** Stops looking, and waits a little for a query that runs. */
  @Override
  public void close() {
    closed.countDown();
    try {
      thread.join(LOOK_EVERY.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
