package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStoreException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.local.LocalFlink;
import io.tailrace.pipelines.local.LocalKafka;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.PipelineResult;
import org.apache.flink.api.common.JobID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Both writers of the offline path, from a real Kafka to a real DuckDB. */
public class OfflineWritersTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private LocalKafka kafka;
  private Optional<LocalFlink> flink = Optional.empty();
  private KafkaProducer<byte[], byte[]> producer;
  private String store;

  @Before
  public void startServers() throws IOException {
    Path directory = folder.newFolder().toPath();
    kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    for (String topic : List.of("results", "files")) {
      kafka.createTopic(topic, 2);
    }
    kafka.createTopic("letters", 1);
    store = "duckdb://" + directory.resolve("offline.db") + "?schema={environment}";
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  @After
  public void stopServers() {
    producer.close(Duration.ZERO);
    flink.ifPresent(LocalFlink::close);
    kafka.close();
  }

  @Test
  public void onTheDirectRunnerResultsBecomeRows() throws Exception {
    List<PipelineResult> writers = new ArrayList<>();
    try {
      String[] runner = {"--runner=DirectRunner", "--blockOnRun=false"};
      writers.add(OfflineWriter.start(offline("", runner)));
      writers.add(StreamingInsertWriter.start(inserting("", runner)));
      publish(0, 40, 2);

      for (String table : List.of("user__f0", "user__f1", "query_log")) {
        await(
            table,
            () -> {
              for (PipelineResult writer : writers) {
                // Throws why it failed, if it has.
                PipelineResult.State unused =
                    writer.waitUntilFinish(org.joda.time.Duration.millis(1));
              }
              return has(table, 40);
            });
      }
    } finally {
      for (PipelineResult writer : writers) {
        writer.cancel();
      }
    }
  }

  @Test
  public void replayingBothTopicsTwiceChangesNoRow() throws Exception {
    startOnFlink("");
    publish(0, 500, 3);
    awaitRows("user__f2", 500);
    awaitRows("query_log", 500);
    String before = contents();

    for (String group : List.of("second", "third")) {
      List<JobID> jobs = startOnFlink("?group=" + group);
      awaitCommitted(group + "-results", 500);
      awaitCommitted(group + "-files", filesPublished());
      jobs.forEach(flink.orElseThrow()::cancel);
    }

    assertThat(contents()).isEqualTo(before);
    assertThat(filesPublished()).isAtLeast(6);
  }

  @Test
  public void twoWritersOfEachKindThatMeet500UnseenFeaturesLoseNothing() throws Exception {
    // Of the same topics, each with a group of its own: both see every feature at once.
    for (int i = 0; i < 10; i++) {
      publish(i, 1, 500);
    }

    startOnFlink("?group=one");
    startOnFlink("?group=two");
    awaitCommitted("one-results", 10);
    awaitCommitted("two-results", 10);
    awaitCommitted("one-files", filesPublished());
    awaitCommitted("two-files", filesPublished());

    assertThat(
            rows(
                "SELECT count(DISTINCT table_name) FROM information_schema.tables"
                    + " WHERE table_name LIKE 'user\\_\\_f%' ESCAPE '\\'"))
        .containsExactly(List.of("500"));
    for (String table : List.of("user__f0", "user__f250", "user__f499", "query_log")) {
      assertWithMessage(table).that(count(table)).isEqualTo(10);
    }
  }

  @Test
  public void aStoreOfOneEnvironmentWantsItsName() {
    String[] arguments = offline("", "--runner=DirectRunner");
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = arguments[i].replace("?schema={environment}", "");
    }

    CommandException e = assertThrows(CommandException.class, () -> OfflineWriter.start(arguments));

    assertThat(e).hasMessageThat().contains("name it with --environments=NAME");
  }

  @Test
  public void everythingThatIsMissingIsSaidAtOnce() {
    CommandException e = assertThrows(CommandException.class, () -> StreamingInsertWriter.start());

    assertThat(e.getMessage().lines().toList())
        .containsExactly(
            "--streamingInsertBus is missing",
            "--deadLetterBus is missing",
            "--offlineStore is missing");
  }

  private List<JobID> startOnFlink(String group) throws CommandException, IOException {
    if (flink.isEmpty()) {
      flink = Optional.of(LocalFlink.in(folder.newFolder().toPath()).slots(8).start());
    }
    LocalFlink cluster = flink.orElseThrow();
    List<JobID> before = cluster.jobs().stream().map(LocalFlink.Job::id).toList();
    List<String> runner = new ArrayList<>(cluster.pipelineArguments());
    runner.addAll(List.of("--parallelism=2", "--checkpointingInterval=500"));
    String[] arguments = runner.toArray(String[]::new);
    OfflineWriter.start(offline(group.isEmpty() ? "" : group + "-results", arguments));
    StreamingInsertWriter.start(inserting(group.isEmpty() ? "" : group + "-files", arguments));
    return cluster.jobs().stream()
        .map(LocalFlink.Job::id)
        .filter(job -> !before.contains(job))
        .toList();
  }

  private String[] offline(String group, String... more) {
    return with(
        more,
        "--resultBus=" + bus("results") + group,
        "--streamingInsertBus=" + bus("files"),
        "--offlineStore=" + store,
        "--deadLetterBus=" + bus("letters"));
  }

  private String[] inserting(String group, String... more) {
    return with(
        more,
        "--streamingInsertBus=" + bus("files") + group,
        "--offlineStore=" + store,
        "--deadLetterBus=" + bus("letters"));
  }

  private String bus(String topic) {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  private static String[] with(String[] some, String... others) {
    List<String> all = new ArrayList<>(Arrays.asList(some));
    all.addAll(Arrays.asList(others));
    return all.toArray(String[]::new);
  }

  /** Publishes results of one entity each, with an integer for each of some features. */
  private void publish(int first, int results, int features) {
    long now = Instant.now().toEpochMilli() * 1_000;
    for (int i = first; i < first + results; i++) {
      List<Column> columns = new ArrayList<>();
      for (int f = 0; f < features; f++) {
        columns.add(Results.int64("f" + f, now + i, i));
      }
      Frame frame = Results.user("u" + i, columns.toArray(Column[]::new));
      QueryResult result = Results.of(frame).toBuilder().setOperationId("op" + i).build();
      producer.send(new ProducerRecord<>("results", result.toByteArray()));
    }
    producer.flush();
  }

  private List<List<String>> rows(String sql) throws OfflineStoreException {
    OfflineStore.Table table = OfflineStores.at(store).query(sql, 10_000);
    return table.rows();
  }

  private long count(String table) throws OfflineStoreException {
    return Long.parseLong(
        rows("SELECT count(*) FROM " + Results.ENVIRONMENT + "." + table).get(0).get(0));
  }

  /** Everything that readers see, when it was inserted included. */
  private String contents() throws OfflineStoreException {
    StringBuilder all = new StringBuilder();
    for (String table : List.of("user__f0", "user__f1", "user__f2", "query_log")) {
      all.append(rows("FROM " + Results.ENVIRONMENT + "." + table + " ORDER BY ALL"));
    }
    return all.toString();
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private void awaitRows(String table, long expected) throws Exception {
    await(table + " with " + expected + " rows", () -> has(table, expected));
  }

  private boolean has(String table, long expected) throws OfflineStoreException {
    long count;
    try {
      count = count(table);
    } catch (OfflineStoreException e) {
      // Not there yet.
      return false;
    }
    assertThat(count).isAtMost(expected);
    return count == expected;
  }

  private void awaitCommitted(String group, long messages) throws Exception {
    await(group, () -> committed(group) >= messages);
  }

  private long committed(String group) throws Exception {
    try (Admin admin = admin()) {
      return admin
          .listConsumerGroupOffsets(group)
          .partitionsToOffsetAndMetadata()
          .get()
          .values()
          .stream()
          .mapToLong(offset -> offset == null ? 0 : offset.offset())
          .sum();
    }
  }

  private long filesPublished() throws Exception {
    try (Admin admin = admin()) {
      return admin
          .listOffsets(
              Map.of(
                  new TopicPartition("files", 0), OffsetSpec.latest(),
                  new TopicPartition("files", 1), OffsetSpec.latest()))
          .all()
          .get()
          .values()
          .stream()
          .mapToLong(ListOffsetsResultInfo::offset)
          .sum();
    }
  }

  private Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
  }

  private static void await(String what, Condition condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      assertWithMessage("waited in vain for " + what).that(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(50);
    }
  }
}
