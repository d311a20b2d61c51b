package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.offline.Inserted.Count;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A session that groups files by their environment, kind and type, creates the tables that a group
 * needs, and inserts group after group: a table costs about as much for one row as for a thousand.
 * A group whose content is refused is divided, down to the file that is at fault. Not thread-safe.
 */
public final class GroupedInserts implements InsertSession {
  private final BatchConnection connection;
  private final TableCache tables;

  private GroupedInserts(BatchConnection connection) {
    this.connection = connection;
    this.tables = new TableCache(connection);
  }

  /** Inserts over a connection, which is closed with the session. */
  public static GroupedInserts over(BatchConnection connection) {
    return new GroupedInserts(connection);
  }

  /** What the files of a batch have in common. */
  private record Group(
      String environment, Kind kind, boolean stringKeys, Optional<ValueType> valueType) {
    /** Deletions first: of an observation and a deletion with one id, the deletion stands. */
    static final Comparator<Group> ORDER =
        Comparator.comparing(Group::environment)
            .thenComparing(Group::kind)
            .thenComparing(group -> group.valueType.map(Enum::ordinal).orElse(-1))
            .thenComparing(Group::stringKeys);

    static Group of(ObservationFile file) {
      return new Group(file.environment(), file.kind(), file.stringKeys(), file.valueType());
    }
  }

  /** A file with its position in the list. */
  private record Numbered(int position, ObservationFile file) {}

  /** What became of the files so far. */
  private static final class Tally {
    private Count rows = Count.NONE;
    private Count queries = Count.NONE;
    private long tables;
    private final List<Rejected> rejected = new ArrayList<>();
    private final Map<Integer, String> refused = new HashMap<>();

    void add(FileBatch batch, BatchInserted inserted) {
      if (batch.kind() == Kind.QUERIES) {
        queries = queries.plus(inserted.rows(), inserted.duplicates());
      } else {
        rows = rows.plus(inserted.rows(), inserted.duplicates());
        tables += batch.tables().size();
      }
    }

    Inserted total() {
      return new Inserted(rows, queries, tables, rejected, refused);
    }
  }

  @Override
  public Inserted insert(List<ObservationFile> files) throws UnavailableException {
    Map<Group, List<Numbered>> groups = new TreeMap<>(Group.ORDER);
    for (int i = 0; i < files.size(); i++) {
      ObservationFile file = files.get(i);
      groups
          .computeIfAbsent(Group.of(file), unused -> new ArrayList<>())
          .add(new Numbered(i, file));
    }
    Tally tally = new Tally();
    for (Map.Entry<Group, List<Numbered>> group : groups.entrySet()) {
      insert(group.getKey(), group.getValue(), tally);
    }
    return tally.total();
  }

  private void insert(Group group, List<Numbered> files, Tally tally) throws UnavailableException {
    List<Rejected> conflicts = new ArrayList<>();
    FileBatch batch;
    BatchInserted inserted;
    try {
      batch =
          new FileBatch(
              group.environment,
              group.kind,
              group.stringKeys,
              group.valueType,
              files.stream().map(Numbered::file).toList(),
              fittingTables(group, files, conflicts));
      inserted = connection.insert(batch);
    } catch (ContentRejectedException e) {
      if (files.size() == 1) {
        tally.refused.put(files.get(0).position, String.valueOf(e.getMessage()));
        return;
      }
      // One of them spoils the rest.
      insert(group, files.subList(0, files.size() / 2), tally);
      insert(group, files.subList(files.size() / 2, files.size()), tally);
      return;
    } catch (UnavailableException e) {
      // Somebody may have dropped tables.
      tables.clear();
      throw e;
    }
    tally.add(batch, inserted);
    tally.rejected.addAll(conflicts);
    for (Rejected rows : inserted.rejected()) {
      tally.rejected.add(rows.of(files.get(rows.file()).position));
    }
  }

  /** Creates the tables of the files' features and says which rows don't fit into theirs. */
  private SortedMap<Feature, String> fittingTables(
      Group group, List<Numbered> files, List<Rejected> conflicts)
      throws ContentRejectedException, UnavailableException {
    SortedMap<Feature, FeatureTable> wanted = new TreeMap<>();
    for (Numbered each : files) {
      for (FeatureRows rows : each.file.features()) {
        wanted.computeIfAbsent(
            Feature.of(rows),
            feature -> new FeatureTable(feature, group.stringKeys, group.valueType));
      }
    }
    tables.require(group.environment, wanted.values());
    SortedMap<Feature, String> fitting = new TreeMap<>();
    wanted.forEach(
        (feature, table) ->
            tables
                .conflict(group.environment, table)
                .ifPresentOrElse(
                    conflict -> addRows(files, conflict, conflicts),
                    () -> fitting.put(feature, table.table())));
    return fitting;
  }

  private static void addRows(
      List<Numbered> files, Catalog.Conflict conflict, List<Rejected> conflicts) {
    String message = TableCache.sentence(conflict);
    for (Numbered each : files) {
      RowNumbers rows = RowNumbers.of(each.file, conflict.table().feature());
      if (rows.count() > 0) {
        conflicts.add(new Rejected(each.position, conflict.reason(), rows, message));
      }
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}
