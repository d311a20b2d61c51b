package io.tailrace.offline.redshift;

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

/** Loads into a simulated Redshift. */
@RunWith(JUnit4.class)
public class RedshiftLoadTest extends WarehouseLoadContract {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();

  @Before
  public void clear() throws Exception {
    REDSHIFT.clear("production");
  }

  @Override
  protected OfflineStore store(String more) {
    String uri = REDSHIFT.uri();
    return OfflineStores.at((more.isEmpty() ? uri : uri.replace("&retryFor=1s", "")) + more);
  }

  @Override
  protected Stage stage() {
    return REDSHIFT.store().stage();
  }

  @Override
  protected Loader openLoader(OfflineStore store) {
    return ((RedshiftOfflineStore) store).openLoader();
  }

  @Override
  protected void cutBefore(String text) {
    REDSHIFT.server().loseBefore(text);
  }

  @Override
  protected void cutBehind(String text) {
    REDSHIFT.server().loseAnswerTo(text);
  }

  @Override
  protected void throttle() {
    REDSHIFT.throttle();
  }

  @Override
  protected void endSessions() throws Exception {
    REDSHIFT.endSessions();
  }

  @Override
  protected void execute(String statement) throws Exception {
    REDSHIFT.execute(statement);
  }

  @Override
  protected List<String> statements() {
    return List.of("CREATE TEMP", "COPY", "LOCK", "INSERT INTO", "COMMIT");
  }
}
