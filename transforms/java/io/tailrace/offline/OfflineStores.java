package io.tailrace.offline;

import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.offline.bigquery.BigQueryOfflineStore;
import io.tailrace.offline.databricks.DatabricksOfflineStore;
import io.tailrace.offline.duckdb.DuckDbOfflineStore;
import io.tailrace.offline.postgres.PostgresOfflineStore;
import io.tailrace.offline.redshift.RedshiftOfflineStore;
import io.tailrace.offline.snowflake.SnowflakeOfflineStore;
import java.util.List;

/** Maps URIs to offline stores: the one place that knows every kind. */
public final class OfflineStores {
  /** Every kind of offline store. */
  public static final Kinds<OfflineStore> KINDS =
      Kinds.of(
          "offline store",
          OfflineStore.class,
          List.of(
              Kind.<OfflineStore>of("duckdb", DuckDbOfflineStore.EXAMPLE, DuckDbOfflineStore::at)
                  .needing("org.duckdb:duckdb_jdbc", "org.duckdb.DuckDBDriver"),
              Kind.of("postgresql", PostgresOfflineStore.EXAMPLE, PostgresOfflineStore::at),
              Kind.<OfflineStore>of(
                      "snowflake", SnowflakeOfflineStore.EXAMPLE, SnowflakeOfflineStore::at)
                  .needing(
                      "net.snowflake:snowflake-jdbc",
                      "net.snowflake.client.api.driver.SnowflakeDriver"),
              Kind.<OfflineStore>of(
                      "bigquery", BigQueryOfflineStore.EXAMPLE, BigQueryOfflineStore::at)
                  .needing(
                      "org.apache.beam:beam-sdks-java-io-google-cloud-platform",
                      "org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO"),
              Kind.<OfflineStore>of(
                      "redshift", RedshiftOfflineStore.EXAMPLE, RedshiftOfflineStore::at)
                  .needing("com.amazon.redshift:redshift-jdbc42", "com.amazon.redshift.Driver"),
              Kind.<OfflineStore>of(
                      "databricks", DatabricksOfflineStore.EXAMPLE, DatabricksOfflineStore::at)
                  .needing("com.databricks:databricks-jdbc", "com.databricks.client.jdbc.Driver")));

  private OfflineStores() {}

  /**
   * Returns the store that a URI names: {@code duckdb:///data/offline.db}, {@code
   * postgresql://host:5432/database?schema=tailrace_{environment}}, {@code
   * bigquery://project/tailrace_{environment}}.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI, and a correct
   *     one
   */
  public static OfflineStore at(String uri) {
    return KINDS.at(uri);
  }
}
