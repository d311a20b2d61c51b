package io.tailrace.shelf;

import static io.tailrace.shelf.ShelfDatabase.literal;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.Inserted.Count;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.LedgerText;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.QueryLog;
import java.net.URI;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Copies staged files into a typed staging table, type after type, and merges it into the tables of
 * the features, each within the time of its own new rows; all of that and the ledger in one
 * transaction. Reads no file itself.
 */
record ShelfLoader(ShelfDatabase database) implements Loader, Ledger {
  private static final String COLUMNS =
      "observation_id, pkey, observed_at, resolver_fqn, deployment_id, operation_id, deleted";

  @Override
  public Inserted load(Stage.Connection stage, List<StagedFile> files) throws UnavailableException {
    // A table that refuses its rows ends the transaction: the next goes without it.
    Map<String, String> sick = new HashMap<>();
    while (true) {
      try {
        return database.transaction(statement -> load(statement, files, sick));
      } catch (SickException e) {
        sick.put(e.table, String.valueOf(e.getMessage()));
      }
    }
  }

  private static final class SickException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final String table;

    SickException(String table, SQLException cause) {
      super(cause.getMessage(), cause);
      this.table = table;
    }
  }

  private static Inserted load(
      Statement statement, List<StagedFile> files, Map<String, String> sick) throws SQLException {
    String schema = files.get(0).type().environment();
    List<Conflict> none = ShelfCatalog.create(statement, schema, List.of());
    createLedger(statement, schema);
    Map<String, Entry> entered = entries(statement, schema);
    List<Rejected> rejected = new ArrayList<>();
    Map<StagedFile.Type, List<Integer>> byType = new LinkedHashMap<>();
    long known = none.size();
    for (int i = 0; i < files.size(); i++) {
      Entry entry = entered.get(files.get(i).name());
      if (entry == null) {
        byType.computeIfAbsent(files.get(i).type(), unused -> new ArrayList<>()).add(i);
      } else {
        known += files.get(i).size().rows();
        for (Rejected rows : entry.rejected()) {
          rejected.add(rows.of(i));
          known -= rows.rows().count();
        }
      }
    }
    // Deletions first: of an observation and a deletion with one id, the deletion stands.
    List<StagedFile.Type> types = new ArrayList<>(byType.keySet());
    types.sort(Comparator.comparing(type -> type.valueType().isPresent()));
    Count rows = Count.NONE;
    Count queries = Count.NONE;
    for (StagedFile.Type type : types) {
      List<Integer> positions = byType.get(type);
      copy(statement, files, positions);
      List<Rejected> refused = new ArrayList<>();
      long all = positions.stream().mapToLong(each -> files.get(each).size().rows()).sum();
      if (type.kind() == Kind.QUERIES) {
        queries = plus(queries, mergeQueries(statement, schema), all);
      } else {
        long inserted = merge(statement, type, sick, refused);
        rows =
            plus(rows, inserted, all - refused.stream().mapToLong(it -> it.rows().count()).sum());
      }
      rejected.addAll(refused);
      for (int position : positions) {
        enter(
            statement,
            schema,
            files.get(position).name(),
            refused.stream().filter(it -> it.file() == position).map(it -> it.of(0)).toList());
      }
    }
    return new Inserted(rows.andKnown(known), queries, byType.size(), rejected, Map.of());
  }

  private static Count plus(Count some, long inserted, long all) {
    return new Count(some.inserted() + inserted, some.duplicates() + all - inserted);
  }

  private static void copy(Statement statement, List<StagedFile> files, List<Integer> positions)
      throws SQLException {
    statement.execute(
        positions.stream()
            .map(
                position ->
                    "SELECT *, "
                        + position
                        + " AS file FROM read_parquet("
                        + literal(
                            URI.create(files.get(position).stage()).getPath()
                                + "/"
                                + files.get(position).name())
                        + ", hive_partitioning = false, file_row_number = true)")
            .collect(
                Collectors.joining(
                    " UNION ALL BY NAME ", "CREATE OR REPLACE TEMP TABLE staging AS ", "")));
  }

  /** What a feature has in the staging table. */
  private record Staged(FeatureTable table, String from, String to) {}

  private static long merge(
      Statement statement, StagedFile.Type type, Map<String, String> sick, List<Rejected> rejected)
      throws SQLException {
    List<Staged> features = new ArrayList<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT namespace, feature, epoch_us(min(observed_at)), epoch_us(max(observed_at))"
                + " FROM staging GROUP BY namespace, feature ORDER BY feature, namespace")) {
      while (found.next()) {
        features.add(
            new Staged(
                new FeatureTable(
                    new Feature(found.getString(1), found.getString(2)),
                    type.stringKeys(),
                    type.valueType()),
                found.getString(3),
                found.getString(4)));
      }
    }
    Map<FeatureTable, Conflict> conflicts = new HashMap<>();
    ShelfCatalog.create(
            statement, type.environment(), features.stream().map(Staged::table).toList())
        .forEach(conflict -> conflicts.put(conflict.table(), conflict));
    String value = type.valueType().isPresent() ? ", value" : "";
    String order =
        "observation_id"
            + type.valueType()
                .map(it -> ", value IS NULL DESC, " + ShelfDatabase.greatestFirst(it))
                .orElse("");
    long inserted = 0;
    for (Staged feature : features) {
      Conflict conflict = conflicts.get(feature.table);
      if (conflict != null) {
        reject(statement, conflict, rejected);
        continue;
      }
      String name = feature.table.table();
      if (sick.containsKey(name)) {
        reject(
            statement, Conflict.ofTable(feature.table, "refuses it: " + sick.get(name)), rejected);
        continue;
      }
      String table = type.environment() + "." + name;
      String insert =
          "INSERT INTO "
              + table
              + "("
              + COLUMNS
              + value
              + ") SELECT DISTINCT ON (observation_id) "
              + COLUMNS
              + value
              + " FROM staging WHERE "
              + isOf(feature.table.feature())
              + " AND observation_id NOT IN (SELECT observation_id FROM "
              + table
              + " WHERE observed_at BETWEEN make_timestamptz("
              + feature.from
              + ") AND make_timestamptz("
              + feature.to
              + ")) ORDER BY "
              + order;
      try {
        inserted += statement.executeUpdate(insert);
      } catch (SQLException e) {
        throw new SickException(name, e);
      }
    }
    return inserted;
  }

  private static String isOf(Feature feature) {
    return "namespace = "
        + literal(feature.namespace())
        + " AND feature = "
        + literal(feature.text());
  }

  private static void reject(Statement statement, Conflict conflict, List<Rejected> rejected)
      throws SQLException {
    try (ResultSet found =
        statement.executeQuery(
            "SELECT file, min(file_row_number), count(*) FROM staging WHERE "
                + isOf(conflict.table().feature())
                + " GROUP BY file ORDER BY file")) {
      while (found.next()) {
        rejected.add(
            new Rejected(
                found.getInt(1),
                conflict.reason(),
                new RowNumbers(List.of(new RowNumbers.Run(found.getInt(2), found.getInt(3)))),
                "its table " + conflict.table().table() + " " + conflict.words()));
      }
    }
  }

  private static long mergeQueries(Statement statement, String schema) throws SQLException {
    String log = schema + ".query_log";
    String columns =
        QueryLog.CURRENT.columns().stream()
            .map(QueryLog.Column::name)
            .collect(Collectors.joining(", "));
    statement.execute(
        "CREATE OR REPLACE TEMP TABLE folded AS SELECT "
            + QueryLog.CURRENT.columns().stream()
                .map(
                    column ->
                        column.name().equals("operation_id")
                            ? column.name()
                            : column.name().equals("value_tables")
                                ? "list_sort(list_distinct(flatten(list(value_tables)))) AS"
                                    + " value_tables"
                                : "any_value(" + column.name() + ") AS " + column.name())
                .collect(Collectors.joining(", "))
            + " FROM staging GROUP BY operation_id");
    statement.execute(
        "UPDATE "
            + log
            + " AS log SET value_tables = list_sort(list_distinct(list_concat(log.value_tables,"
            + " folded.value_tables))) FROM folded WHERE log.operation_id = folded.operation_id");
    return statement.executeUpdate(
        "INSERT INTO "
            + log
            + "("
            + columns
            + ") SELECT "
            + columns
            + " FROM folded WHERE operation_id NOT IN (SELECT operation_id FROM "
            + log
            + ")");
  }

  private static void createLedger(Statement statement, String schema) throws SQLException {
    statement.execute(
        "CREATE TABLE IF NOT EXISTS "
            + schema
            + ".loaded(name VARCHAR PRIMARY KEY, loaded_at TIMESTAMPTZ, rejected VARCHAR)");
  }

  private static void enter(
      Statement statement, String schema, String name, List<Rejected> rejected)
      throws SQLException {
    statement.execute(
        "INSERT INTO "
            + schema
            + ".loaded VALUES ("
            + literal(name)
            + ", current_timestamp, "
            + literal(LedgerText.of(rejected))
            + ")");
  }

  private static Map<String, Entry> entries(Statement statement, String schema)
      throws SQLException {
    Map<String, Entry> entries = new HashMap<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT name, epoch_us(loaded_at), rejected FROM " + schema + ".loaded")) {
      while (found.next()) {
        entries.put(
            found.getString(1),
            new Entry(
                found.getString(1),
                Instant.EPOCH.plus(found.getLong(2), ChronoUnit.MICROS),
                LedgerText.rejected(found.getString(3)),
                Optional.empty()));
      }
    }
    return entries;
  }

  @Override
  public Ledger ledger() {
    return this;
  }

  @Override
  public Map<String, Entry> find(String environment, Collection<String> names)
      throws UnavailableException {
    Map<String, Entry> found =
        database.transaction(
            statement -> {
              ShelfCatalog.create(statement, environment, List.of());
              createLedger(statement, environment);
              return entries(statement, environment);
            });
    found.keySet().retainAll(names);
    return found;
  }

  @Override
  public void forget(String environment, Instant before) throws UnavailableException {
    int unused =
        database.transaction(
            statement ->
                statement.executeUpdate(
                    "DELETE FROM "
                        + environment
                        + ".loaded WHERE loaded_at < make_timestamptz("
                        + ChronoUnit.MICROS.between(Instant.EPOCH, before)
                        + ")"));
  }

  @Override
  public void close() {}
}
