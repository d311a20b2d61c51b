package io.tailrace.pipelines.local.servers;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.CheckpointException;
import org.apache.flink.runtime.checkpoint.CheckpointFailureReason;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.executiongraph.ErrorInfo;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.util.ExceptionUtils;
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
public final class LocalFlink implements FlinkCluster, AutoCloseable {
  /** The shortest pause before a restart, in milliseconds: what nobody notices. */
  public static final int FIRST_RESTART_MILLIS = 100;

  /** The longest pause, in milliseconds: what a person watching takes for alive. */
  public static final int LONGEST_RESTART_MILLIS = 5_000;

  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
  private static final long POLL_MILLIS = 10;

  /** How long close() waits for jobs before it ends them together with the cluster. */
  private static final Duration CANCEL_TIMEOUT = Duration.ofSeconds(2);

  private static final Logger log = LoggerFactory.getLogger(LocalFlink.class);

  private final Path directory;
  private final int port;
  private final OptionalInt prometheusPort;
  private final MiniCluster cluster;
  private final FlinkRest rest;

  private LocalFlink(Path directory, int port, OptionalInt prometheusPort, MiniCluster cluster) {
    this.directory = directory;
    this.port = port;
    this.prometheusPort = prometheusPort;
    this.cluster = cluster;
    this.rest = new FlinkRest(flinkMaster());
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

  @Override
  public List<String> pipelineArguments() {
    // Without a file, the whole class path would be shipped.
    return RemoteFlink.arguments(flinkMaster(), FlinkSettings.emptyJar(work(directory)));
  }

  /** Where jobs put their checkpoints, each in a directory named after its id. */
  public Path checkpoints() {
    return directory.resolve("checkpoints");
  }

  @Override
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

  @Override
  public void cancel(JobID job) {
    if (!await(cluster.getJobStatus(job)).isGloballyTerminalState()) {
      await(cluster.cancelJob(job));
      await(cluster.requestJobResult(job));
    }
  }

  @Override
  public String stopWithSavepoint(JobID job) {
    return onceTasksRun(
        () ->
            cluster.stopWithSavepoint(
                job, savepoints(), /* terminate= */ false, SavepointFormatType.CANONICAL));
  }

  /**
   * Takes a savepoint of a job, which goes on.
   *
   * @return the savepoint's URI
   */
  public String savepoint(JobID job) {
    return onceTasksRun(
        () ->
            cluster.triggerSavepoint(
                job, savepoints(), /* cancelJob= */ false, SavepointFormatType.CANONICAL));
  }

  private String savepoints() {
    return directory.resolve("savepoints").toUri().toString();
  }

  @Override
  public int restarts(JobID job) {
    return tasks(job)
        .mapToInt(task -> task.getCurrentExecutionAttempt().getAttemptNumber())
        .max()
        .orElse(0);
  }

  @Override
  public boolean isProcessing(JobID job) {
    return tasks(job).allMatch(task -> task.getExecutionState() == ExecutionState.RUNNING);
  }

  @Override
  public int parallelism(JobID job) {
    return (int) tasks(job).map(AccessExecutionVertex::getParallelSubtaskIndex).distinct().count();
  }

  @Override
  public long completedCheckpoints(JobID job) {
    CheckpointStatsSnapshot checkpoints = graph(job).getCheckpointStatsSnapshot();
    return checkpoints == null ? 0 : checkpoints.getCounts().getNumberOfCompletedCheckpoints();
  }

  @Override
  public long checkpointBytes(JobID job) {
    CheckpointStatsSnapshot checkpoints = graph(job).getCheckpointStatsSnapshot();
    CompletedCheckpointStats last =
        checkpoints == null ? null : checkpoints.getHistory().getLatestCompletedCheckpoint();
    return last == null ? 0 : last.getStateSize();
  }

  @Override
  public Optional<String> lastFailure(JobID job) {
    return Optional.ofNullable(graph(job).getFailureInfo()).map(ErrorInfo::getExceptionAsString);
  }

  @Override
  public Map<String, Long> counters(JobID job, Predicate<String> names) {
    return rest.counters(job, names);
  }

  /**
   * One of a job's own metrics by Flink's name, such as {@code lastCheckpointDuration}, about a
   * second old; empty if there is none, or none yet.
   */
  public OptionalDouble metric(JobID job, String name) {
    return rest.metric(job, name);
  }

  private Stream<? extends AccessExecutionVertex> tasks(JobID job) {
    return StreamSupport.stream(graph(job).getAllExecutionVertices().spliterator(), false);
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
    deleteWork();
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

  /** A job may put out results while one of its tasks has yet to start, and Flink then refuses. */
  private static <T> T onceTasksRun(Supplier<CompletableFuture<T>> request) {
    long deadline = System.nanoTime() + REQUEST_TIMEOUT.toNanos();
    while (true) {
      try {
        return await(request.get());
      } catch (IllegalStateException e) {
        boolean starting =
            ExceptionUtils.findThrowable(e, CheckpointException.class)
                .filter(
                    it ->
                        it.getCheckpointFailureReason()
                            == CheckpointFailureReason.NOT_ALL_REQUIRED_TASKS_RUNNING)
                .isPresent();
        if (!starting || System.nanoTime() > deadline) {
          throw e;
        }
      }
      pause();
    }
  }

  /** Tasks that are ending may still write, for a while. */
  private void deleteWork() {
    long deadline = System.nanoTime() + CANCEL_TIMEOUT.toNanos();
    while (true) {
      try {
        DirectoryTree.delete(work(directory));
        return;
      } catch (UncheckedIOException e) {
        if (System.nanoTime() > deadline) {
          log.info("A task that has not ended yet still writes; the next start will delete it", e);
          return;
        }
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      throw interrupted(e);
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

  static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("Interrupted while waiting for Flink", e);
  }

  static Path work(Path directory) {
    return directory.resolve("work");
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
      DirectoryTree.empty(work);
      Configuration configuration = FlinkSettings.of(directory, chosen, metrics, retained);
      configuration.addAll(settings);
      MiniCluster cluster =
          new MiniCluster(
              new MiniClusterConfiguration.Builder()
                  .setConfiguration(configuration)
                  .setNumTaskManagers(1)
                  .setNumSlotsPerTaskManager(slots)
                  .build());
      LocalFlink flink = new LocalFlink(directory, chosen, metrics, cluster);
      try {
        cluster.start();
        flink.rest.awaitSlots(slots);
        if (flink.metricsUrl().isPresent()) {
          flink.rest.checkMetrics(flink.metricsUrl().get());
        }
        return flink;
      } catch (Exception e) {
        flink.close();
        throw new IllegalStateException(
            "Flink does not start in " + directory + " on port " + chosen, e);
      }
    }
  }
}
