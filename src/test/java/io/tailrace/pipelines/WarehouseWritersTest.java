package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.offline.databricks.DatabricksFixture;
import io.tailrace.offline.redshift.RedshiftFixture;
import io.tailrace.offline.snowflake.SnowflakeFixture;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.stage.Letter;
import io.tailrace.testing.Balance;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.testing.WarehouseFixture;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;

/**
 * Results on their way to each warehouse: both writers, on Flink, with Kafka between them; the
 * vendor's driver, and a simulated service that fails as it does.
 */
@RunWith(Parameterized.class)
public class WarehouseWritersTest {
  private static final int RESULTS = 40;

  @ClassRule public static final TemporaryFolder SHARED = new TemporaryFolder();

  private static LocalFlink flink;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final WarehouseFixture warehouse;

  private OfflineServers servers;
  private String[] runner;

  private enum Kind {
    SNOWFLAKE,
    REDSHIFT,
    DATABRICKS;

    WarehouseFixture fixture() {
      return switch (this) {
        case SNOWFLAKE -> new SnowflakeFixture();
        case REDSHIFT -> new RedshiftFixture();
        case DATABRICKS -> new DatabricksFixture();
      };
    }
  }

  @Parameters(name = "{0}")
  public static Object[] kinds() {
    return Kind.values();
  }

  public WarehouseWritersTest(Object kind) {
    warehouse = ((Kind) kind).fixture();
  }

  @BeforeClass
  public static void startFlink() throws Exception {
    flink = LocalFlink.in(SHARED.newFolder().toPath()).slots(4).start();
  }

  @AfterClass
  public static void stopFlink() {
    flink.close();
  }

  @Before
  public void startServers() throws Exception {
    String patient =
        warehouse
            .uri()
            .replace("retryFor=1s", "retryFor=30s")
            .replace("connectTimeout=2s", "connectTimeout=10s");
    servers = new OfflineServers(folder.newFolder().toPath(), patient + "&loadEvery=300ms");
    List<String> arguments = new ArrayList<>(flink.pipelineArguments());
    arguments.addAll(List.of("--parallelism=1", "--checkpointingInterval=300"));
    runner = arguments.toArray(String[]::new);
  }

  @After
  public void stopServers() {
    flink.cancelAll();
    servers.close();
  }

  private void startWriters(String resultsGroup, String filesGroup) throws Exception {
    OfflineWriter.WRITER.start(servers.offlineWriter(resultsGroup, runner));
    StreamingInsertWriter.WRITER.start(servers.insertWriter(filesGroup, runner));
  }

  @Test
  public void resultsAreThereOnceThroughAllThatGoesWrongAndAReplay() throws Exception {
    List<QueryResult> results = OfflineServers.results(0, RESULTS, 2);
    warehouse.throttle();
    warehouse.breakLoads();
    startWriters("", "");
    servers.publish(results.subList(0, RESULTS / 2));
    awaitLoaded("offline-writer", RESULTS / 2);
    warehouse.endSessions();
    servers.publish(results.subList(RESULTS / 2, RESULTS));
    // Of another type than the feature's.
    Frame text = Results.user("odd", Results.string("f1", RandomResults.START, "text"));
    for (ObservationFile file : BundleEncoder.files(Results.of(text))) {
      if (file.kind() == ObservationFile.Kind.OBSERVATIONS) {
        servers.publishFile(file.bytes());
      }
    }
    awaitLoaded("offline-writer", RESULTS);
    OfflineServers.await("the letter", () -> servers.published("letters", 1) > 0);

    assertThat(warehouse.isHarmless()).isTrue();
    assertThat(found("user__f0")).isEqualTo(expected(results, 0));
    assertThat(found("user__f1")).isEqualTo(expected(results, 1));
    assertThat(texts("SELECT operation_id FROM production.query_log"))
        .containsExactlyElementsIn(results.stream().map(QueryResult::getOperationId).toList());
    assertThat(reasons()).containsExactly("TYPE_CHANGED");
    assertThat(texts("SELECT name FROM production.staged_files WHERE rejected <> '[]'")).hasSize(1);
    String before = servers.contents("user__f0", "user__f1", "query_log");

    startWriters("?group=again-results", "?group=again-files");
    awaitLoaded("again-results", RESULTS);
    servers.awaitCommitted("again-files", servers.filesPublished());
    // Whoever loads the file again tells again what was refused of it.
    OfflineServers.await("the letter again", () -> servers.published("letters", 1) == 2);

    assertThat(servers.contents("user__f0", "user__f1", "query_log")).isEqualTo(before);
    assertThat(reasons()).containsExactly("TYPE_CHANGED", "TYPE_CHANGED");
    Balance.assertEven(flink);
  }

  /** Waits until all results are files, and all files are in the ledger, each once. */
  private void awaitLoaded(String group, long results) throws Exception {
    servers.awaitCommitted(group, results);
    long files = servers.filesPublished();
    OfflineServers.await(
        files + " files in the ledger",
        () -> {
          List<String> names = texts("SELECT name FROM production.staged_files");
          assertThat(names).containsNoDuplicates();
          assertThat((long) names.size()).isAtMost(files);
          return names.size() == files;
        });
  }

  private List<String> texts(String sql) throws UnavailableException {
    return servers.rows(sql).stream().map(row -> String.valueOf(row.get(0))).toList();
  }

  private List<String> found(String table) throws UnavailableException {
    return servers
        .rows("SELECT pkey, value, observed_at, operation_id, deleted FROM production." + table)
        .stream()
        .map(Object::toString)
        .sorted()
        .toList();
  }

  private static List<String> expected(List<QueryResult> results, int feature) {
    return IntStream.range(0, results.size())
        .mapToObj(
            i ->
                List.of(
                    "u" + i,
                    String.valueOf(i),
                    Micros.instant(results.get(i).getFrames(0).getColumns(feature).getObservedAt(0))
                        .toString(),
                    "op" + i,
                    "false"))
        .map(Object::toString)
        .sorted(Comparator.naturalOrder())
        .toList();
  }

  private List<String> reasons() throws Exception {
    List<String> reasons = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> letter : servers.letters()) {
      reasons.add(new String(letter.headers().lastHeader(Letter.REASON).value(), UTF_8));
    }
    return reasons;
  }
}
