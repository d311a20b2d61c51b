package io.tailrace.offline.databricks;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.testing.WarehouseLatestContract;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The newest observations in a simulated Databricks. */
@RunWith(JUnit4.class)
public class DatabricksLatestTest extends WarehouseLatestContract {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();

  @Before
  public void clear() throws Exception {
    DATABRICKS.clear("production");
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(DATABRICKS.uri() + "&latest=true");
  }

  @Override
  protected Stage stage() {
    return ((DatabricksOfflineStore) store()).stage();
  }

  @Override
  protected Loader openLoader() {
    return ((DatabricksOfflineStore) store()).openLoader();
  }

  @Override
  protected void execute(String statement) throws Exception {
    DATABRICKS.server().execute(statement);
  }

  @Override
  protected String text() {
    return "STRING";
  }

  @Override
  protected int results() {
    return 16;
  }
}
