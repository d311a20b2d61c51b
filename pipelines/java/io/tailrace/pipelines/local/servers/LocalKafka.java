package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real Kafka broker in this JVM: one node that is broker and KRaft controller at once, reachable
 * on the loopback address without authentication.
 *
 * <p>Topics are never created by being named; a missing topic is an error, as on a production
 * cluster. Messages up to {@value #MAX_MESSAGE_BYTES} bytes are accepted.
 *
 * <p>Topics, messages and committed offsets live in the directory. They outlive {@link #stop()} and
 * {@link #close()}, and a broker that is started on the same directory later has them again. The
 * directory must not be deleted while the broker runs.
 *
 * <p>A broker that is not closed keeps the JVM alive. Thread-safe.
 */
public final class LocalKafka implements AutoCloseable {
  /**
   * The largest message accepted, in bytes: 16 MiB. A result of a large query is several megabytes,
   * above Kafka's default of 1 MiB, and a dead letter carries its original bytes besides its
   * reason.
   */
  public static final int MAX_MESSAGE_BYTES = 16 << 20;

  /** The largest request, and all requests held in memory at once: two of the largest messages. */
  private static final int REQUEST_BYTES = 2 * MAX_MESSAGE_BYTES;

  /**
   * The log cleaner's map of keys, in bytes; Kafka's default of 128 MiB is half of a small heap.
   */
  private static final int CLEANER_BYTES = 4 << 20;

  /**
   * Offsets and transactions are read in pieces of this many bytes at start; the default is 5 MiB.
   */
  private static final int LOAD_BYTES = 1 << 20;

  /**
   * How long the controller believes in a broker that it does not hear from. After a JVM was killed
   * the next one waits at least this long for the broker's seat; the default is 9 s.
   */
  private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(3);

  private static final Duration TOPIC_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(10);
  private static final int NODE_ID = 1;
  private static final String LISTENERS = "listeners";

  /** The same for every directory, so that a directory can be opened again without asking it. */
  private static final String CLUSTER_ID = Uuid.fromString("dGFpbHJhY2UtbG9jYWwtMQ").toString();

  private static final Logger log = LoggerFactory.getLogger(LocalKafka.class);

  private final Path directory;
  private final int port;
  private final int controllerPort;
  private final Map<String, String> moreSettings;
  private @Nullable KafkaRaftServer server;

  private LocalKafka(Path directory, int port, Map<String, String> moreSettings) {
    this.directory = directory;
    this.port = port;
    this.moreSettings = Map.copyOf(moreSettings);
    this.controllerPort = FreePorts.next();
  }

  /**
   * Starts a broker and returns when it accepts traffic.
   *
   * @param directory where its data are, or will be; created if missing
   * @param port the port to listen on, or 0 for a free one
   * @throws UncheckedIOException if the directory cannot be written
   * @throws IllegalStateException if the port is taken or the broker does not start
   */
  public static LocalKafka start(Path directory, int port) {
    return start(directory, port, Map.of());
  }

  /**
   * Starts a broker with settings of its own; see the other overload.
   *
   * @param settings of Kafka's broker; {@code listeners} are those besides the one without
   *     authentication
   */
  public static LocalKafka start(Path directory, int port, Map<String, String> settings) {
    LocalKafka kafka =
        new LocalKafka(directory.toAbsolutePath(), port == 0 ? FreePorts.next() : port, settings);
    kafka.startServer();
    return kafka;
  }

  /** The broker's address, {@code 127.0.0.1:port}; the same for the life of this object. */
  public String bootstrapServers() {
    return "127.0.0.1:" + port;
  }

  /** Creates a topic with the broker's default settings; see the other overload. */
  public void createTopic(String name, int partitions) {
    createTopic(name, partitions, Map.of());
  }

  /**
   * Creates a topic and returns when it can be written and read. A topic that exists is left as it
   * is, whatever its partitions and settings.
   *
   * @throws IllegalStateException if the broker refuses, for example because of a wrong setting
   */
  public void createTopic(String name, int partitions, Map<String, String> config) {
    try (Admin admin =
        Admin.create(
            Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, (Object) bootstrapServers()))) {
      try {
        NewTopic topic = new NewTopic(name, Optional.of(partitions), Optional.empty());
        admin.createTopics(List.of(topic.configs(config))).all().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw e;
        }
      }
      awaitLeaders(admin, name);
      awaitOffsets(admin, name);
    } catch (ExecutionException e) {
      throw new IllegalStateException(
          "Cannot create topic " + name + ": " + e.getCause(), e.getCause());
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** The controller's word is given before every broker has heard it. */
  private static void awaitLeaders(Admin admin, String name)
      throws ExecutionException, InterruptedException {
    long deadline = System.nanoTime() + TOPIC_TIMEOUT.toNanos();
    while (!hasLeaders(admin, name)) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("Topic " + name + " has no leader after " + TOPIC_TIMEOUT);
      }
      Thread.sleep(POLL.toMillis());
    }
  }

  /**
   * A leader that does not know yet that it is one refuses what a producer sends first, and takes
   * the rest, which the producer can hardly mend. It answers this when it knows.
   */
  private static void awaitOffsets(Admin admin, String name)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
    admin
        .describeTopics(List.of(name))
        .allTopicNames()
        .get()
        .values()
        .forEach(
            topic ->
                topic
                    .partitions()
                    .forEach(
                        partition ->
                            ends.put(
                                new TopicPartition(name, partition.partition()),
                                OffsetSpec.latest())));
    admin.listOffsets(ends).all().get();
  }

  private static boolean hasLeaders(Admin admin, String name)
      throws ExecutionException, InterruptedException {
    try {
      return admin.describeTopics(List.of(name)).allTopicNames().get().values().stream()
          .flatMap(topic -> topic.partitions().stream())
          .allMatch(partition -> partition.leader() != null && !partition.leader().isEmpty());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return false;
      }
      throw e;
    }
  }

  /** Stops the broker and keeps its data. Does nothing if it is stopped. */
  public synchronized void stop() {
    if (server != null) {
      KafkaRaftServer running = server;
      server = null;
      running.shutdown();
      running.awaitShutdown();
    }
  }

  /** Starts the broker again, on the same port and data, after stopping it if it runs. */
  public synchronized void restart() {
    stop();
    startServer();
  }

  /** Stops the broker. The data stay in the directory. */
  @Override
  public void close() {
    stop();
  }

  private synchronized void startServer() {
    doNotEndThisJvm();
    for (int wanted : new int[] {port, controllerPort}) {
      // The broker itself ends the JVM when it cannot bind.
      if (!FreePorts.isFree(wanted)) {
        throw new IllegalStateException("Kafka cannot start: port " + wanted + " is taken");
      }
    }
    KafkaConfig config = KafkaConfig.fromProps(settings(), /* doLog= */ false);
    format();
    KafkaRaftServer starting = new KafkaRaftServer(config, Time.SYSTEM);
    try {
      starting.startup();
    } catch (RuntimeException e) {
      starting.shutdown();
      throw new IllegalStateException("Kafka does not start in " + directory, e);
    }
    server = starting;
  }

  /** Kafka halts its JVM on a fatal error, which is right for a broker and wrong for its host. */
  private static void doNotEndThisJvm() {
    Exit.Procedure refuse =
        (status, message) -> {
          log.error("The Kafka broker failed (status {}): {}", status, message);
          throw new IllegalStateException("The Kafka broker failed: " + message);
        };
    Exit.setHaltProcedure(refuse);
    Exit.setExitProcedure(refuse);
  }

  private void format() {
    Path data = dataDirectory();
    if (Files.exists(data.resolve("meta.properties"))) {
      return;
    }
    try {
      Files.createDirectories(data);
      new Formatter()
          .setPrintStream(
              new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
          .setNodeId(NODE_ID)
          .setClusterId(CLUSTER_ID)
          .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
          .setDirectories(List.of(data.toString()))
          .setMetadataLogDirectory(data.toString())
          .setControllerListenerName("CONTROLLER")
          .run();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write " + data, e);
    } catch (Exception e) {
      throw new IllegalStateException("Cannot format " + data, e);
    }
  }

  private Path dataDirectory() {
    return directory.resolve("data");
  }

  private Properties settings() {
    String added = moreSettings.getOrDefault(LISTENERS, "");
    String more = added.isEmpty() ? "" : "," + added;
    Properties settings = new Properties();
    settings.putAll(
        Map.of(
            "process.roles",
            "broker,controller",
            "node.id",
            Integer.toString(NODE_ID),
            "controller.quorum.voters",
            NODE_ID + "@127.0.0.1:" + controllerPort,
            "controller.listener.names",
            "CONTROLLER",
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,"
                + "SASL_SSL:SASL_SSL",
            "listeners",
            "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort + more,
            "advertised.listeners",
            "PLAINTEXT://127.0.0.1:" + port + more,
            "log.dirs",
            dataDirectory().toString(),
            "broker.session.timeout.ms",
            Long.toString(SESSION_TIMEOUT.toMillis()),
            "broker.heartbeat.interval.ms",
            Long.toString(SESSION_TIMEOUT.toMillis() / 6)));
    // One node: whatever Kafka keeps for itself has one copy.
    settings.putAll(
        Map.of(
            "auto.create.topics.enable", "false",
            "default.replication.factor", "1",
            "offsets.topic.num.partitions", "1",
            "offsets.topic.replication.factor", "1",
            "transaction.state.log.num.partitions", "1",
            "transaction.state.log.replication.factor", "1",
            "transaction.state.log.min.isr", "1",
            "group.initial.rebalance.delay.ms", "0"));
    // A guest in a small heap on few cores.
    settings.putAll(
        Map.of(
            "message.max.bytes", Integer.toString(MAX_MESSAGE_BYTES),
            "replica.fetch.max.bytes", Integer.toString(MAX_MESSAGE_BYTES),
            "socket.request.max.bytes", Integer.toString(REQUEST_BYTES),
            "queued.max.request.bytes", Integer.toString(REQUEST_BYTES),
            "num.network.threads", "2",
            "num.io.threads", "2",
            "background.threads", "1",
            "log.cleaner.dedupe.buffer.size", Integer.toString(CLEANER_BYTES),
            "offsets.load.buffer.size", Integer.toString(LOAD_BYTES),
            "transaction.state.log.load.buffer.size", Integer.toString(LOAD_BYTES)));
    moreSettings.forEach(
        (name, value) -> {
          if (!name.equals(LISTENERS)) {
            settings.put(name, value);
          }
        });
    return settings;
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("Interrupted while waiting for Kafka", e);
  }
}
