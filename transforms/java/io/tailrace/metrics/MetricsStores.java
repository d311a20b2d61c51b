package io.tailrace.metrics;

import io.tailrace.metrics.duckdb.DuckDbMetricsStore;
import io.tailrace.metrics.postgres.PostgresMetricsStore;
import io.tailrace.endpoint.ResourceUri;

/** Maps URIs to metrics stores: the one place that knows every kind. */
public final class MetricsStores {
  private MetricsStores() {}

  /**
   * Returns the store that a URI names: {@code duckdb:///data/metrics.db}, {@code
   * postgresql://host:5432/database?schema=tailrace_metrics}.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI, and a correct
   *     one
   */
  public static MetricsStore at(String uri) {
    ResourceUri parsed = ResourceUri.parse(uri);
    return switch (parsed.scheme()) {
      case "duckdb" -> DuckDbMetricsStore.at(parsed);
      case "postgresql" -> PostgresMetricsStore.at(parsed);
      default ->
          throw new IllegalArgumentException(
              "'"
                  + parsed
                  + "' names no metrics store. Examples: duckdb:///data/metrics.db,"
                  + " postgresql://db.example.com/metrics?schema=tailrace_metrics"
                  + "&user=writer&password=env:PGPASSWORD");
    };
  }
}
