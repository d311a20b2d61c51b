package io.tailrace.offline;

import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.parquet.QueryRow;
import io.tailrace.parquet.TableNames;
import io.tailrace.stage.RejectedCells;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** How a letter names the rows of a file. Stateless once made. */
public interface RowNames {
  /**
   * Returns the names of a file's rows.
   *
   * @throws IOException if they can't be decoded, which a file with a right checksum never causes
   */
  static RowNames of(ObservationFile file) throws IOException {
    if (file.kind() == Kind.QUERIES) {
      List<QueryRow> queries = file.queries();
      return row -> queries.get(row).operationId();
    }
    return new ObservationNames(file.rows(), file.stringKeys());
  }

  /** Returns the primary key; the operation id of a query. */
  String key(int row);

  /** Returns the namespace of a row's feature; empty for a query. */
  default String namespace(int row) {
    return "";
  }

  /** Returns the feature of a row, fully qualified; empty for a query. */
  default String feature(int row) {
    return "";
  }

  /** Returns the table that a row belongs to. */
  default String table(int row) {
    return TableNames.QUERY_LOG;
  }

  /** Adds rows that were rejected to cells. */
  default void add(Rejected rows, RejectedCells cells) {
    rows.rows().stream()
        .forEach(
            row ->
                cells.add(
                    rows.reason(), namespace(row), key(row), feature(row), rows.message(), 1));
  }

  record ObservationNames(ObservationRows rows, boolean stringKeys) implements RowNames {
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

    @Override
    public String table(int row) {
      return new Feature(namespace(row), feature(row)).table();
    }
  }
}
