package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.PresentBuses;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.beam.sdk.io.UnboundedSource.UnboundedReader;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.util.SerializableUtils;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestName;

/** Where the readers of a topic begin, what each reads, and how they take turns. */
public class KafkaSharesTest {
  private static final long PATIENCE_NANOS = 30_000_000_000L;

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestName topic = new TestName();

  private static LocalKafka kafka;
  private static Admin admin;
  private static KafkaProducer<byte[], byte[]> producer;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
    admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  @AfterClass
  public static void stop() {
    producer.close();
    admin.close();
    kafka.close();
  }

  @Test
  public void latestIsWhereItWasWhenTheJobWasStartedWhateverHappensBeforeTheFirstCheckpoint()
      throws Exception {
    kafka.createTopic(topic(), 3);
    publish(0, 5, 3);
    List<KafkaSource> splits = splits("?start=latest", 2);
    publish(5, 20, 3);

    // The last share is never started before all are lost.
    try (Readers crashed = Readers.of(splits.subList(0, 2), null)) {
      assertThat(crashed.read(10)).hasSize(10);
    }
    publish(20, 30, 3);

    try (Readers restarted = Readers.of(splits, null)) {
      assertThat(restarted.read(25)).containsExactlyElementsIn(numbers(5, 30));
    }
    // Neither does a job that is started anew begin at the end.
    try (Readers anew = Readers.of(splits("?start=latest", 3).subList(0, 2), null)) {
      assertThat(anew.read(16)).hasSize(16);
    }
  }

  @Test
  public void aReaderThatHasReadNothingBeginsWhereItsStateSays() throws Exception {
    kafka.createTopic(topic(), 2);
    publish(0, 4, 2);
    List<KafkaSource> splits = splits("?start=latest", 2);
    List<KafkaMark> marks = new ArrayList<>();
    for (KafkaSource split : splits) {
      try (UnboundedReader<List<BusMessage>> reader = split.createReader(options(), null)) {
        marks.add(copy((KafkaMark) reader.getCheckpointMark()));
      }
    }
    publish(4, 10, 2);

    try (Readers restored = Readers.of(splits, marks)) {
      assertThat(restored.read(6)).containsExactlyElementsIn(numbers(4, 10));
    }
  }

  @Test
  public void startOffsetsAreCommittedBeforeTheFirstPollWhereTheGroupHasNone() throws Exception {
    kafka.createTopic(topic(), 3);
    publish(0, 9, 3);
    TopicPartition known = new TopicPartition(topic(), 1);
    admin.alterConsumerGroupOffsets(group(), Map.of(known, new OffsetAndMetadata(2))).all().get();

    try (Readers readers = Readers.of(splits("?start=latest", 3), null)) {
      assertThat(readers.read(7)).hasSize(7);
    }

    // Partitions of which a known group has read nothing were added since.
    assertThat(committed()).containsExactly(0, 0L, 1, 2L, 2, 0L);
  }

  @Test
  public void aGroupThatHasNothingIsNamedWhereThatSkipsMessages() throws Exception {
    kafka.createTopic(topic(), 2);
    KafkaBus latest = bus("?start=latest");

    assertThat(TopicStart.find(latest, BusReader.of(group())).warnings(latest, group()).toString())
        .contains("offsets.retention.minutes");
    assertThat(TopicStart.find(bus(""), BusReader.of(group())).warnings(bus(""), group()))
        .isEmpty();

    admin
        .alterConsumerGroupOffsets(
            group(), Map.of(new TopicPartition(topic(), 1), new OffsetAndMetadata(0)))
        .all()
        .get();
    assertThat(TopicStart.find(latest, BusReader.of(group())).warnings(latest, group())).isEmpty();
  }

  @Test
  public void splitsNeedNoBrokerWhenTheTopicWasAskedForBefore() throws Exception {
    LocalKafka mortal = LocalKafka.start(folder.newFolder().toPath(), 0);
    KafkaBus found;
    try {
      mortal.createTopic(topic(), 5);
      found =
          KafkaBus.at(EndpointUri.parse("kafka://" + mortal.bootstrapServers() + "/" + topic()))
              .found(BusReader.of("group"));
    } finally {
      mortal.close();
    }

    assertThat(new KafkaSource(found, "group", "group").split(2, options())).hasSize(5);
  }

  @Test
  public void everyReaderReadsItsShareAndAllReadAll() throws Exception {
    kafka.createTopic(topic(), 8);
    publish(0, 400, 8);

    try (Readers readers = Readers.of(splits("", 1), null)) {
      assertThat(readers.read(400)).containsExactlyElementsIn(numbers(0, 400));
      assertThat(readers.partitions()).hasSize(8);
      readers.partitions().values().forEach(theirs -> assertThat(theirs).hasSize(1));
    }
  }

  @Test
  public void partitionsThatAreAddedAreReadFromTheirFirstMessage() throws Exception {
    kafka.createTopic(topic(), 2);
    publish(0, 10, 2);
    try (Readers readers = Readers.of(splits("?start=latest", 2), null)) {
      readers.read(0);
      admin.createPartitions(Map.of(topic(), NewPartitions.increaseTo(5))).all().get();
      awaitLeaders(5);
      publish(10, 60, 5);

      assertThat(readers.read(50)).containsExactlyElementsIn(numbers(10, 60));
      assertThat(readers.partitions().get(0)).containsExactly(0, 2, 4);
      assertThat(readers.partitions().get(1)).containsExactly(1, 3);
    }
  }

  @Test
  public void aFullPartitionDoesNotWaitForEmptyOnes() throws Exception {
    kafka.createTopic(topic(), 16);
    for (int i = 0; i < 200; i++) {
      publishTo(3, Integer.toString(i));
      // Each poll brings few.
      producer.flush();
    }

    try (Readers readers = Readers.of(splits("?max.poll.records=1", 1), null)) {
      assertThat(readers.read(200)).containsExactlyElementsIn(numbers(0, 200));

      // Nothing is there any more: a round waits once, and not for each reader.
      long before = readers.polls();
      for (int i = 0; i < 10; i++) {
        readers.round();
      }
      assertThat(readers.polls() - before).isAtMost(11);
    }
  }

  @Test
  public void aTopicThatWasMadeAnewIsRefusedUnlessItIsAdopted() throws Exception {
    kafka.createTopic(topic(), 1);
    publish(0, 5, 1);
    List<KafkaSource> splits = splits("", 1);
    List<KafkaMark> marks;
    try (Readers readers = Readers.of(splits, null)) {
      readers.read(5);
      marks = readers.marks();
    }
    makeAnew();
    publish(100, 120, 1);

    try (Readers restored = Readers.of(splits, marks)) {
      IOException e = assertThrows(IOException.class, () -> restored.read(1));
      assertThat(e).hasMessageThat().contains("is not the topic that was read");
      assertThat(e).hasMessageThat().contains("--adoptTopic");
    }

    PipelineOptions adopting = options();
    adopting.as(PresentBuses.Options.class).setAdoptTopic(true);
    try (Readers adopted = Readers.of(splits, marks, adopting)) {
      assertThat(adopted.read(20)).containsExactlyElementsIn(numbers(100, 120));
      marks = adopted.marks();
    }
    try (Readers afterwards = Readers.of(splits, marks)) {
      publish(120, 125, 1);
      assertThat(afterwards.read(5)).containsExactlyElementsIn(numbers(120, 125));
    }
  }

  @Test
  public void brokersThatGiveNoIdsAreNamedAtStart() {
    assertThat(KafkaAdmins.text(Uuid.ZERO_UUID)).isEmpty();
    assertThat(new TopicStart("", 1, new TreeMap<>()).warnings(bus(""), group()).toString())
        .contains("the brokers give the topic no id");
    assertThat(new TopicStart("some", 1, new TreeMap<>()).warnings(bus(""), group())).isEmpty();
  }

  @Test
  public void whereBrokersGiveNoIdsAShorterTopicIsRefusedByItsOffsets() throws Exception {
    kafka.createTopic(topic(), 1);
    publish(0, 5, 1);
    List<KafkaSource> splits = splits("", 1);
    KafkaMark mark;
    try (Readers readers = Readers.of(splits, null)) {
      readers.read(5);
      mark = readers.marks().get(0);
    }
    makeAnew();
    publish(100, 102, 1);

    // What such brokers leave in a mark.
    KafkaMark withoutId = new KafkaMark("", mark.next(), 0, new KafkaMark.Commits());
    try (Readers restored = Readers.of(splits, List.of(withoutId))) {
      IOException e = assertThrows(IOException.class, () -> restored.read(1));
      assertThat(e).hasMessageThat().contains(topic());
    }
  }

  @Test
  public void aTopicThatIsMadeAnewUnderAReaderStopsIt() throws Exception {
    kafka.createTopic(topic(), 1);
    publish(0, 5, 1);
    try (Readers readers = Readers.of(splits("", 1), null)) {
      readers.read(5);
      makeAnew();
      publish(100, 120, 1);

      IOException e = assertThrows(IOException.class, () -> readers.goRound(PATIENCE_NANOS));
      assertThat(e).hasMessageThat().contains("is not the topic that was read");
    }
    // What was committed was never said of the new topic.
    assertThat(committed()).isEmpty();
  }

  @Test
  public void presentOptionsWinOverTheBusOfTheState() throws Exception {
    kafka.createTopic(topic(), 1);
    publish(0, 3, 1);
    KafkaSource there = splits("?group=" + group(), 1).get(0);
    // What came out of the checkpoint names brokers that are gone.
    KafkaBus gone =
        KafkaBus.at(
            EndpointUri.parse(
                "kafka://127.0.0.1:1/"
                    + topic()
                    + "?password=file:/gone&user=u"
                    + "&security.protocol=SASL_PLAINTEXT"));
    TopicStart found = there.start().orElseThrow();
    KafkaSource restored = there.of(gone);
    PipelineOptions options = options();
    PresentBuses.enter(options, "name", bus(""));
    KafkaMark mark =
        new KafkaMark(found.topicId(), Map.of(0, KafkaPosition.at(1)), 0, new KafkaMark.Commits());

    try (Readers readers =
        Readers.of(List.of(SerializableUtils.clone(restored)), List.of(mark), options)) {
      assertThat(readers.read(2)).containsExactlyElementsIn(numbers(1, 3));
      KafkaBus next = readers.sources().get(0).bus();
      assertThat(next.uri()).isEqualTo(bus("").uri());
    }
  }

  private String topic() {
    return topic.getMethodName();
  }

  private String group() {
    return "group-" + topic();
  }

  private static PipelineOptions options() {
    return PipelineOptionsFactory.create();
  }

  private KafkaBus bus(String query) {
    return KafkaBus.at(
        EndpointUri.parse("kafka://" + kafka.bootstrapServers() + "/" + topic() + query));
  }

  private List<KafkaSource> splits(String query, int desired) throws Exception {
    List<KafkaSource> splits = new ArrayList<>();
    for (KafkaSource each :
        new KafkaSource(bus(query), group(), "name").split(desired, options())) {
      // As a runner sends them.
      splits.add(SerializableUtils.clone(each));
    }
    return splits;
  }

  private void publish(int from, int to, int partitions) {
    for (int i = from; i < to; i++) {
      publishTo(i % partitions, Integer.toString(i));
    }
    producer.flush();
  }

  private void publishTo(int partition, String text) {
    var unused =
        producer.send(
            new ProducerRecord<>(topic(), partition, null, text.getBytes(StandardCharsets.UTF_8)));
  }

  private void makeAnew() throws Exception {
    admin.deleteTopics(List.of(topic())).all().get();
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (admin.listTopics().names().get().contains(topic()) && System.nanoTime() < end) {
      Thread.sleep(20);
    }
    kafka.createTopic(topic(), 1);
  }

  private void awaitLeaders(int partitions) throws Exception {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (System.nanoTime() < end) {
      var found = admin.describeTopics(List.of(topic())).allTopicNames().get().get(topic());
      if (found.partitions().size() == partitions
          && found.partitions().stream().noneMatch(each -> each.leader() == null)) {
        // It is there: this waits until each partition can be written.
        kafka.createTopic(topic(), partitions);
        return;
      }
      Thread.sleep(20);
    }
  }

  private Map<Integer, Long> committed() throws Exception {
    Map<Integer, Long> committed = new TreeMap<>();
    admin
        .listConsumerGroupOffsets(group())
        .partitionsToOffsetAndMetadata()
        .get()
        .forEach((partition, offset) -> committed.put(partition.partition(), offset.offset()));
    return committed;
  }

  private static KafkaMark copy(KafkaMark mark) throws Exception {
    return CoderUtils.clone(new KafkaMark.MarkCoder(), mark);
  }

  private static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toList();
  }

  /** Asks readers in turn, as Flink does. */
  private static final class Readers implements AutoCloseable {
    private final List<UnboundedReader<List<BusMessage>>> all = new ArrayList<>();
    private final List<String> texts = new ArrayList<>();
    private final Map<Integer, TreeSet<Integer>> partitions = new TreeMap<>();
    private boolean started;

    static Readers of(List<KafkaSource> splits, @Nullable List<KafkaMark> marks) throws Exception {
      return of(splits, marks, options());
    }

    static Readers of(
        List<KafkaSource> splits, @Nullable List<KafkaMark> marks, PipelineOptions options)
        throws Exception {
      Readers readers = new Readers();
      for (int i = 0; i < splits.size(); i++) {
        readers.all.add(
            splits.get(i).createReader(options, marks == null ? null : copy(marks.get(i))));
      }
      return readers;
    }

    /** Returns what was read in all when so many messages have come. */
    List<String> read(int count) throws IOException {
      long end = System.nanoTime() + PATIENCE_NANOS;
      do {
        round();
      } while (texts.size() < count && System.nanoTime() < end);
      return texts;
    }

    void round() throws IOException {
      for (int i = 0; i < all.size(); i++) {
        UnboundedReader<List<BusMessage>> reader = all.get(i);
        if (started ? reader.advance() : reader.start()) {
          for (BusMessage message : reader.getCurrent()) {
            texts.add(new String(message.payload(), StandardCharsets.UTF_8));
            partitions.computeIfAbsent(i, none -> new TreeSet<>()).add(message.partition());
          }
        }
      }
      started = true;
    }

    /** Asks all of them in turn, for so long. */
    void goRound(long nanos) throws Exception {
      long end = System.nanoTime() + nanos;
      while (System.nanoTime() < end) {
        round();
      }
    }

    long polls() {
      return ((KafkaReader) all.get(0)).polls();
    }

    Map<Integer, ? extends Set<Integer>> partitions() {
      return partitions;
    }

    List<KafkaMark> marks() throws Exception {
      List<KafkaMark> marks = new ArrayList<>();
      for (UnboundedReader<List<BusMessage>> reader : all) {
        marks.add(copy((KafkaMark) reader.getCheckpointMark()));
      }
      return marks;
    }

    List<KafkaSource> sources() {
      return all.stream().map(each -> ((KafkaReader) each).getCurrentSource()).toList();
    }

    @Override
    public void close() throws IOException {
      for (UnboundedReader<List<BusMessage>> reader : all) {
        reader.close();
      }
    }
  }
}
