package io.tailrace.offline;

import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.BatchConnection.SickTable;
import io.tailrace.offline.Inserted.Count;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What became of the files of an insert so far, each row once. Not thread-safe. */
final class InsertTally {
  private Count rows = Count.NONE;
  private Count queries = Count.NONE;
  private long tables;
  private boolean isTaken;
  private final List<Rejected> rejected = new ArrayList<>();
  private final Map<Integer, String> refused = new HashMap<>();
  private final List<Refused> sick = new ArrayList<>();
  private final List<Refused> leftAlone = new ArrayList<>();

  /** A file with its position in the list. */
  record Numbered(int position, ObservationFile file) {}

  /** Rows that tables refuse, of files that were inserted together. */
  record Refused(FileBatch batch, List<Numbered> files, List<SickTable> tables) {
    String environment() {
      return batch.environment();
    }

    /** Returns the files with these tables alone. */
    FileBatch retry() {
      Set<String> names = tables.stream().map(SickTable::table).collect(Collectors.toSet());
      return batch.only(feature -> names.contains(batch.tables().get(feature)));
    }

    long rows() {
      return tables.stream()
          .flatMap(table -> table.rows().stream())
          .mapToLong(rejected -> rejected.rows().count())
          .sum();
    }
  }

  void add(Kind kind, long inserted, long duplicates) {
    if (kind == Kind.QUERIES) {
      queries = queries.plus(inserted, duplicates);
    } else {
      rows = rows.plus(inserted, duplicates);
    }
  }

  void addTables(long more) {
    tables += more;
  }

  /** Returns whether nothing was refused so far. */
  boolean isWhole() {
    return rejected.isEmpty() && refused.isEmpty() && sick.isEmpty() && leftAlone.isEmpty();
  }

  /** Notes that a table has taken what it was given. */
  void take() {
    isTaken = true;
  }

  /** Returns whether any table has taken what it was given. */
  boolean isTaken() {
    return isTaken;
  }

  /** Notes that nothing of a file can be inserted. */
  void refuse(int position, String why) {
    refused.put(position, why);
  }

  /** Returns the rows that are rejected for good, by the positions of their files. */
  List<Rejected> rejected() {
    return rejected;
  }

  /** Returns rows of tables that are to be tried again. */
  List<Refused> sick() {
    return sick;
  }

  /** Returns rows of tables that are left alone. */
  List<Refused> leftAlone() {
    return leftAlone;
  }

  /** Returns what became of a batch but for the rows that were rejected when it came before. */
  BatchInserted withoutRejected(BatchInserted again, List<Numbered> files) {
    List<Rejected> others = new ArrayList<>();
    for (Rejected each : again.rejected()) {
      RowNumbers left = each.rows().without(rejected(files.get(each.file()).position));
      if (left.count() > 0) {
        others.add(new Rejected(each.file(), each.reason(), left, each.message()));
      }
    }
    return new BatchInserted(
        again.rows(), again.duplicates(), others, again.sick(), again.conflicts());
  }

  private BitSet rejected(int position) {
    BitSet numbers = new BitSet();
    rejected.stream()
        .filter(each -> each.file() == position)
        .forEach(each -> each.rows().stream().forEach(numbers::set));
    return numbers;
  }

  Inserted total() {
    return new Inserted(rows, queries, tables, rejected, refused);
  }
}
