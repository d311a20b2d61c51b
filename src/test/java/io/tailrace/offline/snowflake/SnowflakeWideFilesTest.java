package io.tailrace.offline.snowflake;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.ResultsPlace;
import io.tailrace.offline.bulk.WideFilesContract;
import io.tailrace.testing.fakes.FakeS3;
import java.util.List;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;

/** What files with results become that a simulated Snowflake copies from a bucket. */
public class SnowflakeWideFilesTest extends WideFilesContract {
  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();

  private static FakeS3 s3;

  @BeforeClass
  public static void start() throws Exception {
    s3 = FakeS3.start("results");
    SNOWFLAKE.server().buckets().integrate("RESULTS", "s3://results/", s3::object);
  }

  @AfterClass
  public static void stop() {
    s3.close();
  }

  @Before
  public void clear() throws Exception {
    SNOWFLAKE.clear("prod");
    s3.clear("results");
  }

  @Override
  protected ResultsPlace place() {
    return ResultsPlace.in(() -> s3, "results");
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(
        SNOWFLAKE.uri() + "&copyFrom=s3://results/team&storageIntegration=RESULTS");
  }

  @Override
  protected List<String> takeStatements() {
    List<String> taken = SNOWFLAKE.server().statements();
    SNOWFLAKE.server().clearStatements();
    return taken;
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
