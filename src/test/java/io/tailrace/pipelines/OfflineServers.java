package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.ResultEncoder;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.result.ResultDecoder;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A real Kafka with the topics of the offline path, and a real offline store. */
final class OfflineServers implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final int PARTITIONS = 2;

  /** The offline stores that run here. */
  enum Store {
    DUCKDB,
    POSTGRESQL
  }

  private final LocalKafka kafka;
  private final Optional<LocalPostgres> postgres;
  private final String store;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Admin admin;

  OfflineServers(Path directory, Store kind) {
    kafka = kafka(directory);
    if (kind == Store.POSTGRESQL) {
      LocalPostgres server =
          // Nothing here outlives the machine.
          LocalPostgres.in(directory.resolve("postgres")).setting("fsync", "off").start();
      postgres = Optional.of(server);
      store = server.uri() + "&schema={environment}";
    } else {
      postgres = Optional.empty();
      store = "duckdb://" + directory.resolve("offline.db") + "?schema={environment}";
    }
    producer = producer(kafka);
    admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
  }

  /** Has a store that the caller started, and ends. */
  OfflineServers(Path directory, String storeUri) {
    kafka = kafka(directory);
    postgres = Optional.empty();
    store = storeUri;
    producer = producer(kafka);
    admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
  }

  private static LocalKafka kafka(Path directory) {
    LocalKafka kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    for (String topic : List.of("results", "files")) {
      kafka.createTopic(topic, PARTITIONS);
    }
    kafka.createTopic("letters", 1);
    return kafka;
  }

  private static KafkaProducer<byte[], byte[]> producer(LocalKafka kafka) {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", kafka.bootstrapServers()),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /** Returns the PostgreSQL server, if that is the store. */
  LocalPostgres postgres() {
    return postgres.orElseThrow();
  }

  /** Returns the store's URI. */
  String store() {
    return store;
  }

  /** Returns a topic's URI. */
  String bus(String topic) {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  /**
   * Returns the arguments of an offline writer.
   *
   * @param group a parameter of the topic's URI, or nothing
   */
  String[] offlineWriter(String group, String... more) {
    return with(
        more,
        "--resultBus=" + bus("results") + group,
        "--streamingInsertBus=" + bus("files"),
        "--offlineStore=" + store,
        "--deadLetterBus=" + bus("letters"));
  }

  /** Returns the arguments of a streaming-insert writer. */
  String[] insertWriter(String group, String... more) {
    return with(
        more,
        "--streamingInsertBus=" + bus("files") + group,
        "--offlineStore=" + store,
        "--deadLetterBus=" + bus("letters"));
  }

  private static String[] with(String[] some, String... others) {
    List<String> all = new ArrayList<>(Arrays.asList(some));
    all.addAll(Arrays.asList(others));
    return all.toArray(String[]::new);
  }

  /** Publishes results of one entity each, with an integer for each of some features. */
  void publish(int first, int results, int features) {
    publish(results(first, results, features));
  }

  void publish(List<QueryResult> results) {
    for (QueryResult result : results) {
      producer.send(new ProducerRecord<>("results", result.toByteArray()));
    }
    producer.flush();
  }

  /** Publishes a file. */
  void publishFile(byte[] file) {
    producer.send(new ProducerRecord<>("files", file));
    producer.flush();
  }

  /** Publishes the files of one bundle. */
  void publishFiles(List<QueryResult> results) throws Exception {
    ResultDecoder decoder = new ResultDecoder();
    try (ResultEncoder encoder =
        new ResultEncoder(EncodeObservations.DEFAULT_MAX_FILE_BYTES, Duration.ofMinutes(5))) {
      long now = System.currentTimeMillis() * 1_000L;
      for (QueryResult result : results) {
        encoder.add(
            decoder.decode(
                BusMessage.of(
                    result.toByteArray(), Place.numbered("results", 0, 0), MessageTime.ofBus(now))),
            file -> publishFile(file.bytes()),
            failure -> {
              throw new AssertionError(failure.toString());
            });
      }
      encoder.flush(
          file -> publishFile(file.bytes()),
          failure -> {
            throw new AssertionError(failure.toString());
          });
    }
  }

  /** Makes results of one entity each, with an integer for each of some features. */
  static List<QueryResult> results(int first, int results, int features) {
    long now = Instant.now().toEpochMilli() * 1_000;
    List<QueryResult> made = new ArrayList<>();
    for (int i = first; i < first + results; i++) {
      List<Column> columns = new ArrayList<>();
      for (int f = 0; f < features; f++) {
        columns.add(Results.int64("f" + f, now + i, i));
      }
      Frame frame = Results.user("u" + i, columns.toArray(Column[]::new));
      made.add(Results.of(frame).toBuilder().setOperationId("op" + i).build());
    }
    return made;
  }

  /** Runs a query against the store. */
  List<List<String>> rows(String sql) throws UnavailableException {
    OfflineReader.Table table = OfflineStores.at(store).reader().query(sql, 100_000);
    return table.rows();
  }

  /** Returns how many rows a table has, or -1 if there is no table. */
  long count(String table) throws UnavailableException {
    try {
      return Long.parseLong(rows("SELECT count(*) FROM " + name(table)).get(0).get(0));
    } catch (UnavailableException e) {
      if (String.valueOf(e.getMessage()).contains("does not exist")) {
        return -1;
      }
      throw e;
    }
  }

  /** Returns the least and the greatest number of rows in the tables of some features. */
  List<Long> leastAndMost(int features) throws UnavailableException {
    String counts =
        IntStream.range(0, features)
            .mapToObj(f -> "SELECT count(*) AS n FROM " + name("user__f" + f))
            .collect(Collectors.joining(" UNION ALL "));
    return rows("SELECT min(n), max(n) FROM (" + counts + ") AS counts").get(0).stream()
        .map(Long::valueOf)
        .toList();
  }

  private static String name(String table) {
    return Results.ENVIRONMENT + "." + table;
  }

  /** Everything that readers see, when it was inserted included. */
  String contents(String... tables) throws UnavailableException {
    StringBuilder all = new StringBuilder();
    for (String table : tables) {
      all.append(rows("SELECT * FROM " + name(table) + " ORDER BY 1"));
    }
    return all.toString();
  }

  /** Something to wait for. */
  interface Condition {
    boolean holds() throws Exception;
  }

  void awaitRows(String table, long expected) throws Exception {
    await(table + " with " + expected + " rows", () -> has(table, expected));
  }

  boolean has(String table, long expected) throws UnavailableException {
    long count = count(table);
    assertThat(count).isAtMost(expected);
    return count == expected;
  }

  void awaitCommitted(String group, long messages) throws Exception {
    await(group, () -> committed(group) >= messages);
  }

  long committed(String group) throws Exception {
    return admin
        .listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata()
        .get()
        .values()
        .stream()
        .mapToLong(offset -> offset == null ? 0 : offset.offset())
        .sum();
  }

  /** Returns how many messages a topic has. */
  long published(String topic, int partitions) throws Exception {
    Map<TopicPartition, OffsetSpec> ends =
        IntStream.range(0, partitions)
            .boxed()
            .collect(Collectors.toMap(p -> new TopicPartition(topic, p), p -> OffsetSpec.latest()));
    return admin.listOffsets(ends).all().get().values().stream()
        .mapToLong(ListOffsetsResultInfo::offset)
        .sum();
  }

  long filesPublished() throws Exception {
    return published("files", PARTITIONS);
  }

  /** Returns the letters that there are, as their topic has them. */
  List<ConsumerRecord<byte[], byte[]>> letters() throws Exception {
    long expected = published("letters", 1);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition("letters", 0)));
      List<ConsumerRecord<byte[], byte[]>> letters = new ArrayList<>();
      await(
          "letters",
          () -> {
            consumer.poll(Duration.ofMillis(100)).forEach(letters::add);
            return letters.size() >= expected;
          });
      return letters;
    }
  }

  static void await(String what, Condition condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      assertWithMessage("waited in vain for " + what).that(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  @Override
  public void close() {
    producer.close(Duration.ZERO);
    admin.close(Duration.ZERO);
    postgres.ifPresent(LocalPostgres::close);
    kafka.close();
  }
}
