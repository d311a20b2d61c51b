package io.tailrace.pipelines.local.servers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.ZipEntry;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.BlobServerOptions;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ClusterOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.executiongraph.ErrorInfo;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real Flink session cluster in this JVM: job manager, one task manager and a REST endpoint on
 * the loopback address, to which jobs are submitted like to any cluster.
 *
 * <p>Jobs find their classes on this JVM's class path before the jars that they bring. State is on
 * the heap and checkpoints are files below {@code checkpoints} in the directory, savepoints below
 * {@code savepoints}; both outlive {@link #close()}, if the job asked for its checkpoints to be
 * retained. A job that fails is restarted without limit, after {@value #FIRST_RESTART_MILLIS} ms at
 * first and {@value #LONGEST_RESTART_MILLIS} ms at most. How often a job checkpoints is the job's
 * choice.
 *
 * <p>Everything that Flink needs while it runs is below {@code work} in the directory, and is
 * deleted at close, or at the next start if the JVM was killed. A directory serves one cluster at a
 * time.
 *
 * <p>Thread-safe, except for the builder.
 */
public final class LocalFlink implements AutoCloseable {
  /** The shortest pause before a restart, in milliseconds: what nobody notices. */
  public static final int FIRST_RESTART_MILLIS = 100;

  /** The longest pause, in milliseconds: what a person watching takes for alive. */
  public static final int LONGEST_RESTART_MILLIS = 5_000;

  /** After how long without a failure the pause is the shortest again. */
  private static final Duration CALM = Duration.ofSeconds(30);

  /** A thousand buffers, for some ten jobs of parallelism 2; allocated at start, off the heap. */
  private static final MemorySize NETWORK_MEMORY = MemorySize.ofMebiBytes(32);

  /** For sorting and for state outside the heap, of which streams on the heap have none. */
  private static final MemorySize MANAGED_MEMORY = MemorySize.ofMebiBytes(8);

  /** Ended jobs remembered. */
  private static final int ENDED_JOBS = 20;

  private static final Duration METRICS_AGE = Duration.ofSeconds(1);
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(20);

  /** How long close() waits for jobs before it ends them together with the cluster. */
  private static final Duration CANCEL_TIMEOUT = Duration.ofSeconds(2);

  private static final ObjectMapper json = new ObjectMapper();
  private static final Logger log = LoggerFactory.getLogger(LocalFlink.class);

  private final Path directory;
  private final int port;
  private final OptionalInt prometheusPort;
  private final MiniCluster cluster;
  private final HttpClient http = HttpClient.newHttpClient();

  /**
   * A job that the cluster runs, or has run.
   *
   * @param started when it was submitted
   */
  public record Job(JobID id, String name, JobStatus status, Instant started) {}

  private LocalFlink(Path directory, int port, OptionalInt prometheusPort, MiniCluster cluster) {
    this.directory = directory;
    this.port = port;
    this.prometheusPort = prometheusPort;
    this.cluster = cluster;
  }

  /**
   * A description of a cluster, to be started with {@link Builder#start()}.
   *
   * @param directory where all its files are, or will be; created if missing
   */
  public static Builder in(Path directory) {
    return new Builder(directory.toAbsolutePath());
  }

  /** The address to submit jobs to, {@code 127.0.0.1:port}: Beam's {@code --flinkMaster}. */
  public String flinkMaster() {
    return "127.0.0.1:" + port;
  }

  /**
   * Where Prometheus finds the metrics of the cluster and of its jobs; empty unless the cluster was
   * told to serve them.
   */
  public Optional<String> metricsUrl() {
    return prometheusPort.isEmpty()
        ? Optional.empty()
        : Optional.of("http://127.0.0.1:" + prometheusPort.getAsInt() + "/metrics");
  }

  /**
   * The Beam options that send a pipeline to this cluster and return once it is accepted. Nothing
   * is shipped with it: the cluster's JVM has the classes.
   */
  public List<String> pipelineArguments() {
    // Without a file, the whole class path would be shipped; Flink wants it to be a jar.
    Path jar = directory.resolve("work").resolve("nothing.jar");
    if (!Files.exists(jar)) {
      try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
        out.putNextEntry(new ZipEntry("nothing"));
        out.closeEntry();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return List.of(
        "--runner=FlinkRunner",
        "--flinkMaster=" + flinkMaster(),
        "--attachedMode=false",
        "--filesToStage=" + jar);
  }

  /** Where jobs put their checkpoints, each in a directory named after its id. */
  public Path checkpoints() {
    return directory.resolve("checkpoints");
  }

  /** All jobs that run and the last that ended, the oldest first. */
  public List<Job> jobs() {
    return await(cluster.listJobs()).stream()
        .map(
            job ->
                new Job(
                    job.getJobId(),
                    job.getJobName(),
                    job.getJobState(),
                    Instant.ofEpochMilli(job.getStartTime())))
        .sorted(Comparator.comparing(Job::started))
        .toList();
  }

  /** Cancels a job and returns when it has ended. Does nothing if it has ended before. */
  public void cancel(JobID job) {
    if (!await(cluster.getJobStatus(job)).isGloballyTerminalState()) {
      await(cluster.cancelJob(job));
      await(cluster.requestJobResult(job));
    }
  }

  /**
   * Stops a job with a savepoint, from which another can go on, and returns when it has ended.
   *
   * @return the savepoint's URI
   */
  public String stopWithSavepoint(JobID job) {
    return await(
        cluster.stopWithSavepoint(
            job,
            directory.resolve("savepoints").toUri().toString(),
            /* terminate= */ false,
            SavepointFormatType.CANONICAL));
  }

  /**
   * Takes a savepoint of a job, which goes on.
   *
   * @return the savepoint's URI
   */
  public String savepoint(JobID job) {
    return await(
        cluster.triggerSavepoint(
            job,
            directory.resolve("savepoints").toUri().toString(),
            /* cancelJob= */ false,
            SavepointFormatType.CANONICAL));
  }

  /**
   * How often a job has been restarted after a failure: of its tasks, the one restarted most often.
   * The connected steps of a job restart together.
   */
  public int restarts(JobID job) {
    int restarts = 0;
    for (AccessExecutionVertex task : graph(job).getAllExecutionVertices()) {
      restarts = Math.max(restarts, task.getCurrentExecutionAttempt().getAttemptNumber());
    }
    return restarts;
  }

  /**
   * Whether all tasks of a job run. A job whose status is running can still wait for slots, or for
   * its next attempt.
   */
  public boolean isProcessing(JobID job) {
    for (AccessExecutionVertex task : graph(job).getAllExecutionVertices()) {
      if (task.getExecutionState() != ExecutionState.RUNNING) {
        return false;
      }
    }
    return true;
  }

  /** How many checkpoints a job has completed since it was submitted. */
  public long completedCheckpoints(JobID job) {
    CheckpointStatsSnapshot checkpoints = graph(job).getCheckpointStatsSnapshot();
    return checkpoints == null ? 0 : checkpoints.getCounts().getNumberOfCompletedCheckpoints();
  }

  /** How much state the last completed checkpoint of a job has, in bytes; 0 before there is one. */
  public long checkpointBytes(JobID job) {
    CheckpointStatsSnapshot checkpoints = graph(job).getCheckpointStatsSnapshot();
    CompletedCheckpointStats last =
        checkpoints == null ? null : checkpoints.getHistory().getLatestCompletedCheckpoint();
    return last == null ? 0 : last.getStateSize();
  }

  /** Why a job failed last, with the stack trace, if it ever did. */
  public Optional<String> lastFailure(JobID job) {
    return Optional.ofNullable(graph(job).getFailureInfo()).map(ErrorInfo::getExceptionAsString);
  }

  /**
   * What the code of a job has counted since its tasks were last started, summed over all tasks:
   * the metrics whose own name, without the operator's, begins with a prefix.
   *
   * <p>The answer is what the tasks reported when they were asked the time before, if that was not
   * just now.
   */
  public Map<String, Long> counters(JobID job, String prefix) {
    Map<String, Long> counters = new TreeMap<>();
    for (JsonNode vertex :
        get("/jobs/" + job).map(it -> it.path("vertices")).orElse(json.nullNode())) {
      String metrics =
          "/jobs/" + job + "/vertices/" + vertex.path("id").asText() + "/subtasks/metrics";
      String wanted =
          get(metrics).stream()
              .flatMap(LocalFlink::elements)
              .map(metric -> metric.path("id").asText())
              .filter(id -> ownName(id).startsWith(prefix))
              .map(id -> URLEncoder.encode(id, StandardCharsets.UTF_8))
              .collect(Collectors.joining(","));
      if (!wanted.isEmpty()) {
        get(metrics + "?agg=sum&get=" + wanted).stream()
            .flatMap(LocalFlink::elements)
            .forEach(
                metric ->
                    counters.merge(
                        ownName(metric.path("id").asText()),
                        metric.path("sum").asLong(),
                        Long::sum));
      }
    }
    return counters;
  }

  private static String ownName(String id) {
    return id.substring(id.lastIndexOf('.') + 1);
  }

  private static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  /**
   * One of a job's own metrics by Flink's name, such as {@code lastCheckpointDuration}, about a
   * second old; empty if there is none, or none yet.
   */
  public OptionalDouble metric(JobID job, String name) {
    String query = "metrics?get=" + URLEncoder.encode(name, StandardCharsets.UTF_8);
    return get("/jobs/" + job + "/" + query).stream()
        .flatMap(LocalFlink::elements)
        .map(metric -> metric.path("value"))
        .filter(value -> !value.isMissingNode())
        .mapToDouble(JsonNode::asDouble)
        .findFirst();
  }

  /** The endpoint's answer, unless it is an error. */
  private Optional<JsonNode> get(String path) {
    URI uri = URI.create("http://" + flinkMaster() + path);
    try {
      HttpResponse<String> response =
          http.send(
              HttpRequest.newBuilder(uri).timeout(REQUEST_TIMEOUT).build(),
              HttpResponse.BodyHandlers.ofString());
      return response.statusCode() == 200
          ? Optional.of(json.readTree(response.body()))
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot ask " + uri, e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** The endpoint answers before it has found the parts of the cluster to which it passes jobs. */
  private void awaitSlots(int slots) {
    long deadline = System.nanoTime() + REQUEST_TIMEOUT.toNanos();
    while (get("/overview").map(all -> all.path("slots-total").asInt()).orElse(0) < slots) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("Flink has no task slots after " + REQUEST_TIMEOUT);
      }
      try {
        Thread.sleep(POLL.toMillis());
      } catch (InterruptedException e) {
        throw interrupted(e);
      }
    }
  }

  /** A reporter that can't start is no reason for Flink not to: it only writes to its log. */
  private void checkMetrics() throws IOException {
    if (metricsUrl().isEmpty()) {
      return;
    }
    URI uri = URI.create(metricsUrl().get());
    try {
      HttpResponse<Void> response =
          http.send(
              HttpRequest.newBuilder(uri).timeout(REQUEST_TIMEOUT).build(),
              HttpResponse.BodyHandlers.discarding());
      if (response.statusCode() != 200) {
        throw new IOException(uri + " answers " + response.statusCode());
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private AccessExecutionGraph graph(JobID job) {
    return await(cluster.getExecutionGraph(job));
  }

  /** Cancels all jobs and ends the cluster, within a few seconds even if a job does not listen. */
  @Override
  public void close() {
    try {
      cancelAll();
    } finally {
      await(cluster.closeAsync());
    }
    try {
      deleteRecursively(work(directory));
    } catch (UncheckedIOException e) {
      log.info("A task that has not ended yet still writes; the next start will delete it", e);
    }
  }

  /** Cancels all jobs, and waits a while for their ends. */
  public void cancelAll() {
    if (!cluster.isRunning()) {
      return;
    }
    CompletableFuture<?>[] ends =
        jobs().stream()
            .filter(job -> !job.status().isGloballyTerminalState())
            .map(
                job ->
                    cluster
                        .cancelJob(job.id())
                        .thenCompose(answer -> cluster.requestJobResult(job.id())))
            .toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(ends).get(CANCEL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      log.info("Not every job was cancelled before the cluster ended: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static <T> T await(CompletableFuture<T> answer) {
    try {
      return answer.get(REQUEST_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException("Flink refuses: " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      throw new IllegalStateException("Flink does not answer within " + REQUEST_TIMEOUT, e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("Interrupted while waiting for Flink", e);
  }

  private static Path work(Path directory) {
    return directory.resolve("work");
  }

  private static void deleteRecursively(Path root) {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot delete " + root, e);
    }
  }

  /** Describes a cluster before it starts. Not thread-safe. */
  public static final class Builder {
    private final Path directory;
    private final Configuration settings = new Configuration();
    private int port = 0;
    private OptionalInt prometheusPort = OptionalInt.empty();
    private int slots = 4;
    private int retained = 1;

    private Builder(Path directory) {
      this.directory = directory;
    }

    /** Listens on this port instead of a free one; 0 means a free one. */
    public Builder port(int port) {
      this.port = port;
      return this;
    }

    /**
     * Serves the metrics of the cluster and of its jobs to Prometheus, on this port of the loopback
     * address; 0 means a free one. Otherwise they are not served.
     */
    public Builder prometheusPort(int port) {
      this.prometheusPort = OptionalInt.of(port);
      return this;
    }

    /**
     * Offers this many task slots instead of 4. A job of parallelism n takes n of them, and waits
     * while they are taken.
     */
    public Builder slots(int slots) {
      this.slots = slots;
      return this;
    }

    /**
     * Keeps this many checkpoints of a job instead of 1. Whether the last ones outlive the job is
     * the job's choice, in Beam {@code --externalizedCheckpointsEnabled} and {@code
     * --retainExternalizedCheckpointsOnCancellation}.
     */
    public Builder retainedCheckpoints(int count) {
      this.retained = count;
      return this;
    }

    /** Sets any other of Flink's options by its name; it wins over the ones here. */
    public Builder setting(String name, String value) {
      settings.setString(name, value);
      return this;
    }

    /**
     * Starts the cluster and returns when jobs can be submitted.
     *
     * @throws UncheckedIOException if the directory cannot be written
     * @throws IllegalStateException if the port is taken or the cluster does not start
     */
    public LocalFlink start() {
      int chosen = port == 0 ? FreePorts.next() : port;
      OptionalInt metrics =
          prometheusPort.isPresent() && prometheusPort.getAsInt() == 0
              ? OptionalInt.of(FreePorts.next())
              : prometheusPort;
      if (metrics.isPresent() && !FreePorts.isFree(metrics.getAsInt())) {
        throw new IllegalStateException(
            "Flink can't serve metrics on port " + metrics.getAsInt() + ": it is taken");
      }
      Path work = work(directory);
      deleteRecursively(work);
      try {
        Files.createDirectories(work);
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot write " + work, e);
      }
      MiniCluster cluster =
          new MiniCluster(
              new MiniClusterConfiguration.Builder()
                  .setConfiguration(configuration(chosen, metrics))
                  .setNumTaskManagers(1)
                  .setNumSlotsPerTaskManager(slots)
                  .build());
      LocalFlink flink = new LocalFlink(directory, chosen, metrics, cluster);
      try {
        cluster.start();
        flink.awaitSlots(slots);
        flink.checkMetrics();
        return flink;
      } catch (Exception e) {
        flink.close();
        throw new IllegalStateException(
            "Flink does not start in " + directory + " on port " + chosen, e);
      }
    }

    private Configuration configuration(int port, OptionalInt metricsPort) {
      Configuration config = new Configuration();
      config.set(RestOptions.ADDRESS, "127.0.0.1");
      config.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
      config.set(RestOptions.PORT, port);
      config.set(RestOptions.BIND_PORT, Integer.toString(port));
      config.set(JobManagerOptions.BIND_HOST, "127.0.0.1");
      config.set(TaskManagerOptions.BIND_HOST, "127.0.0.1");

      String work = work(directory).toString();
      config.set(CoreOptions.TMP_DIRS, work);
      config.set(ClusterOptions.PROCESS_WORKING_DIR_BASE, work);
      config.set(BlobServerOptions.STORAGE_DIRECTORY, work);
      config.set(WebOptions.TMP_DIR, work);
      config.set(WebOptions.UPLOAD_DIR, work);
      config.set(RestOptions.PROFILING_RESULT_DIR, work);

      config.set(StateBackendOptions.STATE_BACKEND, "hashmap");
      config.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
      config.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, uri("checkpoints"));
      config.set(CheckpointingOptions.SAVEPOINT_DIRECTORY, uri("savepoints"));
      config.set(CheckpointingOptions.MAX_RETAINED_CHECKPOINTS, retained);

      config.set(RestartStrategyOptions.RESTART_STRATEGY, "exponential-delay");
      config.set(
          RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_INITIAL_BACKOFF,
          Duration.ofMillis(FIRST_RESTART_MILLIS));
      config.set(
          RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF,
          Duration.ofMillis(LONGEST_RESTART_MILLIS));
      config.set(
          RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_RESET_BACKOFF_THRESHOLD, CALM);

      config.set(CoreOptions.CLASSLOADER_RESOLVE_ORDER, "parent-first");
      // Threads that a library starts in a job outlive it here, and may load classes still.
      config.set(CoreOptions.CHECK_LEAKED_CLASSLOADER, false);

      config.set(TaskManagerOptions.NETWORK_MEMORY_MIN, NETWORK_MEMORY);
      config.set(TaskManagerOptions.NETWORK_MEMORY_MAX, NETWORK_MEMORY);
      config.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MANAGED_MEMORY);
      config.set(JobManagerOptions.JOB_STORE_MAX_CAPACITY, ENDED_JOBS);
      config.set(ClusterOptions.CLUSTER_IO_EXECUTOR_POOL_SIZE, 4);
      config.set(RestOptions.SERVER_NUM_THREADS, 2);
      config.set(MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL, METRICS_AGE.toMillis());
      metricsPort.ifPresent(it -> servePrometheus(config, it));
      config.addAll(settings);
      return config;
    }

    private static void servePrometheus(Configuration config, int port) {
      String reporter = "metrics.reporter.prometheus.";
      config.setString(
          reporter + "factory.class", LoopbackPrometheusReporter.Factory.class.getName());
      config.setString(reporter + "port", Integer.toString(port));
      // A job is called online-writer then, and not online_writer.
      config.setString(reporter + "filterLabelValueCharacters", "false");
      // Long, and said by task_id, task_attempt_num and operator_name.
      config.setString(
          reporter + "scope.variables.excludes", "task_name;task_attempt_id;operator_id");
    }

    private String uri(String name) {
      return directory.resolve(name).toUri().toString();
    }
  }
}
