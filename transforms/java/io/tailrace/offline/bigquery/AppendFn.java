package io.tailrace.offline.bigquery;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.InsertCounters;
import io.tailrace.offline.InsertFailures;
import io.tailrace.offline.InsertSession;
import io.tailrace.offline.Inserted;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Gathered;
import io.tailrace.stage.Held;
import io.tailrace.stage.Outputs;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryOptions;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServices;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServices.WriteStreamService;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;

/** Turns files into rows for tables that are there and that streams see. */
final class AppendFn extends DoFn<ObservationFile, AppendedRow> {
  private static final long serialVersionUID = 1;

  /** What files take that are held, decoded: an eighth of the heap. */
  private static final long MAX_DECODED_BYTES =
      Math.min(64L << 20, Math.max(4L << 20, Runtime.getRuntime().maxMemory() / 8));

  private final BigQueryAddress address;
  private final BigQueryServices services;
  private final InsertCounters counters = new InsertCounters();

  private transient @Nullable WriteStreamService streams;
  private transient @Nullable BigQueryConnection connection;
  private transient @Nullable InsertSession session;
  private transient MemoryBudget.@Nullable Share memory;
  private transient Gathered<ObservationFile> gathered;
  private transient Outputs<AppendedRow> outputs;
  private transient boolean failed;

  AppendFn(BigQueryAddress address, BigQueryServices services) {
    this.address = address;
    this.services = services;
  }

  @Setup
  public void setUp() {
    memory = MemoryBudget.ofProcess().share();
  }

  @StartBundle
  public void startBundle(PipelineOptions options) {
    gathered =
        Gathered.upTo(MAX_DECODED_BYTES, AppendFn::size)
            .untilBacklogEnds(ObservationFile::message)
            .within(requireNonNull(memory));
    outputs = new Outputs<>();
    counters.clear();
    if (connection == null) {
      WriteStreamService opened = services.getWriteStreamService(options.as(BigQueryOptions.class));
      streams = opened;
      connection =
          new BigQueryConnection(
              address,
              new BigQueryTables(address, new BigQueryClient(address)),
              new Streams(address, opened));
      session = GroupedInserts.over(requireNonNull(connection));
    } else if (failed) {
      requireNonNull(connection).forget();
      session = GroupedInserts.over(requireNonNull(connection));
    }
    // Until it has ended.
    failed = true;
  }

  private static long size(ObservationFile file) {
    return file.heldBytes() + file.decodedBytes();
  }

  @ProcessElement
  public void append(
      @Element ObservationFile file,
      @Timestamp Instant timestamp,
      BoundedWindow window,
      MultiOutputReceiver out)
      throws UnavailableException, IOException {
    counters.receive(file.rowCount());
    gathered.add(file, timestamp, window);
    if (gathered.isDue()) {
      append(gathered.take(), outputs.now(out, window));
    }
  }

  @FinishBundle
  public void finishBundle(FinishBundleContext context) throws UnavailableException, IOException {
    append(gathered.take(), outputs.atEnd(context));
    counters.finish();
    failed = false;
  }

  private void append(List<Held<ObservationFile>> held, Outputs.Receiver<AppendedRow> out)
      throws UnavailableException, IOException {
    if (held.isEmpty()) {
      return;
    }
    IdentityHashMap<ObservationFile, Held<ObservationFile>> byFile = new IdentityHashMap<>();
    held.forEach(each -> byFile.put(each.element(), each));
    Inserted inserted = requireNonNull(session).insert(held.stream().map(Held::element).toList());
    InsertFailures failures = InsertFailures.of(inserted, InsertFailures.Files.of(held));
    failures.putOut((file, failure) -> out.fail(held.get(file), failure), counters);
    counters.countHandedOver(
        held.stream().map(each -> InsertCounters.File.of(each.element())).toList(), inserted);
    for (BigQueryConnection.Taken each : requireNonNull(connection).take()) {
      out.put(requireNonNull(byFile.get(each.file())), each.row());
    }
    gathered.written();
  }

  @Teardown
  public void tearDown() throws Exception {
    if (memory != null) {
      memory.close();
    }
    InsertSession open = session;
    session = null;
    connection = null;
    if (open != null) {
      open.close();
    }
    WriteStreamService opened = streams;
    streams = null;
    if (opened != null) {
      opened.close();
    }
  }
}
