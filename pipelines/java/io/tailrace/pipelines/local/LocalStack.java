package io.tailrace.pipelines.local;

import static java.util.Objects.requireNonNull;

import io.tailrace.metrics.SummarizeResults;
import io.tailrace.metrics.WriteSummaries;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.offline.InsertObservations;
import io.tailrace.online.WriteOnline;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.MetricsBusWriter;
import io.tailrace.pipelines.MetricsWriter;
import io.tailrace.pipelines.OfflineWriter;
import io.tailrace.pipelines.OnlineWriter;
import io.tailrace.pipelines.StreamingInsertWriter;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalRedis;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.beam.sdk.PipelineResult;
import org.apache.flink.api.common.JobID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that Tailrace needs, in or below this JVM: a Kafka broker with the topics, a Redis, a
 * Flink cluster, and on it the writers.
 *
 * <p>It is for trying Tailrace out, for tests and for benchmarks. All files are below one
 * directory. Ends with {@link #close()}; the directory stays. Thread-safe, except for the builder.
 */
public final class LocalStack implements AutoCloseable {
  /** The topic of query results. */
  public static final String RESULT_TOPIC = "result-bus";

  /** The topic of Parquet files. */
  public static final String STREAMING_INSERT_TOPIC = "streaming-insert";

  /** The topic of messages that could not be written. */
  public static final String DEAD_LETTER_TOPIC = "dead-letters";

  /** The topic of summaries. */
  public static final String METRICS_TOPIC = "metrics";

  private static final int WRITERS = 5;

  /** Stands for the job of a writer that has not been started yet. */
  private static final JobID NO_JOB = new JobID(0, 0);

  private static final Duration WRITER_START_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(20);

  /** How old what tasks report about themselves may be when somebody asks. */
  private static final Duration METRICS_AGE = Duration.ofMillis(200);

  private static final Logger log = LoggerFactory.getLogger(LocalStack.class);

  private final LocalKafka kafka;
  private final LocalRedis redis;
  private final LocalFlink flink;
  private final String offlineStore;
  private final String metricsStore;
  private final Map<String, RunningWriter> writers;

  private LocalStack(
      LocalKafka kafka,
      LocalRedis redis,
      LocalFlink flink,
      String offlineStore,
      String metricsStore,
      Map<String, RunningWriter> writers) {
    this.kafka = kafka;
    this.redis = redis;
    this.flink = flink;
    this.offlineStore = offlineStore;
    this.metricsStore = metricsStore;
    this.writers = writers;
  }

  /**
   * A writer in the stack.
   *
   * @param name also its consumer group
   * @param topic what it reads
   * @param stage whose counters tell what it does
   * @param settled which of them counts the messages that it has dealt with
   */
  public record RunningWriter(String name, String topic, String stage, String settled, JobID job) {}

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
    return "kafka://" + kafka.bootstrapServers() + "/" + RESULT_TOPIC;
  }

  /** URI of the bus that messages which can't be written end on. */
  public String deadLetterBus() {
    return "kafka://" + kafka.bootstrapServers() + "/" + DEAD_LETTER_TOPIC;
  }

  /** URI of the online store. */
  public String onlineStore() {
    return redis.uri();
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
    return "kafka://" + kafka.bootstrapServers() + "/" + STREAMING_INSERT_TOPIC;
  }

  /** URI of the offline store. */
  public String offlineStore() {
    return offlineStore;
  }

  /** URI of the bus that carries summaries. */
  public String metricsBus() {
    return "kafka://" + kafka.bootstrapServers() + "/" + METRICS_TOPIC;
  }

  /** URI of the metrics store. */
  public String metricsStore() {
    return metricsStore;
  }

  /** A writer by its name. */
  public RunningWriter writer(String name) {
    return requireNonNull(writers.get(name), name);
  }

  /** All writers, in the order of the flow. */
  public List<RunningWriter> writers() {
    return List.copyOf(writers.values());
  }

  /** Ends the writers, then the servers, in about a second. */
  @Override
  public void close() {
    closeAll(List.of(flink::cancelAll, this::closeServers));
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
      closeAll(ends);
    } finally {
      threads.shutdown();
    }
  }

  /** Closes in the given order, each one whatever happened to the others. */
  private static void closeAll(List<AutoCloseable> servers) {
    RuntimeException failure = null;
    for (AutoCloseable server : servers) {
      try {
        server.close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("The local stack does not end cleanly", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Describes a stack before it starts. Not thread-safe. */
  public static final class Builder {
    private final Path directory;
    private final List<String> writerOptions = new ArrayList<>();
    private int kafkaPort = 0;
    private int redisPort = 0;
    private int flinkPort = 0;
    private int prometheusPort = 0;
    private int partitions = 4;
    private int parallelism = 2;
    private Duration checkpointInterval = Duration.ofSeconds(1);
    private boolean durable = false;
    private Optional<String> offlineStore = Optional.empty();

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

    /** Adds options of the online writer, in the form {@code --name=value}; they win. */
    public Builder writerOptions(String... options) {
      writerOptions.addAll(List.of(options));
      return this;
    }

    /**
     * Starts the servers and the writers and returns when results are being carried.
     *
     * @throws UncheckedIOException if the directory can't be written
     * @throws IllegalStateException if a port is taken or a server does not start
     * @throws CommandException if an option of the writer is wrong
     */
    public LocalStack start() throws CommandException {
      log.debug("Starting in {}", directory);
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
        kafka.createTopic(RESULT_TOPIC, partitions);
        kafka.createTopic(STREAMING_INSERT_TOPIC, parallelism);
        kafka.createTopic(METRICS_TOPIC, parallelism);
        kafka.createTopic(DEAD_LETTER_TOPIC, 1);
        LocalFlink flink = join(startingFlink);
        started.add(0, flink);
        return startWriters(kafka, redis, flink);
      } catch (RuntimeException | CommandException e) {
        if (!startingFlink.isCompletedExceptionally() && started.size() < 3) {
          started.add(0, () -> join(startingFlink).close());
        }
        try {
          closeAll(started);
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
          .slots(WRITERS * parallelism)
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

    private LocalStack startWriters(LocalKafka kafka, LocalRedis redis, LocalFlink flink)
        throws CommandException {
      String bus = "kafka://" + kafka.bootstrapServers() + "/";
      // One file for both: one process can have it open, and may be asked for either.
      String metricsStore = "duckdb://" + directory.resolve("offline.db");
      String store = offlineStore.orElse(metricsStore + "?schema={environment}");
      Map<String, RunningWriter> writers = new LinkedHashMap<>();
      start(
          writers,
          flink,
          new RunningWriter(
              OnlineWriter.WRITER.name(),
              RESULT_TOPIC,
              WriteOnline.STAGE,
              "results_settled",
              NO_JOB),
          OnlineWriter.WRITER::start,
          List.of("--resultBus=" + bus + RESULT_TOPIC, "--onlineStore=" + redis.uri()),
          writerOptions);
      start(
          writers,
          flink,
          new RunningWriter(
              OfflineWriter.WRITER.name(),
              RESULT_TOPIC,
              EncodeObservations.STAGE,
              "queries_encoded",
              NO_JOB),
          OfflineWriter.WRITER::start,
          List.of(
              "--resultBus=" + bus + RESULT_TOPIC,
              "--streamingInsertBus=" + bus + STREAMING_INSERT_TOPIC,
              "--offlineStore=" + store),
          List.of());
      start(
          writers,
          flink,
          new RunningWriter(
              StreamingInsertWriter.WRITER.name(),
              STREAMING_INSERT_TOPIC,
              InsertObservations.STAGE,
              "files_inserted",
              NO_JOB),
          StreamingInsertWriter.WRITER::start,
          List.of(
              "--streamingInsertBus=" + bus + STREAMING_INSERT_TOPIC, "--offlineStore=" + store),
          List.of());
      start(
          writers,
          flink,
          new RunningWriter(
              MetricsWriter.WRITER.name(),
              RESULT_TOPIC,
              SummarizeResults.STAGE,
              "results_summarized",
              NO_JOB),
          MetricsWriter.WRITER::start,
          List.of("--resultBus=" + bus + RESULT_TOPIC, "--metricsBus=" + bus + METRICS_TOPIC),
          List.of());
      start(
          writers,
          flink,
          new RunningWriter(
              MetricsBusWriter.WRITER.name(),
              METRICS_TOPIC,
              WriteSummaries.STAGE,
              "summaries_settled",
              NO_JOB),
          MetricsBusWriter.WRITER::start,
          List.of("--metricsBus=" + bus + METRICS_TOPIC, "--metricsStore=" + metricsStore),
          List.of());
      for (RunningWriter writer : writers.values()) {
        awaitProcessing(flink, writer);
      }
      return new LocalStack(kafka, redis, flink, store, metricsStore, writers);
    }

    private interface Starter {
      PipelineResult start(String... options) throws CommandException;
    }

    private void start(
        Map<String, RunningWriter> writers,
        LocalFlink flink,
        RunningWriter writer,
        Starter starter,
        List<String> own,
        List<String> overriding)
        throws CommandException {
      List<String> options = new ArrayList<>(flink.pipelineArguments());
      options.addAll(
          List.of(
              "--jobName=" + writer.name,
              "--parallelism=" + parallelism,
              "--checkpointingInterval=" + checkpointInterval.toMillis(),
              "--deadLetterBus="
                  + own.get(0).replaceFirst("^--[A-Za-z]+=", "").replaceFirst("[^/]+$", "")
                  + DEAD_LETTER_TOPIC));
      options.addAll(own);
      for (String option : overriding) {
        String name = option.replaceFirst("=.*", "=");
        options.removeIf(given -> given.startsWith(name));
        options.add(option);
      }
      var unused = starter.start(options.toArray(String[]::new));
      List<LocalFlink.Job> jobs = flink.jobs();
      JobID job = jobs.get(jobs.size() - 1).id();
      writers.put(
          writer.name,
          new RunningWriter(writer.name, writer.topic, writer.stage, writer.settled, job));
    }

    private static void awaitProcessing(LocalFlink flink, RunningWriter writer) {
      long deadline = System.nanoTime() + WRITER_START_TIMEOUT.toNanos();
      while (!flink.isProcessing(writer.job)) {
        if (System.nanoTime() > deadline || flink.restarts(writer.job) > 2) {
          throw new IllegalStateException(
              "The "
                  + writer.name
                  + " does not start: "
                  + flink.lastFailure(writer.job).orElse("its tasks are not running yet"));
        }
        pause();
      }
    }

    private static void pause() {
      try {
        Thread.sleep(POLL.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("Interrupted while a writer starts", e);
      }
    }
  }
}
