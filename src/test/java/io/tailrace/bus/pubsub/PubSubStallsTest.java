package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.StallingServer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** That an answer which begins and does not end stops nobody. */
public class PubSubStallsTest {
  private StallingServer server;
  private PubSubBus bus;
  private PubSubClient client;

  @Before
  public void start() throws Exception {
    server = StallingServer.start();
    bus = PubSubBus.at(EndpointUri.parse(PubSubTopics.at(server.address()).uri("results")));
    client = new PubSubClient(bus.server(), Duration.ofMillis(200));
  }

  @After
  public void stop() {
    server.close();
  }

  @Test
  public void aReaderPullsAgain() throws Exception {
    Pulls pulls = new Pulls(bus, client, new Leases(bus, client, Duration.ofMinutes(1)));
    await(
        () -> {
          assertThat(pulls.next()).isEmpty();
          return server.requests() > 1;
        });
    pulls.close();
  }

  @Test
  public void whatIsNotAcknowledgedIsAcknowledgedAgain() throws Exception {
    Leases leases = new Leases(bus, client, Duration.ofMinutes(1));
    leases.start();
    PubSubMessages.Pulled pulled =
        new PubSubMessages.Pulled(List.of(), List.of("an id"), List.of(), 0);
    leases.took(pulled);
    leases.handOut(pulled);

    leases.upTo(leases.mark());

    await(() -> server.requests() > 1);
    assertThat(leases.takeFailures()).isAtLeast(1);
    leases.close();
  }

  @Test
  public void aPublisherSaysThatItIsNotTaken() throws Exception {
    // A head that is late itself is said in the JDK's words.
    await(() -> refusal().contains("no whole answer within 200 ms"));
  }

  private String refusal() throws Exception {
    try (PubSubPublisher publisher = new PubSubPublisher(bus, client, Duration.ofMillis(1))) {
      publisher.publish(OutgoingMessage.of(new byte[] {1}));
      return String.valueOf(
          assertThrows(UnavailableException.class, publisher::flush).getMessage());
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
