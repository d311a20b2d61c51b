package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.BulkLoader;
import io.tailrace.offline.bulk.WideLoads;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.StagedSession;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.offline.warehouse.WarehouseLoader.Latest;
import java.io.Serializable;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Loads files with results into a warehouse: by its own COPY those that it can read itself, and of
 * all others, and of what that leaves, the rows are decoded, staged and loaded as those of the
 * streaming path are. Immutable.
 *
 * @param latest whether the newest observations are kept beside history
 * @param copy how files are copied; null: the warehouse reads none itself
 */
public record WarehouseBulk(WarehouseDialect dialect, Latest latest, @Nullable WideCopy copy)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /**
   * Opens what loads files.
   *
   * @param session for copies and the ledger, closed with the loader
   */
  public BulkLoader open(StagedStore store, WarehouseSession session) {
    WarehouseCatalog catalog = new WarehouseCatalog(session, dialect);
    WarehouseLedger ledger = new WarehouseLedger(dialect, catalog, WarehouseTables.BULK_LEDGER);
    WideLoads wide =
        copy == null
            ? new Decoded(session)
            : new WarehouseWideLoads(session, this, copy, catalog, ledger);
    return new BulkLoader(wide, StagedSession.into(store), new Book(ledger));
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

  /** The ledger of files with results, of which the last load of one stands. */
  private record Book(WarehouseLedger ledger) implements Ledger.Book {
    @Override
    public Map<String, Entry> find(String environment, Collection<String> names)
        throws UnavailableException {
      return names.isEmpty() ? Map.of() : ledger.find(environment, names);
    }

    @Override
    public void enter(String environment, List<Entry> entries) throws UnavailableException {
      ledger.replace(environment, entries);
    }

    @Override
    public void forget(String environment, Instant before) throws UnavailableException {
      ledger.forget(environment, before);
    }
  }
}
