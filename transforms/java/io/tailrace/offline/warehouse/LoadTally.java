package io.tailrace.offline.warehouse;

import static java.util.Objects.requireNonNull;

import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.Inserted.Count;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What becomes of the files of one attempt at a load. Not thread-safe. */
final class LoadTally {
  private final List<StagedFile> files;
  private final Map<String, Integer> positions = new HashMap<>();
  // Of files that have some rows of others, the numbers of these in their own files.
  private final Map<String, List<Integer>> numbers = new HashMap<>();
  private final Set<Integer> entered = new HashSet<>();
  private final List<Rejected> rejected = new ArrayList<>();
  private final Map<Integer, String> refused = new HashMap<>();
  private final Map<Kind, long[]> counts = new HashMap<>();
  private long tables;

  LoadTally(List<StagedFile> files) {
    this.files = files;
    for (int i = 0; i < files.size(); i++) {
      positions.put(lastPart(files.get(i).name()), i);
    }
  }

  /** A warehouse may say the folders of its own, too; what is behind them is unique. */
  private static String lastPart(String name) {
    return name.substring(name.lastIndexOf('/') + 1);
  }

  /** Tells what became of files that were loaded before; their rows are duplicates. */
  void tellAgain(Map<String, Ledger.Entry> entries) {
    for (int i = 0; i < files.size(); i++) {
      Ledger.Entry entry = entries.get(files.get(i).name());
      if (entry == null) {
        continue;
      }
      entered.add(i);
      long stored = entry.refused().isPresent() ? 0 : files.get(i).size().rows();
      for (Rejected rows : entry.rejected()) {
        rejected.add(rows.of(i));
        stored -= entry.refused().isPresent() ? 0 : rows.rows().count();
      }
      int position = i;
      entry.refused().ifPresent(why -> refused.put(position, why));
      count(files.get(i).type().kind(), 0, stored);
    }
  }

  /** Returns the files that are to be loaded, by what they hold. */
  Map<StagedFile.Type, List<StagedFile>> byType() {
    Map<StagedFile.Type, List<StagedFile>> byType = new LinkedHashMap<>();
    for (int i = 0; i < files.size(); i++) {
      if (!entered.contains(i)) {
        byType.computeIfAbsent(files.get(i).type(), unused -> new ArrayList<>()).add(files.get(i));
      }
    }
    return byType;
  }

  private int position(String file) {
    return requireNonNull(positions.get(lastPart(file)), file);
  }

  /** Refuses a file that is not there: when it is staged again, it is loaded. */
  void miss(StagedFile file) {
    int position = position(file.name());
    entered.add(position);
    refused.put(position, missing(file));
  }

  /**
   * Rejects rows that were left out of a file that was copied.
   *
   * @param copied the name of the file that has the others
   * @param rows the numbers of the others in their own file
   */
  void leaveOut(StagedFile file, String copied, List<Integer> rows, List<Rejected> leftOut) {
    int position = position(file.name());
    leftOut.forEach(some -> rejected.add(some.of(position)));
    positions.put(lastPart(copied), position);
    numbers.put(lastPart(copied), rows);
  }

  /** Returns the numbers of rows in the file that was staged first. */
  private RowNumbers numbers(StagedRows.Found found) {
    List<Integer> own = numbers.get(lastPart(found.file()));
    return own == null
        ? found.rows()
        : RowNumbers.of(found.rows().stream().mapToObj(own::get).toList());
  }

  private static String missing(StagedFile file) {
    return "the staged file "
        + file.name()
        + " is neither in the stage "
        + file.stage()
        + " nor in the ledger: it was deleted by hand, or loaded so long ago that the ledger has"
        + " forgotten it; if in doubt, read the topic again from this message on";
  }

  void refuse(String file, String why) {
    refused.put(position(file), why);
  }

  void reject(Conflict conflict, List<StagedRows.Found> found) {
    String message =
        conflict.reason() == Reason.TABLE_REFUSES
            ? GroupedInserts.sentence(conflict.table().table(), conflict.words())
            : conflict.sentence();
    for (StagedRows.Found rows : found) {
      rejected.add(new Rejected(position(rows.file()), conflict.reason(), numbers(rows), message));
    }
  }

  /** Rejects all rows of the files of a type, such as those of the log of queries. */
  void rejectAll(StagedFile.Type type, String table, String why) {
    for (int i = 0; i < files.size(); i++) {
      if (!entered.contains(i) && !refused.containsKey(i) && files.get(i).type().equals(type)) {
        rejected.add(
            new Rejected(
                i,
                Reason.TABLE_REFUSES,
                new RowNumbers(List.of(new RowNumbers.Run(0, (int) files.get(i).size().rows()))),
                GroupedInserts.sentence(table, why)));
      }
    }
  }

  /**
   * Counts rows that were merged.
   *
   * @param inserted how many were new
   * @param duplicates how many were not
   */
  void count(Kind kind, long inserted, long duplicates) {
    long[] count = counts.computeIfAbsent(kind, unused -> new long[2]);
    count[0] += inserted;
    count[1] += duplicates;
  }

  void countTables(long more) {
    tables += more;
  }

  private Count count(Kind kind) {
    long[] count = counts.getOrDefault(kind, new long[2]);
    return new Count(count[0], count[1]);
  }

  Inserted inserted() {
    return new Inserted(count(Kind.OBSERVATIONS), count(Kind.QUERIES), tables, rejected, refused);
  }

  /** Returns what the ledger is to say of the files that are loaded. */
  List<Ledger.Entry> entries() {
    Map<Integer, List<Rejected>> byFile = new HashMap<>();
    rejected.forEach(
        rows -> byFile.computeIfAbsent(rows.file(), unused -> new ArrayList<>()).add(rows.of(0)));
    Instant now = Instant.now();
    List<Ledger.Entry> entries = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      if (!entered.contains(i)) {
        entries.add(
            new Ledger.Entry(
                files.get(i).name(),
                now,
                byFile.getOrDefault(i, List.of()),
                Optional.ofNullable(refused.get(i))));
      }
    }
    return entries;
  }
}
