package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.testing.Balance;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.beam.sdk.PipelineResult;
import org.apache.flink.api.common.JobID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The metrics-writer on Flink, from a real Kafka to a real Kafka. */
@RunWith(JUnit4.class)
public class MetricsWriterTest {
  private static final int PARTITIONS = 2;

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static final AtomicInteger tests = new AtomicInteger();
  private static LocalKafka kafka;
  private static LocalFlink flink;
  private static KafkaProducer<byte[], byte[]> producer;

  private final int test = tests.incrementAndGet();
  private final Metrics metrics = new Metrics();
  private int published;

  @BeforeClass
  public static void start() throws Exception {
    Path directory = folder.getRoot().toPath();
    kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    flink = LocalFlink.in(directory.resolve("flink")).slots(2).start();
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  @AfterClass
  public static void stop() {
    producer.close(Duration.ZERO);
    flink.close();
    kafka.close();
  }

  @Before
  public void createTopics() {
    kafka.createTopic(topic("results"), PARTITIONS);
    kafka.createTopic(topic("metrics"), 1);
    kafka.createTopic(topic("letters"), 1);
  }

  @After
  public void endJobs() {
    try {
      Balance.assertEven(flink);
    } finally {
      flink.cancelAll();
    }
  }

  /** Each test has topics of its own. */
  private String topic(String name) {
    return name + "-" + test;
  }

  private String bus(String topic) {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic(topic);
  }

  private JobID startWriter(String... more) throws Exception {
    List<String> arguments = new ArrayList<>(flink.pipelineArguments());
    arguments.addAll(
        List.of(
            "--parallelism=2",
            "--checkpointingInterval=300",
            "--updateInterval=1s",
            "--resultBus=" + bus("results"),
            "--metricsBus=" + bus("metrics"),
            "--deadLetterBus=" + bus("letters")));
    arguments.addAll(List.of(more));
    PipelineResult unused = MetricsWriter.WRITER.start(arguments.toArray(String[]::new));
    return flink.jobs().get(flink.jobs().size() - 1).id();
  }

  /** Publishes executions of a query that took a value each. */
  private void publish(int count) {
    long now = System.currentTimeMillis();
    for (int i = 0; i < count; i++) {
      QueryResult result =
          Results.named("op" + published++)
              .setQueryName("q")
              .setStatus(QueryResult.Status.SUCCEEDED)
              .addFrames(Results.user("u1", Results.int64("age", RandomResults.START, 1)))
              .build();
      producer.send(
          new ProducerRecord<>(topic("results"), i % PARTITIONS, now, null, result.toByteArray()));
    }
    producer.flush();
  }

  /** What stands of the summaries on the bus: by epoch, how many executions and values. */
  private final class Metrics {
    private final Map<String, MetricsSummary> standing = new TreeMap<>();
    private long next;

    void read() throws Exception {
      try (KafkaConsumer<byte[], byte[]> consumer =
          new KafkaConsumer<>(
              Map.of("bootstrap.servers", kafka.bootstrapServers()),
              new ByteArrayDeserializer(),
              new ByteArrayDeserializer())) {
        TopicPartition only = new TopicPartition(topic("metrics"), 0);
        consumer.assign(List.of(only));
        consumer.seek(only, next);
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          next = record.offset() + 1;
          MetricsSummary summary = MetricsSummary.parseFrom(record.value());
          standing.merge(
              summary.getEpoch() + " " + summary.getMinute() + " " + summary.hasFeature(),
              summary,
              (one, other) -> counted(one) > counted(other) ? one : other);
        }
      }
    }

    long executions() {
      return standing.values().stream().mapToLong(it -> it.getQuery().getExecutions()).sum();
    }

    long values() {
      return standing.values().stream().mapToLong(it -> it.getFeature().getComputed()).sum();
    }

    long epochs() {
      return standing.values().stream().map(MetricsSummary::getEpoch).distinct().count();
    }

    void await(int count) throws Exception {
      OfflineServers.await(
          count + " executions and values",
          () -> {
            read();
            return executions() >= count && values() >= count;
          });
      assertThat(executions()).isEqualTo(count);
      assertThat(values()).isEqualTo(count);
    }
  }

  private static long counted(MetricsSummary summary) {
    return summary.getFeature().getComputed() + summary.getQuery().getExecutions();
  }

  private long committed() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      return admin
          .listConsumerGroupOffsets(MetricsWriter.WRITER.name())
          .partitionsToOffsetAndMetadata()
          .get()
          .entrySet()
          .stream()
          .filter(each -> each.getKey().topic().equals(topic("results")))
          .mapToLong(each -> each.getValue() == null ? 0 : each.getValue().offset())
          .sum();
    }
  }

  @Test
  public void whatIsRestoredInTheMiddleOfAMinuteTellsTheSameThoughMoreWasToldBeforeTheCrash()
      throws Exception {
    JobID first = startWriter();
    publish(100);
    metrics.await(100);
    String savepoint = flink.savepoint(first);
    // Told after the savepoint, in several panes, and read again after it is restored.
    for (int i = 1; i <= 3; i++) {
      publish(20);
      metrics.await(100 + 20 * i);
    }
    flink.cancel(first);

    JobID second = startWriter("--savepointPath=" + savepoint);
    publish(30);
    metrics.await(190);
    // Nothing that comes later makes it more.
    publish(10);
    metrics.await(200);
    assertThat(metrics.epochs()).isEqualTo(1);
    assertThat(flink.restarts(second)).isEqualTo(0);
  }

  @Test
  public void aStartWithoutStateBeginsAnEpochThatAddsUpWithTheOnesBefore() throws Exception {
    JobID first = startWriter();
    publish(100);
    metrics.await(100);
    OfflineServers.await("offsets are committed", () -> committed() == 100);
    flink.cancel(first);

    publish(50);
    JobID unused = startWriter();
    metrics.await(150);
    assertThat(metrics.epochs()).isEqualTo(2);
  }

  @Test
  public void whatIsNoResultBecomesADeadLetterAndTheOthersAreCounted() throws Exception {
    producer.send(new ProducerRecord<>(topic("results"), "none".getBytes(StandardCharsets.UTF_8)));
    publish(10);
    JobID unused = startWriter();
    metrics.await(10);
    OfflineServers.await(
        "a letter",
        () -> {
          try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            TopicPartition letters = new TopicPartition(topic("letters"), 0);
            return admin
                    .listOffsets(
                        Map.of(letters, org.apache.kafka.clients.admin.OffsetSpec.latest()))
                    .partitionResult(letters)
                    .get()
                    .offset()
                == 1;
          }
        });
  }
}
