package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;
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

  private final InsertSession.Factory sessions;
  private final long maxRows;

  private InsertInBundle(InsertSession.Factory sessions, long maxRows) {
    this.sessions = sessions;
    this.maxRows = maxRows;
  }

  /** Inserts in sessions, one for each worker's thread. */
  public static InsertInBundle by(InsertSession.Factory sessions) {
    return new InsertInBundle(sessions, MAX_BUFFERED_ROWS);
  }

  /** Gathers no more rows than these: for a store that sorts them in little memory. */
  public InsertInBundle gathering(long rows) {
    return new InsertInBundle(sessions, Math.min(MAX_BUFFERED_ROWS, rows));
  }

  @Override
  public WithFailures.Result<PCollection<InsertOutcome>, Failure> expand(
      PCollection<ObservationFile> files) {
    TupleTag<InsertOutcome> outcomes = new TupleTag<>() {};
    TupleTag<Failure> failures = new TupleTag<>() {};
    PCollectionTuple outputs =
        files.apply(
            "Insert",
            ParDo.of(new InsertFn(this, outcomes, failures))
                .withOutputTags(outcomes, TupleTagList.of(failures)));
    return WithFailures.Result.of(outputs.get(outcomes), outputs.get(failures));
  }

  /** A file with the place that its outcome belongs to. */
  private record Held(
      ObservationFile file, org.joda.time.Instant timestamp, BoundedWindow window) {}

  /** A file that was inserted, or refused. */
  private record Done(
      Held held, long at, Optional<RejectedCells> rejected, Optional<String> refused) {}

  private static final class InsertFn extends DoFn<ObservationFile, InsertOutcome> {
    private static final long serialVersionUID = 1;

    private final InsertSession.Factory sessions;
    private final long maxRows;
    private final TupleTag<InsertOutcome> outcomes;
    private final TupleTag<Failure> failures;
    private final InsertCounters counters = new InsertCounters();

    private transient @Nullable InsertSession session;
    private transient List<Held> held;
    private transient long heldBytes;
    private transient long heldRows;
    private transient List<Done> done;

    InsertFn(InsertInBundle insert, TupleTag<InsertOutcome> outcomes, TupleTag<Failure> failures) {
      this.sessions = insert.sessions;
      this.maxRows = insert.maxRows;
      this.outcomes = outcomes;
      this.failures = failures;
    }

    @StartBundle
    public void startBundle() {
      held = new ArrayList<>();
      heldBytes = 0;
      heldRows = 0;
      done = new ArrayList<>();
      counters.clear();
    }

    @ProcessElement
    public void insert(
        @Element ObservationFile file,
        @Timestamp org.joda.time.Instant timestamp,
        BoundedWindow window,
        MultiOutputReceiver out)
        throws UnavailableException {
      held.add(new Held(file, timestamp, window));
      heldBytes += Math.max(file.bytes().length, file.decompressedBytes() / USUAL_COMPRESSION);
      heldRows += file.rowCount();
      if (heldBytes >= MAX_BUFFERED_BYTES || heldRows >= maxRows || file.message().endsBacklog()) {
        insertHeld();
        putOut(
            (each, outcome) -> out.get(outcomes).output(outcome),
            (each, failure) -> out.get(failures).output(failure));
      }
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) throws UnavailableException {
      insertHeld();
      putOut(
          (each, outcome) -> context.output(outcome, each.timestamp, each.window),
          (each, failure) -> context.output(failures, failure, each.timestamp, each.window));
    }

    private void insertHeld() throws UnavailableException {
      if (held.isEmpty()) {
        return;
      }
      if (session == null) {
        session = sessions.open();
      }
      List<ObservationFile> files = held.stream().map(Held::file).toList();
      Inserted inserted = requireNonNull(session).insert(files);
      long now = Micros.now();
      counters.count(files, inserted, now);
      Map<Integer, RejectedCells> rejected = new HashMap<>();
      for (Rejected rows : inserted.rejected()) {
        rejected
            .computeIfAbsent(rows.file(), unused -> new RejectedCells())
            .add(
                rows.reason(),
                rows.feature().isEmpty()
                    ? ""
                    : rows.feature().substring(0, rows.feature().lastIndexOf('.')),
                rows.key(),
                rows.feature(),
                rows.message(),
                rows.count());
      }
      for (int i = 0; i < held.size(); i++) {
        done.add(
            new Done(
                held.get(i),
                now,
                Optional.ofNullable(rejected.get(i)),
                Optional.ofNullable(inserted.refused().get(i))));
      }
      held = new ArrayList<>();
      heldBytes = 0;
      heldRows = 0;
    }

    private interface OutcomeReceiver {
      void put(Held file, InsertOutcome outcome);
    }

    private interface FailureReceiver {
      void put(Held file, Failure failure);
    }

    private void putOut(OutcomeReceiver inserted, FailureReceiver failed) {
      for (Done each : done) {
        ObservationFile file = each.held.file;
        if (each.refused.isPresent()) {
          failed.put(
              each.held,
              Failure.ofMessage(
                  InsertObservations.STAGE,
                  Reason.REJECTED_BY_STORE,
                  "",
                  each.refused.get(),
                  file.message()));
          continue;
        }
        if (each.rejected.isPresent()) {
          each.rejected
              .get()
              .failure(InsertObservations.STAGE, file.message())
              .ifPresent(failure -> failed.put(each.held, failure));
        }
        inserted.put(
            each.held,
            new InsertOutcome(
                file.rowCount(),
                file.message().publishedAt(),
                file.publishedFrom().orElse(0L),
                each.at));
      }
      done = new ArrayList<>();
    }

    @Teardown
    public void tearDown() {
      InsertSession open = session;
      session = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
