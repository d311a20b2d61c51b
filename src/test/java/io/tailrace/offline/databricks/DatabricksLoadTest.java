package io.tailrace.offline.databricks;

import io.tailrace.testing.WarehouseFixture;
import io.tailrace.testing.WarehouseLoadContract;
import java.util.List;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Loads into a simulated Databricks. */
@RunWith(JUnit4.class)
public class DatabricksLoadTest extends WarehouseLoadContract {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();

  @Before
  public void clear() throws Exception {
    DATABRICKS.clear("production");
  }

  @Override
  protected WarehouseFixture warehouse() {
    return DATABRICKS;
  }

  @Override
  protected void refuseCopy() {
    DATABRICKS.server().refuse("COPY INTO", 200, "FAILED_READ_FILE");
  }

  @Override
  protected List<String> statements() {
    return List.of("CREATE OR REPLACE TABLE", "COPY INTO", "MERGE INTO", "INSERT INTO");
  }
}
