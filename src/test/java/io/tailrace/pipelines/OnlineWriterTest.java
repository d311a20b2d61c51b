package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.watch.KafkaLetters;
import io.tailrace.stage.Letter;
import io.tailrace.testing.Balance;
import io.tailrace.testing.WriterJvm;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.beam.sdk.PipelineResult;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestName;
import redis.clients.jedis.Jedis;

/** The writer as a whole, from a real Kafka to a real Redis, on the direct runner and on Flink. */
public class OnlineWriterTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final long DAY_MICROS = 24L * 3600 * 1_000_000;
  private static final AtomicInteger tests = new AtomicInteger();

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestName test = new TestName();

  private static LocalKafka kafka;
  private static LocalRedis redis;
  private static LocalFlink flink;
  private static KafkaProducer<byte[], byte[]> producer;

  /** Each test has topics of its own. */
  private final String resultTopic = "results-" + tests.incrementAndGet();

  private final String letterTopic = "letters-of-" + resultTopic;

  @BeforeClass
  public static void startServers() throws IOException {
    Path directory = folder.newFolder().toPath();
    kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    // Keeps its data over a restart: what is tested is the writer, not Redis's memory.
    redis = LocalRedis.in(directory.resolve("redis")).appendOnly().start();
    flink = LocalFlink.in(directory.resolve("flink")).slots(2).start();
    producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "max.request.size",
                16 << 20,
                "buffer.memory",
                64L << 20),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  @AfterClass
  public static void stopServers() {
    producer.close(Duration.ZERO);
    flink.close();
    redis.close();
    kafka.close();
  }

  @Before
  public void createTopics() {
    kafka.createTopic(resultTopic, 3);
    kafka.createTopic(letterTopic, 1);
  }

  @After
  public void endJobs() {
    try {
      if (flink.jobs().stream().anyMatch(job -> !job.status().isGloballyTerminalState())) {
        Balance.assertEven(flink);
      }
    } finally {
      flink.cancelAll();
      if (!redis.isRunning()) {
        redis.restart();
      }
      try (Jedis jedis = redis.connect()) {
        jedis.flushAll();
      }
    }
  }

  @Test
  public void onTheDirectRunnerAResultPublishedToKafkaIsReadableInRedis() throws Exception {
    PipelineResult writer =
        OnlineWriter.WRITER.start(arguments("--runner=DirectRunner", "--blockOnRun=false"));
    try {
      Map<Integer, Long> expected = publish(60, 20);
      awaitValues(expected);
      Balance.assertEven(writer);
    } finally {
      writer.cancel();
    }
  }

  @Test
  public void onFlinkAResultPublishedToKafkaIsReadableInRedis() throws Exception {
    startOnFlink();

    Map<Integer, Long> expected = publish(5_000, 500);

    awaitValues(expected);
  }

  @Test
  public void everyBadMessageIsADeadLetterAndThoseAroundItAreWritten() throws Exception {
    startOnFlink();
    long now = nowMicros();
    QueryResult sound = result(1, now, 1);
    byte[] truncated = Arrays.copyOf(sound.toByteArray(), sound.getSerializedSize() - 3);
    Column column = sound.getFrames(0).getColumns(0);
    Map<String, byte[]> bad = new HashMap<>();
    bad.put("truncated", truncated);
    bad.put("not protobuf", "{\"this\": \"is JSON\"}".getBytes(UTF_8));
    bad.put("no operation id", sound.toBuilder().clearOperationId().build().toByteArray());
    bad.put("two values for one row", with(sound, column.toBuilder().addInt64Values(2)));
    bad.put("unknown type", with(sound, column.toBuilder().setTypeValue(99)));
    bad.put(
        "year 10000", with(sound, column.toBuilder().setObservedAt(0, 253_402_300_800_000_000L)));
    bad.put(
        "a clock a year ahead",
        with(sound, column.toBuilder().setObservedAt(0, now + 365 * DAY_MICROS)));
    bad.put(
        "empty key",
        sound.toBuilder()
            .setFrames(0, sound.getFrames(0).toBuilder().setStringKeys(0, ""))
            .build()
            .toByteArray());

    send("k", result(1, now, 41).toByteArray());
    bad.forEach((name, payload) -> send(name, payload));
    send("k", result(2, now, 42).toByteArray());

    awaitValues(Map.of(1, 41L, 2, 42L));
    Map<String, ConsumerRecord<byte[], byte[]>> letters = deadLetters(bad.size());
    Map<String, Reason> reasons = new HashMap<>();
    letters.forEach(
        (name, record) -> {
          assertWithMessage(name).that(record.value()).isEqualTo(bad.get(name));
          Letter letter = KafkaLetters.of(record).orElseThrow();
          reasons.put(name, letter.reason());
          assertThat(letter.writer()).isEqualTo("online-writer");
          assertThat(letter.text(Letter.TOPIC)).isEqualTo(resultTopic);
          assertThat(letter.text(Letter.MESSAGE)).isNotEmpty();
        });
    assertThat(reasons)
        .containsExactly(
            "truncated", Reason.UNDECODABLE,
            "not protobuf", Reason.UNDECODABLE,
            "no operation id", Reason.MISSING_FIELD,
            "two values for one row", Reason.LENGTH_MISMATCH,
            "unknown type", Reason.UNKNOWN_TYPE,
            "year 10000", Reason.INVALID_VALUE,
            "a clock a year ahead", Reason.OBSERVED_IN_FUTURE,
            "empty key", Reason.MISSING_FIELD);
  }

  @Test
  public void oddButSoundMessagesBecomeCells() throws Exception {
    startOnFlink();
    long now = nowMicros();
    String large = "x".repeat(10 << 20);
    QueryResult.Builder odd = result(1, now, 1).toBuilder();
    Frame.Builder frame = odd.getFramesBuilder(0).setStringKeys(0, "a:b%\0é");
    frame.addColumns(
        column("large", Column.Type.STRING, now, Long.MAX_VALUE).addStringValues(large));
    frame.addColumns(
        column("nan", Column.Type.FLOAT64, now, Long.MAX_VALUE).addFloat64Values(Double.NaN));
    frame.addColumns(
        column("ancient", Column.Type.INT64, -62_135_596_800_000_000L, Long.MAX_VALUE)
            .addInt64Values(1));

    send("k", odd.build().toByteArray());

    try (OnlineReader reader = OnlineReader.open(redis.uri())) {
      EntityKey entity = new EntityKey("prod", "user", "a:b%\0é");
      await(() -> reader.read(entity).size() == 4);
      Map<String, OnlineReader.Value> values = reader.read(entity);
      assertThat(values.get("large").value()).hasValue(large);
      assertThat(values.get("nan").value()).hasValue(Double.NaN);
      assertThat(values.get("ancient").value()).hasValue(1L);
      assertThat(values.get("score").value()).hasValue(1L);
    }
  }

  @Test
  public void aRestartOfRedisInTheMiddleOfTrafficLosesNothing() throws Exception {
    startOnFlink();
    Map<Integer, Long> expected =
        publishWhile(
            () -> {
              awaitAny();
              redis.stop();
              Thread.sleep(1_000);
              redis.restart();
              Thread.sleep(500);
            });

    awaitValues(expected);
  }

  @Test
  public void aRestartOfTheBrokerInTheMiddleOfTrafficLosesNothing() throws Exception {
    startOnFlink();
    Map<Integer, Long> expected =
        publishWhile(
            () -> {
              awaitAny();
              kafka.stop();
              Thread.sleep(1_000);
              kafka.restart();
              Thread.sleep(500);
            });

    awaitValues(expected);
  }

  @Test
  public void aWriterThatIsCancelledAndStartedAnewGoesOnWithoutALoss() throws Exception {
    startOnFlink();
    Map<Integer, Long> expected = new HashMap<>(publish(500, 100));
    awaitValues(expected);
    flink.cancelAll();

    expected.putAll(publish(500, 100));
    OnlineWriter.WRITER.start(flinkArguments());

    awaitValues(expected);
  }

  @Test
  public void offsetsAreCommittedAfterACheckpoint() throws Exception {
    startOnFlink();
    awaitValues(publish(900, 100));

    await(() -> committed() == 900);
  }

  @Test
  public void offsetsAreNeverCommittedAheadOfTheStore() throws Exception {
    List<String> arguments = new ArrayList<>(List.of(flinkArguments()));
    arguments.removeIf(argument -> argument.startsWith("--onlineStore"));
    arguments.add("--onlineStore=" + redis.uri() + "?retryFor=60s");
    // Nothing but a checkpoint ends a bundle.
    arguments.addAll(List.of("--maxBundleTimeMills=3600000", "--maxBundleSize=1000000"));
    OnlineWriter.WRITER.start(arguments.toArray(String[]::new));
    Map<Integer, Long> expected = new HashMap<>(publish(300, 30));
    awaitValues(expected);
    await(() -> committed() == 300);
    redis.stop();

    // A single one, whose write leaves the runner's thread free to make checkpoints.
    expected.putAll(publish(1, 1));
    // Five of them would have come meanwhile.
    Thread.sleep(1_500);
    assertThat(committed()).isEqualTo(300);

    redis.restart();
    awaitValues(expected);
    await(() -> committed() == 301);
  }

  @Test
  public void aResultIsReadableWhileItsBundleIsStillOpen() throws Exception {
    List<String> arguments = new ArrayList<>(List.of(flinkArguments()));
    arguments.removeIf(argument -> argument.startsWith("--checkpointingInterval"));
    arguments.addAll(
        List.of(
            "--checkpointingInterval=3600000",
            "--maxBundleTimeMills=3600000",
            "--maxBundleSize=1000000"));
    OnlineWriter.WRITER.start(arguments.toArray(String[]::new));

    awaitValues(publish(300, 30));

    assertThat(committed()).isEqualTo(0);
    // An open bundle has not told yet what it counted: there are no books to compare.
    flink.jobs().forEach(job -> flink.cancel(job.id()));
  }

  @Test
  public void aWriterThatIsKilledGoesOnWithoutALoss() throws Exception {
    Map<Integer, Long> expected;
    try (WriterJvm killed = startInAProcessOfItsOwn()) {
      expected = new HashMap<>(publish(300, 30));
      awaitValues(expected);
      killed.kill();
    }

    expected.putAll(publish(300, 30));
    startOnFlink();
    awaitValues(expected);
  }

  @Test
  public void anEmptyPartitionBesideAFullOneDoesNotHoldItUp() throws Exception {
    Map<Integer, Long> expected = new HashMap<>();
    long now = nowMicros();
    for (int i = 0; i < 30_000; i++) {
      int entity = i % 100;
      producer.send(
          new ProducerRecord<>(resultTopic, 0, null, result(entity, now + i, i).toByteArray()));
      expected.put(entity, (long) i);
    }
    producer.flush();
    startOnFlink();

    // At the 500 ms that a broker holds a fetch unless told otherwise, this would take minutes.
    awaitValues(expected);
  }

  @Test
  public void everythingThatIsWrongWithTheOptionsIsSaidAtOnce() {
    CommandException e =
        assertThrows(
            CommandException.class,
            () ->
                OnlineWriter.WRITER.start(
                    "--resultBus=kafka://b1:99999/",
                    "--onlineStore=redis://user:secret@cache:6379/x?retryFor=soon",
                    "--maxClockSkew=-5m"));

    assertThat(e).hasMessageThat().contains("--resultBus: 'kafka://b1:99999/'");
    assertThat(e).hasMessageThat().contains("port between 1 and 65535");
    assertThat(e).hasMessageThat().contains("the topic is missing");
    assertThat(e).hasMessageThat().contains("password=env:VARIABLE");
    assertThat(e).hasMessageThat().contains("'/x' is not the number of a database");
    assertThat(e).hasMessageThat().contains("retryFor=soon is not a duration");
    assertThat(e).hasMessageThat().contains("--deadLetterBus is missing");
    assertThat(e).hasMessageThat().contains("--maxClockSkew");
    assertThat(e).hasMessageThat().doesNotContain("secret");
  }

  @Test
  public void aMissingTopicIsNamedAtStart() {
    CommandException e =
        assertThrows(
            CommandException.class,
            () ->
                OnlineWriter.WRITER.start(
                    "--resultBus=" + bus("no-such-topic"),
                    "--onlineStore=" + redis.uri(),
                    "--deadLetterBus=" + bus(letterTopic)));

    assertThat(e)
        .hasMessageThat()
        .startsWith(
            "--resultBus: " + bus("no-such-topic") + ": the topic 'no-such-topic' does not exist");
  }

  @Test
  public void aBusOrStoreThatCannotBeReachedOrSpeaksAnotherProtocolIsNamedAtStart()
      throws Exception {
    int closedPort;
    try (ServerSocket socket = new ServerSocket(0)) {
      closedPort = socket.getLocalPort();
    }
    Path properties = folder.newFile().toPath();
    Files.writeString(
        properties,
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
            + "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required"
            + " username=\"me\" password=\"hunter2\";\n");
    CommandException e =
        assertThrows(
            CommandException.class,
            () ->
                OnlineWriter.WRITER.start(
                    "--resultBus=kafka://127.0.0.1:" + closedPort + "/results",
                    "--onlineStore=redis://127.0.0.1:" + closedPort,
                    // Redis listens there, which never answers as Kafka does.
                    "--deadLetterBus=kafka://127.0.0.1:"
                        + redis.port()
                        + "/letters?properties=file:"
                        + properties));

    List<String> lines = e.getMessage().lines().toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0))
        .contains("kafka://127.0.0.1:" + closedPort + "/results can't be reached");
    assertThat(lines.get(1))
        .contains("does not answer as a Kafka broker with security.protocol=SASL_PLAINTEXT");
    assertThat(lines.get(2)).contains("redis://127.0.0.1:" + closedPort + " can't be reached");
  }

  @Test
  public void whatTheRunnerRefusesIsSaidInItsWords() {
    kafka.createTopic("refused", 1);

    CommandException e =
        assertThrows(
            CommandException.class,
            () ->
                OnlineWriter.WRITER.start(
                    "--runner=FlinkRunner",
                    "--stateBackend=hashmap",
                    "--stateBackendStoragePath=file:///tmp",
                    "--resultBus=" + bus("refused"),
                    "--onlineStore=" + redis.uri(),
                    "--deadLetterBus=" + bus(letterTopic)));

    assertThat(e)
        .hasMessageThat()
        .startsWith("FlinkRunner refuses the job: Unknown state backend 'hashmap'");
  }

  @Test
  public void aDeletionRetentionBelowThatOfTheBusIsRefused() {
    kafka.createTopic(
        "long", 1, Map.of("retention.ms", Long.toString(Duration.ofDays(30).toMillis())));

    CommandException e =
        assertThrows(
            CommandException.class,
            () ->
                OnlineWriter.WRITER.start(
                    "--resultBus=" + bus("long"),
                    "--onlineStore=" + redis.uri(),
                    "--deadLetterBus=" + bus(letterTopic)));

    assertThat(e).hasMessageThat().contains("--deletionRetention=38d");
  }

  @Test
  public void messagesDeletedUnreadAreNotPassedOverInSilence() throws Exception {
    publish(300, 10);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      TopicPartition partition = new TopicPartition(resultTopic, 0);
      admin
          .alterConsumerGroupOffsets(
              "online-writer",
              Map.of(partition, new org.apache.kafka.clients.consumer.OffsetAndMetadata(1)))
          .all()
          .get();
      admin
          .deleteRecords(
              Map.of(partition, org.apache.kafka.clients.admin.RecordsToDelete.beforeOffset(6)))
          .all()
          .get();
    }

    CommandException e =
        assertThrows(
            CommandException.class,
            () -> OnlineWriter.WRITER.start(arguments("--runner=DirectRunner")));

    assertThat(e).hasMessageThat().contains("5 messages were deleted");
    assertThat(e).hasMessageThat().contains("overrun=continue");
  }

  @Test
  public void aMessageTooLargeForTheDeadLetterTopicGoesToAFile() throws Exception {
    kafka.createTopic("small-letters", 1, Map.of("max.message.bytes", "100000"));
    Path overflow = folder.newFolder().toPath();
    byte[] broken = new byte[2_000_000];
    Arrays.fill(broken, (byte) 0xFF);
    List<String> arguments = new ArrayList<>(List.of(flinkArguments()));
    arguments.removeIf(argument -> argument.startsWith("--deadLetterBus"));
    arguments.add("--deadLetterBus=" + bus("small-letters"));
    arguments.add("--deadLetterOverflow=" + overflow);
    OnlineWriter.WRITER.start(arguments.toArray(String[]::new));

    send("large", broken);

    ConsumerRecord<byte[], byte[]> record = deadLetters("small-letters", 1).get("large");
    assertThat(record.value()).isEmpty();
    String file = KafkaLetters.of(record).orElseThrow().text(Letter.PAYLOAD_URI);
    assertThat(Files.readAllBytes(Path.of(file))).isEqualTo(broken);
  }

  // ---------------------------------------------------------------------------------------------

  private interface Step {
    void run() throws Exception;
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private String bus(String topic) {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  private String[] arguments(String... more) {
    List<String> arguments = new ArrayList<>(List.of(more));
    arguments.add("--resultBus=" + bus(resultTopic));
    arguments.add("--onlineStore=" + redis.uri() + "?retryFor=5s");
    arguments.add("--deadLetterBus=" + bus(letterTopic));
    return arguments.toArray(String[]::new);
  }

  private String[] flinkArguments() {
    List<String> arguments = new ArrayList<>(flink.pipelineArguments());
    arguments.add("--parallelism=2");
    arguments.add("--checkpointingInterval=300");
    return arguments(arguments.toArray(String[]::new));
  }

  private void startOnFlink() throws Exception {
    OnlineWriter.WRITER.start(flinkArguments());
  }

  /** Returns how many messages the writer's group has committed. */
  private long committed() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      return admin
          .listConsumerGroupOffsets("online-writer")
          .partitionsToOffsetAndMetadata()
          .get()
          .entrySet()
          .stream()
          .filter(each -> each.getKey().topic().equals(resultTopic) && each.getValue() != null)
          .mapToLong(each -> each.getValue().offset())
          .sum();
    }
  }

  private WriterJvm startInAProcessOfItsOwn() throws IOException {
    return WriterJvm.start(
        OnlineWriter.class, folder.newFile(), arguments("--runner=DirectRunner"));
  }

  private static QueryResult result(int entity, long observedAt, long value) {
    return QueryResult.newBuilder()
        .setOperationId("op-" + entity + "-" + value)
        .setEnvironmentId("prod")
        .setQueryTimestamp(observedAt)
        .addFrames(
            Frame.newBuilder()
                .setNamespace("user")
                .addStringKeys("u" + entity)
                .addColumns(
                    column("score", Column.Type.INT64, observedAt, DAY_MICROS)
                        .addInt64Values(value)))
        .build();
  }

  private static Column.Builder column(
      String name, Column.Type type, long observedAt, long maxStaleness) {
    return Column.newBuilder()
        .setFeature("user." + name)
        .setType(type)
        .setMaxStaleness(maxStaleness)
        .addObservedAt(observedAt);
  }

  private static byte[] with(QueryResult result, Column.Builder column) {
    QueryResult.Builder changed = result.toBuilder();
    changed.getFramesBuilder(0).setColumns(0, column);
    return changed.build().toByteArray();
  }

  private void send(String key, byte[] payload) {
    producer.send(new ProducerRecord<>(resultTopic, key.getBytes(UTF_8), payload));
  }

  /** Publishes results of some entities, spread over all partitions; returns the newest values. */
  private Map<Integer, Long> publish(int results, int entities) {
    Map<Integer, Long> expected = new HashMap<>();
    for (int i = 0; i < results; i++) {
      // One partition after the other: an entity's results arrive in no order.
      long observedAt = nowMicros() + i;
      producer.send(
          new ProducerRecord<>(
              resultTopic,
              i % 3,
              null,
              result(i % entities, observedAt, observedAt).toByteArray()));
      expected.put(i % entities, observedAt);
    }
    producer.flush();
    return expected;
  }

  /** Publishes without pause while something happens, and a little longer. */
  private Map<Integer, Long> publishWhile(Step step) throws Exception {
    Map<Integer, Long> expected = new HashMap<>();
    AtomicBoolean done = new AtomicBoolean();
    Thread traffic =
        new Thread(
            () -> {
              for (int i = 0; !done.get(); i++) {
                expected.putAll(publishSome(i));
              }
            });
    traffic.start();
    step.run();
    done.set(true);
    traffic.join();
    producer.flush();
    return expected;
  }

  private Map<Integer, Long> publishSome(int round) {
    Map<Integer, Long> newest = new HashMap<>();
    IntStream.range(0, 20)
        .forEach(
            i -> {
              int entity = (round * 20 + i) % 400;
              long observedAt = nowMicros();
              send("k" + i, result(entity, observedAt, observedAt).toByteArray());
              newest.put(entity, observedAt);
            });
    try {
      Thread.sleep(5);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return newest;
  }

  private void awaitAny() throws Exception {
    try (Jedis jedis = redis.connect()) {
      await(() -> jedis.dbSize() > 0);
    }
  }

  private void awaitValues(Map<Integer, Long> expected) throws Exception {
    List<Integer> entities = List.copyOf(expected.keySet());
    List<EntityKey> keys =
        entities.stream().map(entity -> new EntityKey("prod", "user", "u" + entity)).toList();
    try (OnlineReader reader = OnlineReader.open(redis.uri())) {
      Map<Integer, Long> found = new HashMap<>();
      await(
          () -> {
            List<Map<String, OnlineReader.Value>> values = reader.read(keys);
            found.clear();
            for (int i = 0; i < keys.size(); i++) {
              OnlineReader.Value score = values.get(i).get("score");
              if (score != null) {
                found.put(entities.get(i), (Long) score.value().orElseThrow());
              }
            }
            return found.equals(expected);
          });
      assertThat(found).isEqualTo(expected);
    }
  }

  private Map<String, ConsumerRecord<byte[], byte[]>> deadLetters(int count) throws Exception {
    return deadLetters(letterTopic, count);
  }

  private Map<String, ConsumerRecord<byte[], byte[]>> deadLetters(String topic, int count)
      throws Exception {
    Map<String, ConsumerRecord<byte[], byte[]>> letters = new HashMap<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      await(
          () -> {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
              letters.put(new String(record.key(), UTF_8), record);
            }
            return letters.size() >= count;
          });
    }
    return letters;
  }

  private void await(Condition condition) throws Exception {
    Instant end = Instant.now().plus(PATIENCE);
    while (!condition.holds()) {
      flink.jobs().forEach(job -> assertThat(job.status()).isNotEqualTo(JobStatus.FAILED));
      if (Instant.now().isAfter(end)) {
        assertWithMessage(test.getMethodName() + ": not within " + PATIENCE).that(false).isTrue();
      }
      Thread.sleep(50);
    }
  }

  private static long nowMicros() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000L + now.getNano() / 1_000;
  }
}
