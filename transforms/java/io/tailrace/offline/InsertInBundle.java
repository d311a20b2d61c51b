package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Gathered;
import io.tailrace.stage.Held;
import io.tailrace.stage.Outputs;
import java.io.IOException;
import java.util.List;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
import org.jspecify.annotations.Nullable;

/**
 * The sink of a database, which takes a few rows from many sessions at any time: inserts the rows
 * of files in the bundle that brings them.
 *
 * <p>Files are gathered until nothing more was waiting on the bus ({@link
 * io.tailrace.bus.BusMessage#endsBacklog}), the bundle ends or {@link #MAX_BUFFERED_BYTES} are
 * held, and are inserted together. A store that is down is no failure: the bundle fails and is
 * repeated.
 */
public final class InsertInBundle
    extends PTransform<
        PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Files that are held before they are inserted, in bytes: an eighth of the heap. */
  static final long MAX_BUFFERED_BYTES =
      Math.min(64L << 20, Math.max(4L << 20, Runtime.getRuntime().maxMemory() / 8));

  /** Files that are compressed better than usual count as if they were not. */
  private static final int USUAL_COMPRESSION = 4;

  /** Rows that are held before they are inserted: stores sort them in memory. */
  static final long MAX_BUFFERED_ROWS = 2_000_000;

  /**
   * What files take that are held before they are inserted, in bytes, where the session decodes
   * them: an eighth of the heap, too, but a few hundred thousand rows at least.
   */
  static final long MAX_DECODED_BYTES =
      Math.min(128L << 20, Math.max(4L << 20, Runtime.getRuntime().maxMemory() / 8));

  private final InsertSession.Factory sessions;
  private final long maxRows;
  private final boolean decodes;

  private InsertInBundle(InsertSession.Factory sessions, long maxRows, boolean decodes) {
    this.sessions = sessions;
    this.maxRows = maxRows;
    this.decodes = decodes;
  }

  /** Inserts in sessions, one for each worker's thread. */
  public static InsertInBundle by(InsertSession.Factory sessions) {
    return new InsertInBundle(sessions, MAX_BUFFERED_ROWS, false);
  }

  /** Gathers no more rows than these: for a store that sorts them in little memory. */
  public InsertInBundle gathering(long rows) {
    return new InsertInBundle(sessions, Math.min(MAX_BUFFERED_ROWS, rows), decodes);
  }

  /** Counts what the rows take when they are decoded: for sessions that decode all of them. */
  public InsertInBundle decodingRows() {
    return new InsertInBundle(sessions, maxRows, true);
  }

  @Override
  public WithFailures.Result<PCollection<InsertOutcome>, Failure> expand(
      PCollection<ObservationFile> files) {
    return Outputs.of(files, "Insert", new InsertFn(this));
  }

  private static final class InsertFn extends DoFn<ObservationFile, InsertOutcome> {
    private static final long serialVersionUID = 1;

    private final InsertSession.Factory sessions;
    private final long maxRows;
    private final boolean decodes;
    private final InsertCounters counters = new InsertCounters();

    private transient @Nullable InsertSession session;
    private transient MemoryBudget.@Nullable Share memory;
    private transient Gathered<ObservationFile> gathered;
    private transient Outputs<InsertOutcome> outputs;

    InsertFn(InsertInBundle insert) {
      this.sessions = insert.sessions;
      this.maxRows = insert.maxRows;
      this.decodes = insert.decodes;
    }

    @Setup
    public void setUp() {
      memory = MemoryBudget.ofProcess().share();
    }

    @StartBundle
    public void startBundle() {
      gathered =
          Gathered.upTo(
                  decodes ? MAX_DECODED_BYTES : MAX_BUFFERED_BYTES,
                  decodes ? InsertFn::decodedSize : InsertFn::size)
              .andUpTo(maxRows, ObservationFile::rowCount)
              .untilBacklogEnds(ObservationFile::message)
              .within(requireNonNull(memory));
      outputs = new Outputs<>();
      counters.clear();
    }

    private static long decodedSize(ObservationFile file) {
      return file.heldBytes() + file.decodedBytes();
    }

    private static long size(ObservationFile file) {
      return Math.max(file.heldBytes(), file.decompressedBytes() / USUAL_COMPRESSION);
    }

    @ProcessElement
    public void insert(
        @Element ObservationFile file,
        @Timestamp org.joda.time.Instant timestamp,
        BoundedWindow window,
        MultiOutputReceiver out)
        throws UnavailableException, IOException {
      counters.receive(file.rowCount());
      gathered.add(file, timestamp, window);
      if (gathered.isDue()) {
        insert(gathered.take(), outputs.now(out, window));
      }
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) throws UnavailableException, IOException {
      insert(gathered.take(), outputs.atEnd(context));
      counters.finish();
    }

    private void insert(List<Held<ObservationFile>> held, Outputs.Receiver<InsertOutcome> out)
        throws UnavailableException, IOException {
      if (held.isEmpty()) {
        return;
      }
      if (session == null) {
        session = sessions.open();
      }
      Inserted inserted = requireNonNull(session).insert(held.stream().map(Held::element).toList());
      long now = Micros.now();
      InsertFailures failures = InsertFailures.of(inserted, InsertFailures.Files.of(held));
      failures.putOut((file, failure) -> out.fail(held.get(file), failure), counters);
      counters.count(
          held.stream().map(each -> InsertCounters.File.of(each.element())).toList(),
          inserted,
          now);
      for (int i = 0; i < held.size(); i++) {
        Held<ObservationFile> each = held.get(i);
        ObservationFile file = each.element();
        if (!failures.isRefused(i)) {
          out.put(
              each,
              new InsertOutcome(
                  file.rowCount(),
                  file.message().publishedAt(),
                  file.publishedFrom().orElse(0L),
                  now));
        }
      }
      gathered.written();
    }

    @Teardown
    public void tearDown() {
      if (memory != null) {
        memory.close();
      }
      InsertSession open = session;
      session = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
