package io.tailrace.offline.bigquery;

import com.google.api.services.bigquery.model.TableRow;
import io.tailrace.endpoint.Micros;
import io.tailrace.offline.InsertCounters;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.Inserted.Count;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.transforms.windowing.GlobalWindow;
import org.joda.time.Instant;

/**
 * Counts the rows that BigQuery has taken, and puts out an outcome for those that were published at
 * one time: which file they are of is not known any more.
 */
final class AppendedFn extends DoFn<TableRow, InsertOutcome> {
  private static final long serialVersionUID = 1;

  /** The only column of a row that is looked at: a query has none of it. */
  static final String COLUMN = "observation_id";

  private final InsertCounters counters = InsertCounters.behindSink();
  // By when they were published, in milliseconds.
  private transient Map<Instant, Long> rows;
  private transient long queries;

  @StartBundle
  public void startBundle() {
    counters.clear();
    rows = new TreeMap<>();
    queries = 0;
  }

  @ProcessElement
  public void count(@Element TableRow row, @Timestamp Instant timestamp) {
    rows.merge(timestamp, 1L, Long::sum);
    if (!row.containsKey(COLUMN)) {
      queries++;
    }
  }

  @FinishBundle
  public void finishBundle(FinishBundleContext context) {
    long now = Micros.now();
    long all = 0;
    Map<Long, Long> published = new TreeMap<>();
    for (Map.Entry<Instant, Long> each : rows.entrySet()) {
      all += each.getValue();
      boolean isKnown = each.getKey().isAfter(BoundedWindow.TIMESTAMP_MIN_VALUE);
      long publishedAt = isKnown ? TimeUnit.MILLISECONDS.toMicros(each.getKey().getMillis()) : now;
      published.merge(publishedAt, each.getValue(), Long::sum);
      context.output(
          new InsertOutcome(each.getValue(), publishedAt, 0, now),
          each.getKey(),
          GlobalWindow.INSTANCE);
    }
    counters.countInserted(
        new Count(all - queries, 0), new Count(queries, 0), published.keySet(), now);
    counters.finish();
  }
}
