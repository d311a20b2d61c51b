package io.tailrace.offline.snowflake;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.ResultFilesContract;
import io.tailrace.result.ValueType;
import org.junit.Before;
import org.junit.ClassRule;

/** What files with results become in a simulated Snowflake. */
public class SnowflakeResultFilesTest extends ResultFilesContract {
  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();

  @Before
  public void clear() throws Exception {
    SNOWFLAKE.clear("prod");
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(SNOWFLAKE.uri());
  }

  @Override
  protected boolean loadsByItself(ValueType type) {
    return false;
  }

  @Override
  protected String idText() {
    return "observation_id";
  }

  @Override
  protected void dropTable(String table) throws Exception {
    SNOWFLAKE.server().execute("DROP VIEW prod." + table);
  }
}
