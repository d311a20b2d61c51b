package io.tailrace.offline.bulk;

import io.tailrace.offline.OfflineStore;
import io.tailrace.result.ValueType;
import io.tailrace.testing.TestDatabase;
import org.junit.Rule;

public class PostgresResultFilesTest extends ResultFilesRules {
  @Rule public final TestDatabase database = new TestDatabase();

  @Override
  protected OfflineStore store() {
    return database.store("schema={environment}&retryFor=200ms");
  }

  @Override
  protected boolean loadsByItself(ValueType type) {
    return false;
  }

  @Override
  protected void dropTable(String table) throws Exception {
    database.execute("DROP TABLE prod." + table);
  }
}
