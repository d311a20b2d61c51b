package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.BusLogContract;
import io.tailrace.testing.fakes.FakePubSub;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** Subscriptions can be looked through, and give everything to the next one who asks. */
@RunWith(Parameterized.class)
public class PubSubLogTest extends BusLogContract {
  /** What listens. */
  public enum Server {
    FAKE,
    DISORDERLY,
    EMULATOR
  }

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static Optional<FakePubSub> fake = Optional.empty();
  private static Optional<FakePubSub> disorderly = Optional.empty();
  private static Optional<PubSubEmulator> emulator = Optional.empty();
  private static boolean lookedFor;
  private static int names;

  @Parameter public Server kind = Server.FAKE;

  private PubSubTopics topics;

  @Parameters(name = "{0}")
  public static Server[] servers() {
    return Server.values();
  }

  @Before
  public void start() throws Exception {
    topics = PubSubTopics.at(host());
  }

  private String host() throws Exception {
    switch (kind) {
      case FAKE -> {
        fake = fake.isPresent() ? fake : Optional.of(FakePubSub.start());
        return fake.get().host();
      }
      case DISORDERLY -> {
        disorderly =
            disorderly.isPresent() ? disorderly : Optional.of(FakePubSub.start().disorderly(0.2));
        return disorderly.get().host();
      }
      default -> {
        if (!lookedFor) {
          lookedFor = true;
          emulator = PubSubEmulator.start(folder.newFile().toPath());
        }
        assumeTrue("no Cloud SDK with a Pub/Sub emulator is installed", emulator.isPresent());
        return emulator.get().host();
      }
    }
  }

  @AfterClass
  public static void stop() {
    fake.ifPresent(FakePubSub::close);
    disorderly.ifPresent(FakePubSub::close);
    emulator.ifPresent(PubSubEmulator::close);
    fake = Optional.empty();
    disorderly = Optional.empty();
    emulator = Optional.empty();
    lookedFor = false;
  }

  @Override
  protected String newTopic() throws Exception {
    return topics.create("log-" + names++);
  }

  @Override
  protected String missingTopic() {
    return topics.uri("none");
  }

  @Test
  public void whatIsNotedIsAcknowledgedAndNothingElse() throws Exception {
    Bus bus = newBus("a", "b", "c");
    FakePubSub server = fake();
    String subscription = PubSubTopics.subscription(bus.topic());
    try (BusLog log = bus.log(BusLog.Use.SETTLE)) {
      Place place = placeOf(log);
      assertThat(server.leased(subscription)).isEqualTo(3);
      log.note(place, Headers.NONE.and(Header.of("about", "it")));
      assertThat(server.unacknowledged(subscription)).isEqualTo(3);
      log.flush();
      // Two, and the note.
      assertThat(server.unacknowledged(subscription)).isEqualTo(3);
      assertThat(log.showsAll()).isFalse();
    }
    assertThat(server.leased(subscription)).isEqualTo(0);
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      assertThat(read(log)).containsExactly("", "b", "c");
    }
  }

  @Test
  public void anotherSubscriptionOfTheTopicIsTouchedByNobody() throws Exception {
    Bus bus = Buses.at(newTopic());
    Bus another = Buses.at(topics.subscribe("another-" + names++, bus.topic()));
    publish(bus, "a", "b");
    try (BusLog log = another.log(BusLog.Use.SETTLE)) {
      log.note(placeOf(log), Headers.NONE.and(Header.of("about", "it")));
      log.flush();
    }
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      assertThat(read(log)).containsExactly("", "a", "b");
    }
  }

  @Test
  public void leasesOutlastTheSubscriptionsOwn() throws Exception {
    Bus bus = newBus("a");
    FakePubSub server = fake();
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      assertThat(read(log)).containsExactly("a");
      assertThat(server.leasedForSeconds(PubSubTopics.subscription(bus.topic()))).isAtLeast(50L);
    }
  }

  @Test
  public void whatComesAgainIsShownOnceAndAcknowledgedAsItCameLast() throws Exception {
    Bus bus = newBus("a");
    FakePubSub server = fake();
    try (BusLog log = bus.log(BusLog.Use.SETTLE)) {
      Place place = placeOf(log);
      server.expireLeases();
      assertThat(news(log)).isEmpty();
      log.note(place, Headers.NONE.and(Header.of("about", "it")));
      log.flush();
    }
    // The note alone.
    assertThat(server.unacknowledged(PubSubTopics.subscription(bus.topic()))).isEqualTo(1);
  }

  @Test
  public void anotherCommandIsNotHeldToBeDeadUntilItsTimeIsOver() throws Exception {
    Bus bus = newBus("a");
    FakePubSub server = fake();
    String subscription = PubSubTopics.subscription(bus.topic());
    server.set(subscription, labels(Duration.ofMinutes(2)));
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      assertThat(read(log)).containsExactly("a");
      assertThat(label(server, subscription)).isNotEmpty();
    }
    assertThat(label(server, subscription)).isEmpty();
    assertThat(server.get(subscription).at("/labels/team").asText()).isEqualTo("ranking");

    server.set(subscription, labels(Duration.ofSeconds(5)));
    Thread renews =
        new Thread(
            () -> {
              while (server.calls("get") > 0 && !Thread.interrupted()) {
                server.set(subscription, labels(Duration.ZERO));
              }
            });
    renews.start();
    assertThat(assertThrows(UnavailableException.class, () -> bus.log(BusLog.Use.LOOK).close()))
        .hasMessageThat()
        .contains("another command reads the subscription '" + bus.topic() + "'");
    renews.interrupt();
    renews.join();
  }

  private static String labels(Duration ago) {
    return "{\"labels\":{\"team\":\"ranking\",\""
        + SubscriptionTurn.LABEL
        + "\":\""
        + Instant.now().minus(ago).getEpochSecond()
        + "-"
        + Long.toString(System.nanoTime(), 36)
        + "\"}}";
  }

  private static String label(FakePubSub server, String subscription) {
    return server.get(subscription).path("labels").path(SubscriptionTurn.LABEL).asText();
  }

  @Test
  public void aWritersSubscriptionIsLeftAlone() throws Exception {
    Bus bus = newBus("a");
    var unused = fake();
    String owned =
        bus.found(new BusReader("online-writer", "online-writer", "s", false, false)).name();

    assertThat(assertThrows(UnavailableException.class, () -> bus.log(BusLog.Use.LOOK).close()))
        .hasMessageThat()
        .contains("is that of online-writer, and a command that reads it would take its messages");
    assertThat(owned).isEqualTo(bus.name());
  }

  @Test
  public void itSaysForHowLongAnySubscriptionKeepsAMessage() throws Exception {
    Bus bus = newBus();
    FakePubSub server = fake();
    topics.subscribe("longer-" + names, bus.topic());
    server.set(
        PubSubTopics.subscription("longer-" + names), "{\"messageRetentionDuration\":\"864000s\"}");
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      assertThat(log.facts().retention()).hasValue(Duration.ofDays(7));
      assertThat(log.keeps()).hasValue(Duration.ofDays(10));
    }
  }

  @Test
  public void aTopicOfTheSameProjectIsReachedAsTheSubscriptionIs() {
    Bus bus = Buses.at("pubsub://my-project/letters?endpoint=eu&credentials=env:KEY");

    Bus beside = bus.beside("pubsub://my-project/results").orElseThrow();
    assertThat(beside.name()).isEqualTo("pubsub://my-project/results");
    assertThat(((PubSubBus) beside).server()).isEqualTo(((PubSubBus) bus).server());
    for (String other :
        new String[] {
          "pubsub://other-project/results",
          "pubsub://my-project/results?endpoint=evil.example.com",
          "kafka://my-project/results",
          "pubsub://my-project/",
          ""
        }) {
      assertThat(bus.beside(other)).isEmpty();
    }
    assertThat(bus.topic()).isEqualTo("letters");
  }

  @Test
  public void howFarReadersAreNobodyTells() throws Exception {
    assertThat(newBus().doneBy("online-writer")).isEmpty();
  }

  /** Returns the fake, whose inside is looked at. */
  private FakePubSub fake() {
    assumeTrue("the emulator shows nothing of itself", kind != Server.EMULATOR);
    return kind == Server.FAKE ? fake.orElseThrow() : disorderly.orElseThrow();
  }
}
