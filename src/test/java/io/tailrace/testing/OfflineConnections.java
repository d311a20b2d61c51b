package io.tailrace.testing;

import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.duckdb.DuckDbOfflineStore;
import io.tailrace.offline.postgres.PostgresOfflineStore;

/** Opens connections to those stores that insert over one. */
public final class OfflineConnections {
  private OfflineConnections() {}

  /** Opens a connection. */
  public static BatchConnection to(OfflineStore store) {
    return store instanceof DuckDbOfflineStore duckDb
        ? duckDb.connect()
        : ((PostgresOfflineStore) store).connect();
  }
}
