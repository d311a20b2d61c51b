package io.tailrace.offline.redshift;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.testing.WarehouseLatestContract;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The newest observations in a simulated Redshift. */
@RunWith(JUnit4.class)
public class RedshiftLatestTest extends WarehouseLatestContract {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();

  @Before
  public void clear() throws Exception {
    REDSHIFT.clear("production");
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(REDSHIFT.uri() + "&latest=true");
  }

  @Override
  protected Stage stage() {
    return ((RedshiftOfflineStore) store()).stage();
  }

  @Override
  protected Loader openLoader() {
    return ((RedshiftOfflineStore) store()).openLoader();
  }

  @Override
  protected void execute(String statement) throws Exception {
    REDSHIFT.execute(statement);
  }

  @Override
  protected String text() {
    return "VARCHAR(20)";
  }

  /** Redshift's texts have no NUL: a file with such a key is refused, as the page says. */
  @Override
  protected String held(String text) {
    return text.replace('\0', '0');
  }

  @Override
  protected int results() {
    return 16;
  }
}
