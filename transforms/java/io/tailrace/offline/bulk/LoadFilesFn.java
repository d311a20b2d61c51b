package io.tailrace.offline.bulk;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.stage.Outputs;
import org.apache.beam.sdk.transforms.DoFn;
import org.checkerframework.checker.nullness.qual.Nullable;

/** Loads the files of notifications, one after the other. */
final class LoadFilesFn extends DoFn<Notification, InsertOutcome> {
  private static final long serialVersionUID = 1;

  private final LoadResultFiles.Rules rules;
  private final BulkLoader.Factory loaders;
  private final LoadCounts counts = new LoadCounts();

  private transient @Nullable BulkLoader loader;

  LoadFilesFn(LoadResultFiles.Rules rules, BulkLoader.Factory loaders) {
    this.rules = rules;
    this.loaders = loaders;
  }

  @StartBundle
  public void startBundle() {
    counts.clear();
  }

  @ProcessElement
  public void load(@Element Notification notification, MultiOutputReceiver out)
      throws UnavailableException {
    if (loader == null) {
      loader = loaders.open();
    }
    NotificationLoad load =
        new NotificationLoad(rules, requireNonNull(loader), counts, notification);
    long rows = load.run();
    load.failure().ifPresent(Outputs.failures(out)::output);
    long now = Micros.now();
    counts.freshness.count(notification.message().publishedAt(), now, 1);
    counts.notificationsReceived.add(1);
    counts.notificationsSettled.add(1);
    counts.flush();
    Outputs.<InsertOutcome>main(out)
        .output(new InsertOutcome(rows, notification.message().publishedAt(), 0, now));
  }

  @FinishBundle
  public void finishBundle() {
    counts.finish();
  }

  @Teardown
  public void tearDown() {
    BulkLoader open = loader;
    loader = null;
    if (open != null) {
      open.close();
    }
  }
}
