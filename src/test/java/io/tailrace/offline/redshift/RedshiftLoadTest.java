package io.tailrace.offline.redshift;

import io.tailrace.testing.WarehouseFixture;
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
  protected WarehouseFixture warehouse() {
    return REDSHIFT;
  }

  @Override
  protected void refuseCopy() {
    REDSHIFT.server().refuse("COPY", "XX000", "Spectrum Scan Error");
  }

  @Override
  protected List<String> statements() {
    return List.of("CREATE TEMP", "COPY", "LOCK", "INSERT INTO", "COMMIT");
  }
}
