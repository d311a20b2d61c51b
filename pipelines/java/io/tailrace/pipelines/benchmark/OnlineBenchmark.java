package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.OnlineWriter;
import io.tailrace.pipelines.benchmark.rivals.HandWrittenConsumer;
import io.tailrace.pipelines.benchmark.rivals.RedisIoPipeline;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.watch.FreshnessProbe;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.IntUnaryOperator;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.producer.KafkaProducer;
import redis.clients.jedis.Jedis;

/**
 * Measures the online writer and its rivals, one after another, on the same broker and the same
 * Redis. A rate is taken in the steady state: between the 35th and the 95th hundredth of a topic,
 * after a warm-up.
 */
final class OnlineBenchmark implements AutoCloseable {
  static final int PARALLELISM = BenchmarkFlink.PARALLELISM;

  /** Settled results; everything runs in this JVM. */
  private static final long STALL_NANOS = 120_000_000_000L;

  private static final int FRESHNESS_SAMPLES = 20_000;
  private static final Duration FRESHNESS_WARM_UP = Duration.ofSeconds(75);
  private static final Duration FRESHNESS_LEAD = Duration.ofSeconds(10);
  private static final Duration FRESHNESS_PERIOD = Duration.ofSeconds(30);

  private final LocalKafka kafka;
  private final LocalRedis redis;
  private final BenchmarkFlink flink;
  private final Path directory;
  private final List<String> writerArguments;

  OnlineBenchmark(Path directory, List<String> writerArguments) throws IOException {
    this.directory = directory;
    this.writerArguments = writerArguments;
    this.kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    this.redis = LocalRedis.start(directory.resolve("redis"));
    this.flink = BenchmarkFlink.start(directory.resolve("flink"), 1, writerArguments);
    kafka.createTopic("dead-letters", 1);
  }

  void publish(
      String topic, BenchmarkTraffic.Keys keys, long results, int partitions, IntUnaryOperator of) {
    kafka.createTopic(topic, partitions);
    try (KafkaProducer<byte[], byte[]> producer =
        BenchmarkTraffic.producer(kafka.bootstrapServers())) {
      new BenchmarkTraffic(keys).publish(producer, topic, results, of);
    }
  }

  Jedis redisConnect() {
    return redis.connect();
  }

  String redisVersion() {
    return redis.version();
  }

  /** The options that the writer is started with, beside where it reads and writes. */
  List<String> writerOptions() {
    return flink.shownArguments();
  }

  /**
   * How long a result takes from its publication until it can be read from Redis.
   *
   * @param publishedPerSecond the rate that was really reached
   */
  record Freshness(double p50Millis, double p99Millis, double publishedPerSecond) {}

  Freshness freshness(int resultsPerSecond) throws CommandException, InterruptedException {
    flush();
    kafka.createTopic("live", PARALLELISM);
    BenchmarkTraffic traffic = new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM);
    try (KafkaProducer<byte[], byte[]> producer =
            BenchmarkTraffic.liveProducer(kafka.bootstrapServers());
        FreshnessProbe probe = FreshnessProbe.start(redis.uri(), FRESHNESS_SAMPLES)) {
      startWriter("live");
      // A cold writer falls behind; what is measured begins when it has caught up.
      traffic.publishLive(producer, "live", resultsPerSecond, FRESHNESS_WARM_UP, probe::published);
      long deadline = System.nanoTime() + STALL_NANOS;
      while (CountFn.COUNTED.sum() < traffic.published()) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException(
              "stalled at " + CountFn.COUNTED.sum() + " of " + traffic.published() + " results");
        }
        Thread.sleep(100);
      }
      traffic.publishLive(producer, "live", resultsPerSecond, FRESHNESS_LEAD, probe::published);
      probe.reset();
      double rate =
          traffic.publishLive(
              producer, "live", resultsPerSecond, FRESHNESS_PERIOD, probe::published);
      Thread.sleep(500);
      FreshnessProbe.Percentiles percentiles = probe.percentiles();
      return new Freshness(percentiles.p50Millis(), percentiles.p99Millis(), rate);
    } finally {
      flink.cancelJobs();
    }
  }

  /**
   * What it took to drain a backlog.
   *
   * @param resultsPerSecond from the start of the writer's JVM on
   * @param peakHeapMegabytes the most that a collection left on the heap, in mebibytes
   */
  record Drain(double resultsPerSecond, double peakHeapMegabytes) {}

  /**
   * Drains a backlog in which every so often a message is a large one.
   *
   * @throws IllegalStateException if the writer ended, as it does when it runs out of memory
   */
  Drain drain(long results, int largeMessages, String heap)
      throws IOException, InterruptedException, ExecutionException {
    flush();
    String topic = "backlog";
    kafka.createTopic(topic, PARALLELISM);
    try (KafkaProducer<byte[], byte[]> producer =
        BenchmarkTraffic.producer(kafka.bootstrapServers())) {
      new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM)
          .publishBacklog(producer, topic, results, largeMessages);
    }
    List<String> options = new ArrayList<>(storeAndBuses(topic, topic));
    options.addAll(
        List.of(
            "--runner=FlinkRunner",
            "--parallelism=" + PARALLELISM,
            "--checkpointingInterval=1000"));
    options.addAll(writerArguments);
    long start = System.nanoTime();
    try (WriterProcess writer =
            WriterProcess.start(
                OnlineWriter.class, directory.resolve("low-memory"), heap, options);
        Admin admin =
            Admin.create(
                Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()))) {
      long all = results + largeMessages;
      writer.awaitCommitted(admin, topic, all);
      return new Drain(all * 1e9 / (System.nanoTime() - start), writer.peakHeapMegabytes());
    }
  }

  double handWritten(String topic, long results, HandWrittenConsumer.Ordering ordering)
      throws InterruptedException {
    flush();
    try (HandWrittenConsumer consumer =
        new HandWrittenConsumer(
            kafka.bootstrapServers(), topic, PARALLELISM, redis.port(), ordering)) {
      return SteadyRate.of(consumer::done, results);
    }
  }

  double redisIo(String topic, long results) throws CommandException, InterruptedException {
    flush();
    RedisIoPipeline.DONE.reset();
    RedisIoPipeline.start(
        kafka.bootstrapServers(), topic, redis.port(), flink.arguments().toArray(String[]::new));
    try {
      return SteadyRate.of(RedisIoPipeline.DONE::sum, results);
    } finally {
      flink.cancelJobs();
    }
  }

  double writer(String topic, long results) throws CommandException, InterruptedException {
    flush();
    startWriter(topic);
    try {
      return SteadyRate.of(CountFn.COUNTED::sum, results);
    } finally {
      flink.cancelJobs();
    }
  }

  private void startWriter(String topic) throws CommandException {
    CountFn.COUNTED.reset();
    List<String> arguments = flink.arguments();
    arguments.addAll(storeAndBuses(topic, topic + "-" + System.nanoTime()));
    OnlineWriter.WRITER.start(
        outcomes -> outcomes.apply("Count", ParDo.of(new CountFn<>())),
        arguments.toArray(String[]::new));
  }

  private List<String> storeAndBuses(String topic, String group) {
    String bus = "kafka://" + kafka.bootstrapServers() + "/";
    return List.of(
        "--resultBus=" + bus + topic + "?group=" + group,
        "--onlineStore=" + redis.uri(),
        "--deadLetterBus=" + bus + "dead-letters");
  }

  private void flush() {
    try (Jedis jedis = redis.connect()) {
      jedis.flushAll();
    }
  }

  @Override
  public void close() {
    flink.close();
    redis.close();
    kafka.close();
  }
}
