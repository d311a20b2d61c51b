package io.tailrace.offline;

import com.google.common.collect.Lists;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.parquet.ObservationEncoder;
import io.tailrace.parquet.ObservationEncoder.Query;
import io.tailrace.parquet.ObservationEncoder.Run;
import io.tailrace.result.Column;
import io.tailrace.result.ValueType;
import java.io.IOException;
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

  /**
   * Encodes runs as files that are small enough.
   *
   * @param allBytes what {@link #rawBytes} says of all of them
   */
  void encode(Group group, List<Run> runs, long allBytes) throws IOException {
    double expected = rowBytes.getOrDefault(group, FIRST_ROW_BYTES);
    // A little less than would fit, so that hardly any file is encoded in vain.
    int most = (int) Math.max(1, Math.min(MAX_FILE_ROWS, 0.9 * maxFileBytes / expected));
    // Each run is far away in memory: what is known of all is not asked of each.
    boolean mayBeLarge = allBytes > MAX_FILE_RAW_BYTES;
    int from = 0;
    int rows = 0;
    long bytes = 0;
    for (int i = 0; i < runs.size(); i++) {
      Run run = runs.get(i);
      int count = run.count();
      long more = mayBeLarge ? rawBytes(run) : 0;
      if (rows > 0 && (rows + count > most || bytes + more > MAX_FILE_RAW_BYTES)) {
        encodeOrHalve(group, runs.subList(from, i), rows);
        from = i;
        rows = 0;
        bytes = 0;
      }
      rows += count;
      bytes += more;
    }
    encodeOrHalve(group, runs.subList(from, runs.size()), rows);
  }

  /** Returns about how many bytes a run takes in a file before compression. */
  static long rawBytes(Run run) {
    Column column = run.content().column();
    int count = run.count();
    long bytes = (long) count * (RAW_ROW_BYTES + Long.BYTES);
    if (run.keys().areStrings()) {
      for (int i = 0; i < count; i++) {
        bytes += run.keys().length(run.row(i)) - Long.BYTES;
      }
    }
    if (column == null) {
      return bytes;
    }
    return switch (column.spec().type()) {
      case STRING, JSON, BYTES -> {
        for (int i = 0; i < count; i++) {
          int row = run.row(i);
          bytes += column.isNull(row) ? 0 : column.length(row);
        }
        yield bytes;
      }
      case VECTOR -> {
        for (int i = 0; i < count; i++) {
          bytes += column.isNull(run.row(i)) ? 0 : (long) Float.BYTES * column.dimension();
        }
        yield bytes;
      }
      case INT64, FLOAT64, BOOL, TIMESTAMP, DATE -> bytes + (long) count * Long.BYTES;
    };
  }

  private void encodeOrHalve(Group group, List<Run> runs, int rows) throws IOException {
    byte[] file =
        encoder.observations(
            group.environment, group.stringKeys, group.valueType, runs, publishedFrom);
    rowBytes.put(group, (double) file.length / rows);
    if (file.length <= maxFileBytes) {
      counts.rowsEncoded.add(rows);
      put(file);
    } else if (runs.size() > 1) {
      List<Run> half = runs.subList(0, runs.size() / 2);
      int rowsOfHalf = half.stream().mapToInt(Run::count).sum();
      encodeOrHalve(group, half, rowsOfHalf);
      encodeOrHalve(group, runs.subList(runs.size() / 2, runs.size()), rows - rowsOfHalf);
    } else if (rows > 1) {
      encodeOrHalve(group, List.of(runs.get(0).part(0, rows / 2)), rows / 2);
      encodeOrHalve(group, List.of(runs.get(0).part(rows / 2, rows)), rows - rows / 2);
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
