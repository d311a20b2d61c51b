package io.tailrace.offline.postgres;

import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.result.ValueType;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a batch of observations, decoded, without those that PostgreSQL can't hold, and
 * folded: of rows with the same id, the greatest is left. A row's place is the number of its file
 * and its number in there. Not thread-safe.
 */
final class BatchRows {
  /** Bits of an id that are sorted at once; the others of a {@code long} number the rows. */
  private static final int NUMBER_BITS = 31;

  private static final long NUMBERS = (1L << NUMBER_BITS) - 1;

  private final FileBatch batch;
  private final boolean keysAreIndexed;
  private final List<ObservationRows> files = new ArrayList<>();
  private final List<Rejected> rejected = new ArrayList<>();
  private final List<TableRows> folded = new ArrayList<>();
  private long accepted;

  /**
   * Decodes a batch.
   *
   * @param keysAreIndexed whether primary keys that don't fit into an index are rejected
   */
  BatchRows(FileBatch batch, boolean keysAreIndexed) throws ContentRejectedException {
    this.batch = batch;
    this.keysAreIndexed = keysAreIndexed;
    Map<Feature, Places> byFeature = new TreeMap<>();
    for (ObservationFile file : batch.files()) {
      try {
        files.add(file.rows());
      } catch (IOException e) {
        throw new ContentRejectedException("a file can't be read: " + e.getMessage(), e);
      }
      gather(files.size() - 1, byFeature);
    }
    byFeature.forEach(
        (feature, places) -> {
          accepted += places.count;
          String table = batch.tables().getOrDefault(feature, "");
          folded.add(new TableRows(table, Optional.empty(), fold(places)));
        });
  }

  /** Places of rows, as many as there are. */
  private static final class Places {
    private long[] places = new long[64];
    private int count;

    void add(long place) {
      if (count == places.length) {
        places = Arrays.copyOf(places, 2 * count);
      }
      places[count++] = place;
    }

    long[] toArray() {
      return Arrays.copyOf(places, count);
    }
  }

  private static long place(int file, int row) {
    return (long) file << Integer.SIZE | row;
  }

  /** Returns the rows among which that of a place is. */
  ObservationRows file(long place) {
    return files.get((int) (place >>> Integer.SIZE));
  }

  /** Returns the number of a row among those of its file. */
  static int row(long place) {
    return (int) place;
  }

  /** Returns whether primary keys are strings. */
  boolean stringKeys() {
    return batch.stringKeys();
  }

  /** Returns the type of the values; empty for deletions. */
  Optional<ValueType> valueType() {
    return batch.valueType();
  }

  /** Returns the number of rows that are to be inserted, those with the same id counted each. */
  long accepted() {
    return accepted;
  }

  /** Returns the rows that PostgreSQL can't hold. */
  List<Rejected> rejected() {
    return rejected;
  }

  /** Returns rows as they are named when they are refused. */
  static List<Rejected> refused(long[] places, Reason reason, String why) {
    Map<Integer, List<Integer>> byFile = new TreeMap<>();
    for (long place : places) {
      byFile
          .computeIfAbsent((int) (place >>> Integer.SIZE), unused -> new ArrayList<>())
          .add(row(place));
    }
    List<Rejected> refused = new ArrayList<>();
    byFile.forEach(
        (file, rows) -> refused.add(new Rejected(file, reason, RowNumbers.of(rows), why)));
    return refused;
  }

  /**
   * Returns the rows, table by table, in the order of features.
   *
   * @param partitioned the tables whose rows are to be divided by month
   */
  List<TableRows> tables(Set<String> partitioned) {
    List<TableRows> tables = new ArrayList<>();
    for (TableRows table : folded) {
      if (partitioned.contains(table.table())) {
        Map<YearMonth, Places> months = new TreeMap<>();
        for (long place : table.rows()) {
          months
              .computeIfAbsent(month(file(place).observedAt(row(place))), any -> new Places())
              .add(place);
        }
        months.forEach(
            (month, places) ->
                tables.add(new TableRows(table.table(), Optional.of(month), places.toArray())));
      } else {
        tables.add(table);
      }
    }
    return tables;
  }

  private static YearMonth month(long micros) {
    Instant instant = Instant.ofEpochSecond(Math.floorDiv(micros, TimeUnit.SECONDS.toMicros(1)));
    return YearMonth.from(instant.atOffset(ZoneOffset.UTC));
  }

  @SuppressWarnings("ReferenceEquality") // The same object for the same feature spares a look-up.
  private void gather(int file, Map<Feature, Places> byFeature) {
    ObservationRows rows = files.get(file);
    String text = "";
    String namespace = "";
    Places places = null;
    for (int row = 0; row < rows.count(); row++) {
      if (rows.feature(row) != text || rows.namespace(row) != namespace) {
        text = rows.feature(row);
        namespace = rows.namespace(row);
        Feature feature = new Feature(namespace, text);
        places =
            batch.tables().containsKey(feature)
                ? byFeature.computeIfAbsent(feature, any -> new Places())
                : null;
      }
      if (places == null) {
        continue;
      }
      String whyNot = whyNot(rows, row);
      if (whyNot == null) {
        places.add(place(file, row));
      } else {
        rejected.add(new Rejected(file, Reason.REJECTED_BY_STORE, RowNumbers.of(row), whyNot));
      }
    }
  }

  private @Nullable String whyNot(ObservationRows rows, int row) {
    if (batch.stringKeys()) {
      byte[] key = rows.stringKey(row);
      String whyNot = Storable.whyNotText(key);
      if (whyNot == null && keysAreIndexed) {
        whyNot = Storable.whyNotIndexed(key);
      }
      if (whyNot != null) {
        return "pkey " + whyNot;
      }
    }
    String time = Storable.whyNotTime(rows.observedAt(row));
    if (time != null) {
      return "observed_at " + time;
    }
    String resolver = Storable.whyNotText(rows.resolverFqn(row));
    if (resolver != null) {
      return "resolver_fqn " + resolver;
    }
    String deployment = Storable.whyNotText(rows.deploymentId(row));
    if (deployment != null) {
      return "deployment_id " + deployment;
    }
    String operation = Storable.whyNotText(rows.operationId(row));
    if (operation != null) {
      return "operation_id " + operation;
    }
    String value = rows.hasValue(row) ? whyNotValue(rows, row) : null;
    return value == null ? null : "value " + value;
  }

  private @Nullable String whyNotValue(ObservationRows rows, int row) {
    ValueType type = batch.valueType().orElse(ValueType.BYTES);
    return switch (type) {
      case STRING -> Storable.whyNotText(rows.bytes(row));
      case JSON -> Storable.whyNotJson(rows.bytes(row));
      case TIMESTAMP -> Storable.whyNotTime(rows.number(row));
      case DATE -> Storable.whyNotDay(rows.number(row));
      case INT64, FLOAT64, BOOL, BYTES, VECTOR -> null;
    };
  }

  /**
   * Sorts rows by id and leaves one of each. All who insert in this order wait for each other in
   * one direction, and neighbours meet the same pages of the index.
   */
  private long[] fold(Places places) {
    int count = places.count;
    long[] high = new long[count];
    long[] low = new long[count];
    long[] sorted = new long[count];
    for (int i = 0; i < count; i++) {
      ByteBuffer id = file(places.places[i]).id(row(places.places[i]));
      high[i] = id.getLong(0);
      low[i] = id.getLong(Long.BYTES);
      // Bytes are unsigned.
      sorted[i] = ((high[i] ^ Long.MIN_VALUE) & ~NUMBERS) | i;
    }
    Arrays.sort(sorted);
    Comparator<Integer> byId =
        (a, b) -> {
          int byHigh = Long.compareUnsigned(high[a], high[b]);
          return byHigh != 0 ? byHigh : Long.compareUnsigned(low[a], low[b]);
        };
    Places kept = new Places();
    int from = 0;
    while (from < count) {
      int to = from + 1;
      while (to < count && (sorted[to] & ~NUMBERS) == (sorted[from] & ~NUMBERS)) {
        to++;
      }
      if (to == from + 1) {
        kept.add(places.places[(int) (sorted[from] & NUMBERS)]);
      } else {
        List<Integer> alike =
            IntStream.range(from, to)
                .mapToObj(i -> (int) (sorted[i] & NUMBERS))
                .sorted(byId)
                .toList();
        keepGreatest(places, alike, byId, kept);
      }
      from = to;
    }
    return kept.toArray();
  }

  private void keepGreatest(
      Places places, List<Integer> sorted, Comparator<Integer> byId, Places kept) {
    int greatest = sorted.get(0);
    for (int next : sorted.subList(1, sorted.size())) {
      if (byId.compare(greatest, next) != 0) {
        kept.add(places.places[greatest]);
        greatest = next;
      } else if (compare(places.places[next], places.places[greatest]) > 0) {
        greatest = next;
      }
    }
    kept.add(places.places[greatest]);
  }

  /** Compares rows with the same id; see {@link io.tailrace.offline.InsertSession#insert}. */
  private int compare(long a, long b) {
    ObservationRows rowsOfA = file(a);
    ObservationRows rowsOfB = file(b);
    int rowA = row(a);
    int rowB = row(b);
    int byKind = Integer.compare(kind(rowsOfA, rowA), kind(rowsOfB, rowB));
    if (byKind != 0 || kind(rowsOfA, rowA) != VALUE) {
      return byKind;
    }
    return switch (batch.valueType().orElseThrow()) {
      case INT64, TIMESTAMP, DATE, BOOL ->
          Long.compareUnsigned(rowsOfA.number(rowA), rowsOfB.number(rowB));
      case FLOAT64 ->
          Long.compareUnsigned(
              Double.doubleToLongBits(rowsOfA.float64(rowA)),
              Double.doubleToLongBits(rowsOfB.float64(rowB)));
      case STRING, JSON, BYTES, VECTOR ->
          Arrays.compareUnsigned(rowsOfA.bytes(rowA), rowsOfB.bytes(rowB));
    };
  }

  private static final int VALUE = 0;

  private static int kind(ObservationRows rows, int row) {
    return rows.isDeleted(row) ? 2 : rows.hasValue(row) ? VALUE : 1;
  }
}
