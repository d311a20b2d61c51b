package io.tailrace.pipelines.dataflow;

import io.tailrace.bus.pubsub.PubSubTopics;
import io.tailrace.endpoint.Kinds;
import io.tailrace.pipelines.BigQueryStreamingWriter;
import io.tailrace.pipelines.PathStyleS3;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.fakes.FakeBigQuery;
import io.tailrace.testing.fakes.FakePubSub;
import io.tailrace.testing.fakes.FakeS3;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Real buses and stores (those of Google are simulated) under names of a network of their own: a
 * JVM that is started here resolves these names and no other, so that it can reach nothing else by
 * its name. Secrets are in its environment.
 */
final class DataflowServers implements AutoCloseable {
  /** The buses, by their schemes. */
  static final List<String> BUSES = List.of("kafka", "pubsub");

  private static final String DOMAIN = ".example.com";
  private static final String LOOPBACK = "127.0.0.1";
  private static final String REDIS_PASSWORD = "planted-5ecret-of-redis";
  private static final String BUCKET = "results";
  private static final String AWS_SECRET = "planted-5ecret-of-aws";
  private static final String KAFKA_PASSWORD = "planted-5ecret-of-kafka";

  private final Path directory;
  private final LocalKafka kafka;
  private final LocalRedis redis;
  private final LocalPostgres postgres;
  private final FakeBigQuery bigQuery;
  private final FakePubSub pubsub;
  private final FakeS3 s3;
  private final PubSubTopics topics;

  private DataflowServers(Path directory) throws IOException {
    this.directory = directory;
    kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    redis = LocalRedis.in(directory.resolve("redis")).password(REDIS_PASSWORD).start();
    postgres = LocalPostgres.in(directory.resolve("postgres")).setting("fsync", "off").start();
    bigQuery = FakeBigQuery.start();
    pubsub = FakePubSub.start();
    s3 = FakeS3.start(BUCKET);
    topics = PubSubTopics.at(pubsub.host());
  }

  static DataflowServers start(Path directory) throws IOException {
    return new DataflowServers(directory);
  }

  /** Returns the secrets, by the variables that have them. */
  Map<String, String> secrets() throws IOException {
    return Map.of(
        "REDIS_PASSWORD", REDIS_PASSWORD,
        "KAFKA_PASSWORD", KAFKA_PASSWORD,
        "AWS_ACCESS_KEY_ID", FakeS3.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY", AWS_SECRET,
        "POSTGRES_PASSWORD", Files.readString(postgres.passwordFile()).strip());
  }

  /**
   * Makes a writer's topics, and returns the options that name its bus and its stores.
   *
   * @param prefix what the topics' names begin with
   */
  Map<String, String> endpoints(Writer<?> writer, String bus, String prefix) throws Exception {
    Map<String, String> options = new LinkedHashMap<>();
    for (Map.Entry<String, Kinds<?>> each : writer.endpoints().entrySet()) {
      if (each.getValue().noun().equals("bucket")) {
        options.put("endpoint", s3.endpoint().replace(LOOPBACK, "s3" + DOMAIN));
        options.put("awsRegion", "eu-west-1");
        options.put("s3ClientFactoryClass", PathStyleS3.class.getName());
      }
      options.put(
          each.getKey(),
          each.getValue().noun().equals("bus")
              ? bus(bus, prefix + "." + writer.name() + "." + each.getKey())
              : store(writer, each.getValue().noun()));
    }
    return options;
  }

  private String bus(String bus, String topic) throws Exception {
    if (bus.equals("pubsub")) {
      topics.create(topic);
      return topics.uri(topic).replace(LOOPBACK, "pubsub" + DOMAIN);
    }
    kafka.createTopic(topic, 2);
    return "kafka://"
        + kafka.bootstrapServers().replace(LOOPBACK, "kafka" + DOMAIN)
        + "/"
        + topic
        + "?ssl.truststore.password=env:KAFKA_PASSWORD";
  }

  private String store(Writer<?> writer, String noun) {
    return switch (noun) {
      case "online store" ->
          "redis://redis" + DOMAIN + ":" + redis.port() + "?password=env:REDIS_PASSWORD";
      case "offline store" ->
          writer == BigQueryStreamingWriter.WRITER
              ? bigQuery
                  .uri("data_{environment}", "")
                  .replace("//" + LOOPBACK, "//bigquery" + DOMAIN)
              : postgres() + "&schema={environment}";
      case "metrics store" -> postgres();
      case "bucket" -> "s3://" + BUCKET + "/results";
      default -> throw new AssertionError("there is no " + noun + " in this test: add one");
    };
  }

  private String postgres() {
    return postgres
        .uri()
        .replace(LOOPBACK, "postgres" + DOMAIN)
        .replaceFirst("password=file:.*", "password=env:POSTGRES_PASSWORD");
  }

  /** Starts a JVM in this network, and waits until it has ended; returns what it printed. */
  String run(List<String> command) throws IOException, InterruptedException {
    Path hosts = directory.resolve("hosts");
    List<String> names = new ArrayList<>(List.of(InetAddress.getLocalHost().getHostName()));
    for (String server : List.of("kafka", "redis", "postgres", "bigquery", "pubsub", "s3")) {
      names.add(server + DOMAIN);
    }
    Files.writeString(hosts, LOOPBACK + " " + String.join(" ", names) + "\n");
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // It lives for seconds: the optimizing compiler would take more than it gives.
    words.addAll(List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    words.add("-Djdk.net.hosts.file=" + hosts);
    words.addAll(command);
    File log = Files.createTempFile(directory, "jvm", ".log").toFile();
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().putAll(secrets());
    int exit = builder.redirectOutput(log).start().waitFor();
    String printed = Files.readString(log.toPath());
    if (exit != 0) {
      throw new AssertionError("the JVM has ended with " + exit + ": " + printed);
    }
    return printed;
  }

  @Override
  public void close() {
    s3.close();
    pubsub.close();
    bigQuery.close();
    postgres.close();
    redis.close();
    kafka.close();
  }
}
