package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.servers.LocalRedis;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import redis.clients.jedis.Jedis;

/** Does one fault to servers and writers, and returns when all is there again. Not thread-safe. */
final class Infliction {
  /** How long a server is away: longer than a store is tried again. */
  private static final Duration AWAY = Duration.ofSeconds(6);

  private static final Duration LATE = Duration.ofMillis(100);
  private static final int CUTS = 6;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long POLL_MILLIS = 10;

  private final FaultServers servers;
  private final FaultTraffic traffic;
  private final Duration idle;
  private final SplittableRandom random;

  /**
   * Prepares faults.
   *
   * @param traffic what goes on meanwhile
   * @param idle how long nothing is published, if that is the fault
   */
  Infliction(FaultServers servers, FaultTraffic traffic, Duration idle, long seed) {
    this.servers = servers;
    this.traffic = traffic;
    this.idle = idle;
    this.random = new SplittableRandom(seed);
  }

  /** Does a fault, and says where to look for what comes of it. */
  Evidence inflict(Fault fault) throws CommandException, InterruptedException {
    String what = "";
    String noticed = "";
    Set<Server> broken = Set.of();
    switch (fault) {
      case TASK_MANAGER_KILLED -> {
        servers.flink().killTaskManager(busyTaskManager());
        servers.flink().addTaskManager();
      }
      case JOB_MANAGER_KILLED -> killJobManager();
      case RESCALED -> what = rescale();
      case REACTIVE -> what = new ReactiveRun(servers).of(any(servers.writers()));
      case BROKER_RESTARTED -> {
        broken = Set.of(Server.KAFKA);
        away(Server.KAFKA, servers.kafka()::stop);
        servers.kafka().restart();
      }
      case REDIS_RESTARTED -> {
        broken = Set.of(Server.REDIS);
        away(Server.REDIS, servers.redis()::stop);
        servers.redis().restart();
        servers.followMaster();
      }
      case REDIS_FROZEN -> {
        broken = Set.of(Server.REDIS);
        away(Server.REDIS, servers.redis()::freeze);
        servers.redis().thaw();
      }
      case REDIS_FAILED_OVER -> {
        broken = Set.of(Server.REDIS);
        failOver();
      }
      case POSTGRES_RESTARTED -> {
        broken = Set.of(Server.POSTGRES);
        away(Server.POSTGRES, servers.postgres()::stop);
        servers.postgres().restart();
      }
      case CONNECTIONS_CUT -> {
        Server server = anyServer();
        broken = Set.of(server);
        what = server.toString();
        again(servers.proxy(server)::cut);
      }
      case CONNECTIONS_TRUNCATED -> {
        Server server = anyServer();
        broken = Set.of(server);
        what = server.toString();
        again(servers.proxy(server)::truncate);
      }
      case CONNECTIONS_DELAYED -> {
        broken = Set.of(Server.values());
        for (Server server : Server.values()) {
          servers.proxy(server).delay(LATE);
        }
        Thread.sleep(AWAY.toMillis());
        for (Server server : Server.values()) {
          servers.proxy(server).delay(Duration.ZERO);
        }
      }
      case REPEATED -> noticed = repeat();
      case IDLE -> {
        traffic.pause(idle);
        noticed = "nothing for " + idle.toSeconds() + " s, then one message";
      }
    }
    return new Evidence(what, broken, noticed);
  }

  /** Takes a server away for a while, and on a busy machine until somebody has missed it. */
  private void away(Server server, Runnable taking) throws InterruptedException {
    int before = servers.proxy(server).ended();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    taking.run();
    Thread.sleep(AWAY.toMillis());
    while (servers.proxy(server).ended() == before && System.nanoTime() < deadline) {
      Thread.sleep(POLL_MILLIS);
    }
  }

  private <T> T any(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }

  /** One that a writer talks to. */
  private Server anyServer() {
    return any(
        List.of(Server.values()).stream()
            .filter(server -> servers.writers().stream().anyMatch(it -> server.serves(it.writer())))
            .toList());
  }

  private void again(Runnable breaking) throws InterruptedException {
    for (int i = 0; i < CUTS; i++) {
      breaking.run();
      Thread.sleep(200 + random.nextInt(800));
    }
  }

  /** Returns one whose loss somebody notices: all copies may run on the other. */
  private int busyTaskManager() throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    List<Integer> busy = servers.flink().busyTaskManagers();
    while (busy.isEmpty()) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("No writer runs on any TaskManager");
      }
      Thread.sleep(POLL_MILLIS);
      busy = servers.flink().busyTaskManagers();
    }
    return any(busy);
  }

  /** As an operator does who has no other JobManager standing by. */
  private void killJobManager() throws CommandException {
    servers.flink().killJobManager();
    Map<RunningWriter, Optional<String>> states = new HashMap<>();
    servers.writers().forEach(it -> states.put(it, servers.flink().lastCheckpoint(it.job())));
    servers.flink().startJobManager();
    for (RunningWriter writer : servers.writers()) {
      servers.startAgain(writer, states.getOrDefault(writer, Optional.empty()));
    }
    servers.awaitWriters();
  }

  private String rescale() throws CommandException {
    int copies = random.nextBoolean() ? 1 : FaultServers.PARALLELISM + 1;
    for (RunningWriter writer : servers.writers()) {
      String savepoint = servers.flink().cluster().stopWithSavepoint(writer.job());
      servers.startAgain(writer, Optional.of(savepoint), "--parallelism=" + copies);
    }
    servers.awaitWriters();
    return "to " + copies;
  }

  /** Each run has traffic of its own, and on a busy machine it takes a while on every bus. */
  private String repeat() throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    traffic.repeat(true);
    try {
      Thread.sleep(AWAY.toMillis());
      while (traffic.repeated().isEmpty() && System.nanoTime() < deadline) {
        Thread.sleep(POLL_MILLIS);
      }
    } finally {
      traffic.repeat(false);
    }
    return traffic.repeated().map(it -> it + " came again, behind newer ones").orElse("");
  }

  /** Redis waits until the replica has everything, and hands over: what a cloud does for upkeep. */
  private void failOver() throws InterruptedException {
    LocalRedis replica = servers.replica();
    try (Jedis old = servers.redis().connect();
        Jedis next = replica.connect()) {
      var unused =
          old.sendCommand(
              () -> "FAILOVER".getBytes(StandardCharsets.US_ASCII),
              "TO",
              "127.0.0.1",
              Integer.toString(replica.port()));
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (!next.info("replication").contains("role:master")) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException("Redis does not fail over within " + PATIENCE);
        }
        Thread.sleep(POLL_MILLIS);
      }
    }
    servers.turnToReplica();
  }
}
