package io.tailrace.offline;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.ObservationEncoder;
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
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.stage.ReaderClock;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

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

  /** A feature, with what is worked out of its names once. */
  private record Named(Feature feature, ObservationEncoder.Feature encoded, String table) {
    static Named of(Feature feature) {
      byte[] bytes = feature.text().getBytes(StandardCharsets.UTF_8);
      return new Named(
          feature,
          new ObservationEncoder.Feature(feature.namespace(), feature.text(), bytes),
          feature.table());
    }
  }

  /** The rows of a file that is to be. */
  private static final class Rows {
    final Map<Feature, List<Run>> runs = new HashMap<>();
    int count;
  }

  private final int maxFileBytes;
  private final EncodeCounters counts = new EncodeCounters();
  private final FileCutter cutter;
  private final Map<FileCutter.Group, Rows> groups = new HashMap<>();
  private final Map<String, List<Query>> queries = new HashMap<>();
  // By the whole name, which in one namespace is that of one feature.
  private final Map<String, Named> features = new HashMap<>();
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
    groups.clear();
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
    Set<String> valueTables = new LinkedHashSet<>();
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
        Named feature = named(frame.namespace(), column.spec().feature());
        int[] rows = storable.of(frame, column);
        full |=
            add(
                new FileCutter.Group(
                    result.environmentId(),
                    frame.keys().areStrings(),
                    Optional.of(column.spec().type())),
                feature,
                new Run(feature.encoded, operation, frame.keys(), Content.of(column), rows),
                valueTables);
      }
    }
    for (Deletion deletion : result.deletions()) {
      List<String> names = deletion.wholeEntities() ? List.of("") : deletion.names();
      for (String name : names) {
        Named feature = named(deletion.namespace(), deletion.namespace() + "." + name);
        int[] rows = storable.of(deletion, feature.feature.text());
        full |=
            add(
                new FileCutter.Group(
                    result.environmentId(), deletion.keys().areStrings(), Optional.empty()),
                feature,
                new Run(
                    feature.encoded,
                    operation,
                    deletion.keys(),
                    Content.deleted(deletion.observedAt()),
                    rows),
                valueTables);
      }
    }
    queries
        .computeIfAbsent(result.environmentId(), unused -> new ArrayList<>())
        .add(new Query(result, List.copyOf(valueTables)));
    bufferedQueries++;
    bufferedBytes += result.heldBytes() + COLUMN_OVERHEAD;
    if (!rejected.isEmpty()) {
      counts.rowsRejected.add(rejected.count());
      rejections.put(result, rejected);
      bufferedBytes += (long) rejected.listed() * REJECTED_CELL_OVERHEAD;
    }
    memory.hold(bufferedBytes);
    if (full
        || memory.isOverdrawn()
        || bufferedBytes >= MAX_BUFFERED_BYTES
        || bufferedQueries >= FileCutter.MAX_FILE_ROWS) {
      flush(files, failures);
    }
  }

  private Named named(String namespace, String text) {
    Named named = features.get(text);
    if (named == null || !named.feature.namespace().equals(namespace)) {
      named = Named.of(new Feature(namespace, text));
      features.put(text, named);
    }
    return named;
  }

  /**
   * Adds rows of a feature.
   *
   * @param tables the tables in which their query has rows
   * @return whether the group's file is full
   */
  private boolean add(FileCutter.Group group, Named feature, Run run, Set<String> tables) {
    bufferedBytes += COLUMN_OVERHEAD;
    if (run.count() == 0) {
      return false;
    }
    tables.add(feature.table);
    Rows rows = groups.computeIfAbsent(group, unused -> new Rows());
    rows.runs.computeIfAbsent(feature.feature, unused -> new ArrayList<>()).add(run);
    rows.count += run.count();
    return rows.count >= FileCutter.MAX_FILE_ROWS;
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
    for (Map.Entry<FileCutter.Group, Rows> group : groups.entrySet()) {
      List<Run> runs = new ArrayList<>();
      new TreeMap<>(group.getValue().runs).values().forEach(runs::addAll);
      cutter.encode(group.getKey(), runs);
    }
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
  @SuppressWarnings("ReferenceEquality") // Equal results can have different rows left.
  private Query withoutTooLarge(Query query) {
    Map<Feature, Integer> refused = tooLarge.get(query.result());
    if (refused == null) {
      return query;
    }
    Map<Feature, Integer> left = new HashMap<>();
    for (Rows rows : groups.values()) {
      rows.runs.forEach(
          (feature, runs) -> {
            for (Run run : runs) {
              if (run.operation().result == query.result()) {
                left.merge(feature, run.count(), Integer::sum);
              }
            }
          });
    }
    refused.forEach((feature, rows) -> left.merge(feature, -rows, Integer::sum));
    Set<String> tables = new LinkedHashSet<>(query.tables());
    left.forEach(
        (feature, rows) -> {
          if (rows == 0) {
            tables.remove(feature.table());
          }
        });
    return new Query(query.result(), List.copyOf(tables));
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
