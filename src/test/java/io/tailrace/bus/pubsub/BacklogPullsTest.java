package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.testing.fakes.FakePubSub;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.Test;

/** That a backlog is brought whole, each message once, and held meanwhile. */
public class BacklogPullsTest {
  private static final int MESSAGES = 5_000;

  private static FakePubSub server;
  private static int names;

  @BeforeClass
  public static void start() throws Exception {
    server = FakePubSub.start();
  }

  @AfterClass
  public static void stop() {
    server.close();
  }

  @Test
  public void whatComesAfterManyAnswersThatThereIsNothingIsThere() throws Exception {
    PubSubBus bus = bus("a", "b");
    server.silent(60);

    assertThat(pullAll(bus, new BacklogPulls.Quiet(Duration.ofSeconds(20), Duration.ZERO)))
        .containsExactly("a", "b");
  }

  @Test
  public void theRestOfWhatHasBegunToComeIsWaitedForAsLongAsIsSaid() throws Exception {
    PubSubBus bus = bus("a", "b");
    List<String> seen = new ArrayList<>();
    try (HeldMessages held = held(bus)) {
      BacklogPulls.Quiet quiet = new BacklogPulls.Quiet(Duration.ZERO, Duration.ofSeconds(2));
      new BacklogPulls(
              bus,
              new PubSubClient(bus.server()),
              held,
              quiet,
              message -> {
                seen.add(new String(message.payload(), UTF_8));
                if (seen.size() == 2) {
                  // One that a pull had not shown yet.
                  server.expireLeases();
                  server.silent(30);
                }
              })
          .pullAll();
    }

    assertThat(seen).containsExactly("a", "b");
    assertThat(server.deliveries(bus.subscriptionPath())).isEqualTo(2);
  }

  @Test
  public void severalPullsAtOnceBringEachMessageOnce() throws Exception {
    String[] texts =
        IntStream.range(0, MESSAGES).mapToObj(Integer::toString).toArray(String[]::new);

    assertThat(pullAll(bus(texts), BacklogPulls.Quiet.NONE))
        .containsExactlyElementsIn(List.of(texts));
  }

  private static PubSubBus bus(String... texts) throws Exception {
    PubSubBus bus =
        (PubSubBus) Buses.at(PubSubTopics.at(server.host()).create("backlog-" + names++));
    try (BusPublisher publisher = bus.publisher()) {
      for (String each : texts) {
        publisher.publish(OutgoingMessage.of(each.getBytes(UTF_8)));
      }
      publisher.flush();
    }
    return bus;
  }

  private static HeldMessages held(PubSubBus bus) {
    return new HeldMessages(bus, new PubSubClient(bus.server()), () -> {});
  }

  private static List<String> pullAll(PubSubBus bus, BacklogPulls.Quiet quiet) throws Exception {
    List<String> texts = new ArrayList<>();
    try (HeldMessages held = held(bus)) {
      new BacklogPulls(
              bus,
              new PubSubClient(bus.server()),
              held,
              quiet,
              message -> texts.add(new String(message.payload(), UTF_8)))
          .pullAll();
      assertThat(server.leased(bus.subscriptionPath())).isEqualTo(texts.size());
    }
    return texts;
  }
}
