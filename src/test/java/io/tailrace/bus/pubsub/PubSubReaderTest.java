package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import com.google.common.collect.Range;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.PresentBuses;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.fakes.FakePubSub;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.apache.beam.sdk.io.UnboundedSource.UnboundedReader;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.util.CoderUtils;
import org.jspecify.annotations.Nullable;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** What a reader acknowledges, keeps and gives back, and what a publisher sends. */
public class PubSubReaderTest {
  private static final String SUBSCRIPTION = PubSubTopics.subscription("results");

  private final List<UnboundedReader<List<BusMessage>>> open = new ArrayList<>();
  private FakePubSub server;
  private PubSubTopics topics;
  private PubSubBus bus;

  @Before
  public void start() throws Exception {
    server = FakePubSub.start();
    topics = PubSubTopics.at(server.host());
    bus = PubSubBus.at(EndpointUri.parse(topics.create("results")));
    // No lease ends by itself as long as a test waits.
    server.set(SUBSCRIPTION, "{\"ackDeadlineSeconds\":600}");
  }

  @After
  public void stop() throws Exception {
    for (UnboundedReader<List<BusMessage>> each : open) {
      each.close();
    }
    server.close();
  }

  @Test
  public void onlyWhatADurableCheckpointHasIsAcknowledged() throws Exception {
    publish(0, 5);
    UnboundedReader<List<BusMessage>> reader = reader(bus, null);
    read(reader, 5);
    PubSubMark first = (PubSubMark) reader.getCheckpointMark();
    publish(5, 8);
    read(reader, 3);
    PubSubMark second = (PubSubMark) reader.getCheckpointMark();

    assertThat(server.calls("acknowledge")).isEqualTo(0);
    first.finalizeCheckpoint();
    await(() -> server.unacknowledged(SUBSCRIPTION) == 3);
    second.finalizeCheckpoint();
    await(() -> server.unacknowledged(SUBSCRIPTION) == 0);
  }

  @Test
  public void aMarkAcknowledgesWhatAMarkBeforeItDidNot() throws Exception {
    publish(0, 5);
    UnboundedReader<List<BusMessage>> reader = reader(bus, null);
    read(reader, 5);
    var unused = reader.getCheckpointMark();
    publish(5, 8);
    read(reader, 3);

    reader.getCheckpointMark().finalizeCheckpoint();

    await(() -> server.unacknowledged(SUBSCRIPTION) == 0);
  }

  @Test
  public void aMarkThatIsDurableAfterItsReaderHasEndedAcknowledgesToo() throws Exception {
    publish(0, 5);
    UnboundedReader<List<BusMessage>> reader = reader(bus, null);
    read(reader, 5);
    PubSubMark mark = (PubSubMark) reader.getCheckpointMark();
    reader.close();

    assertThat(server.unacknowledged(SUBSCRIPTION)).isEqualTo(5);
    mark.finalizeCheckpoint();

    await(() -> server.unacknowledged(SUBSCRIPTION) == 0);
  }

  @Test
  public void aReaderThatEndsGivesBackAtOnceWhatNoMarkHas() throws Exception {
    publish(0, 5);
    UnboundedReader<List<BusMessage>> reader = reader(bus, null);
    Set<String> before = read(reader, 5);
    reader.close();

    await(() -> server.leased(SUBSCRIPTION) == 0);
    assertThat(read(reader(bus, null), 5)).isEqualTo(before);
    assertThat(server.deliveries(SUBSCRIPTION)).isAtLeast(2);
  }

  @Test
  public void leasesAreExtendedWhileNobodyAcknowledges() throws Exception {
    publish(0, 5);
    PubSubClient client = new PubSubClient(bus.server());
    Leases leases = new Leases(bus, client, Duration.ofMillis(1));
    leases.start();
    leases.took(
        client.send(
            "POST",
            SUBSCRIPTION + ":pull",
            PubSubMessages.pull(10),
            body -> PubSubMessages.pulled(body, "results", 1_000_000)));

    // A minute from now on, whatever the subscription gives first.
    await(() -> server.calls("modifyAckDeadline") > 0);
    assertThat(server.leasedForSeconds(SUBSCRIPTION)).isIn(Range.closed(1L, 60L));
    leases.close();
    await(() -> server.leased(SUBSCRIPTION) == 0);
  }

  @Test
  public void anAcknowledgementThatIsRefusedForAWhileIsSentAgainAndCounted() throws Exception {
    publish(0, 5);
    PubSubClient client = new PubSubClient(bus.server());
    Leases leases = new Leases(bus, client, Duration.ofMinutes(1));
    leases.start();
    PubSubMessages.Pulled pulled =
        client.send(
            "POST",
            SUBSCRIPTION + ":pull",
            PubSubMessages.pull(10),
            body -> PubSubMessages.pulled(body, "results", 1_000_000));
    leases.took(pulled);
    leases.handOut(pulled);
    server.down(true);

    leases.upTo(leases.mark());
    await(() -> server.calls("acknowledge") > 1);
    server.down(false);

    await(() -> server.unacknowledged(SUBSCRIPTION) == 0);
    assertThat(leases.takeFailures()).isAtLeast(1);
    assertThat(leases.takeFailures()).isEqualTo(0);
    leases.close();
  }

  @Test
  public void aServiceThatIsAwayIsTriedAgainAndAMissingSubscriptionIsNot() throws Exception {
    publish(0, 5);
    server.down(true);
    UnboundedReader<List<BusMessage>> reader = reader(bus, null);
    assertThat(reader.start()).isFalse();
    await(
        () -> {
          assertThat(reader.advance()).isFalse();
          return server.calls("pull") > 1;
        });

    server.down(false);
    List<BusMessage> read = new ArrayList<>();
    await(() -> !reader.advance() ? false : read.addAll(reader.getCurrent()));
    assertThat(read).hasSize(5);

    UnboundedReader<List<BusMessage>> missing =
        reader(PubSubBus.at(EndpointUri.parse(topics.uri("no-such"))), null);
    IOException e =
        assertThrows(
            IOException.class,
            () -> {
              for (boolean any = missing.start(); !any; any = missing.advance()) {}
            });
    assertThat(e).hasMessageThat().contains("the subscription 'no-such' does not exist");
  }

  @Test
  public void whatOnePullBringsHasABoundAndTheRestComesAgain() throws Exception {
    try (BusPublisher publisher = bus.publisher()) {
      for (int i = 0; i < 12; i++) {
        publisher.publish(OutgoingMessage.of(new byte[900_000 + i]));
      }
      publisher.flush();
    }
    UnboundedReader<List<BusMessage>> reader = reader(bus, null);
    Set<Integer> sizes = new TreeSet<>();
    boolean any = reader.start();
    while (sizes.size() < 12) {
      if (any) {
        long bytes = 0;
        for (BusMessage message : reader.getCurrent()) {
          bytes += message.payload().length;
          sizes.add(message.payload().length);
        }
        assertThat(bytes).isAtMost(2L << 20);
      }
      any = reader.advance();
    }
    assertThat(sizes).contains(900_011);
  }

  /** What other tests have left to the collector goes first. */
  private static long heldByOthers() throws Exception {
    long held = -1;
    for (int same = 0, i = 0; same < 3 && i < 50; i++) {
      System.gc();
      Thread.sleep(20);
      long now = MemoryBudget.ofProcess().held();
      same = now == held ? same + 1 : 0;
      held = now;
    }
    return held;
  }

  @Test
  public void nothingIsHeldOfTheBudgetByAReaderThatHasEnded() throws Exception {
    long before = heldByOthers();
    publish(0, 500);
    UnboundedReader<List<BusMessage>> reader = reader(bus, null);
    read(reader, 500);
    assertThat(MemoryBudget.ofProcess().held()).isGreaterThan(before);

    reader.close();

    await(() -> MemoryBudget.ofProcess().held() <= before);
  }

  @Test
  public void nothingIsHeldOfTheBudgetByWhatComesWhenItsReaderHasEnded() throws Exception {
    long before = heldByOthers();
    publish(0, 500);
    PubSubClient client = new PubSubClient(bus.server());
    Leases leases = new Leases(bus, client, Duration.ofMinutes(10));
    Pulls pulls = new Pulls(bus, client, leases);
    // It answers nobody meanwhile.
    final FakePubSub silent = server;
    synchronized (silent) {
      assertThat(pulls.next()).isEmpty();
      pulls.close();
    }

    await(() -> server.deliveries(SUBSCRIPTION) > 0);
    leases.close();

    await(() -> MemoryBudget.ofProcess().held() <= before);
  }

  @Test
  public void stateOfAnotherWriterOrStoreIsRefusedUnlessItIsTold() throws Exception {
    Bus found = bus.found(new BusReader("w", "online-writer", "store-1", false, false));
    PubSubSource source = new PubSubSource((PubSubBus) found, "w", "w");
    var options = PipelineOptionsFactory.create();
    String present =
        PresentBuses.enter(
            options, "w", bus.found(new BusReader("w", "offline-writer", "store-1", true, false)));
    assertThat(present).isEqualTo("w");

    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> source.createReader(options, null));
    assertThat(e)
        .hasMessageThat()
        .contains(
            "the state that this job was restored from is that of online-writer, and this is"
                + " offline-writer");
    options.as(PresentBuses.Options.class).setAdoptGroup(true);
    open.add(source.createReader(options, null));
  }

  @Test
  public void everyReaderOfAJobIsOneOfAsManyAsItsParallelism() {
    PubSubSource source = new PubSubSource(bus, "w", "w");
    var options = PipelineOptionsFactory.create();

    assertThat(source.split(3, options)).hasSize(3);
    assertThat(source.split(3, options).get(1).split(5, options)).hasSize(1);
  }

  @Test
  public void whatIsPublishedIsAThousandMessagesARequestAtMostAndAMegabyteOrOneMessage()
      throws Exception {
    publish(0, 2_500);
    assertThat(server.calls("publish")).isEqualTo(3);
    try (BusPublisher publisher = bus.publisher()) {
      publisher.publish(OutgoingMessage.of(new byte[10]));
      publisher.publish(OutgoingMessage.of(new byte[PubSubPublisher.MAX_MESSAGE_BYTES]));
      publisher.flush();
    }
    assertThat(server.calls("publish")).isEqualTo(5);
    assertThat(server.unacknowledged(SUBSCRIPTION)).isEqualTo(2_502);
  }

  @Test
  public void whatDoesNotFitIsNamedAndWhatIsRefusedForAWhileIsSentAgain() throws Exception {
    try (BusPublisher publisher = bus.publisher()) {
      assertThat(
              assertThrows(
                  UnavailableException.class,
                  () -> publisher.publish(OutgoingMessage.of(new byte[8_000_000]))))
          .hasMessageThat()
          .contains("a message of 8000000 bytes and 0 headers does not fit");
      List<Header> many = new ArrayList<>();
      for (int i = 0; i < 101; i++) {
        many.add(Header.of("h" + i, ""));
      }
      assertThat(
              assertThrows(
                  UnavailableException.class,
                  () ->
                      publisher.publish(new OutgoingMessage(null, new byte[1], Headers.of(many)))))
          .hasMessageThat()
          .contains("101 headers does not fit");

      server.down(true);
      publisher.publish(OutgoingMessage.of(new byte[1]));
      Thread mends =
          new Thread(
              () -> {
                while (server.calls("publish") < 2) {
                  Thread.onSpinWait();
                }
                server.down(false);
              });
      mends.start();
      publisher.flush();
      mends.join();
    }
    assertThat(server.unacknowledged(SUBSCRIPTION)).isEqualTo(1);
  }

  private UnboundedReader<List<BusMessage>> reader(PubSubBus from, @Nullable PubSubMark mark)
      throws Exception {
    PubSubMark decoded = mark == null ? null : CoderUtils.clone(new PubSubMark.MarkCoder(), mark);
    UnboundedReader<List<BusMessage>> reader =
        new PubSubSource(from, "g", "g").createReader(PipelineOptionsFactory.create(), decoded);
    open.add(reader);
    return reader;
  }

  /** Reads so many more messages, and returns their payloads. */
  private Set<String> read(UnboundedReader<List<BusMessage>> reader, int count) throws Exception {
    Set<String> payloads = new TreeSet<>();
    Instant end = Instant.now().plusSeconds(60);
    boolean any = isNew(reader) ? reader.start() : reader.advance();
    while (true) {
      if (any) {
        reader.getCurrent().forEach(each -> payloads.add(new String(each.payload(), UTF_8)));
      }
      if (payloads.size() >= count) {
        return payloads;
      }
      assertThat(Instant.now()).isLessThan(end);
      any = reader.advance();
    }
  }

  private final Set<UnboundedReader<List<BusMessage>>> started =
      java.util.Collections.newSetFromMap(new java.util.IdentityHashMap<>());

  private boolean isNew(UnboundedReader<List<BusMessage>> reader) {
    return started.add(reader);
  }

  private void publish(int from, int to) throws Exception {
    try (BusPublisher publisher = Buses.at(bus.uri()).publisher()) {
      for (int i = from; i < to; i++) {
        publisher.publish(OutgoingMessage.of(("payload " + i).getBytes(UTF_8)));
      }
      publisher.flush();
    }
  }

  private static void await(Callable<Boolean> condition) throws Exception {
    Instant end = Instant.now().plusSeconds(60);
    while (!condition.call()) {
      assertThat(Instant.now()).isLessThan(end);
      Thread.sleep(10);
    }
  }
}
