package io.tailrace.offline.bulk;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.InsertSession;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Outputs;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.transforms.DoFn;
import org.checkerframework.checker.nullness.qual.Nullable;

/** Decodes the files of notifications, and hands their rows to the store's own sink. */
final class DecodeFilesFn extends DoFn<Notification, ObservationFile> {
  private static final long serialVersionUID = 1;

  private final LoadResultFiles.Rules rules;
  private final LoadCounts counts = new LoadCounts();

  // Where the rows go of the notification that is being dealt with.
  private transient @Nullable OutputReceiver<ObservationFile> rows;

  DecodeFilesFn(LoadResultFiles.Rules rules) {
    this.rules = rules;
  }

  @StartBundle
  public void startBundle() {
    counts.clear();
  }

  @ProcessElement
  public void decode(@Element Notification notification, MultiOutputReceiver out)
      throws UnavailableException {
    rows = Outputs.main(out);
    try (BulkLoader loader = new BulkLoader(WideLoads.NONE, new HandOver(), new NoBook())) {
      NotificationLoad load = new NotificationLoad(rules, loader, counts, notification);
      long unused = load.run();
      load.failure().ifPresent(Outputs.failures(out)::output);
    }
    counts.notificationsReceived.add(1);
    counts.notificationsSettled.add(1);
    counts.flush();
  }

  @FinishBundle
  public void finishBundle() {
    counts.finish();
  }

  /** Takes rows that the sink will insert. */
  private final class HandOver implements InsertSession {
    @Override
    public Inserted insert(List<ObservationFile> files) {
      long count = 0;
      for (ObservationFile file : files) {
        requireNonNull(rows).output(file);
        count += file.rowCount();
      }
      return new Inserted(
          new Inserted.Count(count, 0), Inserted.Count.NONE, 0, List.of(), Map.of());
    }

    @Override
    public void close() {}
  }

  /** What is handed over is not loaded yet. */
  private static final class NoBook implements Ledger.Book {
    @Override
    public Map<String, Entry> find(String environment, Collection<String> names) {
      return Map.of();
    }

    @Override
    public void enter(String environment, List<Entry> entries) {}

    @Override
    public void forget(String environment, Instant before) {}
  }
}
