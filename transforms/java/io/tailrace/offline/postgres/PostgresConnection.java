package io.tailrace.offline.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.Dividing;
import io.tailrace.offline.Dividing.Divided;
import io.tailrace.offline.Dividing.Refusal;
import io.tailrace.offline.Dividing.Refused;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.Finishing;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.postgres.PostgresAddress.Index;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.QueryRow;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.SqlState;
import io.tailrace.v1.DeadLetter.Reason;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Creates tables of PostgreSQL and inserts into them. Not thread-safe. */
final class PostgresConnection implements BatchConnection {
  private final PostgresAddress address;
  private final QueryLog log;
  private final PostgresSession session;
  private final PostgresTables tables;
  private final PostgresBulkLedger ledger;
  // Tables of each schema that are known to be as they are wanted.
  private final Map<String, Map<FeatureTable, TableFacts>> known = new HashMap<>();

  PostgresConnection(PostgresAddress address, QueryLog log) {
    this.address = address;
    this.log = log;
    this.session = new PostgresSession(address.server());
    this.tables = new PostgresTables(address, session, log);
    this.ledger = new PostgresBulkLedger(address, session);
  }

  /** Returns the ledger of files with results, which is kept in the same session. */
  PostgresBulkLedger ledger() {
    return ledger;
  }

  @Override
  public List<Conflict> create(String environment, List<FeatureTable> wanted)
      throws ContentRejectedException, UnavailableException {
    return tables.create(address.schema(environment), wanted);
  }

  @Override
  public boolean takesRows(String environment) throws UnavailableException {
    return tables.takesRows(address.schema(environment));
  }

  @Override
  public void deleteOld(String environment, String table, Duration age)
      throws UnavailableException {
    tables.deleteOld(address.schema(environment), table, age);
  }

  @Override
  public Duration patience() {
    return address.server().timeouts().retryFor();
  }

  @Override
  public BatchInserted insert(FileBatch batch)
      throws ContentRejectedException, UnavailableException {
    String schema = address.schema(batch.environment());
    return batch.kind() == ObservationFile.Kind.QUERIES
        ? insertQueries(batch, schema)
        : new ObservationBatch(batch, schema, Optional.empty()).insert();
  }

  @Override
  public BatchInserted insert(FileBatch batch, Finishing finishing)
      throws ContentRejectedException, UnavailableException {
    if (batch.kind() == ObservationFile.Kind.QUERIES) {
      return insert(batch);
    }
    ledger.create(finishing.environment());
    return new ObservationBatch(batch, address.schema(batch.environment()), Optional.of(finishing))
        .insert();
  }

  private BatchInserted insertQueries(FileBatch batch, String schema)
      throws ContentRejectedException, UnavailableException {
    BatchQueries queries = new BatchQueries(batch, log);
    List<QueryRow> all = queries.queries();
    long[] rows = {0};
    boolean[] created = {false};
    Divided divided =
        Dividing.divide(
            all.size(),
            (from, to) -> {
              while (true) {
                QueryInsert insert = new QueryInsert(all.subList(from, to), log, schema);
                try {
                  insert.run(session);
                  return Optional.empty();
                } catch (RefusedException e) {
                  if (created[0] || SqlState.meaning(e.refusal()) != SqlState.Meaning.TABLES) {
                    return Optional.of(refusal(e));
                  }
                } finally {
                  rows[0] += insert.rows();
                }
                createLog(schema);
                created[0] = true;
              }
            });
    List<Rejected> rejected = new ArrayList<>(queries.rejected());
    List<SickTable> sick = new ArrayList<>();
    long refused = 0;
    for (Refused each : divided.refused()) {
      List<QueryRow> some = all.subList(each.from(), each.to());
      List<Rejected> those =
          divided.isSick()
              ? queries.refused(some, Reason.TABLE_REFUSES, each.refusal().why())
              : queries.refused(
                  some, each.refusal().reason(), sentence(TableNames.QUERY_LOG, each.refusal()));
      refused += those.stream().mapToLong(one -> one.rows().count()).sum();
      if (divided.isSick()) {
        sick.add(new SickTable(TableNames.QUERY_LOG, each.refusal().why(), those));
      } else {
        rejected.addAll(those);
      }
    }
    return new BatchInserted(
        rows[0], queries.accepted() - rows[0] - refused, rejected, sick, List.of());
  }

  private static String sentence(String table, Refusal refusal) {
    return refusal.reason() == Reason.TABLE_REFUSES
        ? GroupedInserts.sentence(table, refusal.why())
        : "PostgreSQL refuses it: " + refusal.why();
  }

  private void createLog(String schema) throws UnavailableException {
    try {
      List<Conflict> unused = tables.create(schema, List.of());
    } catch (ContentRejectedException e) {
      throw new UnavailableException(String.valueOf(e.getMessage()), e);
    }
  }

  private Refusal refusal(RefusedException e) {
    boolean ofRows = SqlState.mayBeOfRows(e.refusal());
    return new Refusal(
        ofRows && SqlState.isOfValue(e.refusal()) ? Reason.REJECTED_BY_STORE : Reason.TABLE_REFUSES,
        !ofRows,
        SqlState.message(e.refusal()));
  }

  /** A batch of observations on its way into the tables. */
  private final class ObservationBatch {
    private final String schema;
    private final Optional<Finishing> finishing;
    private final BatchRows decoded;
    private final List<FeatureTable> wanted;
    private final List<Rejected> rejected;
    private final Map<String, SickTable> sick = new HashMap<>();
    private final List<Conflict> conflicts = new ArrayList<>();
    private ObservationInsert.Into into;
    private long rows;
    private long refused;
    private long conflicting;

    ObservationBatch(FileBatch batch, String schema, Optional<Finishing> finishing)
        throws ContentRejectedException {
      this.schema = schema;
      this.finishing = finishing;
      decoded = new BatchRows(batch, address.index() == Index.PKEY);
      rejected = new ArrayList<>(decoded.rejected());
      into = new ObservationInsert.Into(schema, Map.of());
      wanted =
          batch.tables().keySet().stream()
              .map(feature -> new FeatureTable(feature, batch.stringKeys(), batch.valueType()))
              .toList();
    }

    /** Inserts. What is not there, or not as it was, is looked up anew once, or created. */
    BatchInserted insert() throws ContentRejectedException, UnavailableException {
      List<TableRows> todo = lookUp();
      boolean lookedUpAnew = false;
      while (!todo.isEmpty()) {
        Optional<Finishing> last =
            finishing.filter(unused -> rejected.isEmpty() && sick.isEmpty() && conflicts.isEmpty());
        ObservationInsert insert =
            new ObservationInsert(decoded, todo, into, connection -> finish(connection, last));
        try {
          insert.run(session);
          rows += insert.rows();
          todo = List.of();
          last.ifPresent(Finishing::finish);
        } catch (RefusedException e) {
          rows += insert.rows();
          List<TableRows> rest = insert.rest();
          if (!lookedUpAnew && SqlState.meaning(e.refusal()) == SqlState.Meaning.TABLES) {
            lookedUpAnew = true;
            todo = lookUpAnew(rest);
          } else {
            for (TableRows one : rest.subList(0, insert.attempted())) {
              insertAlone(one);
            }
            todo = rest.subList(insert.attempted(), rest.size());
          }
        }
      }
      // A table that was dropped in between has taken some rows twice.
      long taken = decoded.accepted() - refused - conflicting;
      long counted = Math.max(0, Math.min(rows, taken));
      return new BatchInserted(
          counted, taken - counted, rejected, List.copyOf(sick.values()), conflicts);
    }

    private void finish(Connection connection, Optional<Finishing> last) throws SQLException {
      if (last.isPresent()) {
        long unused = ledger.enter(connection, last.get().environment(), last.get().entries());
      }
    }

    /**
     * Returns the rows of tables that are as they are wanted. Those that this connection sees for
     * the first time are created, or looked at.
     */
    private List<TableRows> lookUp() throws ContentRejectedException, UnavailableException {
      Map<FeatureTable, TableFacts> knownHere =
          known.computeIfAbsent(schema, any -> new HashMap<>());
      List<FeatureTable> unknown =
          wanted.stream().filter(table -> !knownHere.containsKey(table)).toList();
      conflicts.clear();
      if (!unknown.isEmpty()) {
        for (Conflict conflict : tables.create(schema, unknown)) {
          if (!conflict.table().equals(FeatureTable.LOG)) {
            conflicts.add(conflict);
          }
        }
        List<FeatureTable> fitting = new ArrayList<>(unknown);
        conflicts.forEach(conflict -> fitting.remove(conflict.table()));
        Map<String, TableFacts> facts =
            tables.facts(schema, fitting.stream().map(FeatureTable::table).toList());
        for (FeatureTable table : fitting) {
          TableFacts found = facts.get(table.table());
          if (found == null) {
            throw new UnavailableException(
                address.text()
                    + ": the table "
                    + POSTGRES.place(schema, table.table())
                    + " vanishes when created");
          }
          knownHere.put(table, found);
        }
      }
      Map<String, TableFacts> facts = new HashMap<>();
      wanted.forEach(
          table -> {
            if (knownHere.containsKey(table)) {
              facts.put(table.table(), knownHere.get(table));
            }
          });
      into = new ObservationInsert.Into(schema, facts);
      List<TableRows> all =
          decoded.tables(
              facts.entrySet().stream()
                  .filter(table -> table.getValue().isPartitioned())
                  .map(Map.Entry::getKey)
                  .collect(Collectors.toSet()));
      conflicting = 0;
      for (TableRows some : all) {
        conflicting += facts.containsKey(some.table()) ? 0 : some.rows().length;
      }
      return all.stream().filter(some -> facts.containsKey(some.table())).toList();
    }

    /** Does so again for tables that are not inserted into, with the partitions that they need. */
    private List<TableRows> lookUpAnew(List<TableRows> rest)
        throws ContentRejectedException, UnavailableException {
      known.remove(schema);
      Set<String> left = new HashSet<>();
      rest.forEach(some -> left.add(some.table()));
      List<TableRows> todo = new ArrayList<>();
      for (TableRows some : lookUp()) {
        if (left.contains(some.table())) {
          todo.add(some);
        }
      }
      Map<String, String> without = tables.createPartitions(schema, todo);
      for (TableRows some : todo) {
        if (without.containsKey(some.table())) {
          addSick(some.table(), without.get(some.table()), some.rows());
        }
      }
      todo.removeIf(some -> without.containsKey(some.table()));
      return todo;
    }

    private void insertAlone(TableRows some) throws UnavailableException {
      Divided divided =
          Dividing.divide(
              some.rows().length,
              (from, to) -> {
                TableRows part =
                    new TableRows(
                        some.table(), some.month(), Arrays.copyOfRange(some.rows(), from, to));
                ObservationInsert insert =
                    new ObservationInsert(decoded, List.of(part), into, connection -> {});
                try {
                  insert.run(session);
                  return Optional.empty();
                } catch (RefusedException e) {
                  return Optional.of(refusal(e));
                } finally {
                  rows += insert.rows();
                }
              });
      for (Refused each : divided.refused()) {
        long[] places = Arrays.copyOfRange(some.rows(), each.from(), each.to());
        if (divided.isSick()) {
          addSick(some.table(), each.refusal().why(), places);
        } else {
          refused += places.length;
          rejected.addAll(
              BatchRows.refused(
                  places, each.refusal().reason(), sentence(some.table(), each.refusal())));
        }
      }
    }

    private void addSick(String table, String why, long[] places) {
      // Whatever it is, the table may be another one when it is tried next.
      known.remove(schema);
      refused += places.length;
      List<Rejected> more = BatchRows.refused(places, Reason.TABLE_REFUSES, why);
      sick.merge(
          table,
          new SickTable(table, why, more),
          (before, other) -> {
            List<Rejected> both = new ArrayList<>(before.rows());
            both.addAll(more);
            return new SickTable(table, why, both);
          });
    }
  }

  @Override
  public void close() {
    session.close();
  }
}
