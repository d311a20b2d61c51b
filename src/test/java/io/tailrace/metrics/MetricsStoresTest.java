package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Which URIs name metrics stores, and what is said of one that is wrong. */
@RunWith(JUnit4.class)
public class MetricsStoresTest {
  private static String problem(String uri) {
    return assertThrows(IllegalArgumentException.class, () -> MetricsStores.at(uri)).getMessage();
  }

  @Test
  public void everyParameterIsTaken() {
    for (String uri :
        new String[] {
          "postgresql://db/metrics",
          "postgresql://a:1,b:2/metrics?schema=m&partitions=daily&retention=90d&user=me"
              + "&password=env:PW&sslmode=verify-ca&caFile=/ca.pem&connectTimeout=1s&timeout=2s"
              + "&retryFor=3s",
          "postgresql://db/metrics?partitions=none",
          "postgresql://db/metrics?partitions=auto",
          "duckdb:///data/metrics.db",
          "duckdb:///data/metrics.db?schema=m&retention=36h&memoryLimit=512MB&threads=2"
              + "&logMegabytes=64&compression=fast"
        }) {
      assertThat(MetricsStores.at(uri).uri()).isEqualTo(uri);
    }
  }

  @Test
  public void everyProblemIsListedWithACorrection() {
    assertThat(
            problem(
                "postgresql://db/?schema=tailrace_{environment}&partitions=monthly"
                    + "&retention=1m&index=none&password=hunter2"))
        .isEqualTo(
            "'postgresql://db/?schema=tailrace_{environment}&partitions=monthly"
                + "&retention=1m&index=***&password=***': the name of the database is missing:"
                + " postgresql://host/DATABASE; password must say where the secret is, env:VARIABLE"
                + " or file:PATH, not what it is; schema=tailrace_{environment} has {environment},"
                + " and all environments are in one schema: environment_id is a column;"
                + " partitions=monthly is none of auto, daily, none; retention is between 1h and"
                + " 36500d; parameter 'index' is unknown; known are user, password, sslmode,"
                + " caFile, connectTimeout, timeout, retryFor, schema, partitions, retention."
                + " Example:"
                + " postgresql://db.example.com:5432/metrics?schema=tailrace_metrics&user=writer"
                + "&password=env:PGPASSWORD&sslmode=verify-full&retention=90d");
    assertThat(problem("duckdb:///metrics.db?schema=information_schema"))
        .contains("schema=information_schema is one of DuckDB's own");
    assertThat(problem("duckdb://metrics.db?schema=A&retention=forever&memoryLimit=lots"))
        .isEqualTo(
            "'duckdb://metrics.db?schema=A&retention=forever&memoryLimit=lots': the path of the"
                + " file follows three slashes; schema=A is not a name of up to 63 small letters,"
                + " digits and '_' that begins with a letter; retention=forever is not a duration"
                + " such as 500ms, 30s, 10m, 1h or 14d; memoryLimit=lots is not a size such as"
                + " 512MB or 4GB. Example: duckdb:///data/metrics.db?schema=tailrace_metrics");
    assertThat(problem("duckdb:///data/{environment}.db")).contains("environment_id is a column");
    assertThat(problem("postgresql://db/m?schema=pg_metrics"))
        .contains("schema=pg_metrics is a name that PostgreSQL keeps for itself");
    assertThat(problem("redis://cache/0"))
        .isEqualTo(
            "'redis://cache/0' names no metrics store. Examples: "
                + "duckdb:///data/metrics.db?schema=tailrace_metrics,"
                + " postgresql://db.example.com:5432/metrics?schema=tailrace_metrics"
                + "&user=writer&password=env:PGPASSWORD&sslmode=verify-full&retention=90d");
  }
}
