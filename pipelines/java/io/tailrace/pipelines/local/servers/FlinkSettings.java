package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
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

/**
 * The settings of a small Flink cluster in one JVM, which listens on the loopback address alone.
 */
final class FlinkSettings {
  /** After how long without a failure the pause is the shortest again. */
  private static final Duration CALM = Duration.ofSeconds(30);

  /** A thousand buffers, for some ten jobs of parallelism 2; allocated at start, off the heap. */
  private static final MemorySize NETWORK_MEMORY = MemorySize.ofMebiBytes(32);

  /** For sorting and for state outside the heap, of which streams on the heap have none. */
  private static final MemorySize MANAGED_MEMORY = MemorySize.ofMebiBytes(8);

  /** Ended jobs remembered. */
  private static final int ENDED_JOBS = 20;

  private static final Duration METRICS_AGE = Duration.ofSeconds(1);

  private FlinkSettings() {}

  /** Returns a jar in a directory that holds nothing, but is one, as Flink wants. */
  static Path emptyJar(Path directory) {
    Path jar = directory.resolve("nothing.jar");
    if (!Files.exists(jar)) {
      try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
        out.putNextEntry(new ZipEntry("nothing"));
        out.closeEntry();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return jar;
  }

  /**
   * Returns the settings.
   *
   * @param directory where all files go
   * @param port of the REST endpoint
   * @param metricsPort where metrics are served; empty: nowhere
   * @param retained how many checkpoints of a job to keep
   */
  static Configuration of(Path directory, int port, OptionalInt metricsPort, int retained) {
    Configuration config = new Configuration();
    config.set(RestOptions.ADDRESS, "127.0.0.1");
    config.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
    config.set(RestOptions.PORT, port);
    config.set(RestOptions.BIND_PORT, Integer.toString(port));
    config.set(JobManagerOptions.BIND_HOST, "127.0.0.1");
    config.set(TaskManagerOptions.BIND_HOST, "127.0.0.1");

    String work = LocalFlink.work(directory).toString();
    config.set(CoreOptions.TMP_DIRS, work);
    config.set(ClusterOptions.PROCESS_WORKING_DIR_BASE, work);
    config.set(BlobServerOptions.STORAGE_DIRECTORY, work);
    config.set(WebOptions.TMP_DIR, work);
    config.set(WebOptions.UPLOAD_DIR, work);
    config.set(RestOptions.PROFILING_RESULT_DIR, work);

    config.set(StateBackendOptions.STATE_BACKEND, "hashmap");
    config.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    config.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, uri(directory, "checkpoints"));
    config.set(CheckpointingOptions.SAVEPOINT_DIRECTORY, uri(directory, "savepoints"));
    config.set(CheckpointingOptions.MAX_RETAINED_CHECKPOINTS, retained);

    config.set(RestartStrategyOptions.RESTART_STRATEGY, "exponential-delay");
    config.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_INITIAL_BACKOFF,
        Duration.ofMillis(LocalFlink.FIRST_RESTART_MILLIS));
    config.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF,
        Duration.ofMillis(LocalFlink.LONGEST_RESTART_MILLIS));
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

  private static String uri(Path directory, String name) {
    return directory.resolve(name).toUri().toString();
  }
}
