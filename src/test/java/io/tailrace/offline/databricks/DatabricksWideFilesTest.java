package io.tailrace.offline.databricks;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.ReadableBucket;
import io.tailrace.offline.bulk.ResultsPlace;
import io.tailrace.offline.bulk.WideFilesContract;
import io.tailrace.testing.WarehouseFixture;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;

/** What files with results become that a simulated Databricks copies from a bucket. */
public class DatabricksWideFilesTest extends WideFilesContract {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();
  @ClassRule public static final ReadableBucket BUCKET = new ReadableBucket();

  @BeforeClass
  public static void allow() {
    DATABRICKS.server().allow(ReadableBucket.ALL, BUCKET::object);
  }

  @Before
  public void clear() throws Exception {
    DATABRICKS.clear("prod", "decoded");
    BUCKET.clear();
  }

  @Override
  protected ResultsPlace place() {
    return BUCKET.place();
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
  protected String grant() {
    return "GRANT READ FILES ON EXTERNAL LOCATION … TO …";
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
