package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Replayed;
import io.tailrace.bus.pubsub.PubSubTopics;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.stage.Letter;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Results;
import io.tailrace.testing.fakes.FakePubSub;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
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
 * Every writer from Pub/Sub to its store or topic, on each runner. Messages come in no order, and
 * one in five comes twice.
 */
@RunWith(Parameterized.class)
public class PubSubWritersTest {
  /** Where writers run. */
  public enum Runner {
    DIRECT,
    FLINK
  }

  private static final int RESULTS = 60;
  private static final List<String> BAD = List.of("garbage", "more garbage");

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Parameter public Runner runner = Runner.DIRECT;

  private final List<PipelineResult> writers = new ArrayList<>();
  private final List<QueryResult> published = new ArrayList<>();
  private FakePubSub server;
  private PubSubTopics topics;
  private LocalRedis redis;
  private Optional<LocalFlink> flink = Optional.empty();
  private String offline;
  private String metrics;

  @Parameters(name = "{0}")
  public static Runner[] runners() {
    return Runner.values();
  }

  @Before
  public void start() throws Exception {
    server = FakePubSub.start().disorderly(0.2);
    topics = PubSubTopics.at(server.host());
    for (String topic : List.of("results", "files", "summaries")) {
      topics.createTopic(topic);
    }
    for (String reader : List.of("online", "offline", "metrics")) {
      topics.subscribe("results-" + reader, "results");
    }
    topics.subscribe("files-inserted", "files");
    topics.subscribe("summaries-written", "summaries");
    topics.create("letters");
    redis = LocalRedis.start(folder.newFolder().toPath());
    offline = "duckdb://" + folder.getRoot() + "/offline.db?schema={environment}";
    metrics = "duckdb://" + folder.getRoot() + "/metrics.db";
    if (runner == Runner.FLINK) {
      flink = Optional.of(LocalFlink.in(folder.newFolder().toPath()).slots(5).start());
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
    redis.close();
    server.close();
  }

  @Test
  public void everyResultIsWhereItBelongsOnceAndEveryBadMessageIsALetter() throws Exception {
    startAll();
    publish(RESULTS);
    for (String bad : BAD) {
      send(bad.getBytes(StandardCharsets.UTF_8));
    }
    if (flink.isPresent()) {
      // Somewhere in the middle all end, and start without their state.
      OfflineServers.await("the first rows", () -> rows("production.user__f0") > 0);
      flink.get().cancelAll();
      publish(RESULTS);
      startAll();
    }

    long all = published.size();
    OfflineServers.await("rows", () -> rows("production.user__f0") == all);
    OfflineServers.await("queries", () -> rows("production.query_log") == all);
    OfflineServers.await("values", () -> values().equals(expected()));
    // Without its state the metrics writer forgets what it has counted and not yet published.
    long counted = flink.isPresent() ? RESULTS : all;
    OfflineServers.await("metrics", () -> executions() >= counted);
    OfflineServers.await("acknowledged", this::isAllAcknowledged);

    assertThat(rows("production.user__f0")).isEqualTo(all);
    assertThat(rows("production.query_log")).isEqualTo(all);
    OfflineServers.await("letters", () -> letters().equals(expectedLetters()));
    if (flink.isEmpty()) {
      // Without a start in between, what comes twice counts once.
      assertThat(executions()).isEqualTo(all);
    }
  }

  private void startAll() throws Exception {
    String letters = "--deadLetterBus=" + topics.uri("letters");
    start(OnlineWriter.WRITER, letters, results("online"), "--onlineStore=" + redis.uri());
    start(
        OfflineWriter.WRITER,
        letters,
        results("offline"),
        "--streamingInsertBus=" + topics.uri("files"),
        "--offlineStore=" + offline);
    start(
        StreamingInsertWriter.WRITER,
        letters,
        "--streamingInsertBus=" + topics.uri("files-inserted"),
        "--offlineStore=" + offline);
    start(
        MetricsWriter.WRITER,
        letters,
        results("metrics"),
        "--metricsBus=" + topics.uri("summaries"),
        "--updateInterval=1s",
        "--deduplicate=1h");
    start(
        MetricsBusWriter.WRITER,
        letters,
        "--metricsBus=" + topics.uri("summaries-written"),
        "--metricsStore=" + metrics);
  }

  private String results(String reader) {
    return "--resultBus=" + topics.uri("results-" + reader);
  }

  private void start(Writer<?> writer, String... options) throws Exception {
    List<String> arguments = new ArrayList<>();
    if (flink.isPresent()) {
      arguments.addAll(flink.get().pipelineArguments());
      arguments.addAll(List.of("--parallelism=1", "--checkpointingInterval=300"));
    } else {
      arguments.addAll(
          List.of("--runner=DirectRunner", "--blockOnRun=false", "--targetParallelism=1"));
    }
    arguments.addAll(List.of(options));
    writers.add(writer.start(arguments.toArray(String[]::new)));
  }

  private void publish(int results) throws Exception {
    int first = published.size();
    for (QueryResult result : OfflineServers.results(first, results, 1)) {
      published.add(result.toBuilder().setQueryName("q").build());
      send(published.get(published.size() - 1).toByteArray());
    }
  }

  private void send(byte[] payload) throws UnavailableException {
    try (BusPublisher publisher = Buses.at(topics.uri("results")).publisher()) {
      publisher.publish(OutgoingMessage.of(payload));
      publisher.flush();
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
    return number(offline, "SELECT count(*) FROM " + table);
  }

  private long executions() throws UnavailableException {
    return number(
        metrics,
        "SELECT CAST(coalesce(sum(executions), 0) AS BIGINT) FROM tailrace_metrics.query_metrics"
            + " WHERE query_name = 'q'");
  }

  private static long number(String store, String sql) throws UnavailableException {
    try {
      return Long.parseLong(OfflineStores.at(store).reader().query(sql, 1).rows().get(0).get(0));
    } catch (UnavailableException e) {
      assertThat(e).hasMessageThat().contains("does not exist");
      return -1;
    }
  }

  private static Set<String> expectedLetters() {
    Set<String> expected = new TreeSet<>();
    for (String bad : BAD) {
      for (String writer : List.of("online", "offline", "metrics")) {
        expected.add(
            bad
                + " of "
                + writer
                + "-writer from results-"
                + writer
                + " to pubsub://tailrace-test/results");
      }
    }
    return expected;
  }

  /** What comes twice may have two letters. */
  private Set<String> letters() {
    Set<String> letters = new TreeSet<>();
    for (JsonNode each : server.messages(PubSubTopics.subscription("letters"))) {
      JsonNode attributes = each.path("attributes");
      letters.add(
          new String(Base64.getDecoder().decode(each.path("data").asText()), StandardCharsets.UTF_8)
              + " of "
              + attributes.path(Replayed.WRITER).asText()
              + " from "
              + attributes.path(Letter.SUBSCRIPTION).asText()
              + " to "
              + attributes.path(Letter.BUS).asText());
      assertThat(attributes.path(Letter.TOPIC).asText()).isEqualTo("results");
      assertThat(attributes.path(Letter.MESSAGE_ID).asText()).isNotEmpty();
    }
    return letters;
  }

  private boolean isAllAcknowledged() {
    Map<String, Integer> left = new HashMap<>();
    for (String each :
        List.of("results-online", "results-offline", "results-metrics", "files-inserted")) {
      left.put(each, server.unacknowledged(PubSubTopics.subscription(each)));
    }
    return runner == Runner.DIRECT || left.values().stream().allMatch(count -> count == 0);
  }
}
