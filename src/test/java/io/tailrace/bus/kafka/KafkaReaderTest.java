package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.beam.sdk.io.UnboundedSource.UnboundedReader;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestName;

/** What a reader makes of the messages of a real broker. */
public class KafkaReaderTest {
  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestName topic = new TestName();

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
  public void theLastOfWhatIsThereEndsTheBacklog() throws Exception {
    publish(10, 10);

    try (UnboundedReader<List<BusMessage>> reader = reader("")) {
      List<BusMessage> messages = readAll(reader, 10);

      assertThat(messages.subList(0, 9).stream().filter(BusMessage::endsBacklog).toList())
          .isEmpty();
      assertThat(messages.get(9).endsBacklog()).isTrue();
    }
  }

  @Test
  public void nothingEndsABacklogThatGoesOn() throws Exception {
    publish(8, 1 << 20);

    try (UnboundedReader<List<BusMessage>> reader = reader("")) {
      List<BusMessage> messages = readAll(reader, 8);

      assertThat(messages.stream().map(BusMessage::endsBacklog).toList())
          .containsExactly(false, false, false, false, false, false, false, true)
          .inOrder();
    }
  }

  @Test
  public void messagesDeletedUnderAReaderStopIt() throws Exception {
    publish(10, 10);
    deleteBefore(6);

    try (UnboundedReader<List<BusMessage>> reader = reader("", mark(1))) {
      IOException e = assertThrows(IOException.class, () -> readAll(reader, 4));

      assertThat(e).hasMessageThat().contains("was to be read from offset 1, which is gone");
      assertThat(e).hasMessageThat().contains("the first one there is 6");
      assertThat(e).hasMessageThat().contains("overrun=continue");
    }
  }

  @Test
  public void messagesDeletedUnderAReaderArePassedOverIfTheUriSaysSo() throws Exception {
    publish(10, 10);
    deleteBefore(6);

    try (UnboundedReader<List<BusMessage>> reader = reader("?overrun=continue", mark(1))) {
      assertThat(readAll(reader, 4).stream().map(BusMessage::offset).toList())
          .containsExactly(6L, 7L, 8L, 9L)
          .inOrder();
    }
  }

  @Test
  public void afterALossOfTheBrokersTheUriSaysToGoOnWhereItBegins() throws Exception {
    publish(3, 10);

    try (UnboundedReader<List<BusMessage>> reader = reader("?overrun=continue", mark(7))) {
      assertThat(readAll(reader, 0)).isEmpty();
      long deadline = System.nanoTime() + 30_000_000_000L;
      while (((KafkaMark) reader.getCheckpointMark()).next().get(0).offset() != 3) {
        assertThat(System.nanoTime()).isLessThan(deadline);
        assertThat(reader.advance()).isFalse();
      }
      publish(2, 10);

      assertThat(readOn(reader, 2).stream().map(BusMessage::offset).toList())
          .containsExactly(3L, 4L)
          .inOrder();
    }
  }

  @Test
  public void aPartitionThatWasAddedIsReadFromItsFirstMessage() throws Exception {
    kafka.createTopic(topic.getMethodName(), 2);
    try (Consumer<byte[], byte[]> consumer = open()) {
      consumer.commitSync(
          Map.of(new TopicPartition(topic.getMethodName(), 1), new OffsetAndMetadata(0)));
    }
    publish(3, 10);

    try (UnboundedReader<List<BusMessage>> reader = reader("?start=latest")) {
      assertThat(readAll(reader, 3)).hasSize(3);
    }
  }

  @Test
  public void theWatermarkKeepsUpWithTheClockOnlyWhileBrokersSayThatThereIsNothing()
      throws Exception {
    publish(3, 10);

    try (UnboundedReader<List<BusMessage>> reader = reader("")) {
      readAll(reader, 3);
      long start = System.currentTimeMillis();
      while (reader.getWatermark().getMillis() < start) {
        assertThat(System.currentTimeMillis()).isLessThan(start + 30_000);
        assertThat(reader.advance()).isFalse();
      }

      long before = System.currentTimeMillis();
      Thread.sleep(3_500);
      assertThat(reader.getWatermark().getMillis()).isLessThan(before);
    }
  }

  @Test
  public void theWatermarkStandsWhileNoBrokerAnswers() throws Exception {
    LocalKafka mortal = LocalKafka.start(folder.newFolder().toPath(), 0);
    try {
      mortal.createTopic("t", 1);
      KafkaBus bus = KafkaBus.at(EndpointUri.parse("kafka://" + mortal.bootstrapServers() + "/t"));
      try (UnboundedReader<List<BusMessage>> reader =
          new KafkaSource(bus, "group", "group")
              .split(1, PipelineOptionsFactory.create())
              .get(0)
              .createReader(PipelineOptionsFactory.create(), null)) {
        long start = System.currentTimeMillis();
        boolean any = reader.start();
        while (reader.getWatermark().getMillis() < start) {
          assertThat(System.currentTimeMillis()).isLessThan(start + 30_000);
          any |= reader.advance();
        }
        mortal.close();
        long down = System.currentTimeMillis();
        while (System.currentTimeMillis() < down + 4_000) {
          any |= reader.advance();
        }
        assertThat(reader.getWatermark().getMillis()).isLessThan(down);
        assertThat(any).isFalse();
      }
    } finally {
      mortal.close();
    }
  }

  @Test
  public void anOffsetThatNeverWasIsNotCalledDeleted() throws Exception {
    publish(3, 10);

    try (UnboundedReader<List<BusMessage>> reader = reader("", mark(7))) {
      IOException e = assertThrows(IOException.class, () -> readAll(reader, 1));

      assertThat(e).hasMessageThat().contains("offset 7, which the brokers have lost");
      assertThat(e).hasMessageThat().contains("To go on at 3, add overrun=continue");
    }
  }

  @Test
  public void theEndOfATransactionIsPassed() throws Exception {
    kafka.createTopic(topic.getMethodName(), 1);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "transactional.id", "t"),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic.getMethodName(), 0, null, new byte[1]));
      producer.commitTransaction();
    }

    try (UnboundedReader<List<BusMessage>> reader = reader("")) {
      assertThat(readAll(reader, 1)).hasSize(1);
      assertThat(reader.advance()).isFalse();

      assertThat(((KafkaMark) reader.getCheckpointMark()).next().get(0).offset()).isEqualTo(2);
    }
  }

  private KafkaMark mark(long offset) {
    return new KafkaMark("", Map.of(0, KafkaPosition.at(offset)), 0, new KafkaMark.Commits());
  }

  @Test
  public void whatARunnerForgetsToCloseIsClosedWhenItIsCollected() throws Exception {
    publish(3, 10);
    AtomicBoolean hasRead = new AtomicBoolean();
    Thread runner =
        new Thread(
            () -> {
              try {
                UnboundedReader<List<BusMessage>> reader = reader("?client.id=forgotten");
                assertThat(readAll(reader, 3)).hasSize(3);
                reader.getCheckpointMark().finalizeCheckpoint();
                // Commits, and is never told how that ended.
                var unused = reader.advance();
                hasRead.set(true);
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    runner.start();
    runner.join();
    assertThat(hasRead.get()).isTrue();

    long deadline = System.nanoTime() + 30_000_000_000L;
    while (Thread.getAllStackTraces().keySet().stream()
        .anyMatch(each -> each.getName().endsWith("| forgotten"))) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      System.gc();
      Thread.sleep(10);
    }
  }

  private UnboundedReader<List<BusMessage>> reader(String query) throws Exception {
    return reader(query, null);
  }

  private UnboundedReader<List<BusMessage>> reader(String query, @Nullable KafkaMark mark)
      throws Exception {
    return new KafkaSource(bus(query), "group", "group")
        .split(1, PipelineOptionsFactory.create())
        .get(0)
        .createReader(PipelineOptionsFactory.create(), mark);
  }

  private KafkaBus bus(String query) {
    return KafkaBus.at(
        EndpointUri.parse(
            "kafka://" + kafka.bootstrapServers() + "/" + topic.getMethodName() + query));
  }

  private void publish(int messages, int bytes) {
    kafka.createTopic(topic.getMethodName(), 1);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "max.request.size", 8 << 20),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < messages; i++) {
        producer.send(new ProducerRecord<>(topic.getMethodName(), 0, null, new byte[bytes]));
      }
    }
  }

  private void deleteBefore(long offset) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      admin
          .deleteRecords(
              Map.of(
                  new TopicPartition(topic.getMethodName(), 0),
                  RecordsToDelete.beforeOffset(offset)))
          .all()
          .get();
    }
  }

  private Consumer<byte[], byte[]> open() {
    return KafkaConsumers.open(bus(""), "group", 1_000, new BoundedPoll(1 << 20));
  }

  private static List<BusMessage> readOn(UnboundedReader<List<BusMessage>> reader, int count)
      throws IOException {
    List<BusMessage> messages = new ArrayList<>();
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (messages.size() < count && System.nanoTime() < deadline) {
      if (reader.advance()) {
        messages.addAll(reader.getCurrent());
      }
    }
    return messages;
  }

  private static List<BusMessage> readAll(UnboundedReader<List<BusMessage>> reader, int count)
      throws IOException {
    List<BusMessage> messages = new ArrayList<>();
    long deadline = System.nanoTime() + 30_000_000_000L;
    boolean any = reader.start();
    while (messages.size() < count && System.nanoTime() < deadline) {
      if (any) {
        messages.addAll(reader.getCurrent());
      }
      any = messages.size() < count && reader.advance();
    }
    return messages;
  }
}
