package io.tailrace.parquet;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.List;

/**
 * Makes canonical files of the rows of a wide one: of each value type one or several, with the ids
 * that every other way gives them. What can't be taken exactly of a row is refused cell by cell.
 * Not thread-safe.
 */
public final class WideRows {
  private final WideFile file;
  private final WideMapping mapping;
  private final WideFile.Checked checked;
  private final Source source;
  private final RejectedCells refused;
  // Bytes that may be decoded at once.
  private long most = FileStructure.MAX_DECOMPRESSED_BYTES;

  /**
   * What all rows have in common.
   *
   * @param place what is said of where a refused cell is, such as {@code files[3]}
   * @param name what the file is called in sentences
   * @param observedUntil microseconds since the epoch: later times are a clock's error
   * @param message stands for the message that brought the rows
   */
  public record Source(
      Operation operation, String place, String name, long observedUntil, BusMessage message) {}

  /**
   * Where rows come from.
   *
   * @param deployment empty: not known
   */
  public record Operation(String id, String environment, String deployment) {}

  /** Takes the canonical files of some rows. */
  public interface Receiver<E extends Exception> {
    /** Takes them. */
    void take(List<ObservationFile> some) throws IOException, E;
  }

  /**
   * Creates one.
   *
   * @param refused takes the cells that are refused
   */
  public WideRows(
      WideFile file,
      WideMapping mapping,
      WideFile.Checked checked,
      Source source,
      RejectedCells refused) {
    this.file = file;
    this.mapping = mapping;
    this.checked = checked;
    this.source = source;
    this.refused = refused;
  }

  /** Sets another bound of what may be decoded at once. */
  WideRows within(long bytes) {
    most = bytes;
    return this;
  }

  /**
   * Decodes the file, a row group after the other, and of each some columns and rows at a time.
   *
   * @param to takes what these become, before the next ones are read
   * @throws InvalidMessageException if it is damaged, or takes more memory than a file may; what
   *     came before is good
   */
  public <E extends Exception> void decode(Receiver<E> to)
      throws IOException, InvalidMessageException, E {
    long first = 0;
    for (int group = 0; group < file.rowGroups(); group++) {
      int rows = file.groups().rows(group);
      if (rows > 0) {
        RowGroups.Columns base = file.groups().read(group, WideSlice.base(mapping));
        for (List<FeatureColumn> features :
            WideSlice.parts(mapping.features(), file.groups().bytes(group), most)) {
          decode(WideSlice.read(file.groups(), group, base, features, checked.empty()), first, to);
        }
      }
      first += rows;
    }
  }

  private <E extends Exception> void decode(WideSlice slice, long first, Receiver<E> to)
      throws IOException, InvalidMessageException, E {
    WideCells cells = new WideCells(mapping, checked, source, refused, most);
    // As much again is what they become.
    Together together = new Together(slice.rowsAtOnce(most / 2));
    try (MemoryBudget.Share memory = MemoryBudget.ofProcess().share()) {
      int count = 0;
      for (int row = 0; row < slice.rows(); ) {
        try (WideSlice.Reading reading = from(slice, row)) {
          while (row < slice.rows()) {
            count = Math.min(together.rows, slice.rows() - row);
            memory.hold(slice.heldBytes(count));
            List<ObservationFile> some = decode(cells, reading, slice, first + row, count);
            to.take(some);
            row += count;
            together.fitted();
          }
        } catch (DecodeBudget.TooLargeException e) {
          together.halve(count, e);
        }
      }
    }
  }

  private static List<ObservationFile> decode(
      WideCells cells, WideSlice.Reading reading, WideSlice slice, long first, int count)
      throws InvalidMessageException, DecodeBudget.TooLargeException {
    try {
      return cells.decode(reading, slice.features(), first, count);
    } catch (DecodeBudget.TooLargeException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw undecodable(e);
    }
  }

  /** How many rows are decoded together: where some are much larger than on an average, fewer. */
  private static final class Together {
    private static final int MOST_WANTED = 1 << 20;

    private final int most;
    int rows;
    private int fitted;
    // Times that rows have to fit before it is tried with more.
    private int wanted = 4;

    Together(int most) {
      this.most = most;
      this.rows = most;
    }

    /** Takes half as many as were too many; after that it is seldom tried with more. */
    void halve(int tooMany, DecodeBudget.TooLargeException e) throws InvalidMessageException {
      if (tooMany == 1) {
        throw new InvalidMessageException(
            Reason.TOO_LARGE, e.column, String.valueOf(e.getMessage()));
      }
      rows = tooMany / 2;
      wanted = Math.min(2 * wanted, MOST_WANTED);
      fitted = 0;
    }

    void fitted() {
      if (++fitted == wanted) {
        rows = (int) Math.min(most, 2L * rows);
        fitted = 0;
      }
    }
  }

  private static WideSlice.Reading from(WideSlice slice, int row) throws InvalidMessageException {
    try {
      return slice.from(row);
    } catch (IOException | RuntimeException e) {
      throw undecodable(e);
    }
  }

  /** Parquet's reader throws what it likes at what is damaged. */
  private static InvalidMessageException undecodable(Exception e) {
    return new InvalidMessageException(
        Reason.UNDECODABLE, "", "the Parquet file can't be read: " + e.getMessage());
  }
}
