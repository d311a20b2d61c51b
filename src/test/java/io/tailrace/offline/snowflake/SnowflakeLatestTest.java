package io.tailrace.offline.snowflake;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.testing.WarehouseLatestContract;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The newest observations in a simulated Snowflake. */
@RunWith(JUnit4.class)
public class SnowflakeLatestTest extends WarehouseLatestContract {
  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();

  @Before
  public void clear() throws Exception {
    SNOWFLAKE.clear("production");
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(SNOWFLAKE.uri() + "&latest=true");
  }

  @Override
  protected Stage stage() {
    return ((SnowflakeOfflineStore) store()).stage();
  }

  @Override
  protected Loader openLoader() {
    return ((SnowflakeOfflineStore) store()).openLoader();
  }

  @Override
  protected void execute(String statement) throws Exception {
    SNOWFLAKE.server().execute(statement);
  }

  @Override
  protected String text() {
    return "VARCHAR";
  }

  @Override
  protected int results() {
    return 60;
  }
}
