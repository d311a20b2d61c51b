package io.tailrace.offline;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.GatheredRows.Destination;
import io.tailrace.parquet.ObservationEncoder.Content;
import io.tailrace.parquet.ObservationEncoder.Operation;
import io.tailrace.parquet.ObservationEncoder.Query;
import io.tailrace.parquet.ObservationEncoder.Run;
import io.tailrace.result.Admission;
import io.tailrace.result.Column;
import io.tailrace.result.Deletion;
import io.tailrace.result.Frame;
import io.tailrace.result.PersistencePolicy;
import io.tailrace.result.PersistencePolicy.Decision;
import io.tailrace.result.PrimaryKeys;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.stage.ReaderClock;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Encodes results as Parquet files, outside of a pipeline too: what {@link EncodeObservations} does
 * in a bundle. Not thread-safe; close it.
 */
public final class ResultEncoder implements AutoCloseable {
  private static final String STAGE = EncodeObservations.STAGE;

  /** Results that are held before they are encoded, in bytes: an eighth of the heap. */
  static final long MAX_BUFFERED_BYTES =
      Math.min(128L << 20, Math.max(4L << 20, Runtime.getRuntime().maxMemory() / 8));

  /** What a run of rows costs beside its column, in bytes, roughly. */
  private static final int COLUMN_OVERHEAD = 150;

  /** What a cell that is rejected costs until its letter, in bytes, roughly. */
  private static final int REJECTED_CELL_OVERHEAD = 300;

  private final int maxFileBytes;
  private final EncodeCounters counts = new EncodeCounters();
  private final FileCutter cutter;
  private final GatheredRows rows = new GatheredRows();
  private final Map<String, List<Query>> queries = new HashMap<>();
  private final TableLists tables = new TableLists();
  private final IdentityHashMap<Result, RejectedCells> rejections = new IdentityHashMap<>();
  private final MemoryBudget.Share memory = MemoryBudget.ofProcess().share();
  // How many rows of a result no file can hold.
  private final IdentityHashMap<Result, Map<Feature, Integer>> tooLarge = new IdentityHashMap<>();
  private long bufferedBytes;
  private int bufferedQueries;
  private long publishedFrom;
  private final Admission admission;

  /**
   * Creates one.
   *
   * @param maxFileBytes the largest message that the files' bus takes
   * @param maxClockSkew how far an observation may lie after its publication
   */
  public ResultEncoder(int maxFileBytes, Duration maxClockSkew) {
    this(maxFileBytes, new ReaderClock(Instant::now, maxClockSkew));
  }

  /** Creates one that tells by a clock what was observed in the future. */
  ResultEncoder(int maxFileBytes, ReaderClock clock) {
    this.maxFileBytes = maxFileBytes;
    this.cutter = new FileCutter(maxFileBytes, counts, new RejectTooLarge());
    this.admission = new Admission(clock);
    clear();
  }

  /** Forgets what has been gathered and not encoded. */
  void clear() {
    rows.clear();
    queries.clear();
    rejections.clear();
    tooLarge.clear();
    bufferedBytes = 0;
    bufferedQueries = 0;
    publishedFrom = Long.MAX_VALUE;
    counts.clear();
    memory.hold(0);
  }

  /**
   * Takes a result; when so much has been gathered that files are full, encodes it.
   *
   * @param files takes files that are encoded now, each a message for the streaming-insert bus
   * @param failures takes rows that can never be stored, in one failure for each result
   * @throws IOException if rows can't be encoded
   * @throws UnavailableException if the worker's clock is behind
   */
  public void add(Result result, Consumer<OutgoingMessage> files, Consumer<Failure> failures)
      throws IOException, UnavailableException {
    counts.received.add(1);
    counts.rowsReceived.add(result.cells());
    long publishedAt = result.message().publishedAt();
    publishedFrom = Math.min(publishedFrom, publishedAt);
    admission.begin(result);
    RejectedCells rejected = new RejectedCells();
    StorableRows storable = new StorableRows(admission, rejected, result);
    Operation operation = new Operation(result);
    tables.begin();
    GatheredRows.Environment environment = rows.environment(result.environmentId());
    boolean full = false;
    for (Frame frame : result.frames()) {
      for (Column column : frame.columns()) {
        Decision decision = PersistencePolicy.offline(column.spec());
        if (decision != Decision.WRITE) {
          counts.skipped.add(frame.rows());
          (decision == Decision.NOT_COMPUTED ? counts.notComputed : counts.skippedByFeature)
              .add(frame.rows());
          continue;
        }
        full |=
            add(
                environment.of(frame, column.spec()),
                operation,
                frame.keys(),
                Content.of(column),
                storable.of(frame, column));
      }
    }
    for (Deletion deletion : result.deletions()) {
      List<String> names = deletion.wholeEntities() ? List.of("") : deletion.names();
      for (String name : names) {
        Feature feature = Feature.named(deletion.namespace(), name);
        full |=
            add(
                environment.ofDeletions(deletion.keys().areStrings(), feature),
                operation,
                deletion.keys(),
                Content.deleted(deletion.observedAt()),
                storable.of(deletion, feature.text()));
      }
    }
    queries
        .computeIfAbsent(result.environmentId(), unused -> new ArrayList<>())
        .add(new Query(result, tables.end()));
    bufferedQueries++;
    bufferedBytes += result.heldBytes() + COLUMN_OVERHEAD;
    if (!rejected.isEmpty()) {
      counts.rowsRejected.add(rejected.count());
      rejections.put(result, rejected);
      bufferedBytes += (long) rejected.listed() * REJECTED_CELL_OVERHEAD;
    }
    long held = bufferedBytes + rows.heldBytes();
    memory.hold(held);
    if (full
        || memory.isOverdrawn()
        || held >= MAX_BUFFERED_BYTES
        || bufferedQueries >= FileCutter.MAX_FILE_ROWS) {
      flush(files, failures);
    }
  }

  /** Adds rows of a feature, and returns whether their file is full. */
  private boolean add(
      Destination to,
      Operation operation,
      PrimaryKeys keys,
      Content content,
      int @Nullable [] which) {
    bufferedBytes += COLUMN_OVERHEAD;
    Run run = new Run(to.feature(), operation, keys, content, which);
    if (run.count() == 0) {
      return false;
    }
    tables.add(to.table());
    return to.add(run);
  }

  /**
   * Encodes all that has been gathered.
   *
   * @param encoded takes the files, each a message for the streaming-insert bus
   * @param refused takes rows that can never be stored, in one failure for each result
   * @throws IOException if rows can't be encoded
   */
  public void flush(Consumer<OutgoingMessage> encoded, Consumer<Failure> refused)
      throws IOException {
    cutter.begin(publishedFrom, encoded);
    rows.encode(cutter);
    for (Map.Entry<String, List<Query>> log : queries.entrySet()) {
      cutter.encode(log.getKey(), log.getValue().stream().map(this::withoutTooLarge).toList());
    }
    long encodedAt = Micros.now();
    for (List<Query> log : queries.values()) {
      for (Query query : log) {
        BusMessage message = query.result().message();
        counts.freshness.count(message.publishedAt(), encodedAt, 1);
        RejectedCells rejected = rejections.get(query.result());
        if (rejected != null) {
          rejected.failure(STAGE, message).ifPresent(refused);
        }
      }
    }
    counts.finish();
    clear();
  }

  /** Takes away the tables in which a query has no rows but those that no file can hold. */
  private Query withoutTooLarge(Query query) {
    Map<Feature, Integer> refused = tooLarge.get(query.result());
    if (refused == null) {
      return query;
    }
    Map<Feature, Integer> left = rows.rowsOf(query.result());
    refused.forEach((feature, count) -> left.merge(feature, -count, Integer::sum));
    Set<String> withRows = new LinkedHashSet<>(query.tables());
    left.forEach(
        (feature, count) -> {
          if (count == 0) {
            withRows.remove(feature.table());
          }
        });
    return new Query(query.result(), List.copyOf(withRows));
  }

  /** Rejects what no file can hold, with what else of its result is rejected. */
  private final class RejectTooLarge implements FileCutter.TooLarge {
    @Override
    public void row(Run run, int fileBytes) {
      counts.rowsRejected.add(1);
      tooLarge
          .computeIfAbsent(run.operation().result, unused -> new HashMap<>())
          .merge(new Feature(run.feature().namespace(), run.feature().name()), 1, Integer::sum);
      reject(
          run.operation().result,
          LargestPart.of(run),
          new RejectedCell(
              Reason.TOO_LARGE,
              run.feature().namespace(),
              run.keys().text(run.row(0)),
              run.feature().name(),
              "its row takes "
                  + fileBytes
                  + " bytes and the streaming-insert bus messages of "
                  + maxFileBytes
                  + "; raise max.message.bytes of its topic"));
    }

    @Override
    public void query(Query query, int fileBytes) {
      counts.queriesRejected.add(1);
      // It is of no part of the message more than of others.
      reject(
          query.result(),
          "",
          new RejectedCell(
              Reason.TOO_LARGE,
              "",
              "",
              "",
              "its row of the query log takes "
                  + fileBytes
                  + " bytes and the streaming-insert bus messages of "
                  + maxFileBytes));
    }

    private void reject(Result result, String place, RejectedCell cell) {
      rejections.computeIfAbsent(result, unused -> new RejectedCells()).addAt(place, cell, 1);
    }
  }

  @Override
  public void close() {
    memory.close();
    cutter.close();
  }
}
