package io.tailrace.offline;

import com.google.common.collect.Lists;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.parquet.ObservationEncoder;
import io.tailrace.parquet.ObservationEncoder.Query;
import io.tailrace.parquet.ObservationEncoder.Run;
import io.tailrace.result.Column;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Cuts rows into files, each of which is one message of the streaming-insert bus: as large as that
 * takes, and no larger. Not thread-safe; close it.
 */
final class FileCutter implements AutoCloseable {
  /** Rows of the largest file: one row group of DuckDB, and more would gain nothing. */
  static final int MAX_FILE_ROWS = 120_000;

  /**
   * Bytes of a file before compression: a reader takes an eighth of its heap at most, which is 32
   * MB in the smallest that the documentation knows.
   */
  private static final long MAX_FILE_RAW_BYTES = 24L << 20;

  /** Queries in a file, whose rows have many texts, none of them long. */
  private static final int MAX_FILE_QUERIES = 30_000;

  /** What a row has beside its key and its value: id, times, the operation's names. */
  private static final int RAW_ROW_BYTES = 120;

  /** Bytes of a row, before anything is known of a file. */
  private static final double FIRST_ROW_BYTES = 60;

  /** Told of rows that are too large for a file of their own. */
  interface TooLarge {
    /** A run of one row. */
    void row(Run run, int fileBytes);

    /** A row of the query log. */
    void query(Query query, int fileBytes);
  }

  /** What the rows of a file have in common. */
  record Group(String environment, boolean stringKeys, Optional<ValueType> valueType) {}

  private final int maxFileBytes;
  private final EncodeCounters counts;
  private final TooLarge tooLarge;
  private final ObservationEncoder encoder = new ObservationEncoder();
  // How large rows were in the last file of their kind.
  private final Map<Group, Double> rowBytes = new HashMap<>();
  private long publishedFrom;
  private Consumer<OutgoingMessage> encoded = file -> {};

  /**
   * Creates one.
   *
   * @param maxFileBytes the largest message that the files' bus takes
   */
  FileCutter(int maxFileBytes, EncodeCounters counts, TooLarge tooLarge) {
    this.maxFileBytes = maxFileBytes;
    this.counts = counts;
    this.tooLarge = tooLarge;
  }

  /**
   * Begins files of results.
   *
   * @param earliest when the first of them was published, in microseconds since the epoch
   * @param files takes the files
   */
  void begin(long earliest, Consumer<OutgoingMessage> files) {
    publishedFrom = earliest;
    encoded = files;
  }

  /** Encodes runs as files that are small enough. */
  void encode(Group group, List<Run> runs) throws IOException {
    double expected = rowBytes.getOrDefault(group, FIRST_ROW_BYTES);
    // A little less than would fit, so that hardly any file is encoded in vain.
    int most = (int) Math.max(1, Math.min(MAX_FILE_ROWS, 0.9 * maxFileBytes / expected));
    List<Run> next = new ArrayList<>();
    int rows = 0;
    long bytes = 0;
    for (Run run : runs) {
      long more = rawBytes(run);
      if (rows > 0 && (rows + run.count() > most || bytes + more > MAX_FILE_RAW_BYTES)) {
        encodeOrHalve(group, next);
        next = new ArrayList<>();
        rows = 0;
        bytes = 0;
      }
      next.add(run);
      rows += run.count();
      bytes += more;
    }
    encodeOrHalve(group, next);
  }

  private static long rawBytes(Run run) {
    Column column = run.content().column();
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

  private void encodeOrHalve(Group group, List<Run> runs) throws IOException {
    int rows = runs.stream().mapToInt(Run::count).sum();
    byte[] file =
        encoder.observations(
            group.environment, group.stringKeys, group.valueType, runs, publishedFrom);
    rowBytes.put(group, (double) file.length / rows);
    if (file.length <= maxFileBytes) {
      counts.rowsEncoded.add(rows);
      put(file);
    } else if (runs.size() > 1) {
      encodeOrHalve(group, runs.subList(0, runs.size() / 2));
      encodeOrHalve(group, runs.subList(runs.size() / 2, runs.size()));
    } else if (rows > 1) {
      encodeOrHalve(group, List.of(runs.get(0).part(0, rows / 2)));
      encodeOrHalve(group, List.of(runs.get(0).part(rows / 2, rows)));
    } else {
      tooLarge.row(runs.get(0), file.length);
    }
  }

  /** Encodes rows of the query log as files that are small enough. */
  void encode(String environment, List<Query> queries) throws IOException {
    for (List<Query> rows : Lists.partition(queries, MAX_FILE_QUERIES)) {
      encodeOrHalve(environment, rows);
    }
  }

  private void encodeOrHalve(String environment, List<Query> rows) throws IOException {
    byte[] file = encoder.queries(environment, rows, publishedFrom);
    if (file.length <= maxFileBytes) {
      counts.queriesEncoded.add(rows.size());
      put(file);
    } else if (rows.size() > 1) {
      encodeOrHalve(environment, rows.subList(0, rows.size() / 2));
      encodeOrHalve(environment, rows.subList(rows.size() / 2, rows.size()));
    } else {
      tooLarge.query(rows.get(0), file.length);
    }
  }

  private void put(byte[] file) {
    counts.filesEncoded.add(1);
    counts.bytesEncoded.add(file.length);
    encoded.accept(OutgoingMessage.of(file));
  }

  @Override
  public void close() {
    encoder.close();
  }
}
