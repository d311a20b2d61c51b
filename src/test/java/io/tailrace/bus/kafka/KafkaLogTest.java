package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What a command sees of a topic that it looks through. */
public class KafkaLogTest {
  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static LocalKafka kafka;
  private static int tests;

  private String topic;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  @Before
  public void createTopic() {
    topic = "log-" + tests++;
    kafka.createTopic(topic, 3);
  }

  @Test
  public void whatComesLaterIsNewsAndNotPartOfWhatWasThere() throws Exception {
    publish("a", "b", "c");
    try (BusLog log = bus(topic).log()) {
      publish("d");
      assertThat(read(log)).containsExactly("a", "b", "c");
      assertThat(news(log)).containsExactly("d");
      assertThat(news(log)).isEmpty();
      publish("e");
      // As often as it is asked.
      assertThat(read(log)).containsExactly("a", "b", "c");
      assertThat(news(log)).containsExactly("e");
    }
  }

  @Test
  public void whoHasSeenEnoughIsShownNoMore() throws Exception {
    publish("a", "b", "c");
    try (BusLog log = bus(topic).log()) {
      List<String> seen = new ArrayList<>();
      log.read(message -> seen.add(text(message)) && seen.size() < 2);
      assertThat(seen).hasSize(2);
      assertThat(read(log)).hasSize(3);
    }
  }

  @Test
  public void whatWasTakenBackOrDeletedIsNotThere() throws Exception {
    publish("a", "b", "c");
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "transactional.id", topic),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic, 0, null, "taken back".getBytes(UTF_8)));
      producer.abortTransaction();
    }
    try (BusLog log = bus(topic).log();
        Admin admin = admin()) {
      assertThat(read(log)).containsExactly("a", "b", "c");
      Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
      for (int p = 0; p < 3; p++) {
        all.put(new TopicPartition(topic, p), RecordsToDelete.beforeOffset(-1));
      }
      admin.deleteRecords(all).all().get();
      assertThat(read(log)).isEmpty();
    }
  }

  @Test
  public void aNoteIsInThePartitionOfWhatItIsAbout() throws Exception {
    publish("a");
    try (BusLog log = bus(topic).log()) {
      for (int p = 0; p < 3; p++) {
        log.note(Place.numbered(topic, p, 0), Headers.of(Header.of("about", "" + p)));
      }
      log.flush();
      List<BusMessage> notes = new ArrayList<>();
      log.readNews(notes::add);
      assertThat(notes).hasSize(3);
      for (BusMessage note : notes) {
        assertThat(note.headers().text("about")).hasValue("" + note.partition());
        assertThat(note.hasKey()).isFalse();
        assertThat(note.payload()).isEmpty();
      }
    }
  }

  @Test
  public void aPublisherTellsWhereAMessageIs() throws Exception {
    List<Place> places = new ArrayList<>();
    try (BusPublisher publisher = bus(topic).publisher()) {
      for (String text : List.of("a", "b")) {
        publisher.publish(
            OutgoingMessage.of("k".getBytes(UTF_8), text.getBytes(UTF_8)), places::add);
      }
      publisher.flush();
    }
    try (BusLog log = bus(topic).log()) {
      List<Place> read = new ArrayList<>();
      log.read(
          message ->
              read.add(Place.numbered(message.topic(), message.partition(), message.offset())));
      assertThat(places).isEqualTo(read);
    }
  }

  @Test
  public void whatAGroupHasCommittedItIsDoneWith() throws Exception {
    try (BusLog log = bus(topic).log();
        Admin admin = admin()) {
      admin
          .alterConsumerGroupOffsets(
              "group-" + topic, Map.of(new TopicPartition(topic, 1), new OffsetAndMetadata(5)))
          .all()
          .get();
      Predicate<Place> done = log.settledBy("group-" + topic);
      assertThat(done.test(Place.numbered(topic, 1, 4))).isTrue();
      assertThat(done.test(Place.numbered(topic, 1, 5))).isFalse();
      assertThat(done.test(Place.numbered(topic, 0, 0))).isFalse();
      assertThat(log.settledBy("nobody").test(Place.numbered(topic, 1, 0))).isFalse();
    }
  }

  @Test
  public void aTopicThatIsMissingIsNamed() {
    UnavailableException e =
        assertThrows(UnavailableException.class, () -> bus("none").log().close());

    assertThat(e).hasMessageThat().contains("the topic 'none' does not exist");
  }

  @Test
  public void aBusOnTheSameServersIsReachedWithTheSameSettings() {
    Bus bus =
        Buses.at("kafka://a:9092,b:9092/letters?fetch.max.bytes=1000000&group=g&start=latest");

    KafkaBus beside = (KafkaBus) bus.beside("kafka://b:9092,c:9092/results").orElseThrow();
    assertThat(beside.name()).isEqualTo("kafka://a:9092,b:9092/results");
    assertThat(beside.properties()).containsEntry("fetch.max.bytes", "1000000");
    assertThat(beside.group("mine")).isEqualTo("mine");
    assertThat(bus.beside("kafka://c:9092/results")).isEmpty();
    assertThat(bus.beside("kafka://a:9093/results")).isEmpty();
    assertThat(bus.beside("pubsub://a:9092/results")).isEmpty();
    assertThat(bus.beside("kafka://a:9092/")).isEmpty();
    assertThat(bus.beside("")).isEmpty();
  }

  private static Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", (Object) kafka.bootstrapServers()));
  }

  private static Bus bus(String name) {
    return Buses.at("kafka://" + kafka.bootstrapServers() + "/" + name);
  }

  private void publish(String... texts) throws Exception {
    try (BusPublisher publisher = bus(topic).publisher()) {
      for (String text : texts) {
        publisher.publish(OutgoingMessage.of(text.getBytes(UTF_8), text.getBytes(UTF_8)));
      }
      publisher.flush();
    }
  }

  private static Set<String> read(BusLog log) throws Exception {
    Set<String> texts = new TreeSet<>();
    log.read(message -> texts.add(text(message)));
    return texts;
  }

  private static Set<String> news(BusLog log) throws Exception {
    Set<String> texts = new TreeSet<>();
    log.readNews(message -> texts.add(text(message)));
    return texts;
  }

  private static String text(BusMessage message) {
    return new String(message.payload(), UTF_8);
  }
}
