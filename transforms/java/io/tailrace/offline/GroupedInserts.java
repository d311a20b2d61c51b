package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.BatchConnection.SickTable;
import io.tailrace.offline.InsertTally.Numbered;
import io.tailrace.offline.InsertTally.Refused;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A session that groups files by their environment, kind and type, creates the tables that a group
 * needs, and inserts group after group: a table costs about as much for one row as for a thousand.
 * A group whose content is refused is divided, down to the file that is at fault. Not thread-safe.
 *
 * <p>A table that refuses its rows is its own affair: all others get theirs first, then it is tried
 * again for as long as the connection has patience, and then its rows are rejected and it is left
 * alone for a while. Where no table takes any, and the writer's own does not either, the store
 * can't be used.
 */
public final class GroupedInserts implements InsertSession {
  private final BatchConnection connection;
  private final TableCache tables;
  private final SickTables sickTables = new SickTables(System::nanoTime);
  private final ReservedTables reserved = new ReservedTables(System::nanoTime);

  private GroupedInserts(BatchConnection connection) {
    this.connection = connection;
    this.tables = new TableCache(connection);
  }

  /** Inserts over a connection, which is closed with the session. */
  public static GroupedInserts over(BatchConnection connection) {
    return new GroupedInserts(connection);
  }

  @Override
  public Inserted insert(List<ObservationFile> files) throws UnavailableException {
    return insert(files, Optional.empty());
  }

  @Override
  public Inserted insert(List<ObservationFile> files, Finishing finishing)
      throws UnavailableException {
    return insert(files, Optional.of(finishing));
  }

  private Inserted insert(List<ObservationFile> files, Optional<Finishing> finishing)
      throws UnavailableException {
    Map<BatchGroup, List<Numbered>> groups = new TreeMap<>(BatchGroup.ORDER);
    for (int i = 0; i < files.size(); i++) {
      ObservationFile file = files.get(i);
      groups
          .computeIfAbsent(BatchGroup.of(file), unused -> new ArrayList<>())
          .add(new Numbered(i, file));
    }
    InsertTally tally = new InsertTally();
    int left = groups.size();
    for (Map.Entry<BatchGroup, List<Numbered>> group : groups.entrySet()) {
      left--;
      boolean isLast = left == 0 && tally.isWhole();
      insert(
          group.getKey(),
          group.getValue(),
          tally,
          isLast ? finishing : Optional.<Finishing>empty());
    }
    if (!tally.sick().isEmpty() || !tally.leftAlone().isEmpty()) {
      checkStore(tally);
      tryAgain(tally);
      reject(tally);
    }
    return tally.total();
  }

  private void insert(
      BatchGroup group, List<Numbered> files, InsertTally tally, Optional<Finishing> finishing)
      throws UnavailableException {
    List<Rejected> conflicts = new ArrayList<>();
    FileBatch batch;
    FileBatch well;
    BatchInserted inserted = new BatchInserted(0, 0, List.of());
    try {
      batch = group.batch(files, fittingTables(group, files, conflicts));
      SortedMap<Feature, String> all = batch.tables();
      well =
          batch.only(
              feature -> !sickTables.isSick(group.environment(), requireNonNull(all.get(feature))));
      if (!well.tables().isEmpty()) {
        inserted =
            finishing.isPresent() && conflicts.isEmpty() && well.tables().equals(all)
                ? connection.insert(well, finishing.get())
                : connection.insert(well);
      }
    } catch (ContentRejectedException e) {
      if (files.size() == 1) {
        tally.refuse(files.get(0).position(), String.valueOf(e.getMessage()));
        return;
      }
      // One of them spoils the rest.
      insert(group, files.subList(0, files.size() / 2), tally, Optional.empty());
      insert(group, files.subList(files.size() / 2, files.size()), tally, Optional.empty());
      return;
    } catch (UnavailableException e) {
      // Somebody may have dropped tables.
      tables.clear();
      throw e;
    }
    tally.rejected().addAll(conflicts);
    tally.addTables(group.kind() == Kind.QUERIES ? 0 : well.tables().size());
    add(well, files, inserted, tally);
    reserved.deleteOld(connection, well);
    if (well.tables().size() < batch.tables().size()) {
      visitSick(batch, files, tally);
    }
  }

  /** Adds what became of a batch, but for the rows of tables that refuse them. */
  private void add(
      FileBatch batch, List<Numbered> files, BatchInserted inserted, InsertTally tally) {
    tally.add(batch.kind(), inserted.rows(), inserted.duplicates());
    for (Rejected rows : inserted.rejected()) {
      tally.rejected().add(rows.of(files.get(rows.file()).position()));
    }
    for (Catalog.Conflict conflict : inserted.conflicts()) {
      tables.conflicts(batch.environment(), conflict);
      addRows(files, conflict, tally.rejected());
    }
    Set<String> untaken =
        inserted.sick().stream().map(SickTable::table).collect(Collectors.toSet());
    inserted.conflicts().forEach(conflict -> untaken.add(conflict.table().table()));
    for (String table : batch.tables().values()) {
      if (!untaken.contains(table)) {
        tally.take();
        sickTables.takes(batch.environment(), table);
      }
    }
    if (!inserted.sick().isEmpty()) {
      tally.sick().add(new Refused(batch, files, inserted.sick()));
    }
  }

  /** Tries tables that have been sick with the rows that are new, when it is time. */
  private void visitSick(FileBatch batch, List<Numbered> files, InsertTally tally)
      throws UnavailableException {
    String environment = batch.environment();
    SortedMap<Feature, String> all = batch.tables();
    List<SickTable> alone = new ArrayList<>();
    all.forEach(
        (feature, table) -> {
          if (sickTables.isLeftAlone(environment, table)) {
            alone.add(
                new SickTable(table, sickTables.why(environment, table), rows(batch, feature)));
          }
        });
    if (!alone.isEmpty()) {
      tally.leftAlone().add(new Refused(batch, files, alone));
    }
    FileBatch due =
        batch.only(
            feature ->
                sickTables.isSick(environment, requireNonNull(all.get(feature)))
                    && !sickTables.isLeftAlone(environment, requireNonNull(all.get(feature))));
    if (due.tables().isEmpty()) {
      return;
    }
    try {
      add(due, files, connection.insert(due), tally);
    } catch (ContentRejectedException e) {
      // Of one of the files: each by itself, as its own would be. Other rows of it may be inserted.
      if (files.size() == 1) {
        for (Feature feature : due.tables().keySet()) {
          RowNumbers rows = RowNumbers.of(files.get(0).file(), feature);
          tally
              .rejected()
              .add(
                  new Rejected(
                      files.get(0).position(),
                      Reason.REJECTED_BY_STORE,
                      rows,
                      String.valueOf(e.getMessage())));
        }
        return;
      }
      for (Numbered file : files) {
        List<Numbered> one = List.of(file);
        FileBatch single =
            new FileBatch(
                environment,
                due.kind(),
                due.stringKeys(),
                due.valueType(),
                List.of(file.file()),
                due.tables());
        visitSick(single, one, tally);
      }
    }
  }

  /** Returns the rows of a feature in each file of a batch. */
  private static List<Rejected> rows(FileBatch batch, Feature feature) {
    List<Rejected> all = new ArrayList<>();
    for (int file = 0; file < batch.files().size(); file++) {
      RowNumbers rows = RowNumbers.of(batch.files().get(file), feature);
      if (rows.count() > 0) {
        all.add(new Rejected(file, Reason.TABLE_REFUSES, rows, ""));
      }
    }
    return all;
  }

  /** It is the store that refuses, if it takes nothing at all. */
  private void checkStore(InsertTally tally) throws UnavailableException {
    if (tally.isTaken()) {
      return;
    }
    List<Refused> all = new ArrayList<>(tally.sick());
    all.addAll(tally.leftAlone());
    for (Refused refused : all) {
      if (!connection.takesRows(refused.environment())) {
        tables.clear();
        SickTable one = refused.tables().get(0);
        throw new UnavailableException(
            "no table of "
                + refused.environment()
                + " takes rows, the writer's own included: "
                + one.table()
                + ": "
                + one.why());
      }
    }
  }

  /** Tries tables that have just refused their rows again, for as long as there is patience. */
  private void tryAgain(InsertTally tally) throws UnavailableException {
    Retry retry = Retry.of("tables that refuse rows", connection.patience());
    while (tally.sick().stream().anyMatch(this::isNew)) {
      try {
        retry.pause(tally.sick().get(0).tables().get(0).why());
      } catch (UnavailableException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        return;
      }
      List<Refused> before = List.copyOf(tally.sick());
      tally.sick().clear();
      for (Refused refused : before) {
        if (isNew(refused)) {
          tryAgain(refused, tally);
        } else {
          tally.sick().add(refused);
        }
      }
    }
  }

  private boolean isNew(Refused refused) {
    return refused.tables().stream()
        .anyMatch(table -> !sickTables.isSick(refused.environment(), table.table()));
  }

  private void tryAgain(Refused refused, InsertTally tally) throws UnavailableException {
    FileBatch batch = refused.retry();
    try {
      BatchInserted all = connection.insert(batch);
      BatchInserted again = tally.withoutRejected(all, refused.files());
      long rejectedBefore = rows(all.rejected()) - rows(again.rejected());
      // What was taken before is there now.
      long takenBefore = batch.rows() - refused.rows() - rejectedBefore;
      tally.add(batch.kind(), 0, -takenBefore);
      add(batch, refused.files(), again, tally);
    } catch (ContentRejectedException e) {
      tally.sick().add(refused);
    }
  }

  private static long rows(List<Rejected> rejected) {
    return rejected.stream().mapToLong(each -> each.rows().count()).sum();
  }

  private void reject(InsertTally tally) {
    for (Refused refused : tally.sick()) {
      for (SickTable table : refused.tables()) {
        sickTables.refuses(refused.environment(), table.table(), table.why());
      }
    }
    List<Refused> all = new ArrayList<>(tally.sick());
    all.addAll(tally.leftAlone());
    for (Refused refused : all) {
      for (SickTable table : refused.tables()) {
        String message = sentence(table.table(), table.why());
        for (Rejected rows : table.rows()) {
          tally
              .rejected()
              .add(
                  new Rejected(
                      refused.files().get(rows.file()).position(),
                      Reason.TABLE_REFUSES,
                      rows.rows(),
                      message));
        }
      }
    }
  }

  /** Says that a table refuses rows, and what to do. */
  public static String sentence(String table, String why) {
    return "its table " + table + " refuses it: " + why + "; mend the table and replay this letter";
  }

  /** Creates the tables of the files' features and says which rows don't fit into theirs. */
  private SortedMap<Feature, String> fittingTables(
      BatchGroup group, List<Numbered> files, List<Rejected> conflicts)
      throws ContentRejectedException, UnavailableException {
    SortedMap<Feature, FeatureTable> wanted = new TreeMap<>();
    for (Numbered each : files) {
      for (FeatureRows rows : each.file().features()) {
        wanted.computeIfAbsent(
            Feature.of(rows),
            feature -> new FeatureTable(feature, group.stringKeys(), group.valueType()));
      }
    }
    doubtTablesOfReplayed(group.environment(), files, wanted);
    for (FeatureTable table : wanted.values()) {
      if (sickTables.isSick(group.environment(), table.table())
          && !sickTables.isLeftAlone(group.environment(), table.table())) {
        tables.forget(group.environment(), table);
      }
    }
    tables.require(group.environment(), wanted.values());
    if (group.kind() == Kind.QUERIES) {
      wanted.put(FeatureTable.LOG.feature(), FeatureTable.LOG);
    }
    SortedMap<Feature, String> fitting = new TreeMap<>();
    wanted.forEach(
        (feature, table) ->
            tables
                .conflict(group.environment(), table)
                .ifPresentOrElse(
                    conflict -> addRows(files, conflict, conflicts),
                    () -> fitting.put(feature, table.table())));
    return fitting;
  }

  /** Whoever sends back what a table refused has mended it, and waits for nothing. */
  private void doubtTablesOfReplayed(
      String environment, List<Numbered> files, SortedMap<Feature, FeatureTable> wanted) {
    for (Numbered each : files) {
      if (each.file().message().replayed().isPresent()) {
        for (FeatureRows rows : each.file().features()) {
          FeatureTable table = requireNonNull(wanted.get(Feature.of(rows)));
          tables.doubt(environment, table);
          sickTables.isPerhapsMended(environment, table.table());
        }
      }
    }
  }

  private static void addRows(
      List<Numbered> files, Catalog.Conflict conflict, List<Rejected> conflicts) {
    String message = conflict.sentence();
    for (Numbered each : files) {
      RowNumbers rows = RowNumbers.of(each.file(), conflict.table().feature());
      if (rows.count() > 0) {
        conflicts.add(new Rejected(each.position(), conflict.reason(), rows, message));
      }
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}
