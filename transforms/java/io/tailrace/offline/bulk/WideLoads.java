package io.tailrace.offline.bulk;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.parquet.WideFile;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * Loads wide files by a store's own statements, a column for each feature into its table, with the
 * ids that every other way gives their rows. It takes what is plainly right, and leaves every
 * column about which there is any doubt, such as a value that may not be what its type says, to be
 * decoded and refused row by row: so no store needs rules of its own. Not thread-safe.
 */
public interface WideLoads extends AutoCloseable {
  /** Leaves all columns of all files. */
  WideLoads NONE =
      new WideLoads() {
        @Override
        public Most most() {
          return new Most(1_000, 64L << 20);
        }

        @Override
        public Loaded load(Batch batch) {
          return Loaded.nothing(batch.contents().mapping().features());
        }

        @Override
        public void close() {}
      };

  /**
   * How much is loaded at once.
   *
   * @param files how many files
   * @param bytes how many bytes all of them have; one that has more is loaded alone
   */
  record Most(int files, long bytes) {}

  /**
   * Files whose columns have the same types.
   *
   * @param columns how the columns are in all of them
   * @param observedUntil microseconds since the epoch: later times are a clock's error
   * @param files at least one
   * @param closing what is entered if nothing of it is refused or left
   */
  record Batch(
      Contents contents,
      WideFile.Checked columns,
      long observedUntil,
      List<? extends Source> files,
      Closing closing) {
    /** Copies the list. */
    public Batch {
      files = ImmutableList.copyOf(files);
    }

    /** Returns whether primary keys are strings. */
    public boolean stringKeys() {
      return columns.stringKeys();
    }
  }

  /** What the ledger is to say of files all of whose rows are in the store. */
  @FunctionalInterface
  interface Closing {
    /**
     * Returns what is entered in the transaction that makes the last of the rows durable. Asked
     * when the files were read, and before that. Empty: whoever loads them enters it later.
     *
     * @throws UnavailableException if it can't be said now
     */
    List<Ledger.Entry> entries() throws UnavailableException;
  }

  /** A file. */
  interface Source {
    /** Returns its address. */
    String uri();

    /** Returns how many bytes it has. */
    long size();

    /** Returns how many rows it has. */
    long rows();

    /**
     * Returns where it is on this machine: a copy of it where it is in a bucket.
     *
     * @throws UnavailableException if it can't be read now
     */
    Path local() throws UnavailableException;
  }

  /**
   * What became of a batch.
   *
   * @param inserted rows that are new in the store
   * @param duplicates rows that were there before
   * @param refused columns that have no table: nothing of them was loaded
   * @param left columns that are to be decoded; any of their rows may have been loaded
   * @param entered whether the files are in the ledger, as the batch's closing has it
   */
  record Loaded(
      long inserted,
      long duplicates,
      List<RefusedColumn> refused,
      Set<FeatureColumn> left,
      boolean entered) {
    /** Copies the collections. */
    public Loaded {
      refused = ImmutableList.copyOf(refused);
      left = ImmutableSet.copyOf(left);
    }

    /** Leaves columns. */
    public static Loaded nothing(Collection<FeatureColumn> columns) {
      return new Loaded(0, 0, List.of(), ImmutableSet.copyOf(columns), false);
    }
  }

  /**
   * The cells of a feature in a file that have no table.
   *
   * @param file its position in the batch
   * @param cells how many they are
   */
  record RefusedColumn(int file, FeatureColumn column, Conflict conflict, long cells) {}

  /** Returns how much may be loaded at once. */
  Most most();

  /**
   * Loads files, creates the tables that they need, and does not touch those that can't hold them.
   * May be repeated, and by others at the same time, without a reader seeing a row twice.
   *
   * @throws UnavailableException if the store can't be used now; then any part may have been loaded
   */
  Loaded load(Batch batch) throws UnavailableException;

  @Override
  void close();
}
