package io.tailrace.metrics.duckdb;

import io.tailrace.metrics.MetricsDatabase;
import io.tailrace.testing.MetricsStoreContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** DuckDB is a metrics store. */
public class DuckDbMetricsContractTest extends MetricsStoreContract {
  public DuckDbMetricsContractTest() {
    super(new MetricsDatabase(MetricsDatabase.Kind.DUCKDB));
  }

  @Override
  protected String impatient() {
    return "";
  }

  @Override
  protected void takeAway() throws IOException {
    Files.move(database.file(), aside());
    // Something else stands in its place.
    Files.writeString(database.file(), "x".repeat(10_000));
  }

  @Override
  protected void bringBack() throws IOException {
    Files.delete(database.file());
    Files.move(aside(), database.file());
  }

  @Override
  protected String saidWhileAway() {
    return database.file() + " is not a file of DuckDB";
  }

  private Path aside() {
    return database.file().resolveSibling("aside");
  }
}
