package io.tailrace.offline.snowflake;

import io.tailrace.offline.bulk.BulkCrashContract;
import io.tailrace.offline.bulk.ResultsPlace;
import io.tailrace.testing.fakes.FakeS3;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;

/** Files of a bucket that a simulated Snowflake copies for a process that is gone meanwhile. */
public class SnowflakeBulkCrashTest extends BulkCrashContract {
  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();

  private static FakeS3 s3;

  @BeforeClass
  public static void serve() throws Exception {
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
  protected String s3() {
    return s3.endpoint();
  }

  @Override
  protected String uri() {
    return SNOWFLAKE.uri() + "&copyFrom=s3://results/team&storageIntegration=RESULTS";
  }
}
