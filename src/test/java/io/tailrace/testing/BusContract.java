package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import io.tailrace.pipelines.local.servers.LocalFlink;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.util.SerializableUtils;
import org.apache.flink.api.common.JobID;
import org.jspecify.annotations.Nullable;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What every bus must do, on real servers. A bus's own test says where its topics are. */
public abstract class BusContract {
  private static final String GROUP = "reader";
  private static final int LARGE = 900_000;

  private static final String[] TWO_AT_ONCE = {
    "--parallelism=2", "--checkpointingInterval=3600000"
  };

  @ClassRule public static final TemporaryFolder work = new TemporaryFolder();

  @Rule public final TemporaryFolder directories = new TemporaryFolder();

  private static @Nullable LocalFlink flink;

  /** Ends the cluster, if a test has used it. */
  @AfterClass
  public static void stopFlink() {
    if (flink != null) {
      flink.close();
      flink = null;
    }
  }

  /** Ends the jobs of the test. */
  @After
  public void cancelJobs() throws Exception {
    if (flink != null) {
      flink.cancelAll();
      // Whoever comes next takes the only job that runs for its own.
      Instant end = Instant.now().plus(Duration.ofMinutes(2));
      while (flink.jobs().stream().anyMatch(job -> !job.status().isGloballyTerminalState())) {
        assertThat(Instant.now()).isLessThan(end);
        Thread.sleep(20);
      }
    }
  }

  private static LocalFlink flink() throws IOException {
    if (flink == null) {
      flink = LocalFlink.in(work.newFolder().toPath()).slots(4).start();
    }
    return flink;
  }

  /** Makes a topic and returns its URI. */
  protected abstract String newTopic(int partitions) throws Exception;

  /** Returns the URI of a topic that a bus does not have which is there. */
  protected abstract String missingTopic() throws Exception;

  /** Returns the URI of a topic of a bus that is not there. */
  protected abstract String unreachable() throws Exception;

  /** Returns the options of a pipeline that reads the bus as it is meant here. */
  protected List<String> options() {
    return List.of();
  }

  /**
   * Returns whether what reads the bus looks at the present options when it is restored, and so
   * keeps to the topic of its state. Where it can't, its documentation says so.
   */
  protected boolean keepsToItsTopic() {
    return true;
  }

  /**
   * Returns the bus as another group reads it, which is to get all that is published from now on.
   */
  protected Bus ofAnotherGroup(Bus bus) throws Exception {
    return bus;
  }

  /** Returns whether messages of one key are numbered in their order. */
  protected boolean keepsOrder() {
    return true;
  }

  /** Returns how many partitions a topic has that was made with so many. */
  protected int partitions(int asked) {
    return asked;
  }

  /** Lets what an ended reader holds come again, where it does not by itself. */
  protected void forgetReaders() {}

  @Test
  public void aBusIsAValueAndItsNameHasNoParameters() throws Exception {
    Bus bus = Buses.at(newTopic(1));

    assertThat(SerializableUtils.clone(bus).uri()).isEqualTo(bus.uri());
    assertThat(SerializableUtils.clone(bus).name()).isEqualTo(bus.name());
    assertThat(bus.name()).doesNotContain("?");
    bus.check();
  }

  @Test
  public void whatIsPublishedIsReadWithItsKeyItsTimeAndItsPlace() throws Exception {
    Bus bus = Buses.at(newTopic(3));
    long before = System.currentTimeMillis() * 1_000;
    List<OutgoingMessage> messages =
        List.of(
            message("key", "payload"),
            message("", "without a key"),
            message("without a payload", ""),
            OutgoingMessage.of("large".getBytes(UTF_8), new byte[LARGE]),
            new OutgoingMessage(
                new byte[] {0, -1}, new byte[] {-1, 0}, Headers.of(Header.of("name", "välue"))),
            new OutgoingMessage(
                "addressed".getBytes(UTF_8), new byte[] {1}, Messages.letterOf("one-writer")));
    publish(bus, messages);
    long after = (System.currentTimeMillis() + 1) * 1_000;

    List<BusMessage> read = readAll(bus, GROUP, messages.size());

    assertSame(read, messages);
    for (BusMessage message : read) {
      assertThat(message.publishedAt()).isAtLeast(before);
      assertThat(message.publishedAt()).isAtMost(after);
      assertThat(bus.name()).contains(message.topic());
    }
    assertThat(read.stream().map(BusContract::place).distinct().toList()).hasSize(messages.size());
  }

  @Test
  public void thePublisherAndTheTransformWriteTheSameMessages() throws Exception {
    Bus bus = Buses.at(newTopic(2));
    List<OutgoingMessage> messages =
        List.of(
            message("key", "payload"),
            message("", ""),
            new OutgoingMessage(
                "k".getBytes(UTF_8),
                new byte[LARGE],
                Messages.letterOf("one-writer").and(Header.of("other", ""))));
    publish(bus, messages);
    Pipeline pipeline = Pipeline.create();
    pipeline.apply(Create.of(messages)).apply("Write", bus.write());
    pipeline.run().waitUntilFinish();

    List<OutgoingMessage> twice = new ArrayList<>(messages);
    twice.addAll(messages);
    assertSame(readAll(bus, GROUP, twice.size()), twice);
  }

  @Test
  public void messagesOfOneKeyKeepTheirOrder() throws Exception {
    assumeTrue("its messages are in no order", keepsOrder());
    Bus bus = Buses.at(newTopic(3));
    publish(
        bus,
        IntStream.range(0, 300).mapToObj(i -> message("k" + i % 7, Integer.toString(i))).toList());

    List<BusMessage> read = new ArrayList<>(readAll(bus, GROUP, 300));

    // Runners hand bundles on as they like: what is asked is the order on the bus.
    read.sort((a, b) -> Long.compare(a.offset(), b.offset()));
    for (int k = 0; k < 7; k++) {
      String key = "k" + k;
      List<BusMessage> ofKey = read.stream().filter(m -> text(m.key()).equals(key)).toList();
      assertThat(ofKey.stream().map(BusMessage::partition).distinct().toList()).hasSize(1);
      assertThat(ofKey.stream().map(m -> Integer.valueOf(text(m.payload()))).toList())
          .isInStrictOrder();
    }
  }

  @Test
  public void everyGroupReadsEveryMessage() throws Exception {
    Bus bus = Buses.at(newTopic(2));
    Bus another = ofAnotherGroup(bus);
    List<OutgoingMessage> messages = numbered(0, 20);
    publish(bus, messages);

    assertSame(readAll(bus, GROUP, 20), messages);
    assertSame(readAll(another, "another-reader", 20), messages);
  }

  @Test
  public void whatABundleDidNotSettleIsReadAgain() throws Exception {
    Bus bus = Buses.at(newTopic(1));
    List<OutgoingMessage> messages = numbered(0, 5);
    publish(bus, messages);
    ReadBus failing = ReadBus.startFailing(bus, GROUP, with());
    failing.await(1);
    failing.cancel();
    forgetReaders();

    assertThat(payloads(readAll(bus, GROUP, 5))).isEqualTo(payloadsOf(messages));
  }

  @Test
  public void whatNoCheckpointHasIsReadAgain() throws Exception {
    Bus bus = Buses.at(newTopic(2));
    List<OutgoingMessage> messages = numbered(0, 50);
    publish(bus, messages);

    ReadBus first = ReadBus.startOn(flink(), bus, GROUP, with("--checkpointingInterval=3600000"));
    first.await(50);
    flink().cancel(onlyJob());

    ReadBus second = ReadBus.startOn(flink(), bus, GROUP, with("--checkpointingInterval=3600000"));
    assertThat(payloads(second.await(50))).isEqualTo(payloadsOf(messages));
  }

  @Test
  public void aJobThatIsRestartedFromASavepointLosesNothing() throws Exception {
    Bus bus = Buses.at(newTopic(3));
    List<OutgoingMessage> before = numbered(0, 50);
    publish(bus, before);

    ReadBus first = ReadBus.startOn(flink(), bus, GROUP, with(TWO_AT_ONCE));
    assertThat(payloads(first.await(50))).isEqualTo(payloadsOf(before));
    String savepoint = flink().stopWithSavepoint(onlyJob());
    List<OutgoingMessage> after = numbered(50, 100);
    publish(bus, after);

    ReadBus second = restore(bus, savepoint);

    assertThat(payloads(second.await(50))).isEqualTo(payloadsOf(after));
  }

  @Test
  public void aRestoredJobIsNotMovedToAnotherTopicUnlessItIsTold() throws Exception {
    assumeTrue("what reads it follows its state alone", keepsToItsTopic());
    Bus bus = Buses.at(newTopic(2));
    Bus other = Buses.at(newTopic(2));
    publish(bus, numbered(0, 20));
    publish(other, numbered(20, 30));
    ReadBus first = ReadBus.startOn(flink(), bus, GROUP, with(TWO_AT_ONCE));
    first.await(20);
    String savepoint = flink().stopWithSavepoint(onlyJob());

    ReadBus moved = restore(other, savepoint);
    String failure = awaitFailure("is that of " + bus.name());
    assertThat(failure).contains("its options name " + other.name());
    assertThat(failure).contains("--adoptTopic");
    assertThat(moved.messages()).isEmpty();
    flink().cancel(onlyJob());

    ReadBus told = restore(other, savepoint, "--adoptTopic=true");
    assertThat(payloads(told.await(10))).isEqualTo(payloadsOf(numbered(20, 30)));
  }

  @Test
  public void aBusTellsOfItself() throws Exception {
    Bus bus = Buses.at(newTopic(3));

    assertThat(bus.checkReadable(GROUP).partitions()).isEqualTo(partitions(3));
    assertThat(bus.checkWritable()).isEqualTo(bus.checkReadable(GROUP));
  }

  @Test
  public void aTopicThatIsMissingIsNamed() throws Exception {
    Bus bus = Buses.at(missingTopic());
    String topic = bus.name().substring(bus.name().lastIndexOf('/') + 1);

    for (UnavailableException e :
        List.of(
            assertThrows(UnavailableException.class, () -> bus.checkReadable(GROUP)),
            assertThrows(UnavailableException.class, bus::checkWritable),
            assertThrows(UnavailableException.class, bus::check))) {
      assertThat(e).hasMessageThat().contains(bus.name());
      assertThat(e).hasMessageThat().contains("'" + topic + "' does not exist");
    }
  }

  @Test
  public void aBusThatIsNotThereIsNamed() throws Exception {
    Bus bus = Buses.at(unreachable());

    for (UnavailableException e :
        List.of(
            assertThrows(UnavailableException.class, () -> bus.checkReadable(GROUP)),
            assertThrows(UnavailableException.class, bus::checkWritable))) {
      assertThat(e).hasMessageThat().contains(bus.name());
      assertThat(e).hasMessageThat().doesNotContain("does not exist");
    }
  }

  private static OutgoingMessage message(String key, String payload) {
    return OutgoingMessage.of(key.getBytes(UTF_8), payload.getBytes(UTF_8));
  }

  private static List<OutgoingMessage> numbered(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> message("k" + i, "payload " + i)).toList();
  }

  private static void publish(Bus bus, List<OutgoingMessage> messages) throws Exception {
    try (BusPublisher publisher = bus.publisher()) {
      for (OutgoingMessage message : messages) {
        publisher.publish(message);
      }
      publisher.flush();
    }
  }

  private List<BusMessage> readAll(Bus bus, String group, int count) throws Exception {
    ReadBus reading = ReadBus.start(bus, group, with());
    try {
      return reading.await(count);
    } finally {
      reading.cancel();
    }
  }

  private String[] with(String... more) {
    return Stream.concat(options().stream(), Arrays.stream(more)).toArray(String[]::new);
  }

  private ReadBus restore(Bus bus, String savepoint, String... more) throws Exception {
    List<String> arguments = new ArrayList<>(List.of(TWO_AT_ONCE));
    arguments.add("--savepointPath=" + savepoint);
    arguments.addAll(List.of(more));
    return ReadBus.startOn(flink(), bus, GROUP, with(arguments.toArray(String[]::new)));
  }

  /** Awaits a failure that says something: Flink may first name what another's failure led to. */
  private static String awaitFailure(String saying) throws Exception {
    Instant end = Instant.now().plus(Duration.ofMinutes(2));
    while (true) {
      String failure = flink().lastFailure(onlyJob()).orElse("");
      if (failure.contains(saying) || Instant.now().isAfter(end)) {
        assertThat(failure).contains(saying);
        return failure;
      }
      Thread.sleep(20);
    }
  }

  private static JobID onlyJob() throws Exception {
    return flink().jobs().stream()
        .filter(job -> !job.status().isGloballyTerminalState())
        .map(FlinkCluster.Job::id)
        .findFirst()
        .orElseThrow();
  }

  private static void assertSame(List<BusMessage> read, List<OutgoingMessage> published) {
    assertThat(
            read.stream()
                .map(m -> content(m.hasKey() ? m.key() : null, m.payload(), m.headers()))
                .toList())
        .containsExactlyElementsIn(
            published.stream().map(m -> content(m.key(), m.bytes(), m.headers())).toList());
  }

  private static String content(byte @Nullable [] key, byte[] payload, Headers headers) {
    return Arrays.toString(key)
        + " "
        + payload.length
        + " "
        + Arrays.hashCode(payload)
        + " "
        + headers.all().stream()
            .map(each -> each.name() + "=" + Arrays.toString(each.value()))
            // Not every bus keeps their order.
            .sorted()
            .toList();
  }

  private static String place(BusMessage message) {
    return message.topic() + message.partition() + "@" + message.offset() + message.messageId();
  }

  private static Set<String> payloads(List<BusMessage> messages) {
    Set<String> payloads = new HashSet<>();
    messages.forEach(message -> payloads.add(text(message.payload())));
    return payloads;
  }

  private static Set<String> payloadsOf(List<OutgoingMessage> messages) {
    Set<String> payloads = new HashSet<>();
    messages.forEach(message -> payloads.add(text(message.bytes())));
    return payloads;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, UTF_8);
  }
}
