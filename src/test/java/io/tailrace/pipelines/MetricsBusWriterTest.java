package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.watch.KafkaLetters;
import io.tailrace.stage.Letter;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Summaries;
import io.tailrace.testing.TestDatabase;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.MetricsSummary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.PipelineResult;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The metrics-bus-writer, from a real Kafka to a real DuckDB and a real PostgreSQL. */
@RunWith(JUnit4.class)
public class MetricsBusWriterTest {
  private static final int SUMMARIES = 200;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestDatabase database = new TestDatabase();

  private LocalKafka kafka;
  private KafkaProducer<byte[], byte[]> producer;

  @Before
  public void startKafka() {
    Path directory = folder.getRoot().toPath();
    kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    kafka.createTopic("metrics", 2);
    kafka.createTopic("letters", 1);
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  @After
  public void stopKafka() {
    producer.close(Duration.ZERO);
    kafka.close();
  }

  private String bus(String topic) {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  private String[] arguments(String store, List<String> runner) {
    List<String> all = new ArrayList<>(runner);
    all.add("--metricsBus=" + bus("metrics"));
    all.add("--metricsStore=" + store);
    all.add("--deadLetterBus=" + bus("letters"));
    return all.toArray(String[]::new);
  }

  /** Publishes two summaries each of some features, the lesser last, and one that is none. */
  private void publish() {
    for (int i = 0; i < SUMMARIES; i++) {
      MetricsSummary feature = Summaries.feature("user.f" + i);
      send(Summaries.computed(feature, 10 + i, 1).toByteArray());
      send(Summaries.computed(feature, 9, 0).toByteArray());
    }
    send("{}".getBytes(StandardCharsets.UTF_8));
    producer.flush();
  }

  private void send(byte[] payload) {
    producer.send(new ProducerRecord<>("metrics", payload));
  }

  private ConsumerRecord<byte[], byte[]> letter() throws Exception {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition("letters", 0)));
      List<ConsumerRecord<byte[], byte[]>> letters = new ArrayList<>();
      OfflineServers.await(
          "a letter",
          () -> {
            consumer.poll(Duration.ofMillis(100)).forEach(letters::add);
            return !letters.isEmpty();
          });
      return letters.get(0);
    }
  }

  @Test
  public void onFlinkSummariesBecomeRowsOfPostgresAndGarbageADeadLetter() throws Exception {
    try (LocalFlink flink = LocalFlink.in(folder.newFolder().toPath()).slots(2).start()) {
      List<String> runner = new ArrayList<>(flink.pipelineArguments());
      runner.addAll(List.of("--parallelism=2", "--checkpointingInterval=500"));
      PipelineResult unused = MetricsBusWriter.WRITER.start(arguments(database.uri(""), runner));
      publish();

      String all =
          "SELECT count(*), sum(computed), min(pane) FROM tailrace_metrics.feature_minutes";
      String expected = SUMMARIES + "|" + (10 * SUMMARIES + 199 * SUMMARIES / 2) + "|1";
      OfflineServers.await(
          expected, () -> hasTable() && database.rows(all).equals(List.of(expected)));
      ConsumerRecord<byte[], byte[]> record = letter();
      assertThat(new String(record.value(), UTF_8)).isEqualTo("{}");
      Letter letter = KafkaLetters.of(record).orElseThrow();
      assertThat(letter.writer()).isEqualTo("metrics-bus-writer");
      assertThat(letter.stage()).isEqualTo("DecodeSummaries");
      assertThat(letter.reason()).isEqualTo(Reason.UNDECODABLE);
      Balance.assertEven(flink);
    }
  }

  private boolean hasTable() throws SQLException {
    return !database
        .rows("SELECT to_regclass('tailrace_metrics.feature_minutes')")
        .equals(List.of("null"));
  }

  @Test
  public void onTheDirectRunnerSummariesBecomeRowsOfDuckDb() throws Exception {
    String store = "duckdb://" + folder.getRoot() + "/metrics.db";
    PipelineResult writer =
        MetricsBusWriter.WRITER.start(
            arguments(store, List.of("--runner=DirectRunner", "--blockOnRun=false")));
    try {
      publish();
      OfflineServers.await(
          "rows",
          () -> {
            // Throws why it failed, if it has.
            PipelineResult.State unused = writer.waitUntilFinish(org.joda.time.Duration.millis(1));
            return count(store) == SUMMARIES;
          });
      Balance.assertEven(writer);
    } finally {
      writer.cancel();
    }
  }

  private static long count(String store) throws UnavailableException {
    try {
      return Long.parseLong(
          OfflineStores.at(store)
              .reader()
              .query("SELECT count(*) FROM tailrace_metrics.feature_metrics WHERE computed > 9", 1)
              .rows()
              .get(0)
              .get(0));
    } catch (UnavailableException e) {
      assertThat(e).hasMessageThat().contains("does not exist");
      return -1;
    }
  }

  @Test
  public void aStoreThatIsWrongOrAwayIsNamedAtStart() {
    CommandException wrong =
        assertThrows(
            CommandException.class,
            () ->
                MetricsBusWriter.WRITER.start(
                    arguments("duckdb://metrics.db", List.of("--runner=DirectRunner"))));
    String away = database.uri("").replace("/" + database.name(), "/nowhere");
    CommandException unreachable =
        assertThrows(
            CommandException.class,
            () -> MetricsBusWriter.WRITER.start(arguments(away, List.of("--runner=DirectRunner"))));

    assertThat(wrong)
        .hasMessageThat()
        .startsWith("--metricsStore: 'duckdb://metrics.db': the path of the file follows three");
    assertThat(unreachable)
        .hasMessageThat()
        .contains("--metricsStore: " + away.replaceFirst("file:.*", ""));
    assertThat(unreachable).hasMessageThat().contains("CREATE DATABASE \"nowhere\"");
  }
}
