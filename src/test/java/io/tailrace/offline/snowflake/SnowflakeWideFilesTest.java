package io.tailrace.offline.snowflake;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.ReadableBucket;
import io.tailrace.offline.bulk.ResultsPlace;
import io.tailrace.offline.bulk.WideFilesContract;
import io.tailrace.testing.WarehouseFixture;
import java.util.Set;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;

/** What files with results become that a simulated Snowflake copies from a bucket. */
public class SnowflakeWideFilesTest extends WideFilesContract {
  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();
  @ClassRule public static final ReadableBucket BUCKET = new ReadableBucket();

  @BeforeClass
  public static void allow() {
    SNOWFLAKE.server().buckets().integrate("RESULTS", ReadableBucket.ALL, BUCKET::object);
  }

  @Before
  public void clear() throws Exception {
    SNOWFLAKE.clear("prod", "decoded");
    BUCKET.clear();
  }

  @Override
  protected ResultsPlace place() {
    return BUCKET.place();
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(
        SNOWFLAKE.uri() + "&copyFrom=s3://results/team&storageIntegration=RESULTS");
  }

  @Override
  protected OfflineStore without() {
    SNOWFLAKE.server().buckets().integrate("DENIED", ReadableBucket.ALL, BUCKET::object);
    SNOWFLAKE.server().buckets().refuse("DENIED", "Access Denied (Status Code: 403)");
    return OfflineStores.at(
        SNOWFLAKE.uri() + "&copyFrom=s3://results/team&storageIntegration=denied");
  }

  @Override
  protected String correction() {
    return "Snowflake can't list s3://results/team/ by the storage integration denied";
  }

  @Test
  public void aBucketThatTheIntegrationDoesNotAllowIsTold() {
    UnavailableException elsewhere =
        assertThrows(
            UnavailableException.class,
            () ->
                OfflineStores.at(
                        SNOWFLAKE.uri() + "&copyFrom=s3://others&storageIntegration=RESULTS")
                    .check(Set.of(Role.BULK_LOAD)));
    assertThat(elsewhere)
        .hasMessageThat()
        .contains("SET STORAGE_ALLOWED_LOCATIONS = ('s3://others/')");
    assertThat(
            assertThrows(
                IllegalArgumentException.class,
                () -> OfflineStores.at(SNOWFLAKE.uri() + "&copyFrom=s3://results")))
        .hasMessageThat()
        .contains("storageIntegration=NAME is missing, with which Snowflake reads copyFrom");
  }

  @Override
  protected OfflineStore ungranted() {
    return OfflineStores.at(
        SNOWFLAKE.uri() + "&copyFrom=s3://results/team&storageIntegration=nobodys");
  }

  @Override
  protected String grant() {
    return "GRANT USAGE ON INTEGRATION … TO ROLE …";
  }

  @Override
  protected WarehouseFixture warehouse() {
    return SNOWFLAKE;
  }

  @Override
  protected String idText() {
    return "observation_id";
  }
}
