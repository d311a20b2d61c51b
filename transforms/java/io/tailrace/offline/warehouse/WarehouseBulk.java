package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.BulkLoader;
import io.tailrace.offline.bulk.WideLoads;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.StagedSession;
import io.tailrace.offline.staging.StagedStore;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Loads files with results into a warehouse: their rows are decoded, staged and loaded as those of
 * the streaming path are. Stateless and thread-safe.
 */
public final class WarehouseBulk {
  private WarehouseBulk() {}

  /**
   * Opens what loads files.
   *
   * @param session for the ledger, closed with the loader
   */
  public static BulkLoader open(
      StagedStore store, WarehouseSession session, WarehouseDialect dialect) {
    return new BulkLoader(
        new Decoded(session), StagedSession.into(store), new Book(session, dialect));
  }

  /** Has all columns decoded. */
  private record Decoded(WarehouseSession session) implements WideLoads {
    @Override
    public Most most() {
      return NONE.most();
    }

    @Override
    public Loaded load(Batch batch) throws UnavailableException {
      return NONE.load(batch);
    }

    @Override
    public void close() {
      session.close();
    }
  }

  /** The ledger of files with results. */
  private static final class Book implements Ledger.Book {
    private final WarehouseSession session;
    private final WarehouseDialect dialect;
    private final WarehouseLedger ledger;

    Book(WarehouseSession session, WarehouseDialect dialect) {
      this.session = session;
      this.dialect = dialect;
      this.ledger =
          new WarehouseLedger(
              dialect, new WarehouseCatalog(session, dialect), WarehouseTables.BULK_LEDGER);
    }

    @Override
    public Map<String, Entry> find(String environment, Collection<String> names)
        throws UnavailableException {
      return names.isEmpty() ? Map.of() : ledger.find(environment, names);
    }

    @Override
    public void enter(String environment, List<Entry> entries) throws UnavailableException {
      if (entries.isEmpty()) {
        return;
      }
      String loadId = UUID.randomUUID().toString();
      boolean unused =
          session.require(
              statements -> {
                dialect.transaction(
                    statements,
                    () -> {
                      dialect.lock(
                          statements,
                          dialect.place(dialect.schema(environment), WarehouseTables.LOCK.name()));
                      ledger.takeOut(
                          statements, environment, entries.stream().map(Entry::name).toList());
                      ledger.enter(statements, environment, loadId, entries);
                    });
                return true;
              });
    }

    @Override
    public void forget(String environment, Instant before) throws UnavailableException {
      ledger.forget(environment, before);
    }
  }
}
