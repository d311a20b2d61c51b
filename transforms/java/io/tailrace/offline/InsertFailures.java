package io.tailrace.offline;

import io.tailrace.bus.BusMessage;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.parquet.QueryRow;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes failures of what a store refused of files: one for each file that it refused as a whole, or
 * some of whose rows it refused. Not thread-safe.
 */
public final class InsertFailures {
  private final Map<Integer, List<Rejected>> rejected = new HashMap<>();
  private final Map<Integer, String> refused;

  private InsertFailures(Inserted inserted) {
    refused = inserted.refused();
    for (Rejected rows : inserted.rejected()) {
      rejected.computeIfAbsent(rows.file(), unused -> new ArrayList<>()).add(rows);
    }
  }

  /** Makes failures of what became of files that were inserted together. */
  public static InsertFailures of(Inserted inserted) {
    return new InsertFailures(inserted);
  }

  /** Returns whether nothing of a file was inserted. */
  public boolean isRefused(int file) {
    return refused.containsKey(file);
  }

  /** Returns whether there is a failure of a file. */
  public boolean has(int file) {
    return refused.containsKey(file) || rejected.containsKey(file);
  }

  /**
   * Returns the failure of a file that was refused as a whole, if it was.
   *
   * @param file its position
   * @param original what the letter holds
   */
  public Optional<Failure> ofWhole(int file, BusMessage original) {
    return Optional.ofNullable(refused.get(file))
        .map(
            why ->
                Failure.ofMessage(
                    InsertObservations.STAGE, Reason.REJECTED_BY_STORE, "", why, original));
  }

  /**
   * Returns the failure of a file, if there is one.
   *
   * @param position the file's
   * @throws IOException if its rows can't be decoded, which a file with a right checksum never
   *     causes
   */
  public Optional<Failure> of(int position, ObservationFile file) throws IOException {
    List<Rejected> rows = rejected.get(position);
    if (isRefused(position) || rows == null) {
      return ofWhole(position, file.message());
    }
    RejectedCells cells = new RejectedCells();
    BitSet numbers = new BitSet();
    RowNames names = RowNames.of(file);
    for (Rejected each : rows) {
      each.rows().stream()
          .forEach(
              row -> {
                numbers.set(row);
                cells.add(
                    each.reason(),
                    names.namespace(row),
                    names.key(row),
                    names.feature(row),
                    each.message(),
                    1);
              });
    }
    Optional<Failure> failure = cells.failure(InsertObservations.STAGE, file.message());
    if (numbers.cardinality() == file.rowCount()) {
      return failure;
    }
    // A letter need not hold what is in the store.
    byte[] alone = file.only(numbers);
    return alone.length < file.message().payload().length
        ? failure.map(it -> it.ofRows(alone))
        : failure;
  }

  /** How a letter names the rows of a file. */
  private interface RowNames {
    static RowNames of(ObservationFile file) throws IOException {
      if (file.kind() == Kind.QUERIES) {
        List<QueryRow> queries = file.queries();
        return row -> queries.get(row).operationId();
      }
      return new ObservationNames(file.rows(), file.stringKeys());
    }

    /** The primary key; the operation id of a query. */
    String key(int row);

    default String namespace(int row) {
      return "";
    }

    default String feature(int row) {
      return "";
    }
  }

  private record ObservationNames(ObservationRows rows, boolean stringKeys) implements RowNames {
    @Override
    public String key(int row) {
      return stringKeys
          ? new String(rows.stringKey(row), StandardCharsets.UTF_8)
          : Long.toString(rows.integerKey(row));
    }

    @Override
    public String namespace(int row) {
      return rows.namespace(row);
    }

    @Override
    public String feature(int row) {
      return rows.feature(row);
    }
  }
}
