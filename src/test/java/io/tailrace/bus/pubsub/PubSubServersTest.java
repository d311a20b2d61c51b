package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Replayed;
import io.tailrace.bus.pubsub.PubSubMessages.Pulled;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.ReadBus;
import io.tailrace.testing.fakes.FakePubSub;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** The small server of the other tests does what Google's emulator does, where there is one. */
@RunWith(Parameterized.class)
public class PubSubServersTest {
  /** What listens. */
  public enum Server {
    FAKE,
    EMULATOR
  }

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static Optional<FakePubSub> fake = Optional.empty();
  private static Optional<PubSubEmulator> emulator = Optional.empty();
  private static boolean lookedFor;
  private static int names;

  @Parameter public Server kind = Server.FAKE;

  private PubSubTopics topics;
  private PubSubBus bus;
  private PubSubClient client;

  @Parameters(name = "{0}")
  public static Server[] servers() {
    return Server.values();
  }

  @Before
  public void start() throws Exception {
    topics = PubSubTopics.at(host());
    bus = bus(topics.create("results-" + names++));
    client = new PubSubClient(bus.server());
  }

  private String host() throws Exception {
    if (kind == Server.FAKE) {
      fake = fake.isPresent() ? fake : Optional.of(FakePubSub.start());
      return fake.get().host();
    }
    if (!lookedFor) {
      lookedFor = true;
      emulator = PubSubEmulator.start(folder.newFile().toPath());
    }
    assumeTrue(
        "no Cloud SDK with a Pub/Sub emulator is installed: the fake is held to nothing",
        emulator.isPresent());
    return emulator.get().host();
  }

  @AfterClass
  public static void stop() {
    fake.ifPresent(FakePubSub::close);
    emulator.ifPresent(PubSubEmulator::close);
    fake = Optional.empty();
    emulator = Optional.empty();
    lookedFor = false;
  }

  @Test
  public void whatIsPublishedIsPulledAsItWasAndInNoOtherPlace() throws Exception {
    long before = System.currentTimeMillis() * 1_000;
    publish(
        new OutgoingMessage(
            new byte[] {0, -1}, new byte[] {-1, 0}, Headers.of(Header.of("name", "välue"))),
        new OutgoingMessage(null, new byte[0], Headers.NONE),
        new OutgoingMessage(new byte[0], null, Headers.of(Header.of("empty", ""))));

    List<BusMessage> read = new ArrayList<>();
    while (read.size() < 3) {
      read.addAll(pull().messages());
    }

    assertThat(read.stream().map(PubSubServersTest::content).toList())
        .containsExactly(
            "true [0, -1] true [-1, 0] [name=välue]",
            "false [] true [] []",
            "true [] false [] [empty=]");
    for (BusMessage message : read) {
      assertThat(message.publishedAt()).isAtLeast(before);
      assertThat(message.publishedAt()).isAtMost((System.currentTimeMillis() + 1) * 1_000);
      assertThat(message.topic()).isEqualTo(bus.topic());
      assertThat(message.messageId()).isNotEmpty();
    }
    assertThat(pull().messages()).isEmpty();
  }

  @Test
  public void whatIsGivenBackComesAgainAndWhatIsAcknowledgedDoesNot() throws Exception {
    publish(OutgoingMessage.of(new byte[] {1}), OutgoingMessage.of(new byte[] {2}));
    Pulled first = pull(2);
    var unused =
        client.post(
            bus.subscriptionPath() + ":modifyAckDeadline",
            PubSubMessages.modifyAckDeadline(first.ackIds(), 0));
    Pulled second = pull(2);

    assertThat(ids(second)).isEqualTo(ids(first));
    unused =
        client.post(
            bus.subscriptionPath() + ":acknowledge", PubSubMessages.acknowledge(second.ackIds()));
    // A lease that is over is no error, nor is what was acknowledged before.
    unused =
        client.post(
            bus.subscriptionPath() + ":modifyAckDeadline",
            PubSubMessages.modifyAckDeadline(second.ackIds(), 0));
    assertThat(pull().messages()).isEmpty();
  }

  @Test
  public void everySubscriptionGetsEveryMessageOfItsTopicFromThenOn() throws Exception {
    publish(OutgoingMessage.of(new byte[] {1}));
    PubSubBus later = bus(topics.subscribe("later-" + names++, bus.topic()));
    publish(OutgoingMessage.of(new byte[] {2}));

    assertThat(pull(2).messages()).hasSize(2);
    Pulled ofLater =
        client.send(
            "POST",
            later.subscriptionPath() + ":pull",
            PubSubMessages.pull(10),
            body -> PubSubMessages.pulled(body, "later", 1_000_000));
    assertThat(ofLater.messages().stream().map(each -> each.payload()[0]).toList())
        .containsExactly((byte) 2);
    assertThat(client.get(bus.topicPath() + "/subscriptions").texts("subscriptions"))
        .containsExactly(bus.subscriptionPath(), later.subscriptionPath());
  }

  @Test
  public void whatIsMissingOrEmptyIsRefused() throws Exception {
    PubSubBus missing = bus(topics.uri("no-such-" + names++));
    for (String path : List.of(missing.topicPath(), missing.subscriptionPath())) {
      assertThat(assertThrows(PubSubException.class, () -> client.get(path)).isMissing()).isTrue();
    }
    for (String call :
        List.of(
            missing.subscriptionPath() + ":pull {\"maxMessages\":1,\"returnImmediately\":true}",
            missing.topicPath() + ":publish {\"messages\":[{\"data\":\"AAA=\"}]}")) {
      String[] parts = call.split(" ", 2);
      PubSubException e =
          assertThrows(
              PubSubException.class, () -> client.post(parts[0], parts[1].getBytes(UTF_8)));
      assertWithMessage(call).that(e.isMissing()).isTrue();
    }
    for (String call :
        List.of(
            bus.topicPath() + ":publish {\"messages\":[{\"data\":\"\"}]}",
            bus.subscriptionPath() + ":acknowledge {\"ackIds\":[\"nonsense\"]}")) {
      String[] parts = call.split(" ", 2);
      PubSubException e =
          assertThrows(
              PubSubException.class, () -> client.post(parts[0], parts[1].getBytes(UTF_8)));
      assertWithMessage(call).that(e.isMissing() || e.isPassing() || e.isDenied()).isFalse();
    }
    try (BusPublisher publisher = missing.publisher()) {
      publisher.publish(OutgoingMessage.of(new byte[1]));
      assertThat(assertThrows(UnavailableException.class, publisher::flush))
          .hasMessageThat()
          .contains("the topic '" + missing.topic() + "' does not exist");
    }
  }

  @Test
  public void largeMessagesFit() throws Exception {
    byte[] large = new byte[PubSubPublisher.MAX_MESSAGE_BYTES];
    large[7] = 7;
    publish(OutgoingMessage.of(large));

    assertThat(pull(1).messages().get(0).payload()).isEqualTo(large);
  }

  @Test
  public void beamsOwnSourceBringsTheSameMessages() throws Exception {
    publish(
        new OutgoingMessage(
            new byte[] {0, -1}, new byte[] {-1, 0}, Headers.of(Header.of("name", "välue"))),
        new OutgoingMessage(
            null,
            null,
            Headers.of(
                Header.of(Replayed.WRITER, "w"),
                Header.of(Replayed.FAILED_AT, "2026-01-31T12:00:00Z"),
                Header.of(Replayed.PUBLISHED_AT, "2026-01-31T12:00:00Z"))));

    ReadBus reading = ReadBus.start(bus, "g", "--busReader=kafkaio");
    try {
      List<BusMessage> read = reading.await(2);
      assertThat(read.stream().map(PubSubServersTest::content).toList())
          .containsAtLeast(
              "true [0, -1] true [-1, 0] [name=välue]",
              "false [] false [] [tailrace.failed-at=2026-01-31T12:00:00Z,"
                  + " tailrace.published-at=2026-01-31T12:00:00Z, tailrace.writer=w]");
      assertThat(read.get(0).topic()).isEqualTo(bus.topic());
      assertThat(read.get(0).messageId()).isNotEmpty();
    } finally {
      reading.cancel();
    }
  }

  private void publish(OutgoingMessage... messages) throws Exception {
    try (BusPublisher publisher = bus.publisher()) {
      for (OutgoingMessage each : messages) {
        publisher.publish(each);
      }
      publisher.flush();
    }
  }

  private Pulled pull() throws PubSubException {
    return client.send(
        "POST",
        bus.subscriptionPath() + ":pull",
        PubSubMessages.pull(10),
        body -> PubSubMessages.pulled(body, bus.topic(), 100_000_000));
  }

  /** Pulls until so many have come. */
  private Pulled pull(int count) throws PubSubException {
    Pulled all = new Pulled(new ArrayList<>(), new ArrayList<>(), List.of(), 0);
    Instant end = Instant.now().plusSeconds(60);
    while (all.messages().size() < count) {
      Pulled more = pull();
      all.messages().addAll(more.messages());
      all.ackIds().addAll(more.ackIds());
      assertThat(Instant.now()).isLessThan(end);
    }
    return all;
  }

  private static Set<String> ids(Pulled pulled) {
    Set<String> ids = new HashSet<>();
    pulled.messages().forEach(each -> ids.add(each.messageId()));
    return ids;
  }

  private static String content(BusMessage message) {
    return message.hasKey()
        + " "
        + Arrays.toString(message.key())
        + " "
        + message.hasPayload()
        + " "
        + Arrays.toString(message.payload())
        + " "
        + message.headers().all().stream()
            .map(each -> each.name() + "=" + new String(each.value(), UTF_8))
            .toList();
  }

  private static PubSubBus bus(String uri) {
    return PubSubBus.at(EndpointUri.parse(uri));
  }
}
