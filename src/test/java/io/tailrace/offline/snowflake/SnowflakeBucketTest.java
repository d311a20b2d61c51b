package io.tailrace.offline.snowflake;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedByHand;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.testing.fakes.FakeS3;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Files of a simulated Snowflake wait in a bucket that a storage integration lets it read. */
@RunWith(JUnit4.class)
public class SnowflakeBucketTest {
  private static final long T = RandomResults.START;

  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();
  @ClassRule public static final TemporaryFolder FOLDER = new TemporaryFolder();

  private static FakeS3 s3;
  private static Path key;

  @BeforeClass
  public static void start() throws Exception {
    s3 = FakeS3.start("bucket");
    key = Files.writeString(FOLDER.newFile().toPath(), FakeS3.ACCESS_KEY);
    SNOWFLAKE.server().buckets().integrate("LOADING", "s3://bucket/files/", s3::object);
  }

  @AfterClass
  public static void stop() {
    s3.close();
  }

  @Before
  public void clear() throws Exception {
    SNOWFLAKE.clear("production");
    s3.clear("bucket");
  }

  private static StagedStore store(String stage, String integration) {
    return (StagedStore)
        OfflineStores.at(
            SNOWFLAKE.uri()
                + "&stage="
                + stage
                + "&storageIntegration="
                + integration
                + "&stageEndpoint="
                + s3.endpoint()
                + "&stageRegion=eu-west-1&stageAccessKey=file:"
                + key
                + "&stageSecretKey=file:"
                + key);
  }

  private static StagedStore store() {
    return store("s3://bucket/files/", "LOADING");
  }

  private static StagedStore internal() {
    return (StagedStore) OfflineStores.at(SNOWFLAKE.uri());
  }

  private static Inserted load(StagedStore store, List<StagedFile> files)
      throws UnavailableException {
    try (Loader loader = store.openLoader();
        Stage.Connection connection = store.stage().at(files.get(0).stage()).open()) {
      return loader.load(connection, files);
    }
  }

  private static List<StagedFile> stage(StagedStore store, String key) throws Exception {
    return new StagedByHand(store.stage())
        .put(
            Results.named("op-" + key)
                .addFrames(Results.user(key, Results.int64("age", T, 1), Results.int64("n", T, 2)))
                .build());
  }

  private static List<String> keys() throws UnavailableException {
    return store()
        .reader()
        .query("SELECT pkey FROM production.user__age ORDER BY 1", 10)
        .rows()
        .stream()
        .map(row -> row.get(0))
        .toList();
  }

  @Test
  public void filesAreCopiedFromTheBucketByTheIntegration() throws Exception {
    List<StagedFile> files = stage(store(), "ann");
    assertThat(s3.keys("bucket")).contains("files/" + files.get(0).name());

    assertThat(load(store(), files).rows().inserted()).isEqualTo(2);
    assertThat(load(store(), files).rows().duplicates()).isEqualTo(2);

    assertThat(keys()).containsExactly("ann");
    List<String> copies =
        SNOWFLAKE.server().statements().stream().filter(it -> it.startsWith("COPY")).toList();
    // As the documentation has it: COPY INTO mytable FROM 's3://…' STORAGE_INTEGRATION = myint …
    assertThat(copies.get(0))
        .matches(
            "COPY INTO \\S+ FROM 's3://bucket/files/' STORAGE_INTEGRATION = LOADING FILES ="
                + " \\('[^)]+'\\) FILE_FORMAT = \\(TYPE = PARQUET .*");
    assertThat(SNOWFLAKE.server().statements().stream().filter(it -> it.contains("STAGE IF NOT")))
        .isEmpty();
  }

  @Test
  public void aFileThatIsGoneFromTheBucketIsRefusedAlone() throws Exception {
    List<StagedFile> gone = stage(store(), "ann");
    s3.clear("bucket");
    List<StagedFile> all = new java.util.ArrayList<>(gone);
    all.addAll(stage(store(), "bob"));

    Inserted inserted = load(store(), all);

    assertThat(inserted.refused().keySet()).containsExactly(0, 1);
    assertThat(inserted.refused().get(0)).contains("is neither in the stage s3://bucket/files");
    assertThat(keys()).containsExactly("bob");
  }

  @Test
  public void referencesOfBeforeAMoveAreLoadedFromWhereTheyPoint() throws Exception {
    List<StagedFile> before = stage(internal(), "ann");
    assertThat(load(store(), before).rows().inserted()).isEqualTo(2);

    List<StagedFile> inBucket = stage(store(), "bob");
    UnavailableException e =
        assertThrows(UnavailableException.class, () -> load(internal(), inBucket));

    assertThat(e)
        .hasMessageThat()
        .contains("give stage=s3://bucket/files&storageIntegration=NAME until they are loaded");
    assertThat(keys()).containsExactly("ann");
  }

  @Test
  public void theCheckSaysWhatTheIntegrationLacks() throws Exception {
    store().check();
    assertThat(s3.keys("bucket")).hasSize(1);
    assertThat(s3.keys("bucket").get(0)).startsWith("files/owner__/");

    UnavailableException none =
        assertThrows(UnavailableException.class, () -> store("s3://bucket/files", "OTHER").check());
    assertThat(none).hasMessageThat().contains("GRANT USAGE ON INTEGRATION OTHER TO ROLE");

    UnavailableException elsewhere =
        assertThrows(
            UnavailableException.class, () -> store("s3://bucket/filesystem", "LOADING").check());
    assertThat(elsewhere)
        .hasMessageThat()
        .contains("SET STORAGE_ALLOWED_LOCATIONS = ('s3://bucket/filesystem/')");
  }

  private static String problems(String parameters) {
    return assertThrows(
            IllegalArgumentException.class, () -> OfflineStores.at(SNOWFLAKE.uri() + parameters))
        .getMessage();
  }

  @Test
  public void aStageThatIsHalfSaidIsRefusedWithWhatIsMissing() {
    assertThat(problems("&stage=s3://bucket/files"))
        .contains("storageIntegration=NAME is missing, with which Snowflake reads the stage");
    assertThat(problems("&stage=gcs://bucket/files&storageIntegration=LOADING"))
        .contains("Google's buckets are gs://bucket");
    assertThat(problems("&stage=azure://account/container&storageIntegration=LOADING"))
        .contains("Examples: s3://bucket/folder");
    assertThat(problems("&stage=A.B&storageIntegration=LOADING"))
        .contains("are of a stage in a bucket: stage=s3://bucket/folder");
    assertThat(problems("&stageRegion=eu-west-1"))
        .contains("are of a stage in a bucket: stage=s3://bucket/folder");
    assertThat(problems("&stage=s3://bucket/files&storageIntegration=a'b"))
        .contains("storageIntegration=a'b is not the name of one");
    assertThat(problems("&stage=some"))
        .contains("stage=some is neither SCHEMA.NAME nor a bucket such as s3://bucket/folder");
  }

  @Test
  public void snowflakeHasItsOwnWordForGooglesBuckets() {
    SnowflakeStatements statements =
        new SnowflakeStatements(
            "FEATURES",
            "{environment}",
            SnowflakeStatements.Clustering.NONE,
            "LOADING",
            Duration.ofMinutes(10));

    assertThat(statements.copyStatement("T", "gs://bucket/files", List.of("a.parquet")))
        .startsWith("COPY INTO T FROM 'gcs://bucket/files/' STORAGE_INTEGRATION = LOADING FILES");
  }
}
