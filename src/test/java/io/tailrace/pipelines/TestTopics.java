package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Replayed;
import io.tailrace.bus.pubsub.PubSubTopics;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.stage.Letter;
import io.tailrace.testing.fakes.FakePubSub;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The topics of all writers, on one kind of bus; some messages are there twice. */
abstract class TestTopics implements AutoCloseable {
  /** A kind of bus. */
  enum Kind {
    KAFKA {
      @Override
      TestTopics start(Path directory) {
        return new OfKafka(directory);
      }
    },
    /** Simulated. */
    PUBSUB {
      @Override
      TestTopics start(Path directory) throws IOException, InterruptedException {
        return new OfPubSub();
      }
    };

    abstract TestTopics start(Path directory) throws IOException, InterruptedException;
  }

  static final String LETTERS = "letters";

  /** Who reads a topic, by topic. */
  static final Map<String, List<String>> READERS =
      Map.of(
          "results", List.of("online-writer", "offline-writer", "metrics-writer"),
          "files", List.of("streaming-insert-writer", "bigquery-streaming-writer"),
          "summaries", List.of("metrics-bus-writer"),
          "uploads", List.of("bulk-insert-writer"));

  private static final double TWICE = 0.2;

  /** Returns the URI of a topic for one who publishes. */
  abstract String topic(String name);

  /** Returns the URI of a topic for a writer that reads it. */
  abstract String topic(String name, String writer);

  /** Returns whether a writer has settled all that a topic has. */
  abstract boolean isSettled(String name, String writer) throws Exception;

  /**
   * Returns the letters, each as {@code PAYLOAD of WRITER from TOPIC}; what comes twice may have
   * two.
   */
  abstract Set<String> letters() throws Exception;

  @Override
  public abstract void close();

  /** Publishes to a topic. */
  void send(String topic, byte[] payload) throws UnavailableException {
    try (BusPublisher publisher = Buses.at(topic(topic)).publisher()) {
      publisher.publish(OutgoingMessage.of(payload));
      publisher.flush();
    }
  }

  /** Says what a letter says, and that it can be sent back to where it came from. */
  private String letter(byte[] payload, Function<String, String> header) {
    String topic = header.apply(Letter.TOPIC);
    assertThat(topic(topic)).startsWith(header.apply(Letter.BUS));
    return new String(payload, UTF_8) + " of " + header.apply(Replayed.WRITER) + " from " + topic;
  }

  private static final class OfKafka extends TestTopics {
    private final LocalKafka kafka;
    private int sent;

    OfKafka(Path directory) {
      kafka = LocalKafka.start(directory, 0);
      READERS.keySet().forEach(topic -> kafka.createTopic(topic, 1));
      kafka.createTopic(LETTERS, 1);
    }

    @Override
    String topic(String name) {
      return "kafka://" + kafka.bootstrapServers() + "/" + name;
    }

    @Override
    String topic(String name, String writer) {
      return topic(name);
    }

    @Override
    void send(String topic, byte[] payload) throws UnavailableException {
      super.send(topic, payload);
      sent++;
      if (sent % (int) (1 / TWICE) == 0) {
        super.send(topic, payload);
      }
    }

    @Override
    boolean isSettled(String name, String writer) throws Exception {
      TopicPartition partition = new TopicPartition(name, 0);
      try (Admin admin =
          Admin.create(Map.of("bootstrap.servers", (Object) kafka.bootstrapServers()))) {
        OffsetAndMetadata committed =
            admin
                .listConsumerGroupOffsets(writer)
                .partitionsToOffsetAndMetadata()
                .get()
                .get(partition);
        long end =
            admin
                .listOffsets(Map.of(partition, OffsetSpec.latest()))
                .all()
                .get()
                .get(partition)
                .offset();
        return committed != null && committed.offset() == end;
      }
    }

    @Override
    Set<String> letters() throws Exception {
      List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
      TopicPartition partition = new TopicPartition(LETTERS, 0);
      try (KafkaConsumer<byte[], byte[]> consumer =
          new KafkaConsumer<>(
              Map.of("bootstrap.servers", kafka.bootstrapServers()),
              new ByteArrayDeserializer(),
              new ByteArrayDeserializer())) {
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        while (consumer.position(partition) < end) {
          consumer.poll(Duration.ofMillis(100)).forEach(records::add);
        }
      }
      Set<String> letters = new TreeSet<>();
      for (ConsumerRecord<byte[], byte[]> each : records) {
        assertThat(each.headers().lastHeader(Letter.OFFSET)).isNotNull();
        letters.add(
            super.letter(
                each.value(),
                name -> {
                  Header header = each.headers().lastHeader(name);
                  return header == null ? "" : new String(header.value(), UTF_8);
                }));
      }
      return letters;
    }

    @Override
    public void close() {
      kafka.close();
    }
  }

  private static final class OfPubSub extends TestTopics {
    private final FakePubSub server;
    private final PubSubTopics topics;

    OfPubSub() throws IOException, InterruptedException {
      server = FakePubSub.start().disorderly(TWICE);
      topics = PubSubTopics.at(server.host());
      for (Map.Entry<String, List<String>> each : READERS.entrySet()) {
        topics.createTopic(each.getKey());
        for (String writer : each.getValue()) {
          topics.subscribe(writer, each.getKey());
        }
      }
      topics.create(LETTERS);
    }

    @Override
    String topic(String name) {
      return topics.uri(name);
    }

    @Override
    String topic(String name, String writer) {
      return topics.uri(writer);
    }

    @Override
    boolean isSettled(String name, String writer) {
      return server.unacknowledged(PubSubTopics.subscription(writer)) == 0;
    }

    @Override
    Set<String> letters() {
      Set<String> letters = new TreeSet<>();
      for (JsonNode each : server.messages(PubSubTopics.subscription(LETTERS))) {
        JsonNode attributes = each.path("attributes");
        assertThat(attributes.path(Letter.MESSAGE_ID).asText()).isNotEmpty();
        assertThat(attributes.path(Letter.SUBSCRIPTION).asText())
            .isEqualTo(attributes.path(Replayed.WRITER).asText());
        letters.add(
            super.letter(
                Base64.getDecoder().decode(each.path("data").asText()),
                name -> attributes.path(name).asText()));
      }
      return letters;
    }

    @Override
    public void close() {
      server.close();
    }
  }
}
