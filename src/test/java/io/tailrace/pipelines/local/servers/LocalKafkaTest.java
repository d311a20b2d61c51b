package io.tailrace.pipelines.local.servers;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

@RunWith(JUnit4.class)
public class LocalKafkaTest {
  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @Test
  public void deliversWhatIsPublished() throws Exception {
    try (LocalKafka kafka = start()) {
      kafka.createTopic("results", 2);
      publish(kafka, "results", "a", "b");
      assertThat(consume(kafka, "results", 2)).containsExactly("a", "b");
    }
  }

  @Test
  public void restartKeepsPortTopicsMessagesAndCommittedOffsets() throws Exception {
    try (LocalKafka kafka = start()) {
      String address = kafka.bootstrapServers();
      kafka.createTopic("results", 1);
      publish(kafka, "results", "a");
      assertThat(consume(kafka, "results", 1)).containsExactly("a");

      kafka.restart();

      assertThat(kafka.bootstrapServers()).isEqualTo(address);
      publish(kafka, "results", "b");
      assertThat(consume(kafka, "results", 1)).containsExactly("b");
    }
  }

  @Test
  public void aProducerOutlivesARestart() throws Exception {
    try (LocalKafka kafka = start();
        KafkaProducer<byte[], byte[]> producer = producer(kafka)) {
      kafka.createTopic("results", 1);
      producer.send(message("results", "before")).get();
      kafka.stop();
      var meanwhile = producer.send(message("results", "meanwhile"));
      kafka.restart();
      meanwhile.get();
      producer.send(message("results", "after")).get();
      assertThat(consume(kafka, "results", 3))
          .containsExactly("before", "meanwhile", "after")
          .inOrder();
    }
  }

  @Test
  public void startsAgainOnTheDirectoryOfAClosedBroker() throws Exception {
    try (LocalKafka first = start()) {
      first.createTopic("results", 1);
      publish(first, "results", "a");
    }
    try (LocalKafka second = start()) {
      assertThat(consume(second, "results", 1)).containsExactly("a");
    }
  }

  @Test
  public void acceptsTheLargestMessage() throws Exception {
    int framing = 1024;
    byte[] large = new byte[LocalKafka.MAX_MESSAGE_BYTES - framing];
    try (LocalKafka kafka = start();
        KafkaProducer<byte[], byte[]> producer = producer(kafka)) {
      kafka.createTopic("results", 1);
      assertThat(producer.send(new ProducerRecord<>("results", large)).get().serializedValueSize())
          .isEqualTo(large.length);
      assertThat(consume(kafka, "results", 1).get(0)).hasLength(large.length);
    }
  }

  @Test
  public void createsATopicOnceAndLeavesItAsItIs() throws Exception {
    try (LocalKafka kafka = start();
        Admin admin = Admin.create(clientSettings(kafka))) {
      kafka.createTopic("results", 3, Map.of("retention.ms", "60000"));
      kafka.createTopic("results", 5, Map.of("retention.ms", "90000"));

      assertThat(
              admin
                  .describeTopics(List.of("results"))
                  .allTopicNames()
                  .get()
                  .get("results")
                  .partitions())
          .hasSize(3);
      ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "results");
      assertThat(
              admin
                  .describeConfigs(List.of(topic))
                  .all()
                  .get()
                  .get(topic)
                  .get("retention.ms")
                  .value())
          .isEqualTo("60000");
    }
  }

  @Test
  public void refusesAWrongTopicSetting() {
    try (LocalKafka kafka = start()) {
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class,
              () -> kafka.createTopic("results", 1, Map.of("retention", "1")));
      assertThat(e).hasMessageThat().contains("results");
    }
  }

  @Test
  public void doesNotCreateATopicThatIsOnlyNamed() {
    try (LocalKafka kafka = start();
        Admin admin = Admin.create(clientSettings(kafka))) {
      ExecutionException e =
          assertThrows(
              ExecutionException.class,
              () -> admin.describeTopics(List.of("missing")).allTopicNames().get());
      assertThat(e).hasCauseThat().isInstanceOf(UnknownTopicOrPartitionException.class);
    }
  }

  @Test
  public void aTakenPortIsAnErrorAndNotTheEndOfTheJvm() throws Exception {
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class,
              () -> LocalKafka.start(temporary.getRoot().toPath(), taken.getLocalPort()));
      assertThat(e).hasMessageThat().contains(Integer.toString(taken.getLocalPort()));
    }
  }

  @Test
  public void printsNothingItself() throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try (LocalKafka kafka = start()) {
      kafka.createTopic("results", 1);
    } finally {
      System.setOut(before);
    }
    assertThat(printed.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  private LocalKafka start() {
    return LocalKafka.start(temporary.getRoot().toPath(), 0);
  }

  private static void publish(LocalKafka kafka, String topic, String... values) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer(kafka)) {
      for (String value : values) {
        producer.send(message(topic, value)).get();
      }
    }
  }

  private static ProducerRecord<byte[], byte[]> message(String topic, String value) {
    return new ProducerRecord<>(topic, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Reads as the group "reader" and commits. */
  private static List<String> consume(LocalKafka kafka, String topic, int count) {
    Map<String, Object> settings = new HashMap<>(clientSettings(kafka));
    settings.putAll(
        Map.of(
            "group.id", "reader", "auto.offset.reset", "earliest", "enable.auto.commit", "false"));
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      Collection<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(partition -> new TopicPartition(topic, partition.partition()))
              .toList();
      consumer.assign(partitions);
      while (values.size() < count) {
        consumer
            .poll(Duration.ofSeconds(1))
            .forEach(message -> values.add(new String(message.value(), StandardCharsets.UTF_8)));
      }
      consumer.commitSync();
    }
    return values;
  }

  private static KafkaProducer<byte[], byte[]> producer(LocalKafka kafka) {
    Map<String, Object> settings = new HashMap<>(clientSettings(kafka));
    settings.put("max.request.size", LocalKafka.MAX_MESSAGE_BYTES);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static Map<String, Object> clientSettings(LocalKafka kafka) {
    return Map.of("bootstrap.servers", kafka.bootstrapServers());
  }
}
