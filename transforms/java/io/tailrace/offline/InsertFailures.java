package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.SomeRows;
import io.tailrace.parquet.SomeRows.Part;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Held;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Makes failures of what a store refused of files that were inserted together: one for each file
 * that it refused as a whole, or some of whose rows it can't hold, and one for each table that
 * refuses rows, which holds those of all files alone. Not thread-safe.
 */
public final class InsertFailures {
  /** Rows of a table that are in one letter, in bytes of the files that they come from, roughly. */
  private static final long MAX_LETTER_BYTES = 512 << 10;

  private final Inserted inserted;
  private final Files files;

  /** The files that were inserted, by their positions. */
  public interface Files {
    /** Returns the message that carried a file, as a letter holds it. */
    BusMessage message(int position) throws UnavailableException;

    /**
     * Returns a file that was not refused as a whole; empty: it is no longer at hand, as it was
     * loaded before and has gone since.
     */
    Optional<ObservationFile> at(int position) throws UnavailableException;

    /** Returns those of a bundle, which are at hand. */
    static Files of(List<Held<ObservationFile>> held) {
      return new Files() {
        @Override
        public BusMessage message(int position) {
          return held.get(position).element().message();
        }

        @Override
        public Optional<ObservationFile> at(int position) {
          return Optional.of(held.get(position).element());
        }
      };
    }
  }

  /** Takes failures. */
  public interface Receiver {
    /**
     * Takes one.
     *
     * @param position of the first file that it is about
     */
    void fail(int position, Failure failure);
  }

  private InsertFailures(Inserted inserted, Files files) {
    this.inserted = inserted;
    this.files = files;
  }

  /** Makes failures of what became of files. */
  public static InsertFailures of(Inserted inserted, Files files) {
    return new InsertFailures(inserted, files);
  }

  /** Returns whether nothing of a file was inserted. */
  public boolean isRefused(int file) {
    return inserted.refused().containsKey(file);
  }

  /**
   * Puts all of them out, and counts rows by table and reason.
   *
   * @throws IOException if rows can't be decoded, which a file with a right checksum never causes
   */
  public void putOut(Receiver out, InsertCounters counters)
      throws IOException, UnavailableException {
    for (Map.Entry<Integer, String> whole : new TreeMap<>(inserted.refused()).entrySet()) {
      out.fail(
          whole.getKey(),
          Failure.ofMessage(
              InsertObservations.STAGE,
              Reason.REJECTED_BY_STORE,
              "",
              whole.getValue(),
              files.message(whole.getKey())));
    }
    Map<Integer, List<Rejected>> byFile = new TreeMap<>();
    for (Rejected rows : inserted.rejected()) {
      byFile.computeIfAbsent(rows.file(), unused -> new ArrayList<>()).add(rows);
    }
    Map<OfTable, List<Refused>> byTable = new LinkedHashMap<>();
    for (Map.Entry<Integer, List<Rejected>> each : byFile.entrySet()) {
      Optional<ObservationFile> found = files.at(each.getKey());
      if (found.isEmpty()) {
        putOutUnnamed(each.getKey(), each.getValue(), out, counters);
        continue;
      }
      ObservationFile file = found.get();
      RowNames names = RowNames.of(file);
      RejectedCells cells = new RejectedCells();
      BitSet numbers = new BitSet();
      for (Rejected rejected : each.getValue()) {
        String table = names.table(rejected.rows().runs().get(0).first());
        counters.countRejected(table, rejected.reason(), rejected.rows().count());
        if (rejected.reason() == Reason.TABLE_REFUSES) {
          byTable
              .computeIfAbsent(OfTable.of(file, table), unused -> new ArrayList<>())
              .add(new Refused(each.getKey(), file, rejected));
        } else {
          names.add(rejected, cells);
          rejected.rows().stream().forEach(numbers::set);
        }
      }
      Optional<Failure> failure = cells.failure(InsertObservations.STAGE, file.message());
      if (failure.isPresent()) {
        out.fail(each.getKey(), alone(failure.get(), file, numbers));
      }
    }
    for (List<Refused> refused : byTable.values()) {
      putOutTable(refused, out);
    }
  }

  /** Rows of a file that is gone have a number and a reason, and no name. */
  private void putOutUnnamed(
      int position, List<Rejected> rejected, Receiver out, InsertCounters counters)
      throws UnavailableException {
    RejectedCells cells = new RejectedCells();
    for (Rejected each : rejected) {
      int rows = each.rows().count();
      counters.countRejected(each.reason(), rows);
      cells.add(
          each.reason(),
          "",
          "",
          "",
          each.message()
              + " (the file was loaded before and is gone from the stage, so that this letter does"
              + " not hold the rows: to have them, read the topic again from this message on)",
          rows);
    }
    cells
        .failure(InsertObservations.STAGE, files.message(position))
        .ifPresent(failure -> out.fail(position, failure));
  }

  /** A letter need not hold what is in the store. */
  private static Failure alone(Failure failure, ObservationFile file, BitSet rows)
      throws IOException {
    if (rows.cardinality() == file.rowCount()) {
      return failure;
    }
    byte[] alone = SomeRows.of(List.of(new Part(file, rows.stream().toArray())));
    return alone.length < file.message().payload().length ? failure.ofRows(alone) : failure;
  }

  /** What rows have in common that are in one letter. */
  private record OfTable(
      String environment, String table, boolean stringKeys, Optional<ValueType> valueType) {
    static OfTable of(ObservationFile file, String table) {
      return new OfTable(file.environment(), table, file.stringKeys(), file.valueType());
    }
  }

  private record Refused(int position, ObservationFile file, Rejected rows) {
    /** About how much of the file they are. */
    long bytes() {
      return file.bytes().length * (long) rows.rows().count() / Math.max(1, file.rowCount());
    }
  }

  private static void putOutTable(List<Refused> refused, Receiver out) throws IOException {
    int from = 0;
    long bytes = 0;
    for (int i = 0; i < refused.size(); i++) {
      long more = refused.get(i).bytes();
      if (i > from && bytes + more > MAX_LETTER_BYTES) {
        putOutLetter(refused.subList(from, i), out);
        from = i;
        bytes = 0;
      }
      bytes += more;
    }
    putOutLetter(refused.subList(from, refused.size()), out);
  }

  private static void putOutLetter(List<Refused> refused, Receiver out) throws IOException {
    RejectedCells cells = new RejectedCells();
    Map<Integer, RowNumbers> rows = new LinkedHashMap<>();
    Map<Integer, ObservationFile> of = new LinkedHashMap<>();
    for (Refused each : refused) {
      RowNames.of(each.file).add(each.rows, cells);
      rows.merge(each.position, each.rows.rows(), RowNumbers::and);
      of.put(each.position, each.file);
    }
    List<Part> parts = new ArrayList<>();
    rows.forEach(
        (position, numbers) ->
            parts.add(new Part(requireNonNull(of.get(position)), numbers.stream().toArray())));
    Refused first = refused.get(0);
    byte[] alone = SomeRows.of(parts);
    cells
        .failure(InsertObservations.STAGE, first.file.message())
        .ifPresent(failure -> out.fail(first.position, failure.ofRows(alone)));
  }
}
