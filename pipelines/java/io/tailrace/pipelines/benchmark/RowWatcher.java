package io.tailrace.pipelines.benchmark;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.parquet.TableNames;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;
import org.jspecify.annotations.Nullable;

/** Looks again and again which rows of a table are new, and how old they are. */
final class RowWatcher implements AutoCloseable {
  private static final int POLL_MILLIS = 20;
  private static final int POLL_ROWS = 200_000;

  private final DescriptiveStatistics millis = new DescriptiveStatistics();
  private final String store;
  private final Thread thread;
  private final AtomicLong seen;
  private volatile boolean stopped;
  private volatile @Nullable UnavailableException failure;

  RowWatcher(String store) throws UnavailableException {
    this.store = store;
    this.seen =
        new AtomicLong(Long.parseLong(String.valueOf(query("SELECT count(*)", "").get(0).get(0))));
    this.thread = new Thread(this::watch, "row-watcher");
    this.thread.start();
  }

  private List<List<@Nullable String>> query(String select, String where)
      throws UnavailableException {
    return OfflineStores.at(store)
        .reader()
        .query(
            select + " FROM tailrace." + TableNames.ofFeature(BenchmarkTraffic.feature(0)) + where,
            POLL_ROWS)
        .rows();
  }

  private void watch() {
    try {
      while (!stopped) {
        // Rows are appended and never deleted, so they are numbered.
        List<List<@Nullable String>> rows =
            query("SELECT epoch_us(observed_at)", " WHERE rowid >= " + seen.get());
        long now = Micros.now();
        for (List<@Nullable String> row : rows) {
          millis.addValue((now - Long.parseLong(String.valueOf(row.get(0)))) / 1e3);
        }
        seen.addAndGet(rows.size());
        Thread.sleep(POLL_MILLIS);
      }
    } catch (UnavailableException e) {
      failure = e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  long seen() {
    return seen.get();
  }

  void check() throws UnavailableException {
    UnavailableException failed = failure;
    if (failed != null) {
      throw failed;
    }
  }

  /** Returns how old the rows were when they were seen first, and looks no more. */
  DescriptiveStatistics millis() {
    stop();
    return millis;
  }

  @Override
  public void close() {
    stop();
  }

  private void stop() {
    stopped = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
