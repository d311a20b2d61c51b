package io.tailrace.offline.databricks;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.ResultFilesContract;
import io.tailrace.result.ValueType;
import org.junit.Before;
import org.junit.ClassRule;

/** What files with results become in a simulated Databricks. */
public class DatabricksResultFilesTest extends ResultFilesContract {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();

  @Before
  public void clear() throws Exception {
    DATABRICKS.clear("prod");
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(DATABRICKS.uri());
  }

  @Override
  protected boolean loadsByItself(ValueType type) {
    return false;
  }

  @Override
  protected String text(String expression) {
    return "CAST(" + expression + " AS STRING)";
  }

  @Override
  protected void dropTable(String table) throws Exception {
    DATABRICKS.server().execute("DROP VIEW prod." + table);
  }
}
