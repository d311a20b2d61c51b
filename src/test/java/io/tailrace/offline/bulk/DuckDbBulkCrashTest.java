package io.tailrace.offline.bulk;

public class DuckDbBulkCrashTest extends BulkCrashContract {
  @Override
  protected String uri() {
    return "duckdb://" + folder.getRoot() + "/offline.db?schema={environment}";
  }
}
