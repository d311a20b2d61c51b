package io.tailrace.offline;

import io.tailrace.offline.duckdb.DuckDbOfflineStore;
import io.tailrace.offline.postgres.PostgresOfflineStore;
import io.tailrace.endpoint.ResourceUri;

/** Maps URIs to offline stores: the one place that knows every kind. */
public final class OfflineStores {
  private OfflineStores() {}

  /**
   * Returns the store that a URI names: {@code duckdb:///data/offline.db}, {@code
   * postgresql://host:5432/database?schema=tailrace_{environment}}.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI, and a correct
   *     one
   */
  public static OfflineStore at(String uri) {
    ResourceUri parsed = ResourceUri.parse(uri);
    return switch (parsed.scheme()) {
      case "duckdb" -> DuckDbOfflineStore.at(parsed);
      case "postgresql" -> PostgresOfflineStore.at(parsed);
      default ->
          throw new IllegalArgumentException(
              "'"
                  + parsed
                  + "' names no offline store. Examples: duckdb:///data/offline.db,"
                  + " postgresql://db.example.com/features?schema=tailrace_{environment}"
                  + "&user=writer&password=env:PGPASSWORD");
    };
  }
}
