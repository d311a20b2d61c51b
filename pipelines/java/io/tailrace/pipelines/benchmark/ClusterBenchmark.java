package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.MetricsWriter;
import io.tailrace.pipelines.OnlineWriter;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.LocalWriters;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.servers.StandaloneFlink;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.producer.KafkaProducer;
import redis.clients.jedis.Jedis;

/**
 * Writers on Flink clusters of several processes: how fast, and how much state. Not thread-safe.
 */
final class ClusterBenchmark implements AutoCloseable {
  /** As many as the most copies of a writer, twice. */
  private static final int PARTITIONS = 4;

  private static final int HEAP_MEGABYTES = 512;
  private static final String RESULTS = "results";
  private static final String LIVE = "live";

  private final Path directory;
  private final LocalKafka kafka;
  private final LocalRedis redis;
  private final Admin admin;
  private int clusters;

  ClusterBenchmark(Path directory) {
    this.directory = directory;
    this.kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    this.redis = LocalRedis.start(directory.resolve("redis"));
    this.admin =
        Admin.create(
            Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, (Object) kafka.bootstrapServers()));
    for (String topic : List.of(RESULTS, LIVE, "metrics", "dead-letters")) {
      kafka.createTopic(topic, PARTITIONS, Map.of("message.timestamp.type", "LogAppendTime"));
    }
  }

  /** Publishes results, evenly to all partitions. */
  void publish(long results) {
    try (KafkaProducer<byte[], byte[]> producer =
        BenchmarkTraffic.producer(kafka.bootstrapServers())) {
      publish(traffic(), producer, RESULTS, results);
    }
  }

  private static BenchmarkTraffic traffic() {
    return new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM, 1);
  }

  private static void publish(
      BenchmarkTraffic traffic,
      KafkaProducer<byte[], byte[]> producer,
      String topic,
      long results) {
    traffic.publish(producer, topic, results, entity -> entity % PARTITIONS);
  }

  /**
   * Returns how many of the published results the online writer works off in a second, into a store
   * in which nothing is: values that are there already are compared, which costs Redis more.
   */
  double rate(int taskManagers, int parallelism, long results)
      throws CommandException, InterruptedException {
    try (Jedis store = redis.connect()) {
      store.flushAll();
    }
    try (StandaloneFlink flink = start(taskManagers, (parallelism - 1) / taskManagers + 1)) {
      String group = "rate-" + clusters;
      var unused = start(OnlineWriter.WRITER, RESULTS + "?group=" + group, flink, parallelism);
      return SteadyRate.of(() -> committed(group), results);
    }
  }

  private long committed(String group) {
    try {
      return WriterProcess.committed(admin, group);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while Kafka was asked", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("Kafka does not answer", e);
    }
  }

  /**
   * Runs the metrics writer, which has the most state, under steady traffic.
   *
   * @param rate results a second
   * @return how many bytes its checkpoints had, one number for each minute
   */
  List<Long> stateBytes(int minutes, long rate) throws CommandException, InterruptedException {
    List<Long> bytes = new ArrayList<>();
    try (StandaloneFlink flink = start(2, 1);
        KafkaProducer<byte[], byte[]> producer =
            BenchmarkTraffic.producer(kafka.bootstrapServers())) {
      BenchmarkTraffic traffic = traffic();
      RunningWriter writer = start(MetricsWriter.WRITER, LIVE, flink, 2);
      long minute = Duration.ofMinutes(1).toNanos();
      long next = System.nanoTime();
      for (int i = 0; i < minutes; i++) {
        for (int second = 0; second < 60; second++) {
          publish(traffic, producer, LIVE, rate);
          next += minute / 60;
          Thread.sleep(Math.max(0, (next - System.nanoTime()) / 1_000_000));
        }
        bytes.add(flink.cluster().checkpointBytes(writer.job()));
      }
    }
    return bytes;
  }

  private StandaloneFlink start(int taskManagers, int slots) {
    return StandaloneFlink.in(directory.resolve("flink-" + clusters++))
        .taskManagers(taskManagers)
        .slots(slots)
        .heapMegabytes(HEAP_MEGABYTES)
        .optimized()
        .start();
  }

  private RunningWriter start(
      Writer<?> writer, String results, StandaloneFlink flink, int parallelism)
      throws CommandException {
    String bus = "kafka://" + kafka.bootstrapServers() + "/";
    return new LocalWriters(
            flink.cluster(),
            Map.of(
                LocalStack.RESULT_BUS,
                bus + results,
                "metricsBus",
                bus + "metrics",
                "deadLetterBus",
                bus + "dead-letters",
                "onlineStore",
                redis.uri()),
            List.of("--parallelism=" + parallelism, "--checkpointingInterval=1000"))
        .start(List.of(writer))
        .get(0);
  }

  @Override
  public void close() {
    admin.close();
    redis.close();
    kafka.close();
  }
}
