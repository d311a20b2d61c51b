package io.tailrace.offline.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.postgres.PostgresAddress.Index;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.QueryLog;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.SqlState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Creates tables of PostgreSQL and inserts into them. Not thread-safe. */
final class PostgresConnection implements BatchConnection {
  private final PostgresAddress address;
  private final QueryLog log;
  private final PostgresSession session;
  private final PostgresTables tables;
  // Tables of each schema that are known to be as they are wanted, and whether they are
  // partitioned.
  private final Map<String, Map<FeatureTable, Boolean>> known = new HashMap<>();

  PostgresConnection(PostgresAddress address, QueryLog log) {
    this.address = address;
    this.log = log;
    this.session = new PostgresSession(address.server());
    this.tables = new PostgresTables(address, session, log);
  }

  /** Makes rows ready to be inserted into tables as they are now. */
  private interface Plan {
    BatchInsert make() throws ContentRejectedException, UnavailableException;
  }

  /** Creates whatever rows need. */
  private interface Creation {
    void run() throws ContentRejectedException, UnavailableException;
  }

  @Override
  public List<Conflict> create(String environment, List<FeatureTable> wanted)
      throws ContentRejectedException, UnavailableException {
    return tables.create(address.schema(environment), wanted);
  }

  @Override
  public BatchInserted insert(FileBatch batch)
      throws ContentRejectedException, UnavailableException {
    String schema = address.schema(batch.environment());
    if (batch.kind() == ObservationFile.Kind.QUERIES) {
      BatchQueries queries = new BatchQueries(batch, log);
      long rows =
          insert(
              () -> new QueryInsert(queries.queries(), log, schema),
              () -> createTables(schema, List.of()));
      return new BatchInserted(rows, queries.accepted() - rows, queries.rejected());
    }
    BatchRows decoded = new BatchRows(batch, address.index() == Index.PKEY);
    List<FeatureTable> wanted =
        batch.tables().keySet().stream()
            .map(feature -> new FeatureTable(feature, batch.stringKeys(), batch.valueType()))
            .toList();
    long rows =
        insert(
            () ->
                new ObservationInsert(
                    decoded,
                    decoded.tables(partitioned(schema, wanted)),
                    schema,
                    batch.stringKeys(),
                    batch.valueType()),
            () -> {
              known.remove(schema);
              tables.createPartitions(schema, decoded.tables(partitioned(schema, wanted)));
            });
    // A table that was dropped in between has taken some rows twice.
    long counted = Math.min(rows, decoded.accepted());
    return new BatchInserted(counted, decoded.accepted() - counted, decoded.rejected());
  }

  /**
   * Inserts. If a table or a partition is not there, creates what is missing and begins again.
   *
   * @return how many rows are new in the store
   */
  private long insert(Plan plan, Creation creation)
      throws ContentRejectedException, UnavailableException {
    long rows = 0;
    boolean created = false;
    while (true) {
      BatchInsert insert = plan.make();
      try {
        insert.run(session);
        return rows + insert.rows();
      } catch (RefusedException e) {
        if (created || SqlState.meaning(e.refusal()) != SqlState.Meaning.TABLES) {
          throw refused(e);
        }
      }
      rows += insert.rows();
      creation.run();
      created = true;
    }
  }

  private void createTables(String schema, List<FeatureTable> wanted)
      throws ContentRejectedException, UnavailableException {
    for (Conflict conflict : tables.create(schema, wanted)) {
      throw new UnavailableException(
          address.text()
              + ": the table "
              + POSTGRES.place(schema, conflict.table().table())
              + " "
              + conflict.words());
    }
  }

  /**
   * Returns which tables are partitioned. Those that this connection sees for the first time are
   * created, or looked at: PostgreSQL would convert a value into one of another type.
   */
  private Set<String> partitioned(String schema, List<FeatureTable> wanted)
      throws ContentRejectedException, UnavailableException {
    Map<FeatureTable, Boolean> knownHere = known.computeIfAbsent(schema, any -> new HashMap<>());
    List<FeatureTable> unknown =
        wanted.stream().filter(table -> !knownHere.containsKey(table)).toList();
    if (!unknown.isEmpty()) {
      createTables(schema, unknown);
      Set<String> partitioned =
          tables.partitioned(schema, unknown.stream().map(FeatureTable::table).toList());
      unknown.forEach(table -> knownHere.put(table, partitioned.contains(table.table())));
    }
    Set<String> partitioned = new HashSet<>();
    for (FeatureTable table : wanted) {
      if (knownHere.getOrDefault(table, false)) {
        partitioned.add(table.table());
      }
    }
    return partitioned;
  }

  private UnavailableException refused(RefusedException e) throws ContentRejectedException {
    boolean forContent =
        switch (SqlState.meaning(e.refusal())) {
          case CONTENT -> true;
          // The partitions are there: somebody has a rule of their own for what is in a table.
          case TABLES -> SqlState.isCheckViolation(e.refusal());
          case CONNECTION, LATER, FINAL -> false;
        };
    if (forContent) {
      throw new ContentRejectedException(
          address.text() + " refuses the content: " + SqlState.message(e.refusal()), e);
    }
    return new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
  }

  @Override
  public void close() {
    session.close();
  }
}
