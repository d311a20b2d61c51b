package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;
import org.jspecify.annotations.Nullable;

/**
 * Inserts the rows of files into an offline store, each once, however often its file comes.
 *
 * <p>Creates the tables that are missing. Files are gathered until nothing more was waiting on the
 * bus ({@link io.tailrace.bus.BusMessage#endsBacklog}), the bundle ends or {@link
 * #MAX_BUFFERED_BYTES} are held, and their rows go into each table together: a table costs about as
 * much for one row as for a thousand.
 *
 * <p>Puts out what became of each file when its rows are durable. Rows that the store can never
 * hold, or whose table has another type, become a {@link Failure} with the file; so does a file
 * that the store refuses. A store that is down is no failure: the bundle fails and is repeated.
 */
public final class InsertObservations
    extends PTransform<
        PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "InsertObservations";

  /** Files that are held before they are inserted, in bytes: an eighth of the heap. */
  static final long MAX_BUFFERED_BYTES =
      Math.min(64L << 20, Math.max(4L << 20, Runtime.getRuntime().maxMemory() / 8));

  /** Files that are compressed better than usual count as if they were not. */
  private static final int USUAL_COMPRESSION = 4;

  /** Rows that are held before they are inserted: stores sort them in memory. */
  static final long MAX_BUFFERED_ROWS = 2_000_000;

  private final OfflineStore store;

  private InsertObservations(OfflineStore store) {
    this.store = store;
  }

  /**
   * Inserts into the store that a URI names.
   *
   * @throws IllegalArgumentException if it names none; see {@link OfflineStores#at}
   */
  public static InsertObservations into(String uri) {
    return into(OfflineStores.at(uri));
  }

  /** Inserts into a store. */
  public static InsertObservations into(OfflineStore store) {
    return new InsertObservations(store);
  }

  @Override
  public WithFailures.Result<PCollection<InsertOutcome>, Failure> expand(
      PCollection<ObservationFile> files) {
    TupleTag<InsertOutcome> outcomes = new TupleTag<>() {};
    TupleTag<Failure> failures = new TupleTag<>() {};
    PCollectionTuple outputs =
        files.apply(
            "Insert",
            ParDo.of(new InsertFn(store, outcomes, failures))
                .withOutputTags(outcomes, TupleTagList.of(failures)));
    return WithFailures.Result.of(outputs.get(outcomes), outputs.get(failures));
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    builder.add(DisplayData.item("offlineStore", store.uri()).withLabel("Offline store"));
  }

  /** What the files of a batch have in common. */
  private record Group(
      String environment, Kind kind, boolean stringKeys, Optional<ValueType> valueType) {
    /** Deletions first: of an observation and a deletion with one id, the deletion stands. */
    static final Comparator<Group> ORDER =
        Comparator.comparing(Group::environment)
            .thenComparing(Group::kind)
            .thenComparing(group -> group.valueType.map(Enum::ordinal).orElse(-1))
            .thenComparing(Group::stringKeys);

    static Group of(ObservationFile file) {
      return new Group(file.environment(), file.kind(), file.stringKeys(), file.valueType());
    }
  }

  /** A file with the place that its outcome belongs to. */
  private record Held(
      ObservationFile file, org.joda.time.Instant timestamp, BoundedWindow window) {}

  private static final class InsertFn extends DoFn<ObservationFile, InsertOutcome> {
    private static final long serialVersionUID = 1;

    private final OfflineStore store;
    private final TupleTag<InsertOutcome> outcomes;
    private final TupleTag<Failure> failures;
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

    private transient OfflineStore.@Nullable Connection connection;
    private transient @Nullable TableCache tables;
    private transient List<Held> held;
    private transient long heldBytes;
    private transient long heldRows;
    private transient List<Held> done;
    private transient List<Long> doneAt;
    private transient Map<ObservationFile, RejectedCells> rejected;
    private transient Map<ObservationFile, String> refused;

    InsertFn(OfflineStore store, TupleTag<InsertOutcome> outcomes, TupleTag<Failure> failures) {
      this.store = store;
      this.outcomes = outcomes;
      this.failures = failures;
    }

    @StartBundle
    public void startBundle() {
      held = new ArrayList<>();
      heldBytes = 0;
      heldRows = 0;
      done = new ArrayList<>();
      doneAt = new ArrayList<>();
      rejected = new HashMap<>();
      refused = new HashMap<>();
      freshness.clear();
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
      if (heldBytes >= MAX_BUFFERED_BYTES
          || heldRows >= Math.min(MAX_BUFFERED_ROWS, store.maxRowsAtATime())
          || file.message().endsBacklog()) {
        insertHeld();
        putOut(
            (each, at) -> out.get(outcomes).output(outcome(each, at)),
            (each, failure) -> out.get(failures).output(failure));
      }
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) throws UnavailableException {
      insertHeld();
      putOut(
          (each, at) -> context.output(outcome(each, at), each.timestamp, each.window),
          (each, failure) -> context.output(failures, failure, each.timestamp, each.window));
    }

    private void insertHeld() throws UnavailableException {
      if (held.isEmpty()) {
        return;
      }
      if (tables == null) {
        connection = store.connect();
        tables = new TableCache(connection);
      }
      Map<Group, List<ObservationFile>> groups = new TreeMap<>(Group.ORDER);
      for (Held each : held) {
        groups.computeIfAbsent(Group.of(each.file), unused -> new ArrayList<>()).add(each.file);
      }
      for (Map.Entry<Group, List<ObservationFile>> group : groups.entrySet()) {
        insert(group.getKey(), group.getValue());
      }
      long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
      for (Held each : held) {
        done.add(each);
        doneAt.add(now);
        if (!refused.containsKey(each.file)) {
          freshness.count(
              each.file.publishedFrom().orElse(each.file.message().publishedAt()), now, 1);
        }
      }
      freshness.flush();
      held = new ArrayList<>();
      heldBytes = 0;
      heldRows = 0;
    }

    /** Rows of a file whose table can't hold them. */
    private record Conflict(ObservationFile file, String feature, String message, int rows) {}

    private void insert(Group group, List<ObservationFile> files) throws UnavailableException {
      List<Conflict> conflicts = new ArrayList<>();
      FileBatch batch;
      OfflineStore.Inserted inserted;
      try {
        batch =
            new FileBatch(
                group.environment,
                group.kind,
                group.stringKeys,
                group.valueType,
                files,
                fittingTables(group, files, conflicts));
        inserted = requireNonNull(connection).insert(batch);
      } catch (ContentRejectedException e) {
        if (files.size() == 1) {
          refused.put(files.get(0), String.valueOf(e.getMessage()));
          filesRejected.inc();
          return;
        }
        // One of them spoils the rest.
        insert(group, files.subList(0, files.size() / 2));
        insert(group, files.subList(files.size() / 2, files.size()));
        return;
      } catch (UnavailableException e) {
        requireNonNull(tables).clear();
        throw e;
      }
      if (group.kind == Kind.QUERIES) {
        queriesInserted.inc(inserted.rows());
        queriesDuplicate.inc(inserted.duplicates());
      } else {
        rowsInserted.inc(inserted.rows());
        rowsDuplicate.inc(inserted.duplicates());
        tablesWritten.inc(batch.tables().size());
      }
      for (Conflict conflict : conflicts) {
        reject(
            conflict.file,
            Reason.TYPE_CHANGED,
            "",
            conflict.feature,
            conflict.message,
            conflict.rows);
      }
      for (OfflineStore.Rejected row : inserted.rejected()) {
        reject(
            files.get(row.file()),
            Reason.REJECTED_BY_STORE,
            row.key(),
            row.feature(),
            row.message(),
            1);
      }
      filesInserted.inc(files.size());
      bytesInserted.inc(files.stream().mapToLong(file -> file.bytes().length).sum());
      // None so far: a counter that appears with its first message hides that message from a rate.
      rowsRejected.inc(0);
      filesRejected.inc(0);
    }

    /** Creates the tables of the files' features and says which rows don't fit into theirs. */
    private Map<String, String> fittingTables(
        Group group, List<ObservationFile> files, List<Conflict> conflicts)
        throws ContentRejectedException, UnavailableException {
      TableCache cache = requireNonNull(tables);
      SortedSet<String> features = new TreeSet<>();
      for (ObservationFile file : files) {
        for (FeatureRows feature : file.features()) {
          features.add(feature.feature());
        }
      }
      Map<String, FeatureTable> wanted = new TreeMap<>();
      for (String feature : features) {
        wanted.put(feature, new FeatureTable(feature, group.stringKeys, group.valueType));
      }
      cache.require(group.environment, wanted.values());
      Map<String, String> fitting = new TreeMap<>();
      wanted.forEach(
          (feature, table) -> {
            Optional<String> conflict = cache.conflict(group.environment, table);
            if (conflict.isEmpty()) {
              fitting.put(feature, table.table());
              return;
            }
            String message = CreateFeatureTables.typeChanged(table, conflict.get());
            for (ObservationFile file : files) {
              for (FeatureRows in : file.features()) {
                if (in.feature().equals(feature)) {
                  conflicts.add(new Conflict(file, feature, message, in.rows()));
                }
              }
            }
          });
      return fitting;
    }

    private void reject(
        ObservationFile file,
        Reason reason,
        String key,
        String feature,
        String message,
        int count) {
      rowsRejected.inc(count);
      rejected
          .computeIfAbsent(file, unused -> new RejectedCells())
          .add(
              reason,
              feature.isEmpty() ? "" : feature.substring(0, feature.lastIndexOf('.')),
              key,
              feature,
              message,
              count);
    }

    private interface OutcomeReceiver {
      void put(Held file, long insertedAt);
    }

    private interface FailureReceiver {
      void put(Held file, Failure failure);
    }

    private void putOut(OutcomeReceiver inserted, FailureReceiver failed) {
      for (int i = 0; i < done.size(); i++) {
        Held each = done.get(i);
        String why = refused.get(each.file);
        if (why != null) {
          failed.put(
              each,
              Failure.ofMessage(STAGE, Reason.REJECTED_BY_STORE, "", why, each.file.message()));
          continue;
        }
        RejectedCells cells = rejected.get(each.file);
        if (cells != null) {
          for (Failure failure : cells.failures(STAGE, each.file.message())) {
            failed.put(each, failure);
          }
        }
        inserted.put(each, doneAt.get(i));
      }
      done = new ArrayList<>();
      doneAt = new ArrayList<>();
      rejected = new HashMap<>();
      refused = new HashMap<>();
    }

    private static InsertOutcome outcome(Held of, long at) {
      return new InsertOutcome(
          of.file.rowCount(),
          of.file.message().publishedAt(),
          of.file.publishedFrom().orElse(0L),
          at);
    }

    @Teardown
    public void tearDown() {
      OfflineStore.Connection open = connection;
      connection = null;
      tables = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
