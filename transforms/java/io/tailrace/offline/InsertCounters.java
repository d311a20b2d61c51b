package io.tailrace.offline;

import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.FreshnessCounters;
import java.io.Serializable;
import java.util.List;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;

/** What every sink of an offline store counts. Not thread-safe. */
final class InsertCounters implements Serializable {
  private static final long serialVersionUID = 1;

  private static final String STAGE = InsertObservations.STAGE;

  private final Counter rowsInserted = Metrics.counter(STAGE, "rows_inserted");
  private final Counter rowsDuplicate = Metrics.counter(STAGE, "rows_duplicate");
  private final Counter queriesInserted = Metrics.counter(STAGE, "queries_inserted");
  private final Counter queriesDuplicate = Metrics.counter(STAGE, "queries_duplicate");
  private final Counter rowsRejected = Metrics.counter(STAGE, "rows_rejected");
  private final Counter filesInserted = Metrics.counter(STAGE, "files_inserted");
  private final Counter filesRejected = Metrics.counter(STAGE, "files_rejected");
  private final Counter bytesInserted = Metrics.counter(STAGE, "bytes_inserted");
  private final Counter tablesWritten = Metrics.counter(STAGE, "tables_written");
  private final FreshnessCounters freshness = new FreshnessCounters(STAGE);

  /** Forgets what was not told yet: a bundle that failed is counted again. */
  void clear() {
    freshness.clear();
  }

  /**
   * Counts files; in a bundle, whose metrics they are.
   *
   * @param now microseconds since the epoch
   */
  void count(List<ObservationFile> files, Inserted inserted, long now) {
    rowsInserted.inc(inserted.rows().inserted());
    rowsDuplicate.inc(inserted.rows().duplicates());
    queriesInserted.inc(inserted.queries().inserted());
    queriesDuplicate.inc(inserted.queries().duplicates());
    tablesWritten.inc(inserted.tables());
    // Zeros too: a counter that appears with its first message hides that message from a rate.
    rowsRejected.inc(inserted.rejected().stream().mapToLong(Inserted.Rejected::count).sum());
    filesRejected.inc(inserted.refused().size());
    filesInserted.inc(files.size() - inserted.refused().size());
    long bytes = 0;
    for (int i = 0; i < files.size(); i++) {
      if (!inserted.refused().containsKey(i)) {
        ObservationFile file = files.get(i);
        bytes += file.bytes().length;
        freshness.count(file.publishedFrom().orElse(file.message().publishedAt()), now, 1);
      }
    }
    bytesInserted.inc(bytes);
    freshness.flush();
  }
}
