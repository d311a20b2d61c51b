package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.deploy.ContainerMemory;
import io.tailrace.pipelines.local.LocalWriters;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.servers.MemoryGroup;
import io.tailrace.pipelines.local.servers.StandaloneFlink;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Whether writers survive, in little memory, messages that are small on the bus and large when they
 * are decompressed and decoded: each in a JVM of its own, and all of them in one. The broker and
 * the stores are processes of their own, or this one.
 */
final class MemoryBenchmark implements AutoCloseable {
  /** Those that run on this machine's servers. */
  static final List<Writer<?>> WRITERS =
      Writers.forOfflineStore(Writers.ALL, "postgresql://127.0.0.1/features");

  private static final int PARTITIONS = 2;
  private static final int MAX_REQUEST_BYTES = 64 << 20;
  private static final String DEAD_LETTERS = "dead-letters";

  private final Path directory;
  private final LocalKafka kafka;
  private final LocalRedis redis;
  private final Admin admin;
  // By the name of the option that says which bus it is.
  private final Map<String, Integer> published = new HashMap<>();
  private @Nullable LocalPostgres postgres;
  private int runs;

  MemoryBenchmark(Path directory) throws IOException {
    this.directory = directory;
    this.kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    this.redis = LocalRedis.start(directory.resolve("redis"));
    this.admin =
        Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()));
    kafka.createTopic(DEAD_LETTERS, 1);
  }

  /** Publishes to the result bus. */
  void publishResults(LargeTraffic traffic) {
    kafka.createTopic("resultBus", PARTITIONS);
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      published.put("resultBus", traffic.results(to(producer, "resultBus")));
    }
  }

  /** Publishes to every bus that writers read. */
  void publish(LargeTraffic traffic) throws SQLException, IOException {
    publishResults(traffic);
    kafka.createTopic("streamingInsertBus", PARTITIONS);
    kafka.createTopic("bulkUploadBus", PARTITIONS);
    kafka.createTopic("metricsBus", PARTITIONS);
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      published.put(
          "streamingInsertBus", traffic.files(directory, to(producer, "streamingInsertBus")));
      published.put("bulkUploadBus", traffic.uploads(bucket(), to(producer, "bulkUploadBus")));
      published.put("metricsBus", traffic.summaries(to(producer, "metricsBus")));
    }
  }

  private KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers",
            kafka.bootstrapServers(),
            "compression.type",
            "zstd",
            "linger.ms",
            50,
            // Counted before they are compressed.
            "batch.size",
            8 << 20,
            "buffer.memory",
            2L * MAX_REQUEST_BYTES,
            "max.request.size",
            MAX_REQUEST_BYTES),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static LargeTraffic.Taker to(KafkaProducer<byte[], byte[]> producer, String topic) {
    int[] count = {0};
    return message -> {
      var unused =
          producer.send(new ProducerRecord<>(topic, count[0]++ % PARTITIONS, null, message));
    };
  }

  /**
   * What it took.
   *
   * @param messagesPerSecond from the start of the JVM on
   * @param peakHeapMegabytes the most that a collection left on the heap, in mebibytes
   */
  record Survived(double messagesPerSecond, double peakHeapMegabytes) {}

  /**
   * Runs a writer, until it has committed everything.
   *
   * @throws IllegalStateException if it ends before, as it does when it runs out of memory
   */
  Survived alone(Writer<?> writer, String heap)
      throws IOException, InterruptedException, ExecutionException {
    String group = writer.name() + "-" + ++runs;
    List<String> options = new ArrayList<>(endpoints(writer, group));
    options.addAll(
        List.of(
            "--runner=FlinkRunner",
            "--parallelism=" + PARTITIONS,
            "--checkpointingInterval=1000",
            // As anywhere but in a trial: otherwise the job keeps its checkpoints on its heap.
            "--stateBackend=filesystem",
            "--stateBackendStoragePath=" + directory.resolve(group + "-checkpoints").toUri()));
    long start = System.nanoTime();
    try (WriterProcess process =
        WriterProcess.start(writer.program(), directory.resolve(group), heap, options)) {
      int messages = published.getOrDefault(writer.reads(), 0);
      process.awaitCommitted(admin, group, messages);
      return new Survived(
          messages * 1e9 / (System.nanoTime() - start), process.peakHeapMegabytes());
    }
  }

  /**
   * What a container took.
   *
   * @param peakMegabytes the most that its process had at once, in mebibytes
   * @param restarts how often the job had to begin anew
   * @param isBounded whether the kernel would have killed it for more
   */
  record Contained(
      double messagesPerSecond, double peakMegabytes, int restarts, boolean isBounded) {}

  /**
   * Runs a writer on a TaskManager in a container of its own, divided as the deployed ones, until
   * it has committed everything. Where this machine lets nobody make a control group, its resident
   * memory is measured alone.
   *
   * @param limit of the container, such as {@code 1Gi}
   * @throws IllegalStateException if it needs more, or ends
   */
  Contained contained(Writer<?> writer, String limit)
      throws CommandException, InterruptedException, ExecutionException {
    ContainerMemory memory = ContainerMemory.of(limit);
    String group = writer.name() + "-" + ++runs;
    Map<String, String> settings = new HashMap<>(memory.flink());
    settings.put("taskmanager.memory.process.size", memory.total() + "m");
    Map<String, String> uris = new HashMap<>();
    for (String option : writer.endpoints().keySet()) {
      boolean isRead = option.equals(writer.reads());
      uris.put(option, uri(option) + (isRead ? "?group=" + group : ""));
    }
    Optional<MemoryGroup> bound = MemoryGroup.of(memory.total() << 20);
    try (StandaloneFlink flink =
        StandaloneFlink.in(directory.resolve(group))
            .taskManagers(1)
            .slots(PARTITIONS)
            .container(bound, settings, ContainerMemory.FLAGS)
            .start()) {
      long start = System.nanoTime();
      RunningWriter running =
          new LocalWriters(
                  flink.cluster(),
                  uris,
                  List.of(
                      "--parallelism=" + PARTITIONS,
                      "--checkpointingInterval=1000",
                      "--environments=" + BenchmarkTraffic.ENVIRONMENT))
              .start(writer, List.of());
      int messages = published.getOrDefault(writer.reads(), 0);
      WriterProcess.awaitCommitted(
          admin,
          group,
          messages,
          () -> {
            if (bound.map(MemoryGroup::killed).orElse(0) > 0
                || flink.peakTaskManagerBytes() > memory.total() << 20) {
              throw new IllegalStateException(writer.name() + " needs more than " + limit);
            }
            flink.checkTaskManagers();
          });
      int restarts = flink.cluster().restarts(running.job());
      if (restarts > 0) {
        throw new IllegalStateException(
            writer.name() + " began anew " + restarts + " times: see " + directory);
      }
      return new Contained(
          messages * 1e9 / (System.nanoTime() - start),
          flink.peakTaskManagerBytes() / (double) (1 << 20),
          restarts,
          bound.isPresent());
    } finally {
      bound.ifPresent(MemoryGroup::close);
    }
  }

  /** Runs all writers in one JVM, until they have committed everything. */
  Survived together(String heap) throws IOException, InterruptedException, ExecutionException {
    List<String> options = new ArrayList<>();
    Map<Writer<?>, String> groups = new HashMap<>();
    for (Writer<?> writer : WRITERS) {
      String group = writer.name() + "-" + ++runs;
      groups.put(writer, group);
      options.add(writer.name());
      options.addAll(endpoints(writer, group));
    }
    long start = System.nanoTime();
    try (WriterProcess process =
        WriterProcess.start(
            WritersInOneJvm.class, directory.resolve("together-" + runs), heap, options)) {
      int all = 0;
      for (Map.Entry<Writer<?>, String> each : groups.entrySet()) {
        int messages = published.getOrDefault(each.getKey().reads(), 0);
        process.awaitCommitted(admin, each.getValue(), messages);
        all += messages;
      }
      return new Survived(all * 1e9 / (System.nanoTime() - start), process.peakHeapMegabytes());
    }
  }

  /** Returns how many dead letters there are. */
  long letters() throws InterruptedException, ExecutionException {
    TopicPartition partition = new TopicPartition(DEAD_LETTERS, 0);
    return admin
        .listOffsets(Map.of(partition, OffsetSpec.latest()))
        .partitionResult(partition)
        .get()
        .offset();
  }

  private List<String> endpoints(Writer<?> writer, String group) {
    List<String> options = new ArrayList<>();
    for (String option : writer.endpoints().keySet()) {
      boolean isRead = option.equals(writer.reads());
      options.add("--" + option + "=" + uri(option) + (isRead ? "?group=" + group : ""));
    }
    options.add("--environments=" + BenchmarkTraffic.ENVIRONMENT);
    return options;
  }

  private String uri(String option) {
    return switch (option) {
      case "onlineStore" -> redis.uri();
      case "offlineStore", "metricsStore" -> postgres().uri();
      case "uploadBucket" -> "file://" + bucket();
      default -> bus(option);
    };
  }

  private Path bucket() {
    return directory.resolve("uploads");
  }

  private LocalPostgres postgres() {
    if (postgres == null) {
      postgres = LocalPostgres.start(directory.resolve("postgres"));
    }
    return postgres;
  }

  private String bus(String option) {
    String topic = option.equals("deadLetterBus") ? DEAD_LETTERS : option;
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  @Override
  public void close() {
    admin.close();
    if (postgres != null) {
      postgres.close();
    }
    redis.close();
    kafka.close();
  }
}
