package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.Closing;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.LocalWriters;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.servers.StandaloneFlink;
import io.tailrace.pipelines.local.servers.TcpProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import redis.clients.jedis.Jedis;

/**
 * Everything that writers need, each server behind a proxy, and the writers on a Flink of several
 * processes. A store that does not answer fails a bundle within seconds, so that an outage of some
 * seconds is one that matters. Not thread-safe, but for {@link #writers}.
 */
final class FaultServers implements AutoCloseable {
  /** Each writer's copies, unless it is scaled. */
  static final int PARALLELISM = 2;

  /** Where nobody listens, for a proxy before there is a server. */
  private static final int NOBODY = 1;

  /**
   * For how long TaskManagers wait for a JobManager that says nothing: it is the one loss that they
   * notice by nothing else. A false alarm is one fault more, and does no harm.
   */
  private static final Duration LOST_AFTER = Duration.ofSeconds(6);

  private static final int PARTITIONS = 4;
  private static final int TASK_MANAGERS = 2;
  private static final String IMPATIENT = "retryFor=1s&timeout=3s";

  private final Deque<AutoCloseable> started = new ArrayDeque<>();
  private final Path directory;
  private final LocalKafka kafka;
  private final TcpProxy kafkaProxy;
  private final LocalRedis first;
  private final LocalRedis second;
  private final TcpProxy redisProxy;
  private final Optional<LocalPostgres> postgres;
  private final TcpProxy postgresProxy;
  private final StandaloneFlink flink;
  private final LocalWriters launcher;
  private LocalRedis master;
  private volatile List<RunningWriter> writers = List.of();

  private FaultServers(Path directory, List<Writer<?>> wanted) throws CommandException {
    this.directory = directory;
    try {
      Files.createDirectories(directory.resolve("uploads"));
      first = started(LocalRedis.in(directory.resolve("redis")).appendOnly().start());
      second = started(LocalRedis.in(directory.resolve("replica")).appendOnly().start());
      master = first;
      followMaster();
      redisProxy = started(TcpProxy.before(first.port()));
      postgres =
          wanted.stream().anyMatch(Server.POSTGRES::serves)
              ? Optional.of(started(LocalPostgres.start(directory.resolve("postgres"))))
              : Optional.empty();
      postgresProxy = started(TcpProxy.before(postgres.map(LocalPostgres::port).orElse(NOBODY)));
      kafkaProxy = started(TcpProxy.before(NOBODY));
      kafka =
          started(
              LocalKafka.start(
                  directory.resolve("kafka"),
                  0,
                  Map.of("advertised.listeners", "PLAINTEXT://127.0.0.1:" + kafkaProxy.port())));
      kafkaProxy.turnTo(port(kafka));
      for (String topic :
          List.of(
              LocalStack.RESULT_TOPIC,
              LocalStack.STREAMING_INSERT_TOPIC,
              LocalStack.BULK_UPLOAD_TOPIC,
              LocalStack.METRICS_TOPIC,
              LocalStack.DEAD_LETTER_TOPIC)) {
        kafka.createTopic(
            topic,
            topic.equals(LocalStack.DEAD_LETTER_TOPIC) ? 1 : PARTITIONS,
            Map.of("message.timestamp.type", "LogAppendTime", "max.message.bytes", "1048588"));
      }
      flink =
          started(
              StandaloneFlink.in(directory.resolve("flink"))
                  .taskManagers(TASK_MANAGERS)
                  .slots(wanted.size() * (PARALLELISM + 1))
                  .heapMegabytes(wanted.size() > 2 ? 512 : 256)
                  .setting("heartbeat.timeout", Long.toString(LOST_AFTER.toMillis()))
                  .start());
      launcher = new LocalWriters(flink.cluster(), uris(), settings(directory));
      writers = launcher.start(wanted);
    } catch (IOException e) {
      close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | CommandException e) {
      close();
      throw e;
    }
  }

  /** Starts all, and returns when writers carry messages. */
  static FaultServers start(Path directory, List<Writer<?>> writers) throws CommandException {
    return new FaultServers(directory.toAbsolutePath(), writers);
  }

  private <T extends AutoCloseable> T started(T server) {
    started.push(server);
    return server;
  }

  private static int port(LocalKafka kafka) {
    String address = kafka.bootstrapServers();
    return Integer.parseInt(address.substring(address.indexOf(':') + 1));
  }

  /** URI of the offline store that the writers are told; whose environments are schemas. */
  static String offlineStore(String postgres) {
    return postgres + "&schema=faults_{environment}&" + IMPATIENT;
  }

  private Map<String, String> uris() {
    String bus = "kafka://" + bootstrapServers() + "/";
    String database =
        postgres
            .map(it -> it.uri().replace(":" + it.port(), ":" + postgresProxy.port()))
            .orElse("");
    Map<String, String> uris = new HashMap<>();
    uris.put(LocalStack.RESULT_BUS, bus + LocalStack.RESULT_TOPIC);
    uris.put("streamingInsertBus", bus + LocalStack.STREAMING_INSERT_TOPIC);
    uris.put("bulkUploadBus", uploadBus());
    uris.put("uploadBucket", uploadBucket());
    uris.put("metricsBus", bus + LocalStack.METRICS_TOPIC);
    uris.put("deadLetterBus", bus + LocalStack.DEAD_LETTER_TOPIC);
    uris.put("onlineStore", "redis://127.0.0.1:" + redisProxy.port() + "?" + IMPATIENT);
    uris.put("offlineStore", offlineStore(database));
    uris.put("metricsStore", database + "&" + IMPATIENT);
    return uris;
  }

  private static List<String> settings(Path directory) {
    return List.of(
        "--parallelism=" + PARALLELISM,
        "--checkpointingInterval=1000",
        "--externalizedCheckpointsEnabled=true",
        "--retainExternalizedCheckpointsOnCancellation=true",
        "--deadLetterOverflow=" + directory.resolve("large-dead-letters"));
  }

  /** Where everybody reaches the broker: at its proxy. */
  String bootstrapServers() {
    return "127.0.0.1:" + kafkaProxy.port();
  }

  /** The bus of messages that have files loaded. */
  String uploadBus() {
    return "kafka://" + bootstrapServers() + "/" + LocalStack.BULK_UPLOAD_TOPIC;
  }

  /** Where those files are. */
  String uploadBucket() {
    return "file://" + directory.resolve("uploads");
  }

  /** The online store for the reader, past the proxy. */
  String onlineStoreToRead() {
    return master.uri();
  }

  /** The offline store for the reader, past the proxy. */
  String offlineStoreToRead() {
    return postgres().uri() + "&schema=faults_{environment}";
  }

  /** The metrics store for the reader, past the proxy. */
  String metricsStoreToRead() {
    return postgres().uri();
  }

  Path directory() {
    return directory;
  }

  LocalKafka kafka() {
    return kafka;
  }

  /** The Redis that is the master now. */
  LocalRedis redis() {
    return master;
  }

  /** The Redis that is the replica now. */
  LocalRedis replica() {
    return master == first ? second : first;
  }

  /** Says that the replica is the master, and has clients find it. */
  void turnToReplica() {
    master = replica();
    redisProxy.turnTo(master.port());
  }

  /** Has the replica follow the master, which may have been started anew. */
  void followMaster() {
    try (Jedis jedis = replica().connect()) {
      jedis.replicaof("127.0.0.1", master.port());
    }
  }

  TcpProxy proxy(Server server) {
    return switch (server) {
      case KAFKA -> kafkaProxy;
      case REDIS -> redisProxy;
      case POSTGRES -> postgresProxy;
    };
  }

  LocalPostgres postgres() {
    return postgres.orElseThrow();
  }

  StandaloneFlink flink() {
    return flink;
  }

  LocalWriters launcher() {
    return launcher;
  }

  /** Returns the writers that run, in the order in which a result comes by. */
  List<RunningWriter> writers() {
    return writers;
  }

  /**
   * Starts a writer anew, instead of a job that has ended; see {@link #awaitWriters}.
   *
   * @param state a checkpoint or savepoint from which it goes on
   * @param more options that it gets besides, or instead
   */
  void startAgain(RunningWriter before, Optional<String> state, String... more)
      throws CommandException {
    List<String> options = new ArrayList<>(List.of(more));
    state.ifPresent(path -> options.add("--savepointPath=" + path));
    RunningWriter now = launcher.start(before.writer(), options);
    writers = writers.stream().map(it -> it.equals(before) ? now : it).toList();
  }

  /** Returns when all writers carry messages. */
  void awaitWriters() {
    writers.forEach(launcher::awaitProcessing);
  }

  @Override
  public void close() {
    Closing.all(List.copyOf(started));
    started.clear();
  }
}
