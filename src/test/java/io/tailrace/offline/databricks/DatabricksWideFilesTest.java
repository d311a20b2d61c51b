package io.tailrace.offline.databricks;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.ResultsPlace;
import io.tailrace.offline.bulk.WideFilesContract;
import io.tailrace.testing.WarehouseFixture;
import io.tailrace.testing.fakes.FakeS3;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;

/** What files with results become that a simulated Databricks copies from a bucket. */
public class DatabricksWideFilesTest extends WideFilesContract {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();

  private static FakeS3 s3;

  @BeforeClass
  public static void start() throws Exception {
    s3 = FakeS3.start("results");
    DATABRICKS.server().allow("s3://results/", s3::object);
  }

  @AfterClass
  public static void stop() {
    s3.close();
  }

  @Before
  public void clear() throws Exception {
    DATABRICKS.clear("prod", "decoded");
    s3.clear("results");
  }

  @Override
  protected ResultsPlace place() {
    return ResultsPlace.in(() -> s3, "results");
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(DATABRICKS.uri() + "&copyFrom=s3://results/team");
  }

  @Override
  protected OfflineStore without() {
    return OfflineStores.at(DATABRICKS.uri() + "&copyFrom=s3://others");
  }

  @Override
  protected String correction() {
    return "GRANT READ FILES ON EXTERNAL LOCATION";
  }

  @Override
  protected WarehouseFixture warehouse() {
    return DATABRICKS;
  }

  @Override
  protected String text(String expression) {
    return "CAST(" + expression + " AS STRING)";
  }
}
