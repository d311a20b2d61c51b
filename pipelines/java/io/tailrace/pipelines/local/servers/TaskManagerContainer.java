package io.tailrace.pipelines.local.servers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.util.config.memory.ProcessMemoryUtils;

/**
 * The memory that a TaskManager runs in, and what Flink's scripts make of it.
 *
 * @param group bounds it, where the machine lets us
 * @param memory what is made of the options that divide it
 * @param more flags of its JVM
 */
record TaskManagerContainer(
    Optional<MemoryGroup> group, TaskExecutorProcessSpec memory, List<String> more) {
  /** Divides memory as options say, for a TaskManager with so many slots. */
  static TaskManagerContainer of(
      Optional<MemoryGroup> group, Map<String, String> memory, List<String> more, int slots) {
    Configuration divided = Configuration.fromMap(memory);
    divided.set(TaskManagerOptions.CPU_CORES, 1.0);
    // The sizes below win over what is configured, and the number of slots is among them.
    divided.set(TaskManagerOptions.NUM_TASK_SLOTS, slots);
    return new TaskManagerContainer(
        group, TaskExecutorProcessUtils.processSpecFromConfig(divided), more);
  }

  /** Returns the command that runs another one in it. */
  List<String> inside(List<String> command) {
    return group.map(it -> it.inside(command)).orElse(command);
  }

  /** Returns the flags of its JVM. */
  List<String> flags() {
    List<String> flags =
        new ArrayList<>(words(ProcessMemoryUtils.generateJvmParametersStr(memory)));
    flags.addAll(more);
    return flags;
  }

  /** Returns its arguments. */
  List<String> sizes() {
    return words(TaskExecutorProcessUtils.generateDynamicConfigsStr(memory));
  }

  private static List<String> words(String text) {
    return List.of(text.strip().split("\\s+"));
  }
}
