package io.tailrace.metrics;

import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.metrics.duckdb.DuckDbMetricsStore;
import io.tailrace.metrics.postgres.PostgresMetricsStore;
import java.util.List;

/** Maps URIs to metrics stores: the one place that knows every kind. */
public final class MetricsStores {
  /** Every kind of metrics store. */
  public static final Kinds<MetricsStore> KINDS =
      Kinds.of(
          "metrics store",
          MetricsStore.class,
          List.of(
              Kind.<MetricsStore>of("duckdb", DuckDbMetricsStore.EXAMPLE, DuckDbMetricsStore::at)
                  .needing("org.duckdb:duckdb_jdbc", "org.duckdb.DuckDBDriver"),
              Kind.of("postgresql", PostgresMetricsStore.EXAMPLE, PostgresMetricsStore::at)));

  private MetricsStores() {}

  /**
   * Returns the store that a URI names: {@code duckdb:///data/metrics.db}, {@code
   * postgresql://host:5432/database?schema=tailrace_metrics}.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI, and a correct
   *     one
   */
  public static MetricsStore at(String uri) {
    return KINDS.at(uri);
  }
}
