package io.tailrace.offline.bulk;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Finishing;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNames;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.WideLoads.Loaded;
import io.tailrace.offline.bulk.WideLoads.RefusedColumn;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.WideFile;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideRows;
import io.tailrace.parquet.WideRows.Operation;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Loads files together: by the store's own statements what they take, and what they leave decoded
 * and inserted. Not thread-safe.
 */
final class FileLoad {
  /** Rows that are decoded before they are inserted together. */
  private static final long ROWS_TOGETHER = 500_000;

  private final BulkLoader loader;
  private final LoadCounts counts;
  private final List<ResultFile> files;
  private final long observedUntil;
  private final BusMessage message;
  private final List<RejectedCells> refused = new ArrayList<>();
  // Those that changed while they were read, whatever is there afterwards.
  private final Set<Integer> changed = new HashSet<>();
  // Decoded, and not inserted yet.
  private final List<ObservationFile> waiting = new ArrayList<>();
  private final List<Integer> waitingOf = new ArrayList<>();
  private long waitingRows;
  private long stored;
  private boolean entered;

  /**
   * Creates one.
   *
   * @param files whose columns have the same types
   * @param message whose publication says which times are a clock's error
   */
  FileLoad(BulkLoader loader, LoadCounts counts, List<ResultFile> files, Published message) {
    this.loader = loader;
    this.counts = counts;
    this.files = files;
    this.observedUntil = message.observedUntil;
    this.message = message.message;
    files.forEach(unused -> refused.add(new RejectedCells()));
  }

  /**
   * A message that names files.
   *
   * @param observedUntil microseconds since the epoch: later times are a clock's error
   */
  record Published(BusMessage message, long observedUntil) {}

  /** Returns whether the files are in the ledger. */
  boolean isEntered() {
    return entered;
  }

  /** Returns whether a file changed while it was read, so that rows of it may be missing. */
  boolean hasSeenChange(int file) {
    return changed.contains(file);
  }

  /** Returns what is refused of a file. */
  Failure.Cells refused(int file) {
    return refused.get(file).cells();
  }

  /** Loads them, and returns how many rows are in the store. */
  long run(WideLoads.Closing closing) throws UnavailableException {
    counts.loads.add(1);
    Contents contents = files.get(0).contents();
    try (MemoryBudget.Share memory = MemoryBudget.ofProcess().share()) {
      Loaded loaded =
          loader
              .wide()
              .load(
                  new WideLoads.Batch(
                      contents,
                      files.get(0).checked().orElseThrow(),
                      observedUntil,
                      files,
                      closing));
      entered = loaded.entered();
      counts.rowsInserted.add(loaded.inserted());
      counts.rowsDuplicate.add(loaded.duplicates());
      counts.rowsRead.add(loaded.inserted() + loaded.duplicates());
      stored += loaded.inserted() + loaded.duplicates();
      loaded.refused().forEach(this::refuse);
      List<FeatureColumn> left =
          contents.mapping().features().stream().filter(loaded.left()::contains).toList();
      if (!left.isEmpty()) {
        WideMapping mapping =
            new WideMapping(contents.mapping().keyColumn(), contents.mapping().time(), left);
        for (int i = 0; i < files.size(); i++) {
          decode(i, mapping, memory);
        }
        insertLast(memory, closing);
      }
    } finally {
      for (ResultFile file : files) {
        file.release();
      }
    }
    return stored;
  }

  /**
   * Inserts a file of rows, and returns how many of them are in the store.
   *
   * @param cells takes those that are refused
   */
  long insert(ObservationFile file, RejectedCells cells) throws UnavailableException {
    count(cells.count());
    refused.add(cells);
    waiting.add(file);
    waitingOf.add(0);
    waitingRows = file.rowCount();
    try (MemoryBudget.Share memory = MemoryBudget.ofProcess().share()) {
      memory.hold(file.heldBytes());
      insert(memory);
    }
    return stored;
  }

  private void refuse(RefusedColumn column) {
    if (column.cells() > 0) {
      counts.rowsRead.add(column.cells());
      counts.rowsRejected.add(column.cells());
      ResultFile file = files.get(column.file());
      refused
          .get(column.file())
          .addAt(
              file.place(),
              new RejectedCell(
                  column.conflict().reason(),
                  column.column().namespace(),
                  "",
                  column.column().feature(),
                  column.conflict().sentence() + " (" + file.uri() + ")"),
              (int) Math.min(Integer.MAX_VALUE, column.cells()));
    }
  }

  private void decode(int number, WideMapping mapping, MemoryBudget.Share memory)
      throws UnavailableException {
    ResultFile file = files.get(number);
    Contents contents = file.contents();
    RejectedCells cells = refused.get(number);
    int before = cells.count();
    try (WideFile opened = file.open()) {
      new WideRows(
              opened,
              mapping,
              file.checked().orElseThrow(),
              new WideRows.Source(
                  new Operation(
                      contents.operationId(), contents.environment(), contents.deploymentId()),
                  file.place(),
                  file.uri(),
                  observedUntil,
                  message),
              cells)
          .<UnavailableException>decode(some -> gather(number, some, memory));
      count(cells.count() - before);
    } catch (InvalidMessageException e) {
      count(cells.count() - before);
      cells.addAt(
          file.place(),
          new RejectedCell(e.reason(), "", "", "", file.uri() + ": " + e.getMessage()),
          1);
    } catch (IOException e) {
      count(cells.count() - before);
      // One that has changed is not entered, and refused by whoever looks whether it has.
      if (!file.hasChanged()) {
        throw new UnavailableException(file.uri() + " can't be read: " + e.getMessage(), e);
      }
      changed.add(number);
    }
  }

  /** Counts cells that were refused when they were decoded. */
  private void count(int cells) {
    counts.rowsRead.add(cells);
    counts.rowsRejected.add(cells);
  }

  private void gather(int number, List<ObservationFile> some, MemoryBudget.Share memory)
      throws UnavailableException {
    for (ObservationFile each : some) {
      waiting.add(each);
      waitingOf.add(number);
      waitingRows += each.rowCount();
    }
    memory.hold(waiting.stream().mapToLong(ObservationFile::heldBytes).sum());
    if (waitingRows >= ROWS_TOGETHER || memory.isOverdrawn()) {
      insert(memory);
    }
  }

  /** Inserts what is left, and enters the files with it if nothing is refused. */
  private void insertLast(MemoryBudget.Share memory, WideLoads.Closing closing)
      throws UnavailableException {
    List<Ledger.Entry> entries =
        !waiting.isEmpty()
                && changed.isEmpty()
                && refused.stream().allMatch(cells -> cells.count() == 0)
            ? closing.entries()
            : List.of();
    if (entries.isEmpty()) {
      insert(memory);
      return;
    }
    Finishing finishing = new Finishing(files.get(0).contents().environment(), entries);
    insert(memory, waitingFiles -> loader.rows().insert(waitingFiles, finishing));
    entered = finishing.isDone();
  }

  private interface Insertion {
    Inserted of(List<ObservationFile> waitingFiles) throws UnavailableException;
  }

  private void insert(MemoryBudget.Share memory) throws UnavailableException {
    insert(memory, loader.rows()::insert);
  }

  private void insert(MemoryBudget.Share memory, Insertion insertion) throws UnavailableException {
    if (waiting.isEmpty()) {
      return;
    }
    Inserted inserted = insertion.of(waiting);
    long rejected = 0;
    try {
      for (Rejected rows : inserted.rejected()) {
        rejected += rows.rows().count();
        RowNames.of(waiting.get(rows.file())).add(rows, refused.get(waitingOf.get(rows.file())));
      }
    } catch (IOException e) {
      throw new IllegalStateException("a file that was made here can't be decoded", e);
    }
    for (Map.Entry<Integer, String> whole : inserted.refused().entrySet()) {
      long rows = waiting.get(whole.getKey()).rowCount();
      rejected += rows;
      refused
          .get(waitingOf.get(whole.getKey()))
          .add(Reason.REJECTED_BY_STORE, "", "", "", whole.getValue(), (int) rows);
    }
    counts.rowsDecoded.add(waitingRows);
    counts.rowsRead.add(waitingRows);
    counts.rowsRejected.add(rejected);
    for (Inserted.Count each : List.of(inserted.rows(), inserted.queries())) {
      counts.rowsInserted.add(each.inserted());
      counts.rowsDuplicate.add(each.duplicates() + each.known());
    }
    stored += waitingRows - rejected;
    waiting.clear();
    waitingOf.clear();
    waitingRows = 0;
    memory.hold(0);
  }
}
