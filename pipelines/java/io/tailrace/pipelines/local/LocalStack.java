package io.tailrace.pipelines.local;

import static java.util.Objects.requireNonNull;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalRedis;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Everything that Tailrace needs, in or below this JVM: a Kafka broker with the topics, a Redis, a
 * Flink cluster, and on it the writers.
 *
 * <p>It is for trying Tailrace out, for tests and for benchmarks. All files are below one
 * directory. Ends with {@link #close()}; the directory stays. Thread-safe, except for the builder.
 */
public final class LocalStack implements AutoCloseable {
  /** The option that names the bus of query results. */
  public static final String RESULT_BUS = "resultBus";

  /** Who gives a topic's messages their times: the broker, as is recommended. */
  private static final String TIMES = "message.timestamp.type";

  /** The topic of query results. */
  public static final String RESULT_TOPIC = "result-bus";

  /** The topic of Parquet files. */
  public static final String STREAMING_INSERT_TOPIC = "streaming-insert";

  /** The topic of messages that name files with results. */
  public static final String BULK_UPLOAD_TOPIC = "bulk-upload";

  /** The topic of messages that could not be written. */
  public static final String DEAD_LETTER_TOPIC = "dead-letters";

  /** The topic of summaries. */
  public static final String METRICS_TOPIC = "metrics";

  /** How old what tasks report about themselves may be when somebody asks. */
  private static final Duration METRICS_AGE = Duration.ofMillis(200);

  private final LocalKafka kafka;
  private final LocalRedis redis;
  private final LocalFlink flink;
  private final Map<String, String> uris;
  private final LocalWriters launcher;
  private volatile List<RunningWriter> writers;

  private LocalStack(
      LocalKafka kafka,
      LocalRedis redis,
      LocalFlink flink,
      Map<String, String> uris,
      LocalWriters launcher) {
    this.kafka = kafka;
    this.redis = redis;
    this.flink = flink;
    this.uris = uris;
    this.launcher = launcher;
    this.writers = List.of();
  }

  /**
   * A description of a stack, to be started with {@link Builder#start()}.
   *
   * @param directory where all its files are, or will be; created if missing
   */
  public static Builder in(Path directory) {
    return new Builder(directory.toAbsolutePath());
  }

  /** URI of the bus that results are published to. */
  public String resultBus() {
    return uri(RESULT_BUS);
  }

  /** URI of the bus that messages which can't be written end on. */
  public String deadLetterBus() {
    return uri("deadLetterBus");
  }

  /** The directory for what is too large for that bus. */
  public String deadLetterOverflow() {
    return uri("deadLetterOverflow");
  }

  /** URI of the online store. */
  public String onlineStore() {
    return uri("onlineStore");
  }

  private String uri(String option) {
    return requireNonNull(uris.get(option), option);
  }

  /** URL of Flink's REST endpoint. */
  public String flinkUrl() {
    return "http://" + flink.flinkMaster();
  }

  /** URL of the endpoint that shows Prometheus the metrics of Flink and of the writers. */
  public String metricsUrl() {
    return flink.metricsUrl().orElseThrow();
  }

  /** The broker. */
  public LocalKafka kafka() {
    return kafka;
  }

  /** The store. */
  public LocalRedis redis() {
    return redis;
  }

  /** The cluster. */
  public LocalFlink flink() {
    return flink;
  }

  /** URI of the bus that carries Parquet files. */
  public String streamingInsertBus() {
    return uri("streamingInsertBus");
  }

  /** URI of the bus that carries messages which name files with results. */
  public String bulkUploadBus() {
    return uri("bulkUploadBus");
  }

  /** URI of the folder that such files are loaded from. */
  public String uploadBucket() {
    return uri("uploadBucket");
  }

  /** URI of the offline store. */
  public String offlineStore() {
    return uri("offlineStore");
  }

  /** URI of the bus that carries summaries. */
  public String metricsBus() {
    return uri("metricsBus");
  }

  /** URI of the metrics store. */
  public String metricsStore() {
    return uri("metricsStore");
  }

  /** All writers, in the order in which a result comes by. */
  public List<RunningWriter> writers() {
    return writers;
  }

  /**
   * Stops a writer with a savepoint and starts it again from that.
   *
   * @param other options that it gets instead of those it had, in the form {@code --name=value}
   * @return the writer that goes on, which is another job; {@link #writers} has it from now on
   * @throws CommandException if an option is wrong
   */
  public RunningWriter restartFromSavepoint(RunningWriter writer, String... other)
      throws CommandException {
    List<String> options = new ArrayList<>(List.of(other));
    options.add("--savepointPath=" + flink.stopWithSavepoint(writer.job()));
    return replace(writer, launcher.start(writer.writer(), options));
  }

  /**
   * Cancels a writer, as a crash would, and starts it again from the offsets that it has committed.
   *
   * @return the writer that goes on, which is another job; {@link #writers} has it from now on
   * @throws CommandException if an option is wrong
   */
  public RunningWriter restartWithoutState(RunningWriter writer) throws CommandException {
    flink.cancel(writer.job());
    return replace(writer, launcher.start(writer.writer(), List.of()));
  }

  private RunningWriter replace(RunningWriter before, RunningWriter now) {
    writers = writers.stream().map(it -> it.equals(before) ? now : it).toList();
    launcher.awaitProcessing(now);
    return now;
  }

  /** Ends the writers, then the servers, in about a second. */
  @Override
  public void close() {
    Closing.all(List.of(flink::cancelAll, this::closeServers));
  }

  /** All at once: without the writers they no longer need each other. */
  private void closeServers() {
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try {
      List<AutoCloseable> ends = new ArrayList<>();
      for (AutoCloseable server : List.of(flink, redis, kafka)) {
        Future<?> end =
            threads.submit(
                () -> {
                  server.close();
                  return null;
                });
        ends.add(end::get);
      }
      Closing.all(ends);
    } finally {
      threads.shutdown();
    }
  }

  /** Describes a stack before it starts. Not thread-safe. */
  public static final class Builder {
    private final Path directory;
    private List<Writer<?>> writers = Writers.ALL;
    private int kafkaPort = 0;
    private int redisPort = 0;
    private int flinkPort = 0;
    private int prometheusPort = 0;
    private int partitions = 4;
    private int parallelism = 2;
    private int most = parallelism;
    private Duration checkpointInterval = Duration.ofSeconds(1);
    private boolean durable = false;
    private Optional<String> offlineStore = Optional.empty();
    private Map<String, String> topicSettings = Map.of();

    private Builder(Path directory) {
      this.directory = directory;
    }

    /** Lets Kafka listen on this port instead of a free one; 0 means a free one. */
    public Builder kafkaPort(int port) {
      kafkaPort = port;
      return this;
    }

    /** Lets Redis listen on this port instead of a free one; 0 means a free one. */
    public Builder redisPort(int port) {
      redisPort = port;
      return this;
    }

    /** Lets Flink's REST endpoint listen on this port instead of a free one; 0 means a free one. */
    public Builder flinkPort(int port) {
      flinkPort = port;
      return this;
    }

    /** Serves metrics to Prometheus on this port instead of a free one; 0 means a free one. */
    public Builder prometheusPort(int port) {
      prometheusPort = port;
      return this;
    }

    /** Divides the result bus into this many partitions instead of 4. */
    public Builder partitions(int count) {
      partitions = count;
      return this;
    }

    /** Runs every writer in this many parallel copies instead of 2. */
    public Builder parallelism(int copies) {
      parallelism = copies;
      most = Math.max(most, copies);
      return this;
    }

    /** Has room for one writer at a time with so many copies, and partitions for each. */
    public Builder upTo(int copies) {
      most = copies;
      return this;
    }

    /**
     * Lets writers checkpoint, and so commit what they have read, this often; every second
     * otherwise.
     */
    public Builder checkpointInterval(Duration interval) {
      checkpointInterval = interval;
      return this;
    }

    /** Keeps what Redis holds in the directory, too. */
    public Builder durable() {
      durable = true;
      return this;
    }

    /**
     * Writes to this offline store instead of a DuckDB file in the directory, which then has only
     * the metrics.
     */
    public Builder offlineStore(String uri) {
      offlineStore = Optional.of(uri);
      return this;
    }

    /** Makes all topics with these settings, such as {@code max.message.bytes}. */
    public Builder topicSettings(Map<String, String> settings) {
      topicSettings = Map.copyOf(settings);
      return this;
    }

    /** Runs these writers instead of all, but for those of other offline stores. */
    public Builder writers(List<Writer<?>> some) {
      writers = List.copyOf(some);
      return this;
    }

    /**
     * Starts the servers and the writers and returns when results are being carried.
     *
     * @throws UncheckedIOException if the directory can't be written
     * @throws IllegalStateException if a port is taken or a server does not start
     * @throws CommandException if an option of a writer is wrong
     */
    public LocalStack start() throws CommandException {
      writers = Writers.forOfflineStore(writers, offlineStoreUri());
      List<AutoCloseable> started = new ArrayList<>();
      // Flink takes as long as the other two together.
      CompletableFuture<LocalFlink> startingFlink =
          CompletableFuture.supplyAsync(
              this::startFlink, task -> new Thread(task, "start-flink").start());
      try {
        LocalRedis.Builder redisBuilder = LocalRedis.in(directory.resolve("redis")).port(redisPort);
        LocalRedis redis = (durable ? redisBuilder.appendOnly() : redisBuilder).start();
        started.add(0, redis);
        LocalKafka kafka = LocalKafka.start(directory.resolve("kafka"), kafkaPort);
        started.add(kafka);
        Map<String, String> settings = new HashMap<>(Map.of(TIMES, "LogAppendTime"));
        settings.putAll(topicSettings);
        kafka.createTopic(RESULT_TOPIC, partitions, settings);
        kafka.createTopic(STREAMING_INSERT_TOPIC, most, settings);
        kafka.createTopic(BULK_UPLOAD_TOPIC, most, settings);
        kafka.createTopic(METRICS_TOPIC, most, settings);
        kafka.createTopic(DEAD_LETTER_TOPIC, 1, settings);
        LocalFlink flink = join(startingFlink);
        started.add(0, flink);
        return startWriters(kafka, redis, flink);
      } catch (RuntimeException | CommandException e) {
        if (!startingFlink.isCompletedExceptionally() && started.size() < 3) {
          started.add(0, () -> join(startingFlink).close());
        }
        try {
          Closing.all(started);
        } catch (RuntimeException closing) {
          e.addSuppressed(closing);
        }
        throw e;
      }
    }

    private LocalFlink startFlink() {
      return LocalFlink.in(directory.resolve("flink"))
          .port(flinkPort)
          .prometheusPort(prometheusPort)
          .slots((writers.size() - 1) * parallelism + most)
          .setting("metrics.fetcher.update-interval", Long.toString(METRICS_AGE.toMillis()))
          .start();
    }

    private static LocalFlink join(CompletableFuture<LocalFlink> starting) {
      try {
        return starting.join();
      } catch (CompletionException e) {
        if (e.getCause() instanceof RuntimeException cause) {
          throw cause;
        }
        throw e;
      }
    }

    private String metricsStoreUri() {
      return "duckdb://" + directory.resolve("offline.db");
    }

    private String offlineStoreUri() {
      return offlineStore.orElse(metricsStoreUri() + "?schema={environment}");
    }

    private Path uploads() {
      try {
        return Files.createDirectories(directory.resolve("uploads"));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private LocalStack startWriters(LocalKafka kafka, LocalRedis redis, LocalFlink flink)
        throws CommandException {
      String bus = "kafka://" + kafka.bootstrapServers() + "/";
      // One file for both: one process can have it open, and may be asked for either.
      String metricsStore = metricsStoreUri();
      Map<String, String> uris =
          Map.ofEntries(
              Map.entry(RESULT_BUS, bus + RESULT_TOPIC),
              Map.entry("streamingInsertBus", bus + STREAMING_INSERT_TOPIC),
              Map.entry("bulkUploadBus", bus + BULK_UPLOAD_TOPIC),
              Map.entry("uploadBucket", "file://" + uploads()),
              Map.entry("metricsBus", bus + METRICS_TOPIC),
              Map.entry("deadLetterBus", bus + DEAD_LETTER_TOPIC),
              Map.entry("deadLetterOverflow", directory.resolve("large-dead-letters").toString()),
              Map.entry("onlineStore", redis.uri()),
              Map.entry("offlineStore", offlineStoreUri()),
              Map.entry("metricsStore", metricsStore));
      List<String> settings =
          List.of(
              "--parallelism=" + parallelism,
              "--checkpointingInterval=" + checkpointInterval.toMillis(),
              "--deadLetterOverflow=" + uris.get("deadLetterOverflow"));
      LocalStack stack =
          new LocalStack(kafka, redis, flink, uris, new LocalWriters(flink, uris, settings));
      stack.writers = stack.launcher.start(writers);
      return stack;
    }
  }
}
