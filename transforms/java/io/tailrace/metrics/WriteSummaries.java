package io.tailrace.metrics;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.stage.Failure;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.Gathered;
import io.tailrace.stage.Held;
import io.tailrace.stage.Outputs;
import io.tailrace.stage.StageCounters;
import java.util.List;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
import org.jspecify.annotations.Nullable;

/**
 * Writes summaries to a metrics store, where of each series, minute and epoch the one stands that
 * counts most, however often and in whatever order they come.
 *
 * <p>Summaries are gathered until nothing more was waiting on the bus ({@link
 * io.tailrace.bus.BusMessage#endsBacklog}), the bundle ends, or {@link #MAX_BUFFERED_BYTES} or
 * {@link #MAX_BUFFERED_SUMMARIES} are held, and written together.
 *
 * <p>Puts out what became of each summary when it is durable. A valid summary fits into every
 * store, so that there are no failures; a store that is down is none: the bundle fails and is
 * repeated.
 */
public final class WriteSummaries
    extends PTransform<
        PCollection<PublishedSummary>, WithFailures.Result<PCollection<SummaryOutcome>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in metrics. */
  public static final String STAGE = "WriteSummaries";

  /** Messages that are held before they are written, in bytes. */
  static final long MAX_BUFFERED_BYTES = 8L << 20;

  /** Summaries that are held before they are written: small ones cost more than their bytes. */
  static final int MAX_BUFFERED_SUMMARIES = 10_000;

  private final MetricsStore store;

  private WriteSummaries(MetricsStore store) {
    this.store = store;
  }

  /**
   * Writes to the store that a URI names.
   *
   * @throws IllegalArgumentException if it names none; see {@link MetricsStores#at}
   */
  public static WriteSummaries to(String uri) {
    return to(MetricsStores.at(uri));
  }

  /** Writes to a store. */
  public static WriteSummaries to(MetricsStore store) {
    return new WriteSummaries(store);
  }

  @Override
  public WithFailures.Result<PCollection<SummaryOutcome>, Failure> expand(
      PCollection<PublishedSummary> summaries) {
    return Outputs.of(summaries, "Write", new WriteFn(store));
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    builder.add(DisplayData.item("metricsStore", store.uri()).withLabel("Metrics store"));
  }

  /** What this stage counts. */
  static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count received =
        count("summaries_received", "messages", "summaries, before anything is done");
    final Count settled =
        count(
            "summaries_settled",
            "messages",
            "summaries of which the store holds everything that they tell");
    final Count bytesWritten = count("bytes_written", "bytes", "their payloads");
    final Count written =
        count("summaries_written", "messages", "of these, summaries that changed the store");
    final Count stale =
        count(
            "summaries_stale",
            "messages",
            "skipped: the store holds a later one of the same series, minute and epoch, or the"
                + " same");
    final FreshnessCounters freshness = freshness();

    Counts() {
      super(STAGE);
      accounts(received, settled);
      accounts(settled, written, stale);
    }
  }

  private static final class WriteFn extends DoFn<PublishedSummary, SummaryOutcome> {
    private static final long serialVersionUID = 1;

    private final MetricsStore store;
    private final Counts counts = new Counts();

    private transient MetricsStore.@Nullable Connection connection;
    private transient MemoryBudget.@Nullable Share memory;
    private transient Gathered<PublishedSummary> gathered;
    private transient Outputs<SummaryOutcome> outputs;

    WriteFn(MetricsStore store) {
      this.store = store;
    }

    @Setup
    public void setUp() {
      memory = MemoryBudget.ofProcess().share();
    }

    @StartBundle
    public void startBundle() {
      gathered =
          Gathered.<PublishedSummary>upTo(
                  MAX_BUFFERED_BYTES, summary -> summary.message().heldBytes())
              .andUpTo(MAX_BUFFERED_SUMMARIES, summary -> 1)
              .untilBacklogEnds(PublishedSummary::message)
              .within(requireNonNull(memory));
      outputs = new Outputs<>();
      counts.clear();
    }

    @ProcessElement
    public void write(
        @Element PublishedSummary summary,
        @Timestamp org.joda.time.Instant timestamp,
        BoundedWindow window,
        MultiOutputReceiver out)
        throws UnavailableException {
      counts.received.add(1);
      gathered.add(summary, timestamp, window);
      if (gathered.isDue()) {
        write(outputs.now(out, window));
      }
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) throws UnavailableException {
      write(outputs.atEnd(context));
      counts.finish();
    }

    private void write(Outputs.Receiver<SummaryOutcome> out) throws UnavailableException {
      List<Held<PublishedSummary>> held = gathered.take();
      if (held.isEmpty()) {
        return;
      }
      if (connection == null) {
        connection = store.connect();
      }
      int changed = connection.write(held.stream().map(each -> each.element().summary()).toList());
      counts.settled.add(held.size());
      counts.bytesWritten.add(
          held.stream().mapToLong(each -> each.element().message().payload().length).sum());
      counts.written.add(changed);
      counts.stale.add(held.size() - changed);
      long now = Micros.now();
      for (Held<PublishedSummary> each : held) {
        long publishedAt = each.element().message().publishedAt();
        counts.freshness.count(publishedAt, now, 1);
        out.put(each, new SummaryOutcome(each.element().summary().getMinute(), publishedAt, now));
      }
      gathered.written();
    }

    @Teardown
    public void tearDown() {
      if (memory != null) {
        memory.close();
      }
      MetricsStore.Connection open = connection;
      connection = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
