package io.tailrace.parquet;

import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The rows of a file that somebody else wrote, as our encoder writes them: by feature, then by time
 * and id, and where they have one id, by what they say. So the same rows make the same bytes,
 * whatever order, row groups and types they came in. Not thread-safe.
 */
final class CanonicalRows {
  private final ObservationRows rows;
  private final boolean stringKeys;
  private final Optional<ValueType> type;
  private final byte[] ids;

  CanonicalRows(ObservationRows rows, boolean stringKeys, Optional<ValueType> type) {
    this.rows = rows;
    this.stringKeys = stringKeys;
    this.type = type;
    this.ids = rows.keys().ids();
  }

  /** Returns the numbers of the rows without fault, in order. */
  int[] order(RowFaults faults) {
    int[] feature = rows.names().feature();
    int[] namespace = rows.names().namespace();
    int[] featureRank = ranks(rows.names().features());
    int[] namespaceRank = ranks(rows.names().namespaces());
    int[] order = IntStream.range(0, rows.count()).filter(row -> !faults.contains(row)).toArray();
    // Without an object for each row, of which there may be a million.
    IntArrays.mergeSort(
        order,
        (a, b) -> {
          int found = Integer.compare(featureRank[feature[a]], featureRank[feature[b]]);
          if (found == 0) {
            found = Integer.compare(namespaceRank[namespace[a]], namespaceRank[namespace[b]]);
          }
          return found == 0 ? compareRows(a, b) : found;
        });
    return order;
  }

  /** Compares rows of one feature. */
  private int compareRows(int a, int b) {
    int found = Long.compare(rows.observedAt(a), rows.observedAt(b));
    if (found == 0) {
      found = compareIds(a, b);
    }
    if (found == 0) {
      found = Boolean.compare(rows.hasValue(a), rows.hasValue(b));
    }
    if (found == 0) {
      found = compareValues(a, b);
    }
    if (found == 0) {
      found = Arrays.compareUnsigned(rows.resolverFqn(a), rows.resolverFqn(b));
    }
    return found == 0 ? Arrays.compareUnsigned(rows.deploymentId(a), rows.deploymentId(b)) : found;
  }

  /** Returns the place of each text among all of them, so that no text is compared twice. */
  private static int[] ranks(List<String> texts) {
    int[] ranks = new int[texts.size()];
    int rank = 0;
    for (int text :
        IntStream.range(0, texts.size())
            .boxed()
            .sorted(Comparator.comparing(texts::get))
            .mapToInt(it -> it)
            .toArray()) {
      ranks[text] = rank++;
    }
    return ranks;
  }

  private int compareIds(int a, int b) {
    int length = ObservationIds.LENGTH;
    return Arrays.compareUnsigned(
        ids, a * length, (a + 1) * length, ids, b * length, (b + 1) * length);
  }

  private int compareValues(int a, int b) {
    if (type.isEmpty() || !rows.hasValue(a)) {
      return 0;
    }
    return switch (type.get()) {
      case INT64, FLOAT64, BOOL, TIMESTAMP, DATE -> Long.compare(bits(a), bits(b));
      case STRING, BYTES, JSON, VECTOR -> Arrays.compareUnsigned(rows.bytes(a), rows.bytes(b));
    };
  }

  private long bits(int row) {
    return type.equals(Optional.of(ValueType.FLOAT64))
        ? Double.doubleToLongBits(rows.float64(row))
        : rows.number(row);
  }

  /**
   * Encodes rows.
   *
   * @param order their numbers, in the order that they are to have
   * @throws InvalidMessageException if they take more room than those of a file may
   */
  byte[] encode(int[] order, FileFooter footer) throws IOException, InvalidMessageException {
    checkRoom(order);
    try (PageCompression compression = new PageCompression();
        FileWriter file =
            new FileWriter(compression, ObservationSchema.observations(stringKeys, type))) {
      RowColumns columns = new RowColumns(file, rows, stringKeys, type);
      for (int row : order) {
        columns.put(row);
        file.ended(1, rowBytes(row));
      }
      columns.end();
      return file.finish(footer.texts());
    }
  }

  /** An entry of a dictionary stands in a file once, and its values in each of its rows. */
  private void checkRoom(int[] order) throws InvalidMessageException {
    long bytes = 0;
    for (int row : order) {
      bytes += rowBytes(row);
      if (bytes > FileStructure.MAX_DECOMPRESSED_BYTES) {
        throw new InvalidMessageException(
            Reason.TOO_LARGE,
            ObservationSchema.VALUE,
            "written out, the keys and values of the file have more than "
                + FileStructure.MAX_DECOMPRESSED_BYTES
                + " bytes");
      }
    }
  }

  private int rowBytes(int row) {
    return RowColumns.bytes(rows, row, stringKeys, type);
  }
}
