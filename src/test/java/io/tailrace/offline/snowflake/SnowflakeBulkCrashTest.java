package io.tailrace.offline.snowflake;

import io.tailrace.offline.bulk.BulkCrashContract;
import io.tailrace.offline.bulk.ReadableBucket;
import io.tailrace.offline.bulk.ResultsPlace;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;

/** Files of a bucket that a simulated Snowflake copies for a process that is gone meanwhile. */
public class SnowflakeBulkCrashTest extends BulkCrashContract {
  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();
  @ClassRule public static final ReadableBucket BUCKET = new ReadableBucket();

  @BeforeClass
  public static void allow() {
    SNOWFLAKE.server().buckets().integrate("RESULTS", ReadableBucket.ALL, BUCKET::object);
  }

  @Before
  public void clear() throws Exception {
    SNOWFLAKE.clear("prod");
    BUCKET.clear();
  }

  @Override
  protected ResultsPlace place() {
    return BUCKET.place();
  }

  @Override
  protected String s3() {
    return BUCKET.server().endpoint();
  }

  @Override
  protected String uri() {
    return SNOWFLAKE.uri() + "&copyFrom=s3://results/team&storageIntegration=RESULTS";
  }
}
