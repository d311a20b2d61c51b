package io.tailrace.pipelines.benchmark;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStores;
import io.tailrace.parquet.TableNames;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.OfflineWriter;
import io.tailrace.pipelines.StreamingInsertWriter;
import io.tailrace.pipelines.benchmark.rivals.JdbcIoPipeline;
import io.tailrace.pipelines.benchmark.rivals.NativeDuckDb;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.LongAdder;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;

/**
 * Measures both writers of the offline path and their rivals, one after another, on the same broker
 * and files.
 */
final class OfflineBenchmark implements AutoCloseable {
  static final int PARALLELISM = BenchmarkFlink.PARALLELISM;

  /** Rows that have become durable; everything runs in this JVM. */
  private static final LongAdder INSERTED = new LongAdder();

  private static final double FROM = 0.35;
  private static final double TO = 0.95;
  private static final long STALL_NANOS = 120_000_000_000L;

  private static final Duration FRESHNESS_WARM_UP = Duration.ofSeconds(60);
  private static final Duration FRESHNESS_PERIOD = Duration.ofSeconds(30);

  private final Path directory;
  private final LocalKafka kafka;
  private final BenchmarkFlink flink;
  private final LocalPostgres postgres;
  private final Admin admin;
  private int runs;

  OfflineBenchmark(Path directory, List<String> writerArguments) throws IOException {
    this.directory = directory;
    this.kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    this.flink = BenchmarkFlink.start(directory.resolve("flink"), 2, writerArguments);
    this.postgres =
        LocalPostgres.in(directory.resolve("postgres"))
            .setting("shared_buffers", "256MB")
            .setting("max_wal_size", "4GB")
            .start();
    this.admin =
        Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()));
    kafka.createTopic("dead-letters", 1);
  }

  void publish(String topic, int namespaces, long results) {
    kafka.createTopic(topic, PARALLELISM);
    try (KafkaProducer<byte[], byte[]> producer =
        BenchmarkTraffic.producer(kafka.bootstrapServers())) {
      new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM, namespaces)
          .publish(producer, topic, results, entity -> entity & 1);
    }
  }

  /**
   * Runs the offline writer over a topic and returns observations a second, taken from how its
   * files come to their topic.
   */
  double encode(String results, long count, String files)
      throws CommandException, InterruptedException, ExecutionException {
    kafka.createTopic(files, PARALLELISM);
    String group = results + "-" + ++runs;
    List<long[]> samples = new ArrayList<>();
    startOfflineWriter(results + "?group=" + group, files, newDuckDb("tables-only"));
    try {
      long lastChange = System.nanoTime();
      long committed = 0;
      while (committed < count) {
        Thread.sleep(20);
        long now = System.nanoTime();
        long published = published(files);
        if (samples.isEmpty() || published > samples.get(samples.size() - 1)[1]) {
          samples.add(new long[] {now, published});
          lastChange = now;
        } else {
          committed = committed(group);
          if (now - lastChange > STALL_NANOS) {
            throw new IllegalStateException("stalled at " + committed + " of " + count);
          }
        }
      }
    } finally {
      flink.cancelJobs();
    }
    long all = samples.get(samples.size() - 1)[1];
    long[] from = samples.stream().filter(it -> it[1] >= FROM * all).findFirst().orElseThrow();
    long[] to = samples.stream().filter(it -> it[1] >= TO * all).findFirst().orElseThrow();
    double part = (double) (to[1] - from[1]) / all;
    return part * count * BenchmarkTraffic.FEATURES * 1e9 / (to[0] - from[0]);
  }

  /**
   * How fast rows were inserted.
   *
   * @param rowsPerSecond rows of the log of queries included
   * @param millisPerTable for all rows that a table gets at once, on average; zero when not asked
   */
  record Inserted(double rowsPerSecond, double millisPerTable) {}

  /** Runs the streaming-insert writer over a topic of files, into a new DuckDB file. */
  Inserted insertIntoDuckDb(String files, long results, int namespaces)
      throws CommandException, InterruptedException, UnavailableException {
    String store = newDuckDb("writer");
    long start = System.nanoTime();
    double rate = insert(files, store, results);
    double millis = (System.nanoTime() - start) / 1e6;
    // A table gets what was inserted together at one time, by the database's clock.
    OfflineReader.Table found =
        OfflineStores.at(store).reader().query("SELECT avg(times) FROM (" + countTimes() + ")", 1);
    double inserts =
        Double.parseDouble(String.valueOf(found.rows().get(0).get(0)))
            * namespaces
            * BenchmarkTraffic.FEATURES;
    return new Inserted(rate, millis / inserts);
  }

  private static String countTimes() {
    List<String> counts = new ArrayList<>();
    for (int i = 0; i < BenchmarkTraffic.FEATURES; i++) {
      counts.add(
          "SELECT count(DISTINCT inserted_at) AS times FROM tailrace."
              + TableNames.ofFeature(BenchmarkTraffic.feature(i)));
    }
    return String.join(" UNION ALL ", counts);
  }

  /**
   * Runs the streaming-insert writer over a topic of files, into PostgreSQL.
   *
   * @param parameters of the store's URI
   */
  double insertIntoPostgres(String files, long results, String parameters)
      throws CommandException, InterruptedException, SQLException {
    dropSchema();
    return insert(files, postgres.uri() + parameters, results);
  }

  private double insert(String files, String store, long results)
      throws CommandException, InterruptedException {
    startInsertWriter(files + "?group=" + files + "-" + ++runs, store);
    try {
      return SteadyRate.of(INSERTED::sum, rows(results));
    } finally {
      flink.cancelJobs();
    }
  }

  static long rows(long results) {
    return results * (BenchmarkTraffic.FEATURES + 1L);
  }

  /** Runs {@code JdbcIO} over a topic of files and returns observations a second. */
  double jdbcIo(String files, long results)
      throws CommandException, InterruptedException, SQLException, ExecutionException {
    dropSchema();
    // The tables, as the offline writer makes them.
    String one = "one-" + ++runs;
    publish(one, 1, 100);
    kafka.createTopic(one + "-files", 1);
    startOfflineWriter(one + "?group=" + one, one + "-files", postgres.uri());
    try {
      while (committed(one) < 100) {
        Thread.sleep(100);
      }
    } finally {
      flink.cancelJobs();
    }
    JdbcIoPipeline.DONE.reset();
    List<String> arguments = flink.arguments();
    // What the writers set for themselves.
    arguments.addAll(
        List.of(
            "--objectReuse=true",
            "--fasterCopy=true",
            "--maxBundleSize=50000",
            "--maxBundleTimeMills=500",
            "--finishBundleBeforeCheckpointing=true"));
    JdbcIoPipeline.start(
        bus(files) + "?group=jdbc-" + runs, postgres, arguments.toArray(String[]::new));
    try {
      return SteadyRate.of(JdbcIoPipeline.DONE::sum, results * BenchmarkTraffic.FEATURES);
    } finally {
      flink.cancelJobs();
    }
  }

  private void dropSchema() throws SQLException {
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("DROP SCHEMA IF EXISTS tailrace CASCADE");
    }
  }

  /** Downloads the files of a topic for {@link #nativeDuckDb}. */
  List<Path> download(String files) throws IOException {
    return NativeDuckDb.download(
        kafka.bootstrapServers(), files, PARALLELISM, directory.resolve(files));
  }

  /** Lets DuckDB insert files by itself and returns rows a second. */
  double nativeDuckDb(List<Path> files) throws SQLException {
    return NativeDuckDb.insert(files, directory.resolve("native-" + ++runs + ".db"), PARALLELISM);
  }

  /**
   * How long a result takes from its publication until its rows can be read from DuckDB.
   *
   * @param resultsPerSecond the rate that was really reached
   */
  record Freshness(double p50Millis, double p99Millis, double resultsPerSecond) {}

  Freshness freshness(int resultsPerSecond)
      throws CommandException, InterruptedException, UnavailableException, ExecutionException {
    kafka.createTopic("live", PARALLELISM);
    kafka.createTopic("live-files", PARALLELISM);
    String store = newDuckDb("live");
    startOfflineWriter("live?group=live", "live-files", store);
    startInsertWriter("live-files?group=live-files", store);
    BenchmarkTraffic traffic = new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM);
    try (KafkaProducer<byte[], byte[]> producer =
        BenchmarkTraffic.liveProducer(kafka.bootstrapServers())) {
      BenchmarkTraffic.Listener nobody = (entity, feature, observedAt, published) -> {};
      traffic.publishLive(producer, "live", resultsPerSecond, FRESHNESS_WARM_UP, nobody);
      long deadline = System.nanoTime() + STALL_NANOS;
      while (INSERTED.sum() < rows(traffic.published())) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException("stalled at " + INSERTED.sum() + " rows");
        }
        Thread.sleep(50);
      }
      try (RowWatcher watcher = new RowWatcher(store)) {
        double rate =
            traffic.publishLive(producer, "live", resultsPerSecond, FRESHNESS_PERIOD, nobody);
        long expected = traffic.published();
        while (watcher.seen() < expected) {
          watcher.check();
          if (System.nanoTime() > deadline + STALL_NANOS) {
            throw new IllegalStateException("stalled at " + watcher.seen() + " results");
          }
          Thread.sleep(50);
        }
        DescriptiveStatistics millis = watcher.millis();
        return new Freshness(millis.getPercentile(50), millis.getPercentile(99), rate);
      }
    } finally {
      flink.cancelJobs();
    }
  }

  /** Returns what measures the writers with little memory, on the same broker. */
  OfflineMemory memory() {
    return new OfflineMemory(this);
  }

  Path directory() {
    return directory;
  }

  LocalKafka kafka() {
    return kafka;
  }

  Admin admin() {
    return admin;
  }

  /** Returns the name of a consumer group that nobody has used. */
  String newGroup(String name) {
    return name + "-" + ++runs;
  }

  String newDuckDb(String name) {
    return "duckdb://" + directory.resolve(name + "-" + ++runs + ".db");
  }

  List<String> offlineWriter(String results, String files, String store) {
    return List.of(
        "--resultBus=" + bus(results),
        "--streamingInsertBus=" + bus(files),
        "--offlineStore=" + store,
        "--environments=" + BenchmarkTraffic.ENVIRONMENT,
        "--deadLetterBus=" + bus("dead-letters"));
  }

  List<String> insertWriter(String files, String store) {
    return List.of(
        "--streamingInsertBus=" + bus(files),
        "--offlineStore=" + store,
        "--environments=" + BenchmarkTraffic.ENVIRONMENT,
        "--deadLetterBus=" + bus("dead-letters"));
  }

  private String bus(String topic) {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  private void startOfflineWriter(String results, String files, String store)
      throws CommandException {
    List<String> arguments = flink.arguments();
    arguments.addAll(offlineWriter(results, files, store));
    OfflineWriter.WRITER.start(arguments.toArray(String[]::new));
  }

  private void startInsertWriter(String files, String store) throws CommandException {
    INSERTED.reset();
    List<String> arguments = flink.arguments();
    arguments.addAll(insertWriter(files, store));
    StreamingInsertWriter.WRITER.start(
        outcomes -> outcomes.apply("Count", ParDo.of(new CountFn())),
        arguments.toArray(String[]::new));
  }

  /** The options that the writers are started with, beside where they read and write. */
  List<String> writerOptions() {
    return flink.shownArguments();
  }

  private long committed(String group) throws InterruptedException, ExecutionException {
    return WriterProcess.committed(admin, group);
  }

  long published(String topic) throws InterruptedException, ExecutionException {
    long sum = 0;
    for (int p = 0; p < PARALLELISM; p++) {
      TopicPartition partition = new TopicPartition(topic, p);
      sum +=
          admin
              .listOffsets(Map.of(partition, OffsetSpec.latest()))
              .partitionResult(partition)
              .get()
              .offset();
    }
    return sum;
  }

  @Override
  public void close() {
    admin.close();
    flink.close();
    postgres.close();
    kafka.close();
  }

  private static final class CountFn extends DoFn<InsertOutcome, Void> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void count(@Element InsertOutcome outcome) {
      INSERTED.add(outcome.rows());
    }
  }
}
