package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Micros;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToLongFunction;
import org.apache.beam.sdk.io.UnboundedSource.UnboundedReader;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
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

/** Event time never passes what is still to be read of a topic. */
public class KafkaWatermarkTest {
  private static final long HOUR = 3_600_000;
  private static final long PATIENCE_NANOS = 30_000_000_000L;

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
  public void aRecordThatIsStampedAheadMakesNothingBehindItLate() throws Exception {
    long now = System.currentTimeMillis();
    kafka.createTopic(topic(), 1);
    publish(20_000, 1, i -> i % 500 == 499 ? now + HOUR : backlog(now, i, 20_000));

    assertNothingIsLate("", 20_000, now);
  }

  @Test
  public void noneDoesWhereEachPollBringsOne() throws Exception {
    long now = System.currentTimeMillis();
    kafka.createTopic(topic(), 1);
    publish(1_500, 1, i -> i % 3 == 0 ? now : backlog(now, i, 1_500));

    assertNothingIsLate("?max.poll.records=1", 1_500, now);
  }

  @Test
  public void noneDoesBesideAPartitionThatIsCaughtUp() throws Exception {
    long now = System.currentTimeMillis();
    Random random = new Random(7);
    kafka.createTopic(topic(), 4);
    publish(20_000, 3, i -> random.nextInt(3) == 0 ? now + HOUR : backlog(now, i, 20_000));

    assertNothingIsLate("", 20_000, now);
  }

  @Test
  public void eventTimeIsNeverAheadOfTheClockWhateverRecordsSay() throws Exception {
    kafka.createTopic(topic(), 1);
    publish(5_000, 1, i -> System.currentTimeMillis() + HOUR);

    int read = 0;
    long end = System.nanoTime() + PATIENCE_NANOS;
    try (UnboundedReader<List<BusMessage>> reader = reader("")) {
      boolean any = reader.start();
      while (read < 5_000 && System.nanoTime() < end) {
        read += any ? reader.getCurrent().size() : 0;
        assertThat(reader.getWatermark().getMillis()).isAtMost(System.currentTimeMillis() - 2_000);
        any = reader.advance();
      }
    }
    assertThat(read).isEqualTo(5_000);
  }

  @Test
  public void whatATransactionHoldsBackIsNotLateWhenItComes() throws Exception {
    kafka.createTopic(topic(), 1);
    try (KafkaProducer<byte[], byte[]> open = producer("open");
        UnboundedReader<List<BusMessage>> reader = reader("")) {
      open.initTransactions();
      publish(1, 1, i -> System.currentTimeMillis());
      assertThat(reader.start() || readOne(reader)).isTrue();

      open.beginTransaction();
      long before = System.currentTimeMillis();
      open.send(new ProducerRecord<>(topic(), 0, before, null, new byte[1]));
      open.flush();
      long end = System.nanoTime() + 4_000_000_000L;
      while (System.nanoTime() < end) {
        assertThat(reader.advance()).isFalse();
        assertThat(reader.getWatermark().getMillis()).isAtMost(before);
      }
      open.commitTransaction();

      // What is promised concerns the time before it is handed out.
      long watermark;
      long patience = System.nanoTime() + PATIENCE_NANOS;
      do {
        assertThat(System.nanoTime()).isLessThan(patience);
        watermark = reader.getWatermark().getMillis();
      } while (!reader.advance());
      assertThat(watermark).isAtMost(before);
    }
  }

  @Test
  public void aTransactionInABacklogHoldsBackWhatIsBehindIt() throws Exception {
    kafka.createTopic(topic(), 1);
    publish(3, 1, i -> System.currentTimeMillis());
    try (KafkaProducer<byte[], byte[]> open = producer("open")) {
      open.initTransactions();
      open.beginTransaction();
      long held = System.currentTimeMillis() - HOUR;
      open.send(new ProducerRecord<>(topic(), 0, held, null, new byte[1]));
      open.flush();
      publish(3, 1, i -> held);

      try (UnboundedReader<List<BusMessage>> reader = reader("")) {
        boolean any = reader.start();
        long patience = System.nanoTime() + PATIENCE_NANOS;
        while (!any && System.nanoTime() < patience) {
          assertThat(reader.getWatermark().getMillis()).isAtMost(held);
          any = reader.advance();
        }
        assertThat(any).isTrue();
        long end = System.nanoTime() + 2_000_000_000L;
        while (System.nanoTime() < end) {
          assertThat(reader.getWatermark().getMillis()).isAtMost(held);
          var unused = reader.advance();
        }
      }
    }
  }

  private static long backlog(long now, int i, int of) {
    return now - 2 * HOUR + HOUR * i / of;
  }

  private void assertNothingIsLate(String query, int count, long now) throws Exception {
    int read = 0;
    long end = System.nanoTime() + PATIENCE_NANOS;
    try (UnboundedReader<List<BusMessage>> reader = reader(query)) {
      boolean any = reader.start();
      long watermark = Long.MIN_VALUE;
      while (read < count && System.nanoTime() < end) {
        if (any) {
          for (BusMessage message : reader.getCurrent()) {
            assertThat(Micros.toMillis(message.time().micros())).isAtLeast(watermark);
          }
          read += reader.getCurrent().size();
        }
        watermark = reader.getWatermark().getMillis();
        any = reader.advance();
      }
      assertWithMessage("read").that(read).isEqualTo(count);
      // It does come on, by the backlog's times or when all is read.
      while (reader.getWatermark().getMillis() < now) {
        assertThat(System.nanoTime()).isLessThan(end);
        assertThat(reader.advance()).isFalse();
      }
    }
  }

  private boolean readOne(UnboundedReader<List<BusMessage>> reader) throws Exception {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (System.nanoTime() < end) {
      if (reader.advance()) {
        return true;
      }
    }
    return false;
  }

  private String topic() {
    return topic.getMethodName();
  }

  private UnboundedReader<List<BusMessage>> reader(String query) throws Exception {
    KafkaBus bus =
        KafkaBus.at(
            EndpointUri.parse("kafka://" + kafka.bootstrapServers() + "/" + topic() + query));
    return new KafkaSource(bus, topic(), "name")
        .createReader(PipelineOptionsFactory.create(), null);
  }

  private void publish(int count, int partitions, IntToLongFunction timestamp) {
    try (KafkaProducer<byte[], byte[]> producer = producer("")) {
      for (int i = 0; i < count; i++) {
        producer.send(
            new ProducerRecord<>(
                topic(), i % partitions, timestamp.applyAsLong(i), null, new byte[10]));
      }
    }
  }

  private KafkaProducer<byte[], byte[]> producer(String transaction) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", kafka.bootstrapServers());
    if (!transaction.isEmpty()) {
      config.put("transactional.id", topic() + transaction);
    }
    return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
  }
}
