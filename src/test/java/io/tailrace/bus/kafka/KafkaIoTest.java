package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Replayed;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Micros;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.testing.Messages;
import io.tailrace.testing.ReadBus;
import java.io.File;
import java.io.Serializable;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.io.kafka.KafkaRecord;
import org.apache.beam.sdk.io.kafka.KafkaTimestampType;
import org.apache.beam.sdk.io.kafka.TimestampPolicy.PartitionContext;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.util.SerializableUtils;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.joda.time.Instant;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestName;

/** What Beam's own source brings of a topic, where it begins, and how far event time is then. */
public class KafkaIoTest {
  private static final long HOUR = 3_600_000;
  private static final byte[] EMPTY = {};

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestName test = new TestName();

  private static LocalKafka kafka;
  private static Admin admin;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
    admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
  }

  @AfterClass
  public static void stop() {
    admin.close();
    kafka.close();
  }

  @Test
  public void everyPartOfARecordIsReadAsItIs() throws Exception {
    createTopic("CreateTime");
    List<OutgoingMessage> messages = messages();
    long now = System.currentTimeMillis();
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      for (OutgoingMessage each : messages) {
        ProducerRecord<byte[], byte[]> record = KafkaRecords.record(topic(), each);
        producer.send(
            new ProducerRecord<>(topic(), 0, now, record.key(), record.value(), record.headers()));
      }
    }

    // As it is read by a runner that knows sources, and by one that divides them: with a shuffle.
    for (String more : List.of("--experiments=none", "--experiments=use_sdf_read")) {
      List<BusMessage> read = readAll(messages.size(), more);

      for (int i = 0; i < messages.size(); i++) {
        BusMessage message = read.get(i);
        assertWithMessage(more)
            .that(
                new OutgoingMessage(
                    message.hasKey() ? message.key() : null,
                    message.hasPayload() ? message.payload() : null,
                    message.headers()))
            .isEqualTo(messages.get(i));
        assertThat(message.topic()).isEqualTo(topic());
        assertThat(message.partition()).isEqualTo(0);
        assertThat(message.offset()).isEqualTo(i);
        assertThat(message.time()).isEqualTo(MessageTime.ofPublisher(now * 1_000));
      }
    }
  }

  @Test
  public void theBrokersTimeIsToldFromThePublishers() throws Exception {
    createTopic("LogAppendTime");
    long before = System.currentTimeMillis() * 1_000;
    publish(1);

    MessageTime time = readAll(1).get(0).time();
    assertThat(time.by()).isEqualTo(MessageTime.By.BUS);
    assertThat(time.micros()).isAtLeast(before);
  }

  @Test
  public void aMessageThatWasSentBackHasTheTimeOfItsOriginal() throws Exception {
    createTopic("LogAppendTime");
    OutgoingMessage letter =
        new OutgoingMessage(
            null,
            EMPTY,
            Messages.letterOf("one-writer")
                .and(Header.of(Replayed.PUBLISHED_AT, "2026-01-30T12:00:00.000001Z"))
                .and(Header.of(Replayed.PUBLISHED_BY, "bus")));
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      producer.send(KafkaRecords.record(topic(), letter));
    }

    assertThat(readAll(1).get(0).time())
        .isEqualTo(
            MessageTime.ofBus(Micros.of(java.time.Instant.parse("2026-01-30T12:00:00.000001Z"))));
  }

  @Test
  public void latestIsWhereItWasWhenTheJobWasStartedAndIsKept() throws Exception {
    createTopic("CreateTime");
    publish(3);
    KafkaBus bus = bus("?start=latest").found(BusReader.of(group()));
    publish(2);

    for (int i = 0; i < 2; i++) {
      try (Consumer<byte[], byte[]> consumer = open(bus)) {
        consumer.assign(List.of(partition()));
        assertThat(consumer.position(partition())).isEqualTo(3);
      }
      publish(1);
      bus = bus("?start=latest").found(BusReader.of(group()));
    }
  }

  @Test
  public void whatTheGroupHasCommittedIsNotTouched() throws Exception {
    createTopic("CreateTime");
    publish(3);
    KafkaBus bus = bus("");
    open(bus).close();
    admin
        .alterConsumerGroupOffsets(group(), Map.of(partition(), new OffsetAndMetadata(2, "said")))
        .all()
        .get();

    open(bus).close();

    assertThat(committed()).isEqualTo(new OffsetAndMetadata(2, "said"));
  }

  @Test
  public void messagesThatWereDeletedUnreadStopItUnlessItIsTold() throws Exception {
    createTopic("CreateTime");
    publish(5);
    open(bus("")).close();
    admin.deleteRecords(Map.of(partition(), RecordsToDelete.beforeOffset(3))).all().get();

    try (Consumer<byte[], byte[]> consumer = open(bus(""))) {
      consumer.assign(List.of(partition()));
      assertThrows(OffsetOutOfRangeException.class, () -> poll(consumer));
    }
    try (Consumer<byte[], byte[]> consumer = open(bus("?overrun=continue"))) {
      consumer.assign(List.of(partition()));
      assertThat(poll(consumer)).isEqualTo(3);
    }
  }

  @Test
  public void aPartitionThatCameAfterTheStartWasFoundBeginsAtItsFirstMessage() throws Exception {
    createTopic("CreateTime");
    publish(3);
    KafkaBus bus = bus("?start=latest").found(BusReader.of(group()));
    admin.createPartitions(Map.of(topic(), NewPartitions.increaseTo(2))).all().get();
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      producer.send(new ProducerRecord<>(topic(), 1, EMPTY, EMPTY));
    }

    try (Consumer<byte[], byte[]> consumer = open(bus)) {
      TopicPartition added = new TopicPartition(topic(), 1);
      consumer.assign(List.of(partition(), added));
      assertThat(consumer.position(partition())).isEqualTo(3);
      assertThat(consumer.position(added)).isEqualTo(0);
    }
  }

  @Test
  public void aGroupWhoseOffsetsAreGoneNeitherSkipsNorRepeatsWithoutAWord() throws Exception {
    createTopic("CreateTime");
    publish(3);
    try (Consumer<byte[], byte[]> consumer = open(bus(""))) {
      consumer.assign(List.of(partition()));
      admin.deleteConsumerGroupOffsets(group(), Set.of(partition())).all().get();

      assertThrows(NoOffsetForPartitionException.class, () -> poll(consumer));
    }
  }

  @Test
  public void whatWasNotCommittedIsNotRead() throws Exception {
    createTopic("CreateTime");
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", kafka.bootstrapServers());
    settings.put("transactional.id", topic());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic(), EMPTY, EMPTY));
      producer.flush();
      producer.abortTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic(), EMPTY, EMPTY));
      producer.commitTransaction();
    }

    assertThat(readAll(1).get(0).offset()).isEqualTo(2);
  }

  @Test
  public void nothingThatIsSentToWorkersHoldsASecret() throws Exception {
    File password = new File(folder.getRoot(), "password");
    Files.writeString(password.toPath(), "geheim-123");
    KafkaBus bus =
        bus(
            "?security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN&user=me&password=file:"
                + password);
    KafkaIoConsumers consumers = new KafkaIoConsumers(bus, group());

    // Not even there: it is read when a consumer connects.
    assertThat(consumers.settings(given(group())).toString()).doesNotContain("geheim-123");
    for (Serializable each : List.of(consumers, new ReadByKafkaIo(bus, group()).read())) {
      assertThat(new String(SerializableUtils.serializeToByteArray(each), ISO_8859_1))
          .doesNotContain("geheim-123");
    }
    assertThat(DisplayData.from(new ReadByKafkaIo(bus, group()).read()).toString())
        .doesNotContain("geheim-123");
  }

  @Test
  public void aMessageThatWasSentBackIsAtItsOriginalsTimeAndEventTimeAtItsOwn() {
    long now = System.currentTimeMillis();
    PublishTimes times = new PublishTimes(Optional.empty());
    RecordHeaders headers = new RecordHeaders();
    for (Header each :
        Messages.letterOf("one-writer")
            .and(Header.of(Replayed.PUBLISHED_AT, "2026-01-30T12:00:00Z"))
            .and(Header.of(Replayed.PUBLISHED_BY, "bus"))
            .all()) {
      headers.add(each.name(), each.value());
    }
    KafkaRecord<byte[], byte[]> letter =
        new KafkaRecord<>(
            "topic", 0, 0, now - HOUR, KafkaTimestampType.CREATE_TIME, headers, EMPTY, EMPTY);

    for (int i = 0; i < 1_000; i++) {
      assertThat(times.getTimestampForRecord(partition(5, now), letter))
          .isEqualTo(Instant.parse("2026-01-30T12:00:00Z"));
    }
    assertThat(times.getWatermark(partition(5, now))).isEqualTo(new Instant(now - HOUR));
  }

  @Test
  public void eventTimeIsNeverAheadOfTheClockWhateverRecordsSay() {
    long now = System.currentTimeMillis();
    PublishTimes times = new PublishTimes(Optional.empty());
    for (int i = 0; i < 2_000; i++) {
      Instant unused = times.getTimestampForRecord(partition(5, now), record(now + HOUR));
    }

    assertThat(times.getWatermark(partition(5, now)).getMillis())
        .isAtMost(System.currentTimeMillis() - 2_000);
  }

  @Test
  public void noSettingOfAUriUndoesWhatReadingStandsOnAndWhatLooksForEndsIsNoReader() {
    KafkaIoConsumers consumers =
        new KafkaIoConsumers(
            bus(
                "?isolation.level=read_uncommitted&enable.auto.commit=true"
                    + "&auto.offset.reset=latest&group.id=other&fetch.max.bytes=5"),
            "group");

    assertThat(consumers.settings(given("group")))
        .containsAtLeast(
            "isolation.level", "read_committed",
            "enable.auto.commit", false,
            "auto.offset.reset", "none",
            "fetch.max.bytes", "5",
            "group.id", "group");
    assertThat(
            consumers.settings(Map.of("group.id", "ends", "isolation.level", "read_uncommitted")))
        .containsAtLeast("isolation.level", "read_uncommitted", "group.id", "ends");
  }

  @Test
  public void eventTimeFollowsTheLeastOfTheLastRecordsAndTheClockOnlyWhereNothingWaits() {
    long now = System.currentTimeMillis();
    Instant restored = new Instant(now - 3 * HOUR);
    PublishTimes times = new PublishTimes(Optional.of(restored));

    for (int i = 0; i < 2_000; i++) {
      long stamped = i % 500 == 499 ? now + HOUR : now - 2 * HOUR + i;
      assertThat(times.getTimestampForRecord(partition(5, now), record(stamped)))
          .isEqualTo(new Instant(stamped));
      assertThat(times.getWatermark(partition(5, now)).getMillis()).isAtMost(now - 2 * HOUR + i);
      if (i < 999) {
        assertThat(times.getWatermark(partition(5, now))).isEqualTo(restored);
      }
    }
    assertThat(times.getWatermark(partition(5, now)).getMillis()).isAtLeast(now - 2 * HOUR);
    assertThat(times.getWatermark(partition(-1, now)).getMillis()).isAtMost(now - HOUR);

    assertThat(times.getWatermark(partition(0, now - HOUR)).getMillis())
        .isEqualTo(now - HOUR - 2_000);
    assertThat(times.getWatermark(partition(0, now + HOUR)).getMillis())
        .isAtMost(System.currentTimeMillis() - 2_000);
    long reached = times.getWatermark(partition(0, now)).getMillis();
    assertThat(times.getWatermark(partition(7, now)).getMillis()).isEqualTo(reached);
  }

  private static PartitionContext partition(long backlog, long checked) {
    return new PartitionContext() {
      @Override
      public long getMessageBacklog() {
        return backlog;
      }

      @Override
      public Instant getBacklogCheckTime() {
        return new Instant(checked);
      }
    };
  }

  private static KafkaRecord<byte[], byte[]> record(long millis) {
    return new KafkaRecord<>(
        "topic", 0, 0, millis, KafkaTimestampType.CREATE_TIME, null, EMPTY, EMPTY);
  }

  private static List<OutgoingMessage> messages() {
    Headers headers =
        Headers.of(
            Header.of("name", "välue"),
            new Header("name", null),
            new Header("", EMPTY),
            new Header("tailrace.writer", null));
    List<OutgoingMessage> messages = new ArrayList<>();
    for (Headers each : List.of(Headers.NONE, headers)) {
      messages.add(new OutgoingMessage(null, null, each));
      messages.add(new OutgoingMessage(EMPTY, null, each));
      messages.add(new OutgoingMessage(null, EMPTY, each));
      messages.add(new OutgoingMessage("key".getBytes(UTF_8), "value".getBytes(UTF_8), each));
    }
    return messages;
  }

  private List<BusMessage> readAll(int count, String... more) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("--busReader=kafkaio"));
    arguments.addAll(List.of(more));
    ReadBus reading =
        ReadBus.start(
            bus(
                "?group="
                    + group()
                    + String.join("", more).replaceAll("[^a-z]", "")
                    + "&"
                    + KafkaIoContractTest.LEFT_OPEN),
            group(),
            arguments.toArray(String[]::new));
    try {
      List<BusMessage> read = new ArrayList<>(reading.await(count));
      read.sort(Comparator.comparingLong(BusMessage::offset));
      return read;
    } finally {
      reading.cancel();
    }
  }

  private static Map<String, Object> given(String group) {
    Map<String, Object> given = new HashMap<>();
    given.put("group.id", group);
    given.put("key.deserializer", ByteArrayDeserializer.class.getName());
    given.put("value.deserializer", ByteArrayDeserializer.class.getName());
    return given;
  }

  private Consumer<byte[], byte[]> open(KafkaBus bus) {
    return new KafkaIoConsumers(bus, group()).apply(given(group()));
  }

  /** Returns the offset of the first record that comes, or -1. */
  private static long poll(Consumer<byte[], byte[]> consumer) {
    for (int i = 0; i < 600; i++) {
      for (var each : consumer.poll(Duration.ofMillis(100))) {
        return each.offset();
      }
    }
    return -1;
  }

  private OffsetAndMetadata committed() throws Exception {
    return admin
        .listConsumerGroupOffsets(group())
        .partitionsToOffsetAndMetadata()
        .get()
        .get(partition());
  }

  private void createTopic(String timestampType) throws Exception {
    kafka.createTopic(topic(), 1, Map.of("message.timestamp.type", timestampType));
  }

  private void publish(int count) {
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      for (int i = 0; i < count; i++) {
        producer.send(new ProducerRecord<>(topic(), EMPTY, EMPTY));
      }
    }
  }

  private static KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", kafka.bootstrapServers()),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private KafkaBus bus(String query) {
    return KafkaBus.at(
        EndpointUri.parse("kafka://" + kafka.bootstrapServers() + "/" + topic() + query));
  }

  private TopicPartition partition() {
    return new TopicPartition(topic(), 0);
  }

  private String topic() {
    return test.getMethodName();
  }

  private String group() {
    return "group-of-" + topic();
  }
}
