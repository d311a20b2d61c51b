package io.tailrace.parquet;

import io.tailrace.parquet.FileColumns.ColumnTaker;
import io.tailrace.parquet.FileColumns.GroupColumns;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.parquet.column.ColumnReader;

/**
 * Columns of a row group that are in memory together, as they are in the file: those of keys and
 * times, and those of as many features as there is room for. Of their rows some at a time are
 * decoded. Immutable.
 *
 * @param features which they are
 * @param base the columns of keys and times
 * @param values those of the features, without any that has nothing in it
 * @param rows how many rows the row group has
 */
record WideSlice(
    List<FeatureColumn> features, RowGroups.Columns base, RowGroups.Columns values, int rows) {
  /**
   * Columns with a page each in memory, at most, and as many as a file of observations may have.
   */
  private static final int MAX_COLUMNS = 500;

  /** Of a cell while it is decoded: its place, and whether it is null. */
  private static final long BYTES_OF_CELL = 16;

  /** Of a text or a vector: an array of its own. */
  private static final int BYTES_OF_ARRAY = 32;

  /** Returns the names of the columns of keys and times. */
  static Set<String> base(WideMapping mapping) {
    Set<String> base = new LinkedHashSet<>();
    base.add(mapping.keyColumn());
    mapping.time().named().ifPresent(base::add);
    return base;
  }

  /**
   * Divides features into those whose columns can be in memory together: no two are of one column.
   *
   * @param bytes what a column takes, by name
   * @param most what they may take
   */
  static List<List<FeatureColumn>> parts(
      List<FeatureColumn> features, Map<String, Long> bytes, long most) {
    List<List<FeatureColumn>> parts = new ArrayList<>();
    List<FeatureColumn> part = new ArrayList<>();
    Set<String> columns = new HashSet<>();
    long taken = 0;
    for (FeatureColumn feature : features) {
      long more = bytes.getOrDefault(feature.column(), 0L);
      if (!part.isEmpty()
          && (taken + more > most
              || part.size() == MAX_COLUMNS
              || columns.contains(feature.column()))) {
        parts.add(part);
        part = new ArrayList<>();
        columns.clear();
        taken = 0;
      }
      part.add(feature);
      columns.add(feature.column());
      taken += more;
    }
    parts.add(part);
    return parts;
  }

  /** Reads the columns of features. */
  static WideSlice read(
      RowGroups groups,
      int group,
      RowGroups.Columns base,
      List<FeatureColumn> features,
      Set<String> empty)
      throws IOException, InvalidMessageException {
    Set<String> columns = new LinkedHashSet<>();
    for (FeatureColumn feature : features) {
      if (!empty.contains(feature.column())) {
        columns.add(feature.column());
      }
    }
    return new WideSlice(
        features, base, columns.isEmpty() ? base : groups.read(group, columns), groups.rows(group));
  }

  /** Returns how many bytes a row takes when it is decoded and written out, on an average. */
  private long bytesOfRow() {
    long arrays =
        features.stream().filter(each -> RowColumns.isInBytes(each.kind().type())).count();
    // What is null throughout is read from no column, and has a place and a flag all the same.
    return WideCells.CELL_BYTES
        + BYTES_OF_CELL * features.size()
        + BYTES_OF_ARRAY * arrays
        + (base.decodedBytes() + values.decodedBytes()) / rows;
  }

  /** Returns how many rows can be decoded together where all are as large as on an average. */
  int rowsAtOnce(long bytes) {
    return (int) Math.max(1, Math.min(rows, bytes / bytesOfRow()));
  }

  /** Returns how many bytes are in memory while so many rows are decoded. */
  long heldBytes(int together) {
    // The reader copies what it reads.
    return 2L * (base.file().length + values.file().length) + together * bytesOfRow();
  }

  /** Begins to take rows, from one of them on. */
  Reading from(int row) throws IOException {
    Reading reading = new Reading(new FileColumns(base.file()), new FileColumns(values.file()));
    try {
      reading.open(row);
      return reading;
    } catch (IOException | RuntimeException e) {
      reading.close();
      throw e;
    }
  }

  /** Takes rows of the columns: of all of them the same. Not thread-safe. */
  static final class Reading implements AutoCloseable {
    private final FileColumns base;
    private final FileColumns values;
    private final Map<String, ColumnReader> ofBase = new HashMap<>();
    private final Map<String, ColumnReader> ofValues = new HashMap<>();

    private Reading(FileColumns base, FileColumns values) {
      this.base = base;
      this.values = values;
    }

    private void open(int row) throws IOException {
      open(base, ofBase, row);
      open(values, ofValues, row);
    }

    private static void open(FileColumns file, Map<String, ColumnReader> readers, int row)
        throws IOException {
      List<String> names =
          file.schema().getFields().stream().map(field -> field.getName()).toList();
      GroupColumns group = file.group(0, names);
      for (int i = 0; i < names.size(); i++) {
        ColumnReader reader = group.reader(i);
        skip(reader, row);
        readers.put(names.get(i), reader);
      }
    }

    private static void skip(ColumnReader column, int rows) {
      int defined = column.getDescriptor().getMaxDefinitionLevel();
      for (int i = 0; i < rows; i++) {
        do {
          if (column.getCurrentDefinitionLevel() == defined) {
            column.skip();
          }
          column.consume();
        } while (column.getCurrentRepetitionLevel() > 0);
      }
    }

    /** Takes the next rows of the column of keys or of times. */
    void takeBase(String column, ColumnTaker taker, int rows) throws IOException {
      take(ofBase, column, taker, rows);
    }

    /** Takes the next rows of a feature's column; of one that has nothing in it there are none. */
    void takeValues(String column, ColumnTaker taker, int rows) throws IOException {
      if (ofValues.containsKey(column)) {
        take(ofValues, column, taker, rows);
      }
    }

    private static void take(
        Map<String, ColumnReader> readers, String column, ColumnTaker taker, int rows)
        throws IOException {
      ColumnReader reader = readers.get(column);
      if (reader == null) {
        throw new IOException("it has no column " + column);
      }
      taker.take(reader, rows);
    }

    @Override
    public void close() throws IOException {
      try (base) {
        values.close();
      }
    }
  }
}
