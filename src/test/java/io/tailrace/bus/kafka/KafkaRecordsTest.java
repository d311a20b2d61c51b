package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.io.UnboundedSource.UnboundedReader;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestName;

/**
 * That every part of a record which Kafka allows to be absent is met, and told from an empty one.
 */
public class KafkaRecordsTest {
  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestName topic = new TestName();
  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  private static final byte[] EMPTY = {};
  private static final Headers HEADERS =
      Headers.of(
          Header.of("name", "välue"),
          new Header("name", null),
          new Header("", EMPTY),
          new Header("tailrace.writer", null),
          new Header("name", new byte[] {-1}));

  private static LocalKafka kafka;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  @Test
  public void whatIsAbsentIsReadAsAbsentAndWhatIsEmptyAsEmpty() throws Exception {
    createTopic("CreateTime");
    List<OutgoingMessage> messages = messages();
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      for (OutgoingMessage each : messages) {
        producer.send(KafkaRecords.record(topic.getMethodName(), each));
      }
    }

    List<BusMessage> read = readAll(messages.size());

    for (int i = 0; i < read.size(); i++) {
      assertThat(published(read.get(i))).isEqualTo(messages.get(i));
      Place place = read.get(i).place();
      assertThat(place).isEqualTo(new Place(topic.getMethodName(), place.topicId(), 0, i, ""));
      assertThat(place.topicId()).hasLength(22);
    }
  }

  @Test
  public void whatIsAbsentIsPublishedAsAbsent() throws Exception {
    createTopic("CreateTime");
    List<OutgoingMessage> messages = messages();
    pipeline.apply(Create.of(messages)).apply(bus().write());
    pipeline.run();

    assertThat(readAll(messages.size()).stream().map(KafkaRecordsTest::published).toList())
        .containsExactlyElementsIn(messages);
  }

  @Test
  public void aTimeIsThatOfTheBrokerOrOfThePublisherOrNone() throws Exception {
    createTopic("CreateTime");
    long now = System.currentTimeMillis();
    long later = now + 3_600_000;
    publishAt(now, 1, 0, later);
    // No client says -1 by itself: it stands for records older than Kafka's times.
    assertThat(readAll(4).stream().map(BusMessage::time).toList())
        .containsExactly(
            MessageTime.ofPublisher(now * 1_000),
            MessageTime.ofPublisher(1_000),
            MessageTime.ABSENT,
            MessageTime.ofPublisher(later * 1_000))
        .inOrder();
  }

  @Test
  public void theBrokersTimeStandsWhereTheTopicSaysSo() throws Exception {
    createTopic("LogAppendTime");
    long before = System.currentTimeMillis() * 1_000;
    publishAt(0, 1);

    for (BusMessage message : readAll(2)) {
      assertThat(message.time().by()).isEqualTo(MessageTime.By.BUS);
      assertThat(message.time().micros()).isAtLeast(before);
      assertThat(message.publishedAt()).isEqualTo(message.time().micros());
    }
  }

  private static List<OutgoingMessage> messages() {
    List<OutgoingMessage> messages = new ArrayList<>();
    List<byte[]> some = List.of(EMPTY, "bytes".getBytes(UTF_8));
    for (Headers headers : List.of(Headers.NONE, HEADERS)) {
      messages.add(new OutgoingMessage(null, null, headers));
      for (byte[] each : some) {
        messages.add(new OutgoingMessage(each, null, headers));
        messages.add(new OutgoingMessage(null, each, headers));
        some.forEach(other -> messages.add(new OutgoingMessage(each, other, headers)));
      }
    }
    return messages;
  }

  private static OutgoingMessage published(BusMessage message) {
    return new OutgoingMessage(
        message.hasKey() ? message.key() : null,
        message.hasPayload() ? message.payload() : null,
        message.headers());
  }

  private void createTopic(String timestampType) throws Exception {
    kafka.createTopic(
        topic.getMethodName(),
        1,
        Map.of(
            "message.timestamp.type",
            timestampType,
            "message.timestamp.after.max.ms",
            "10000000",
            "retention.ms",
            "-1"));
  }

  private void publishAt(long... millis) {
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      for (long each : millis) {
        producer.send(new ProducerRecord<>(topic.getMethodName(), 0, each, EMPTY, EMPTY));
      }
    }
  }

  private static KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", kafka.bootstrapServers()),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private KafkaBus bus() {
    return KafkaBus.at(
        EndpointUri.parse("kafka://" + kafka.bootstrapServers() + "/" + topic.getMethodName()));
  }

  private List<BusMessage> readAll(int count) throws Exception {
    List<BusMessage> messages = new ArrayList<>();
    try (UnboundedReader<List<BusMessage>> reader =
        new KafkaSource(bus(), "group", "group")
            .split(1, PipelineOptionsFactory.create())
            .get(0)
            .createReader(PipelineOptionsFactory.create(), null)) {
      long deadline = System.nanoTime() + 30_000_000_000L;
      boolean any = reader.start();
      while (messages.size() < count && System.nanoTime() < deadline) {
        if (any) {
          messages.addAll(reader.getCurrent());
        }
        any = messages.size() < count && reader.advance();
      }
    }
    assertThat(messages).hasSize(count);
    return messages;
  }
}
