package io.tailrace.offline;

import com.google.common.collect.Lists;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.parquet.JsonText;
import io.tailrace.parquet.ObservationEncoder;
import io.tailrace.parquet.ObservationEncoder.Operation;
import io.tailrace.parquet.ObservationEncoder.Query;
import io.tailrace.parquet.ObservationEncoder.Run;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.Column;
import io.tailrace.result.Deletion;
import io.tailrace.result.Frame;
import io.tailrace.result.PersistencePolicy;
import io.tailrace.result.PersistencePolicy.Decision;
import io.tailrace.result.PrimaryKeys;
import io.tailrace.result.Result;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.RejectedCells;
import io.tailrace.stage.StageCounters;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Encodes results as Parquet files, outside of a pipeline too: what {@link EncodeObservations} does
 * in a bundle. Not thread-safe; close it.
 */
public final class ResultEncoder implements AutoCloseable {
  private static final String STAGE = EncodeObservations.STAGE;

  /** Rows of the largest file: one row group of DuckDB, and more would gain nothing. */
  static final int MAX_FILE_ROWS = 120_000;

  /** Results that are held before they are encoded, in bytes: an eighth of the heap. */
  static final long MAX_BUFFERED_BYTES =
      Math.min(128L << 20, Math.max(4L << 20, Runtime.getRuntime().maxMemory() / 8));

  /** Bytes of a file before compression: any reader's heap has to be large enough for it. */
  private static final long MAX_FILE_RAW_BYTES = 32L << 20;

  /** Queries in a file, whose rows have many texts, none of them long. */
  private static final int MAX_FILE_QUERIES = 30_000;

  /** What a row has beside its key and its value: id, times, the operation's names. */
  private static final int RAW_ROW_BYTES = 120;

  /** What a column of a result costs beside its bytes, in bytes, roughly. */
  private static final int COLUMN_OVERHEAD = 250;

  /** Bytes of a row, before anything is known of a file. */
  private static final double FIRST_ROW_BYTES = 60;

  /** What this stage counts. */
  static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count queriesEncoded =
        count("queries_encoded", "messages", "results whose row of the query log is in a file");
    final Count queriesRejected =
        count(
            "queries_rejected",
            "messages",
            "results whose row of the query log is too large for the bus: dead letters");
    final Count rowsEncoded = count("rows_encoded", "rows", "observations and deletions in files");
    final Count skipped =
        count(
            "rows_skipped_by_policy",
            "rows",
            "skipped: not to be stored offline; the two reasons that follow together");
    final Count notComputed =
        count("rows_skipped_not_computed", "rows", "skipped: served from a store and not computed");
    final Count skippedByFeature =
        count(
            "rows_skipped_by_feature",
            "rows",
            "skipped: the feature is kept out of the offline store");
    final Count rowsRejected =
        count("rows_rejected", "rows", "rows that can never be stored: in dead letters");
    final Count filesEncoded =
        count("files_encoded", "files", "files handed to the streaming-insert bus");
    final Count bytesEncoded = count("bytes_encoded", "bytes", "those files");
    final FreshnessCounters freshness = freshness();

    Counts() {
      super(STAGE);
    }
  }

  /** What the rows of a file have in common. */
  private record Group(String environment, boolean stringKeys, Optional<ValueType> valueType) {}

  /** The rows of a file that is to be. */
  private static final class Rows {
    final Map<String, List<Run>> runs = new HashMap<>();
    int count;
  }

  private final int maxFileBytes;
  private final long maxClockSkewMicros;
  private final Counts counts = new Counts();
  private final ObservationEncoder encoder = new ObservationEncoder();
  private final Map<Group, Rows> groups = new HashMap<>();
  private final Map<String, List<Query>> queries = new HashMap<>();
  private final Map<String, byte[]> featureBytes = new HashMap<>();
  private final Map<String, String> tables = new HashMap<>();
  private final Map<Group, Double> rowBytes = new HashMap<>();
  private long bufferedBytes;
  private int bufferedQueries;
  private long publishedFrom;
  private long now;

  /**
   * Creates one.
   *
   * @param maxFileBytes the largest message that the files' bus takes
   * @param maxClockSkew how far an observation may lie after its publication or this clock
   */
  public ResultEncoder(int maxFileBytes, Duration maxClockSkew) {
    this.maxFileBytes = maxFileBytes;
    this.maxClockSkewMicros = Micros.of(maxClockSkew);
    clear();
  }

  /** Forgets what has been gathered and not encoded. */
  void clear() {
    groups.clear();
    queries.clear();
    bufferedBytes = 0;
    bufferedQueries = 0;
    publishedFrom = Long.MAX_VALUE;
    counts.clear();
  }

  /**
   * Takes a result; when so much has been gathered that files are full, encodes it.
   *
   * @param files takes files that are encoded now, each a message for the streaming-insert bus
   * @param failures takes rows that can never be stored
   * @throws IOException if rows can't be encoded
   */
  public void add(Result result, Consumer<OutgoingMessage> files, Consumer<Failure> failures)
      throws IOException {
    long publishedAt = result.message().publishedAt();
    publishedFrom = Math.min(publishedFrom, publishedAt);
    if (bufferedQueries == 0 || publishedAt > now) {
      now = Micros.now();
    }
    // A publisher whose clock is ahead stamps its messages ahead, too.
    long latest = Math.min(publishedAt, now) + maxClockSkewMicros;
    RejectedCells rejected = new RejectedCells();
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
        String feature = column.spec().feature();
        valueTables.add(tables.computeIfAbsent(feature, TableNames::ofFeature));
        full |=
            add(
                new Group(
                    result.environmentId(),
                    frame.keys().areStrings(),
                    Optional.of(column.spec().type())),
                run(
                    feature,
                    operation,
                    frame.keys(),
                    column,
                    0,
                    storable(result, frame, column, latest, rejected)));
      }
    }
    for (Deletion deletion : result.deletions()) {
      List<String> names = deletion.wholeEntities() ? List.of("") : deletion.names();
      for (String name : names) {
        String feature = deletion.namespace() + "." + name;
        full |=
            add(
                new Group(result.environmentId(), deletion.keys().areStrings(), Optional.empty()),
                run(
                    feature,
                    operation,
                    deletion.keys(),
                    null,
                    deletion.observedAt(),
                    storable(result, deletion, feature, latest, rejected)));
      }
    }
    queries
        .computeIfAbsent(result.environmentId(), unused -> new ArrayList<>())
        .add(new Query(result, List.copyOf(valueTables)));
    bufferedQueries++;
    bufferedBytes += result.message().payload().length + COLUMN_OVERHEAD;
    if (!rejected.isEmpty()) {
      counts.rowsRejected.add(rejected.count());
      rejected.failures(STAGE, result.message()).forEach(failures);
    }
    if (full || bufferedBytes >= MAX_BUFFERED_BYTES || bufferedQueries >= MAX_FILE_ROWS) {
      flush(files, failures);
    }
  }

  private Run run(
      String feature,
      Operation operation,
      PrimaryKeys keys,
      @Nullable Column column,
      long deletedAt,
      int @Nullable [] rows) {
    byte[] bytes = featureBytes.computeIfAbsent(feature, it -> it.getBytes(StandardCharsets.UTF_8));
    return new Run(feature, bytes, operation, keys, column, deletedAt, rows);
  }

  /** Returns whether the group's file is full. */
  private boolean add(Group group, Run run) {
    bufferedBytes += COLUMN_OVERHEAD;
    if (run.count() == 0) {
      return false;
    }
    Rows rows = groups.computeIfAbsent(group, unused -> new Rows());
    rows.runs.computeIfAbsent(run.feature(), unused -> new ArrayList<>()).add(run);
    rows.count += run.count();
    return rows.count >= MAX_FILE_ROWS;
  }

  /** Returns which rows can be stored: null for all. */
  private static int @Nullable [] storable(
      Result result, Frame frame, Column column, long latest, RejectedCells rejected) {
    PrimaryKeys keys = frame.keys();
    int count = keys.count();
    int good = 0;
    while (good < count
        && !isEmpty(keys, good)
        && column.observedAt(good) <= latest
        && whyNotValue(column, good) == null) {
      good++;
    }
    if (good == count) {
      return null;
    }
    int[] rows = new int[count];
    int kept = 0;
    for (int row = 0; row < count; row++) {
      if (isEmpty(keys, row)) {
        reject(Reason.MISSING_FIELD, frame.namespace(), "", "", emptyKey(row), rejected);
      } else if (column.observedAt(row) > latest) {
        reject(
            Reason.OBSERVED_IN_FUTURE,
            frame.namespace(),
            keys.text(row),
            column.spec().feature(),
            tooLate(column.observedAt(row), result),
            rejected);
      } else {
        String whyNot = whyNotValue(column, row);
        if (whyNot == null) {
          rows[kept++] = row;
        } else {
          reject(
              Reason.INVALID_VALUE,
              frame.namespace(),
              keys.text(row),
              column.spec().feature(),
              "the value " + whyNot,
              rejected);
        }
      }
    }
    return Arrays.copyOf(rows, kept);
  }

  /** Stores refuse a whole file for one value that is not what its type says. */
  private static @Nullable String whyNotValue(Column column, int row) {
    return column.spec().type() == ValueType.JSON && !column.isNull(row)
        ? JsonText.whyNotEverywhere(column.source(), column.start(row), column.length(row))
        : null;
  }

  private static int @Nullable [] storable(
      Result result, Deletion deletion, String feature, long latest, RejectedCells rejected) {
    PrimaryKeys keys = deletion.keys();
    int[] rows = new int[keys.count()];
    int kept = 0;
    for (int row = 0; row < keys.count(); row++) {
      if (isEmpty(keys, row)) {
        reject(Reason.MISSING_FIELD, deletion.namespace(), "", "", emptyKey(row), rejected);
      } else if (deletion.observedAt() > latest) {
        reject(
            Reason.OBSERVED_IN_FUTURE,
            deletion.namespace(),
            keys.text(row),
            deletion.wholeEntities() ? "" : feature,
            tooLate(deletion.observedAt(), result),
            rejected);
      } else {
        rows[kept++] = row;
      }
    }
    return kept == rows.length ? null : Arrays.copyOf(rows, kept);
  }

  private static void reject(
      Reason reason,
      String namespace,
      String key,
      String feature,
      String message,
      RejectedCells rejected) {
    rejected.add(reason, namespace, key, feature, message, 1);
  }

  private static boolean isEmpty(PrimaryKeys keys, int row) {
    return keys.areStrings() && keys.length(row) == 0;
  }

  private static String emptyKey(int row) {
    return "the primary key of row " + row + " is empty";
  }

  private static String tooLate(long observedAt, Result result) {
    return "observed at "
        + Micros.instant(observedAt)
        + ", too far after its publication at "
        + Micros.instant(result.message().publishedAt())
        + " or after the writer's clock; check the publisher's clock";
  }

  /**
   * Encodes all that has been gathered.
   *
   * @param encoded takes the files, each a message for the streaming-insert bus
   * @param refused takes rows that no file can hold
   * @throws IOException if rows can't be encoded
   */
  public void flush(Consumer<OutgoingMessage> encoded, Consumer<Failure> refused)
      throws IOException {
    for (Map.Entry<Group, Rows> group : groups.entrySet()) {
      List<Run> runs = new ArrayList<>();
      new TreeMap<>(group.getValue().runs).values().forEach(runs::addAll);
      encode(group.getKey(), runs, encoded, refused);
    }
    for (Map.Entry<String, List<Query>> log : queries.entrySet()) {
      for (List<Query> rows : Lists.partition(log.getValue(), MAX_FILE_QUERIES)) {
        encodeQueries(log.getKey(), rows, encoded, refused);
      }
    }
    long encodedAt = Micros.now();
    for (List<Query> log : queries.values()) {
      for (Query query : log) {
        counts.freshness.count(query.result().message().publishedAt(), encodedAt, 1);
      }
    }
    counts.flush();
    clear();
  }

  /** Encodes runs as files that are small enough. */
  private void encode(
      Group group, List<Run> runs, Consumer<OutgoingMessage> encoded, Consumer<Failure> refused)
      throws IOException {
    double expected = rowBytes.getOrDefault(group, FIRST_ROW_BYTES);
    // A little less than would fit, so that hardly any file is encoded in vain.
    int most = (int) Math.max(1, Math.min(MAX_FILE_ROWS, 0.9 * maxFileBytes / expected));
    List<Run> next = new ArrayList<>();
    int rows = 0;
    long bytes = 0;
    for (Run run : runs) {
      long more = rawBytes(run);
      if (rows > 0 && (rows + run.count() > most || bytes + more > MAX_FILE_RAW_BYTES)) {
        encodeOrHalve(group, next, encoded, refused);
        next = new ArrayList<>();
        rows = 0;
        bytes = 0;
      }
      next.add(run);
      rows += run.count();
      bytes += more;
    }
    encodeOrHalve(group, next, encoded, refused);
  }

  private static long rawBytes(Run run) {
    Column column = run.column();
    long bytes = 0;
    for (int i = 0; i < run.count(); i++) {
      int row = run.row(i);
      bytes += RAW_ROW_BYTES + (run.keys().areStrings() ? run.keys().length(row) : Long.BYTES);
      if (column != null && !column.isNull(row)) {
        bytes +=
            switch (column.spec().type()) {
              case STRING, JSON, BYTES -> column.length(row);
              case VECTOR -> (long) Float.BYTES * column.dimension();
              case INT64, FLOAT64, BOOL, TIMESTAMP, DATE -> Long.BYTES;
            };
      }
    }
    return bytes;
  }

  private void encodeOrHalve(
      Group group, List<Run> runs, Consumer<OutgoingMessage> encoded, Consumer<Failure> refused)
      throws IOException {
    int rows = runs.stream().mapToInt(Run::count).sum();
    byte[] file =
        encoder.observations(
            group.environment, group.stringKeys, group.valueType, runs, publishedFrom);
    rowBytes.put(group, (double) file.length / rows);
    if (file.length <= maxFileBytes) {
      counts.rowsEncoded.add(rows);
      put(file, encoded);
    } else if (runs.size() > 1) {
      encodeOrHalve(group, runs.subList(0, runs.size() / 2), encoded, refused);
      encodeOrHalve(group, runs.subList(runs.size() / 2, runs.size()), encoded, refused);
    } else if (rows > 1) {
      encodeOrHalve(group, List.of(part(runs.get(0), 0, rows / 2)), encoded, refused);
      encodeOrHalve(group, List.of(part(runs.get(0), rows / 2, rows)), encoded, refused);
    } else {
      tooLarge(runs.get(0), file.length).forEach(refused);
    }
  }

  private static Run part(Run run, int from, int to) {
    int[] rows = new int[to - from];
    for (int i = from; i < to; i++) {
      rows[i - from] = run.row(i);
    }
    return new Run(
        run.feature(),
        run.featureBytes(),
        run.operation(),
        run.keys(),
        run.column(),
        run.deletedAt(),
        rows);
  }

  private List<Failure> tooLarge(Run run, int size) {
    counts.rowsRejected.add(1);
    RejectedCells rejected = new RejectedCells();
    rejected.add(
        Reason.TOO_LARGE,
        run.feature().substring(0, run.feature().lastIndexOf('.')),
        run.keys().text(run.row(0)),
        run.feature(),
        "its row takes "
            + size
            + " bytes and the streaming-insert bus messages of "
            + maxFileBytes
            + "; raise max.message.bytes of its topic",
        1);
    return rejected.failures(STAGE, run.operation().result.message());
  }

  private void encodeQueries(
      String environment,
      List<Query> rows,
      Consumer<OutgoingMessage> encoded,
      Consumer<Failure> refused)
      throws IOException {
    byte[] file = encoder.queries(environment, rows, publishedFrom);
    if (file.length <= maxFileBytes) {
      counts.queriesEncoded.add(rows.size());
      put(file, encoded);
    } else if (rows.size() > 1) {
      encodeQueries(environment, rows.subList(0, rows.size() / 2), encoded, refused);
      encodeQueries(environment, rows.subList(rows.size() / 2, rows.size()), encoded, refused);
    } else {
      counts.queriesRejected.add(1);
      refused.accept(
          Failure.ofMessage(
              STAGE,
              Reason.TOO_LARGE,
              "",
              "its row of the query log takes "
                  + file.length
                  + " bytes and the streaming-insert bus messages of "
                  + maxFileBytes,
              rows.get(0).result().message()));
    }
  }

  private void put(byte[] file, Consumer<OutgoingMessage> encoded) {
    counts.filesEncoded.add(1);
    counts.bytesEncoded.add(file.length);
    encoded.accept(new OutgoingMessage(new byte[0], file, Map.of()));
  }

  @Override
  public void close() {
    encoder.close();
  }
}
