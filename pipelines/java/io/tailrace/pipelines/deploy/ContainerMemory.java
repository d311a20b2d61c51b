package io.tailrace.pipelines.deploy;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Divides the memory of a container among all that a worker of Flink needs, so that together they
 * can't outgrow it: a container that does is killed. Immutable; sizes are in mebibytes.
 *
 * @param heap what messages, state and the program's objects live in
 * @param metaspace classes of Flink, Beam and the clients of buses and stores
 * @param direct buffers outside of the heap, of Flink's and of clients'
 * @param network buffers between steps
 * @param overhead threads, compiled code, the collector, and native codecs of Parquet and Kafka
 */
public record ContainerMemory(long heap, long metaspace, long direct, long network, long overhead) {
  /** Flags of every JVM in a container: none of them is in what Flink divides. */
  public static final List<String> FLAGS =
      List.of("-XX:ReservedCodeCacheSize=96m", "-XX:+ExitOnOutOfMemoryError");

  private static final long METASPACE = 256;
  private static final long DIRECT = 128;

  /** Flink takes no less; steps of one process exchange nothing by it. */
  private static final long NETWORK = 64;

  private static final long LEAST_OVERHEAD = 192;
  private static final double OVERHEAD = 0.15;

  /** With less of a heap a message of 8 MB and its copies don't fit beside a backlog. */
  private static final long LEAST_HEAP = 256;

  /** The least memory of a container. */
  static final Quantity LEAST =
      Quantity.bytes(METASPACE + DIRECT + NETWORK + LEAST_OVERHEAD + LEAST_HEAP + "Mi");

  /**
   * Divides a container's memory.
   *
   * @param limit as Kubernetes has it, such as {@code 2Gi}
   */
  public static ContainerMemory of(String limit) {
    return of(Quantity.bytes(limit));
  }

  /** Divides a container's memory. */
  static ContainerMemory of(Quantity limit) {
    long all = limit.mebibytes();
    if (limit.compareTo(LEAST) < 0) {
      throw new IllegalArgumentException(
          all + "Mi are less than the " + LEAST.mebibytes() + "Mi that a JVM needs here");
    }
    long overhead = Math.max(LEAST_OVERHEAD, Math.round(all * OVERHEAD));
    return new ContainerMemory(
        all - METASPACE - DIRECT - NETWORK - overhead, METASPACE, DIRECT, NETWORK, overhead);
  }

  /** Returns all of it. */
  public long total() {
    return heap + metaspace + direct + network + overhead;
  }

  /** Returns what a worker's configuration says, so that Flink starts its JVM with these sizes. */
  public Map<String, String> flink() {
    Map<String, String> settings = new TreeMap<>();
    settings.put("taskmanager.memory.jvm-metaspace.size", metaspace + "m");
    settings.put("taskmanager.memory.framework.off-heap.size", direct / 2 + "m");
    settings.put("taskmanager.memory.task.off-heap.size", direct - direct / 2 + "m");
    settings.put("taskmanager.memory.network.min", network + "m");
    settings.put("taskmanager.memory.network.max", network + "m");
    settings.put("taskmanager.memory.jvm-overhead.min", overhead + "m");
    settings.put("taskmanager.memory.jvm-overhead.max", overhead + "m");
    // State is on the heap: nothing here uses RocksDB.
    settings.put("taskmanager.memory.managed.size", "0m");
    return settings;
  }
}
