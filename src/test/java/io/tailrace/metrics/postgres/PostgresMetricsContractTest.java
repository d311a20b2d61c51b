package io.tailrace.metrics.postgres;

import io.tailrace.metrics.MetricsDatabase;
import io.tailrace.testing.MetricsStoreContract;
import org.junit.After;

/** PostgreSQL is a metrics store. */
public class PostgresMetricsContractTest extends MetricsStoreContract {
  public PostgresMetricsContractTest() {
    super(new MetricsDatabase(MetricsDatabase.Kind.POSTGRESQL));
  }

  @After
  public void startServer() {
    if (!database.server().isRunning()) {
      database.server().restart();
    }
  }

  @Override
  protected String impatient() {
    return "retryFor=100ms&connectTimeout=10s";
  }

  @Override
  protected void takeAway() {
    database.server().stop();
  }

  @Override
  protected void bringBack() {
    database.server().restart();
  }

  @Override
  protected String saidWhileAway() {
    return "Connection to 127.0.0.1:" + database.server().port() + " refused";
  }
}
