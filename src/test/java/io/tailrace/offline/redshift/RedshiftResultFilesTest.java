package io.tailrace.offline.redshift;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.bulk.ResultFilesContract;
import io.tailrace.result.ValueType;
import java.sql.Connection;
import java.sql.Statement;
import org.junit.Before;
import org.junit.ClassRule;

/** What files with results become in a simulated Redshift. */
public class RedshiftResultFilesTest extends ResultFilesContract {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();

  @Before
  public void clear() throws Exception {
    REDSHIFT.clear("prod");
  }

  @Override
  protected OfflineStore store() {
    return REDSHIFT.store();
  }

  @Override
  protected boolean loadsByItself(ValueType type) {
    return false;
  }

  @Override
  protected void dropTable(String table) throws Exception {
    try (Connection connection = REDSHIFT.server().postgres().connect();
        Statement statement = connection.createStatement()) {
      statement.execute("DROP VIEW prod." + table);
    }
  }
}
