package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;

/**
 * A real Redis Cluster of masters without replicas, each a {@link LocalRedis}, which share the
 * 16,384 slots evenly. It is always new and empty, also in a directory that held one before.
 *
 * <p>A slot is moved from node to node at once by {@link #migrateSlot}, after which the old owner
 * answers {@code MOVED}; or in steps: between {@link #beginMigration} and {@link #endMigration} the
 * old owner answers {@code ASK} for a key that it does not hold, because it was moved by {@link
 * #moveKeys} or never existed. Nodes are numbered from 0.
 *
 * <p>Thread-safe; concurrent migrations of one slot are not meaningful.
 */
public final class LocalRedisCluster implements AutoCloseable {
  /** The number of slots of every Redis Cluster. */
  public static final int SLOTS = 16_384;

  /** After how long without an answer a node is held for dead. */
  private static final Duration NODE_TIMEOUT = Duration.ofSeconds(2);

  private static final Duration FORMATION_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration MIGRATION_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final int KEYS_A_STEP = 100;

  private final List<LocalRedis> nodes;
  private final List<String> ids;

  private LocalRedisCluster(List<LocalRedis> nodes) {
    this.nodes = List.copyOf(nodes);
    this.ids = nodes.stream().map(LocalRedisCluster::id).toList();
  }

  /**
   * Starts a cluster of the bundled Redis and returns when every node serves its slots.
   *
   * @param directory where each node has a directory; created if missing
   */
  public static LocalRedisCluster start(Path directory, int nodes) {
    try {
      Files.createDirectories(directory);
      return start(directory, nodes, LocalRedis.extractExecutable(directory.toAbsolutePath()));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write " + directory, e);
    }
  }

  /** Starts a cluster of another {@code redis-server} than the bundled one. */
  public static LocalRedisCluster start(Path directory, int nodes, Path executable) {
    List<LocalRedis> started = new ArrayList<>();
    try {
      for (int i = 0; i < nodes; i++) {
        Path home = directory.resolve("node-" + i);
        Files.deleteIfExists(home.resolve("nodes.conf"));
        started.add(LocalRedis.in(home).executable(executable).clusterNode(NODE_TIMEOUT).start());
      }
      LocalRedisCluster cluster = new LocalRedisCluster(started);
      cluster.form();
      return cluster;
    } catch (IOException e) {
      started.forEach(LocalRedis::close);
      throw new UncheckedIOException("Cannot write " + directory, e);
    } catch (RuntimeException e) {
      started.forEach(LocalRedis::close);
      throw e;
    }
  }

  private void form() {
    for (int i = 0; i < nodes.size(); i++) {
      try (Jedis jedis = nodes.get(i).connect()) {
        // Nodes with one epoch would first have to settle which of them keeps it.
        jedis.sendCommand(Protocol.Command.CLUSTER, "SET-CONFIG-EPOCH", Integer.toString(i + 1));
        jedis.clusterAddSlots(
            IntStream.range(i * SLOTS / nodes.size(), (i + 1) * SLOTS / nodes.size()).toArray());
        if (i > 0) {
          jedis.clusterMeet("127.0.0.1", nodes.get(0).port());
        }
      }
    }
    awaitOk();
  }

  /** Waits until every node knows every other and all slots are served, as after a restart. */
  public void awaitOk() {
    long deadline = System.nanoTime() + FORMATION_TIMEOUT.toNanos();
    for (LocalRedis node : nodes) {
      try (Jedis jedis = node.connect()) {
        String info = jedis.clusterInfo();
        while (!isOk(info)) {
          if (System.nanoTime() > deadline) {
            throw new IllegalStateException("The Redis cluster does not form: " + info);
          }
          Thread.sleep(POLL.toMillis());
          info = jedis.clusterInfo();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("Interrupted while waiting for Redis", e);
      }
    }
  }

  private boolean isOk(String info) {
    List<String> lines = info.lines().toList();
    return lines.contains("cluster_state:ok")
        && lines.contains("cluster_slots_ok:" + SLOTS)
        && lines.contains("cluster_known_nodes:" + nodes.size());
  }

  /** The cluster's address, {@code redis+cluster://127.0.0.1:p1,127.0.0.1:p2,…}. */
  public String uri() {
    return nodes.stream()
        .map(node -> "127.0.0.1:" + node.port())
        .collect(Collectors.joining(",", "redis+cluster://", ""));
  }

  /** The nodes, each of which can be stopped and restarted. */
  public List<LocalRedis> nodes() {
    return nodes;
  }

  /** The number of the node that serves a slot, as that node itself sees it. */
  public int owner(int slot) {
    for (int i = 0; i < nodes.size(); i++) {
      if (serves(i, slot)) {
        return i;
      }
    }
    throw new IllegalStateException("No node serves slot " + slot);
  }

  private boolean serves(int node, int slot) {
    try (Jedis jedis = nodes.get(node).connect()) {
      // A line of CLUSTER NODES: id address flags master ping pong epoch link slot slot-slot …
      String self =
          jedis
              .clusterNodes()
              .lines()
              .filter(line -> line.startsWith(ids.get(node)))
              .findFirst()
              .orElseThrow();
      String[] fields = self.split(" ", -1);
      for (int i = 8; i < fields.length; i++) {
        String[] range = fields[i].split("-", -1);
        if (!fields[i].startsWith("[")
            && Integer.parseInt(range[0]) <= slot
            && slot <= Integer.parseInt(range[range.length - 1])) {
          return true;
        }
      }
      return false;
    }
  }

  /** Moves a slot and its keys from one node to another, which all nodes then know. */
  public void migrateSlot(int slot, int from, int to) {
    beginMigration(slot, from, to);
    moveKeys(slot, from, to);
    endMigration(slot, from, to);
  }

  /** Opens a slot for migration: its old owner answers {@code ASK} for keys it does not hold. */
  public void beginMigration(int slot, int from, int to) {
    try (Jedis source = nodes.get(from).connect();
        Jedis target = nodes.get(to).connect()) {
      target.clusterSetSlotImporting(slot, ids.get(from));
      source.clusterSetSlotMigrating(slot, ids.get(to));
    }
  }

  /** Moves the keys that are in an open slot now, and returns how many. */
  public int moveKeys(int slot, int from, int to) {
    int moved = 0;
    try (Jedis source = nodes.get(from).connect()) {
      List<String> keys = source.clusterGetKeysInSlot(slot, KEYS_A_STEP);
      while (!keys.isEmpty()) {
        for (String key : keys) {
          source.migrate(
              "127.0.0.1", nodes.get(to).port(), key, 0, (int) MIGRATION_TIMEOUT.toMillis());
        }
        moved += keys.size();
        keys = source.clusterGetKeysInSlot(slot, KEYS_A_STEP);
      }
    }
    return moved;
  }

  /** Gives an open slot to its new owner and tells every node: the others answer {@code MOVED}. */
  public void endMigration(int slot, int from, int to) {
    List<Integer> order = new ArrayList<>(List.of(to, from));
    IntStream.range(0, nodes.size()).filter(node -> !order.contains(node)).forEach(order::add);
    for (int node : order) {
      try (Jedis jedis = nodes.get(node).connect()) {
        jedis.clusterSetSlotNode(slot, ids.get(to));
      }
    }
  }

  /** Ends every node within a second. The directories stay. */
  @Override
  public void close() {
    nodes.parallelStream().forEach(LocalRedis::close);
  }

  private static String id(LocalRedis node) {
    try (Jedis jedis = node.connect()) {
      return jedis.clusterMyId();
    }
  }
}
