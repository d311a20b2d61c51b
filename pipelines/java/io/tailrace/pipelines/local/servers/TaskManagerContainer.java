package io.tailrace.pipelines.local.servers;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.util.config.memory.ProcessMemoryUtils;

/** The memory that a TaskManager runs in, and what Flink's scripts make of it. */
record TaskManagerContainer(MemoryGroup group, TaskExecutorProcessSpec memory) {
  /** Returns the flags of its JVM. */
  List<String> flags() {
    List<String> flags =
        new ArrayList<>(words(ProcessMemoryUtils.generateJvmParametersStr(memory)));
    flags.addAll(List.of("-XX:ReservedCodeCacheSize=96m", "-XX:+ExitOnOutOfMemoryError"));
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
