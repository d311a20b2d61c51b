package io.tailrace.offline;

import static com.google.common.collect.ImmutableSet.toImmutableSet;

import com.google.common.collect.ImmutableSet;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.QueryLog.Column;
import io.tailrace.parquet.QueryRow;
import io.tailrace.parquet.TableNames;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;

/** How a letter names the rows of a file. Stateless once made. */
public interface RowNames {
  /**
   * Returns the names of a file's rows.
   *
   * @throws IOException if they can't be decoded, which a file with a right checksum never causes
   */
  static RowNames of(ObservationFile file) throws IOException {
    return file.kind() == Kind.QUERIES
        ? new QueryNames(file.queries())
        : new ObservationNames(file.rows(), file.stringKeys());
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

  /** Returns the columns of the file. */
  Set<String> columns();

  /** Returns the column that says which table a row is for. */
  String tableColumn();

  /** Adds rows that were rejected to cells, each at its place in the file. */
  default void add(Rejected rows, RejectedCells cells) {
    String column = column(rows);
    rows.rows().stream()
        .forEach(
            row ->
                cells.addAt(
                    column + "[" + row + "]",
                    new RejectedCell(
                        rows.reason(), namespace(row), key(row), feature(row), rows.message()),
                    1));
  }

  /**
   * Returns the column at fault: the one that the message begins with, or the first one that the
   * table has of another type. Where there is none, the table refuses the row.
   */
  private String column(Rejected rows) {
    String message = rows.message();
    boolean ofTable = rows.reason() == Reason.TYPE_CHANGED;
    String word = (ofTable ? message.replaceFirst("^.*? has ", "") : message).split(" ", 2)[0];
    return columns().contains(word) ? word : tableColumn();
  }

  /** The names of queries, which are their operations' ids. */
  record QueryNames(List<QueryRow> queries) implements RowNames {
    private static final ImmutableSet<String> COLUMNS =
        QueryLog.CURRENT.columns().stream().map(Column::name).collect(toImmutableSet());

    @Override
    public String key(int row) {
      return queries.get(row).operationId();
    }

    @Override
    public Set<String> columns() {
      return COLUMNS;
    }

    @Override
    public String tableColumn() {
      return QueryLog.KEY;
    }
  }

  record ObservationNames(ObservationRows rows, boolean stringKeys) implements RowNames {
    @Override
    public Set<String> columns() {
      return ObservationSchema.COLUMNS;
    }

    @Override
    public String tableColumn() {
      return ObservationSchema.FEATURE;
    }

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
