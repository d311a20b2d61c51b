package io.tailrace.pipelines.local.servers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import org.apache.flink.configuration.ClusterOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;

/** The settings of a small Flink cluster whose parts are processes of one machine. */
final class StandaloneSettings {
  /** How often the processes ask whether the others are there: a loss is noticed in a second. */
  private static final Duration HEARTBEAT = Duration.ofMillis(500);

  private static final Duration HEARTBEAT_TIMEOUT = Duration.ofSeconds(15);
  private static final MemorySize OFF_HEAP = MemorySize.ofMebiBytes(32);
  private static final MemorySize METASPACE = MemorySize.ofMebiBytes(128);

  private StandaloneSettings() {}

  /**
   * Returns the settings.
   *
   * @param directory where all files go
   * @param port of the REST endpoint
   * @param slots of each TaskManager
   * @param heapMegabytes of each process
   */
  static Configuration of(Path directory, int port, int slots, int heapMegabytes) {
    Configuration all = FlinkSettings.of(directory, port, OptionalInt.empty(), /* retained= */ 3);
    all.set(JobManagerOptions.ADDRESS, "127.0.0.1");
    all.set(JobManagerOptions.PORT, FreePorts.next());
    all.set(TaskManagerOptions.HOST, "127.0.0.1");
    all.set(TaskManagerOptions.NUM_TASK_SLOTS, slots);
    all.set(TaskManagerOptions.CPU_CORES, 1.0);
    all.set(TaskManagerOptions.FRAMEWORK_HEAP_MEMORY, MemorySize.ofMebiBytes(heapMegabytes / 4));
    all.set(TaskManagerOptions.TASK_HEAP_MEMORY, MemorySize.ofMebiBytes(heapMegabytes / 2));
    all.set(TaskManagerOptions.FRAMEWORK_OFF_HEAP_MEMORY, OFF_HEAP);
    all.set(TaskManagerOptions.TASK_OFF_HEAP_MEMORY, OFF_HEAP);
    // Of no effect without Flink's scripts, which make flags of them; but they must be there.
    all.set(TaskManagerOptions.JVM_METASPACE, METASPACE);
    all.set(TaskManagerOptions.JVM_OVERHEAD_MIN, OFF_HEAP);
    all.set(TaskManagerOptions.JVM_OVERHEAD_MAX, OFF_HEAP);
    // Who has lost the JobManager looks for the next one at once.
    all.set(HeartbeatManagerOptions.HEARTBEAT_INTERVAL, HEARTBEAT.toMillis());
    all.set(HeartbeatManagerOptions.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT.toMillis());
    all.set(ClusterOptions.ERROR_REGISTRATION_DELAY, HEARTBEAT.toMillis());
    all.set(ClusterOptions.REFUSED_REGISTRATION_DELAY, HEARTBEAT.toMillis());
    // Jobs are spread: whichever process is lost, each job loses something.
    all.setString("taskmanager.load-balance.mode", "SLOTS");
    return all;
  }

  /**
   * Returns what each JVM is started with.
   *
   * @param heapMegabytes of each process
   * @param compiler the last of its levels
   */
  static List<String> flags(int heapMegabytes, int compiler) {
    return List.of(
        "-Xmx" + heapMegabytes + "m",
        "-XX:TieredStopAtLevel=" + compiler,
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError");
  }
}
