package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bigquery.BigQueryOfflineStore;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.result.ValueType;
import io.tailrace.testing.AddedKinds;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Results;
import io.tailrace.testing.fakes.FakeBigQuery;
import io.tailrace.testing.fakes.FakeBigQueryKind;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.beam.sdk.PipelineResult;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/**
 * Every writer from its bus to its store or topic, with each kind of bus and on each runner. One
 * message in five comes twice, and Pub/Sub's come in no order.
 */
@RunWith(Parameterized.class)
public class EveryWriterTest {
  /** Where writers run. */
  public enum Runner {
    DIRECT,
    FLINK
  }

  private static final int RESULTS = 60;
  private static final int UPLOADED = 100;
  private static final long T = 1_760_000_000_000_000L;
  private static final List<String> BAD = List.of("garbage", "more garbage");

  @Rule public final AddedKinds kinds = AddedKinds.of(FakeBigQueryKind.class);
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Parameter(0)
  public TestTopics.Kind kind = TestTopics.Kind.KAFKA;

  @Parameter(1)
  public Runner runner = Runner.DIRECT;

  private final List<PipelineResult> writers = new ArrayList<>();
  private final List<QueryResult> published = new ArrayList<>();
  private TestTopics topics;
  private LocalRedis redis;
  private FakeBigQuery bigQuery;
  private Optional<LocalFlink> flink = Optional.empty();
  private String bucket;
  private String offline;
  private String warehouse;
  private String metrics;

  /** Returns every bus with every runner. */
  @Parameters(name = "{0}, {1}")
  public static List<Object[]> matrix() {
    List<Object[]> all = new ArrayList<>();
    for (TestTopics.Kind kind : TestTopics.Kind.values()) {
      for (Runner runner : Runner.values()) {
        all.add(new Object[] {kind, runner});
      }
    }
    return all;
  }

  @Before
  public void start() throws Exception {
    topics = kind.start(folder.newFolder().toPath());
    redis = LocalRedis.start(folder.newFolder().toPath());
    bigQuery = FakeBigQuery.start();
    bucket = "file://" + folder.newFolder();
    offline = "duckdb://" + folder.getRoot() + "/offline.db?schema={environment}";
    warehouse = bigQuery.uri("{environment}", "&retryFor=10s");
    metrics = "duckdb://" + folder.getRoot() + "/metrics.db";
    if (runner == Runner.FLINK) {
      flink = Optional.of(LocalFlink.in(folder.newFolder().toPath()).slots(7).start());
    }
  }

  @After
  public void stop() throws Exception {
    for (PipelineResult writer : writers) {
      if (runner == Runner.DIRECT) {
        writer.cancel();
      }
    }
    flink.ifPresent(Balance::assertEven);
    flink.ifPresent(LocalFlink::close);
    bigQuery.close();
    redis.close();
    topics.close();
  }

  @Test
  public void everyResultIsWhereItBelongsOnceAndEveryBadMessageIsALetter() throws Exception {
    startAll();
    publish(RESULTS);
    for (String bad : BAD) {
      topics.send("results", bad.getBytes(UTF_8));
      topics.send("uploads", bad.getBytes(UTF_8));
    }
    if (flink.isPresent()) {
      // Somewhere in the middle all end, and start without their state.
      OfflineServers.await("the first rows", () -> rows("user__f0") > 0);
      flink.get().cancelAll();
      publish(RESULTS);
      startAll();
    }

    long all = published.size();
    OfflineServers.await("rows", () -> rows("user__f0") == all);
    OfflineServers.await("queries", () -> rows("query_log") == all);
    OfflineServers.await("appended", () -> appended("user__f0") == all);
    OfflineServers.await("uploaded", () -> rows("user__age") == UPLOADED);
    OfflineServers.await("values", () -> values().equals(expected()));
    // Without its state the metrics writer forgets what it has counted and not yet published.
    long counted = flink.isPresent() ? RESULTS : all;
    OfflineServers.await("metrics", () -> executions() >= counted);
    OfflineServers.await("settled", this::isAllSettled);

    assertThat(rows("user__f0")).isEqualTo(all);
    assertThat(rows("query_log")).isEqualTo(all);
    assertThat(appended("user__f0")).isEqualTo(all);
    OfflineServers.await("letters", () -> topics.letters().equals(expectedLetters()));
    if (flink.isEmpty()) {
      // Without a start in between, what comes twice counts once.
      assertThat(executions()).isEqualTo(all);
    }
  }

  private void startAll() throws Exception {
    start(OnlineWriter.WRITER, "--resultBus", "results", "--onlineStore=" + redis.uri());
    start(
        OfflineWriter.WRITER,
        "--resultBus",
        "results",
        "--streamingInsertBus=" + topics.topic("files"),
        "--offlineStore=" + offline);
    start(
        StreamingInsertWriter.WRITER, "--streamingInsertBus", "files", "--offlineStore=" + offline);
    start(
        BigQueryStreamingWriter.WRITER,
        "--streamingInsertBus",
        "files",
        "--offlineStore=" + FakeBigQueryKind.uri(warehouse));
    start(
        BulkInsertWriter.WRITER,
        "--bulkUploadBus",
        "uploads",
        "--uploadBucket=" + bucket,
        "--offlineStore=" + offline);
    start(
        MetricsWriter.WRITER,
        "--resultBus",
        "results",
        "--metricsBus=" + topics.topic("summaries"),
        "--updateInterval=1s",
        "--deduplicate=1h");
    start(MetricsBusWriter.WRITER, "--metricsBus", "summaries", "--metricsStore=" + metrics);
  }

  private void start(Writer<?> writer, String option, String topic, String... more)
      throws Exception {
    List<String> arguments = new ArrayList<>();
    if (flink.isPresent()) {
      arguments.addAll(flink.get().pipelineArguments());
      arguments.addAll(List.of("--parallelism=1", "--checkpointingInterval=300"));
    } else {
      arguments.addAll(
          List.of("--runner=DirectRunner", "--blockOnRun=false", "--targetParallelism=1"));
    }
    arguments.add(option + "=" + topics.topic(topic, writer.name()));
    arguments.add("--deadLetterBus=" + topics.topic(TestTopics.LETTERS));
    arguments.addAll(List.of(more));
    writers.add(writer.start(arguments.toArray(String[]::new)));
  }

  private void publish(int results) throws Exception {
    int first = published.size();
    for (QueryResult result : OfflineServers.results(first, results, 1)) {
      published.add(result.toBuilder().setQueryName("q").build());
      topics.send("results", published.get(published.size() - 1).toByteArray());
    }
    if (first == 0) {
      upload();
    }
  }

  /** The result of an offline query is a file, of which the bus has a notification. */
  private void upload() throws Exception {
    Contents contents =
        new Contents(
            "upload",
            Results.ENVIRONMENT,
            "",
            new WideMapping(
                "id",
                new Time("at", 0),
                List.of(
                    new FeatureColumn(
                        "user",
                        "user.age",
                        "age",
                        new WideMapping.Kind(ValueType.INT64, Nulls.NOT_COMPUTED),
                        ""))));
    try (OfflineResults results = OfflineResults.of(contents).into(bucket + "/upload")) {
      for (long i = 0; i < UPLOADED; i++) {
        results.add(i, T + i, List.of(i));
      }
      byte[] notification = results.finish().toByteArray();
      topics.send("uploads", notification);
      topics.send("uploads", notification);
    }
  }

  private Map<String, Long> expected() {
    Map<String, Long> expected = new TreeMap<>();
    for (int i = 0; i < published.size(); i++) {
      expected.put("u" + i, (long) i);
    }
    return expected;
  }

  private Map<String, Long> values() throws Exception {
    Map<String, Long> found = new TreeMap<>();
    List<EntityKey> keys =
        IntStream.range(0, published.size())
            .mapToObj(i -> new EntityKey(Results.ENVIRONMENT, "user", "u" + i))
            .toList();
    try (OnlineReader reader = OnlineReader.open(redis.uri())) {
      List<Map<String, OnlineReader.Value>> values = reader.read(keys);
      for (int i = 0; i < keys.size(); i++) {
        OnlineReader.Value value = values.get(i).get("f0");
        if (value != null) {
          found.put("u" + i, (Long) value.value().orElseThrow());
        }
      }
    }
    return found;
  }

  private long rows(String table) throws UnavailableException {
    return number(
        OfflineStores.at(offline), "SELECT count(*) FROM " + Results.ENVIRONMENT + "." + table);
  }

  private long appended(String table) throws UnavailableException {
    return bigQuery.tables().names(Results.ENVIRONMENT).contains(table)
        ? number(
            BigQueryOfflineStore.at(EndpointUri.parse(warehouse)),
            "SELECT count(*) FROM " + Results.ENVIRONMENT + "." + table)
        : -1;
  }

  private long executions() throws UnavailableException {
    return number(
        OfflineStores.at(metrics),
        "SELECT CAST(coalesce(sum(executions), 0) AS BIGINT) FROM tailrace_metrics.query_metrics"
            + " WHERE query_name = 'q'");
  }

  private static long number(OfflineStore store, String sql) throws UnavailableException {
    try {
      return Long.parseLong(store.reader().query(sql, 1).rows().get(0).get(0));
    } catch (UnavailableException e) {
      assertThat(e).hasMessageThat().contains("does not exist");
      return -1;
    }
  }

  private static Set<String> expectedLetters() {
    Set<String> expected = new TreeSet<>();
    for (String topic : List.of("results", "uploads")) {
      for (String writer : TestTopics.READERS.get(topic)) {
        BAD.forEach(bad -> expected.add(bad + " of " + writer + " from " + topic));
      }
    }
    return expected;
  }

  private boolean isAllSettled() throws Exception {
    for (Map.Entry<String, List<String>> each : TestTopics.READERS.entrySet()) {
      // Summaries go on for as long as results are recent.
      if (runner == Runner.FLINK && !each.getKey().equals("summaries")) {
        for (String writer : each.getValue()) {
          if (!topics.isSettled(each.getKey(), writer)) {
            return false;
          }
        }
      }
    }
    return true;
  }
}
