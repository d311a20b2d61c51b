package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.PresentBuses;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.io.UnboundedSource.UnboundedReader;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestName;

/** A group is of one writer and one store, and says so with what it commits. */
public class KafkaGroupTest {
  private static final long PATIENCE_NANOS = 30_000_000_000L;
  private static final BusReader ONLINE =
      new BusReader("group", "online-writer", "store-1", false, false);
  private static final BusReader OTHER_WRITER =
      new BusReader("group", "metrics-writer", "store-1", false, false);
  private static final BusReader OTHER_STORE =
      new BusReader("group", "online-writer", "store-2", false, false);

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

  @Before
  public void createTopic() {
    kafka.createTopic(topic(), 1);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < 5; i++) {
        producer.send(new ProducerRecord<>(topic(), new byte[1]));
      }
    }
  }

  @Test
  public void aCommitSaysWhoseItIs() throws Exception {
    KafkaSource source = source(ONLINE);
    try (UnboundedReader<List<BusMessage>> reader = source.createReader(options(), null)) {
      readAndCommit(reader, 5);
    }

    CommitMetadata said = CommitMetadata.parse(committed().metadata()).orElseThrow();
    assertThat(said.writer()).isEqualTo("online-writer");
    assertThat(said.store()).isEqualTo("store-1");
    assertThat(said.topicId()).isEqualTo(source.start().orElseThrow().topicId());
    assertThat(said.job()).isEqualTo(source.subscriber().job());
    assertThat(said.everyMillis()).isGreaterThan(0);
    assertThat(committed().offset()).isEqualTo(5);
  }

  @Test
  public void anotherWriterOrStoreIsRefusedAtStartUnlessItIsTold() throws Exception {
    readAndCommit(ONLINE);

    for (BusReader other : List.of(OTHER_WRITER, OTHER_STORE)) {
      UnavailableException e = assertThrows(UnavailableException.class, () -> bus().found(other));
      assertThat(e).hasMessageThat().contains("the group '" + group() + "'");
      assertThat(e)
          .hasMessageThat()
          .contains(other.equals(OTHER_WRITER) ? "metrics-writer" : "store-2");
      assertThat(e).hasMessageThat().contains("--adoptGroup");
    }
    BusReader told =
        new BusReader("group", "online-writer", "store-2", /* adoptsGroup= */ true, false);
    assertThat(bus().found(told).found()).isPresent();
    // Another job of the same writer is nothing to it.
    assertThat(bus().found(ONLINE).found()).isPresent();
  }

  @Test
  public void oneThatWasNotCheckedIsRefusedWhenItReads() throws Exception {
    KafkaSource second = source(OTHER_STORE);
    readAndCommit(ONLINE);

    try (UnboundedReader<List<BusMessage>> reader = second.createReader(options(), null)) {
      assertThat(assertThrows(IOException.class, reader::start))
          .hasMessageThat()
          .contains("a writer to the store store-1, and this one writes to store-2");
    }
    PipelineOptions adopting = options();
    adopting.as(PresentBuses.Options.class).setAdoptGroup(true);
    try (UnboundedReader<List<BusMessage>> reader = second.createReader(adopting, null)) {
      assertThat(reader.start()).isFalse();
    }
  }

  @Test
  public void stateOfAnotherWriterOrStoreIsRefusedUnlessItIsTold() throws Exception {
    KafkaSource state = source(ONLINE);
    for (BusReader other : List.of(OTHER_WRITER, OTHER_STORE)) {
      PipelineOptions present = options();
      PresentBuses.enter(present, "present", bus().found(other));

      IllegalStateException e =
          assertThrows(
              IllegalStateException.class, () -> state.createReader(present, null).close());
      assertThat(e).hasMessageThat().contains("the state that this job was restored from");

      present.as(PresentBuses.Options.class).setAdoptGroup(true);
      try (UnboundedReader<List<BusMessage>> reader = state.createReader(present, null)) {
        KafkaSource.Subscriber now = ((KafkaReader) reader).getCurrentSource().subscriber();
        assertThat(now.writer()).isEqualTo(other.writer());
        assertThat(now.store()).isEqualTo(other.store());
        assertThat(now.job()).isEqualTo(state.subscriber().job());
      }
    }
  }

  @Test
  public void whatSaysNothingIsNobodysAndIsTakenOver() throws Exception {
    for (String metadata : List.of("", "tailrace;every=x", "kafkaio", "tailrace;")) {
      admin
          .alterConsumerGroupOffsets(group(), Map.of(only(), new OffsetAndMetadata(3, metadata)))
          .all()
          .get();

      assertWithMessage(metadata).that(bus().found(ONLINE).found()).isPresent();
      try (UnboundedReader<List<BusMessage>> reader =
          source(ONLINE).createReader(options(), null)) {
        assertThat(read(reader, 2)).isEqualTo(2);
      }
    }
  }

  @Test
  public void commitsOfAnEarlierTopicAreNotTakenForThisOnes() throws Exception {
    CommitMetadata earlier = new CommitMetadata("online-writer", "store-1", "before", "job", 1, 1);
    admin
        .alterConsumerGroupOffsets(
            group(), Map.of(only(), new OffsetAndMetadata(3, earlier.text())))
        .all()
        .get();

    try (UnboundedReader<List<BusMessage>> reader = source(ONLINE).createReader(options(), null)) {
      assertThat(assertThrows(IOException.class, reader::start))
          .hasMessageThat()
          .contains("offsets of an earlier topic");
    }
  }

  @Test
  public void aReaderThatMustBeAloneWaitsForAJobThatCommitsAndForNoOther() throws Exception {
    BusReader alone = new BusReader("group", "metrics-writer", "store-1", false, true);
    try (UnboundedReader<List<BusMessage>> first = source(alone).createReader(options(), null)) {
      readAndCommit(first, 5);
      try (UnboundedReader<List<BusMessage>> second = source(alone).createReader(options(), null)) {
        // Both interleaved in this thread: as long as the first commits, the second waits.
        boolean any = second.start();
        for (int i = 0; i < 10; i++) {
          commit(first);
          any |= second.advance();
        }
        assertThat(any).isFalse();
        assertThat(((KafkaMark) second.getCheckpointMark()).next()).isEmpty();

        long end = System.nanoTime() + PATIENCE_NANOS;
        while (((KafkaMark) second.getCheckpointMark()).next().isEmpty()) {
          assertThat(System.nanoTime()).isLessThan(end);
          any |= second.advance();
        }
        assertThat(any).isFalse();
      }
    }
  }

  @Test
  public void metadataComeBackAsTheyWere() {
    CommitMetadata metadata = new CommitMetadata("w;=", "s +%", "id", "j\u00fc", 7, 8);

    assertThat(CommitMetadata.parse(metadata.text())).isEqualTo(Optional.of(metadata));
    assertThat(new CommitMetadata("w", "s".repeat(9_000), "t", "j", 7, 8).text().length())
        .isLessThan(4_096);
  }

  private String topic() {
    return test.getMethodName();
  }

  private String group() {
    return "group-" + topic();
  }

  private TopicPartition only() {
    return new TopicPartition(topic(), 0);
  }

  private static PipelineOptions options() {
    return PipelineOptionsFactory.create();
  }

  private KafkaBus bus() {
    return KafkaBus.at(
        EndpointUri.parse(
            "kafka://" + kafka.bootstrapServers() + "/" + topic() + "?group=" + group()));
  }

  private KafkaSource source(BusReader reader) throws Exception {
    return new KafkaSource(bus().found(reader), "group", "present").split(1, options()).get(0);
  }

  private void readAndCommit(BusReader reader) throws Exception {
    try (UnboundedReader<List<BusMessage>> one = source(reader).createReader(options(), null)) {
      readAndCommit(one, 5);
    }
  }

  private void readAndCommit(UnboundedReader<List<BusMessage>> reader, int count) throws Exception {
    assertThat(read(reader, count)).isEqualTo(count);
    commit(reader);
    commit(reader);
    commit(reader);
  }

  /** Makes durable what was read, and waits until it is committed. */
  private void commit(UnboundedReader<List<BusMessage>> reader) throws Exception {
    long before = at();
    reader.getCheckpointMark().finalizeCheckpoint();
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (at() <= before) {
      assertThat(System.nanoTime()).isLessThan(end);
      assertThat(reader.advance()).isFalse();
    }
  }

  private long at() throws Exception {
    OffsetAndMetadata committed =
        admin.listConsumerGroupOffsets(group()).partitionsToOffsetAndMetadata().get().get(only());
    return committed == null
        ? 0
        : CommitMetadata.parse(committed.metadata()).map(CommitMetadata::atMillis).orElse(0L);
  }

  private OffsetAndMetadata committed() throws Exception {
    return admin
        .listConsumerGroupOffsets(group())
        .partitionsToOffsetAndMetadata()
        .get()
        .get(only());
  }

  private static int read(UnboundedReader<List<BusMessage>> reader, int count) throws Exception {
    int read = 0;
    long end = System.nanoTime() + PATIENCE_NANOS;
    boolean any = reader.start();
    while (read < count && System.nanoTime() < end) {
      read += any ? reader.getCurrent().size() : 0;
      any = read < count && reader.advance();
    }
    return read;
  }
}
