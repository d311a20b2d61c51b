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
import io.tailrace.testing.BusLogContract;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Kafka's topics can be looked through, and what is sent and noted is there at once. */
public class KafkaLogTest extends BusLogContract {
  private static final int PARTITIONS = 3;

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static LocalKafka kafka;
  private static int topics;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  @Override
  protected String newTopic() {
    String topic = "log-" + topics++;
    kafka.createTopic(topic, PARTITIONS);
    return uri(topic);
  }

  @Override
  protected String missingTopic() {
    return uri("none");
  }

  private static String uri(String topic) {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  @Test
  public void whatWasNotCommittedIsThereForNobodyAndTheNextCommandSendsItOnce() throws Exception {
    Bus bus = newBus("a");
    Bus to = Buses.at(newTopic());
    BusLog dead = bus.log(BusLog.Use.SETTLE);
    send(dead, bus, to);
    // Not even read by others while it is open.
    assertThat(all(to)).isEmpty();

    try (BusLog next = bus.log(BusLog.Use.SETTLE)) {
      assertThat(read(next)).containsExactly("a");
      assertThat(assertThrows(UnavailableException.class, dead::flush))
          .hasMessageThat()
          .contains("another command has begun to replay or to discard letters");
      send(next, bus, to);
      next.flush();
    }
    dead.close();

    assertThat(all(to)).containsExactly("sent");
    // The letter and its note.
    assertThat(all(bus)).hasSize(2);
  }

  @Test
  public void whatWasTakenBackWhenACommandEndsIsNotThere() throws Exception {
    Bus bus = newBus("a");
    Bus to = Buses.at(newTopic());
    try (BusLog log = bus.log(BusLog.Use.SETTLE)) {
      send(log, bus, to);
    }
    publish(to, "behind it");

    assertThat(all(to)).containsExactly("behind it");
    assertThat(all(bus)).containsExactly("a");
  }

  @Test
  public void whatGoesToOtherServersIsThereBeforeItsNote() throws Exception {
    Bus bus = newBus("a");
    Bus to = Buses.at(newTopic() + "?client.id=another");
    try (BusLog log = bus.log(BusLog.Use.SETTLE)) {
      send(log, bus, to);
    }

    assertThat(all(to)).containsExactly("sent");
    assertThat(all(bus)).containsExactly("a");
  }

  /** Sends a message and notes it, without an end. */
  private static void send(BusLog log, Bus bus, Bus to) throws Exception {
    try (BusPublisher publisher = log.publisher(to)) {
      publisher.publish(OutgoingMessage.of("sent".getBytes(UTF_8)));
      publisher.flush();
    }
    log.note(Place.numbered(bus.topic(), 0, 0), Headers.of(Header.of("about", "a")));
  }

  private static List<String> all(Bus bus) throws Exception {
    List<String> texts = new ArrayList<>();
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      log.read(message -> texts.add(new String(message.payload(), UTF_8)));
    }
    return texts;
  }

  @Test
  public void whatWasTakenBackOrDeletedIsNotThere() throws Exception {
    Bus bus = newBus("a", "b", "c");
    String topic = bus.topic();
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
    try (BusLog log = bus.log(BusLog.Use.LOOK);
        Admin admin = admin()) {
      assertThat(read(log)).containsExactly("a", "b", "c");
      Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
      for (int p = 0; p < PARTITIONS; p++) {
        all.put(new TopicPartition(topic, p), RecordsToDelete.beforeOffset(-1));
      }
      admin.deleteRecords(all).all().get();
      assertThat(read(log)).isEmpty();
    }
  }

  @Test
  public void whatWasThereWasInThisTopicAndNotInOneThatIsMadeAnew() throws Exception {
    try (BusLog log = newBus("a").log(BusLog.Use.LOOK)) {
      Place there = placeOf(log);
      Place anew =
          new Place(there.topic(), "another", there.partition(), there.offset(), there.messageId());
      assertThat(log.extent().test(there)).isTrue();
      assertThat(log.extent().test(anew)).isFalse();
    }
  }

  @Test
  public void aNoteIsInThePartitionOfWhatItIsAbout() throws Exception {
    Bus bus = newBus("a");
    String topic = bus.topic();
    try (BusLog log = bus.log(BusLog.Use.SETTLE)) {
      for (int p = 0; p < PARTITIONS; p++) {
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
  public void whatAGroupHasCommittedItIsDoneWith() throws Exception {
    Bus bus = Buses.at(newTopic());
    String topic = bus.topic();
    try (Admin admin = admin()) {
      admin
          .alterConsumerGroupOffsets(
              "group-" + topic, Map.of(new TopicPartition(topic, 1), new OffsetAndMetadata(5)))
          .all()
          .get();
      Predicate<Place> done = bus.doneBy("group-" + topic).orElseThrow();
      assertThat(done.test(Place.numbered(topic, 1, 4))).isTrue();
      assertThat(done.test(Place.numbered(topic, 1, 5))).isFalse();
      assertThat(done.test(Place.numbered(topic, 0, 0))).isFalse();
      assertThat(bus.doneBy("nobody").orElseThrow().test(Place.numbered(topic, 1, 0))).isFalse();
    }
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
}
