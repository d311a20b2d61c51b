package io.tailrace.offline.databricks;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
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
  protected OfflineStore store(String more) {
    String uri = DATABRICKS.uri();
    return OfflineStores.at((more.isEmpty() ? uri : uri.replace("&retryFor=1s", "")) + more);
  }

  @Override
  protected Stage stage() {
    return DATABRICKS.store().stage();
  }

  @Override
  protected Loader openLoader(OfflineStore store) {
    return ((DatabricksOfflineStore) store).openLoader();
  }

  @Override
  protected void cutBefore(String text) {
    DATABRICKS.server().refuse(text, 502, "BAD_GATEWAY");
  }

  @Override
  protected void cutBehind(String text) {
    DATABRICKS.server().loseAnswerTo(text);
  }

  @Override
  protected void throttle() {
    DATABRICKS.throttle();
  }

  @Override
  protected void endSessions() throws Exception {
    DATABRICKS.endSessions();
  }

  @Override
  protected void execute(String statement) throws Exception {
    DATABRICKS.server().execute(statement);
  }

  @Override
  protected List<String> statements() {
    return List.of("CREATE OR REPLACE TABLE", "COPY INTO", "MERGE INTO", "INSERT INTO");
  }
}
