package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Secret;
import io.tailrace.testing.fakes.FakeGoogleTokens;
import io.tailrace.testing.fakes.FakePubSub;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That the key of a service account may be changed, or be away, under what uses it. */
public class PubSubCredentialsTest {
  private static final int HOUR = 3_600;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void aKeyThatWasChangedIsUsedFromTheEndOfATokenOn() throws Exception {
    // Google's library makes the next token with the key that it knows meanwhile.
    try (FakeGoogleTokens tokens = FakeGoogleTokens.start(200)) {
      Path file = folder.newFile().toPath();
      Files.writeString(file, tokens.key("before@tailrace"));
      PubSubCredentials credentials = new PubSubCredentials(Secret.parse("file:" + file));
      assertThat(credentials.authorization()).isEqualTo("Bearer before@tailrace-1");

      Files.writeString(file, tokens.key("after@tailrace"));

      assertThat(credentials.authorization()).isEqualTo("Bearer after@tailrace-2");
      assertThat(tokens.asked()).containsExactly("before@tailrace", "after@tailrace").inOrder();
    }
  }

  @Test
  public void aKeyIsReadOnceForATokenThatIsGood() throws Exception {
    try (FakeGoogleTokens tokens = FakeGoogleTokens.start(HOUR)) {
      Path file = folder.newFile().toPath();
      Files.writeString(file, tokens.key("before@tailrace"));
      PubSubCredentials credentials = new PubSubCredentials(Secret.parse("file:" + file));
      assertThat(credentials.authorization()).isEqualTo("Bearer before@tailrace-1");
      Files.delete(file);

      assertThat(credentials.authorization()).isEqualTo("Bearer before@tailrace-1");
    }
  }

  @Test
  public void whileThereIsNoKeyAcknowledgementsAreTriedAgain() throws Exception {
    try (FakePubSub server = FakePubSub.start();
        FakeGoogleTokens tokens = FakeGoogleTokens.start(HOUR)) {
      PubSubBus bus =
          PubSubBus.at(EndpointUri.parse(PubSubTopics.at(server.host()).create("results")));
      try (var publisher = bus.publisher()) {
        publisher.publish(OutgoingMessage.of(new byte[] {1}));
        publisher.flush();
      }
      PubSubMessages.Pulled pulled =
          new PubSubClient(bus.server())
              .send(
                  "POST",
                  bus.subscriptionPath() + ":pull",
                  PubSubMessages.pull(10),
                  body -> PubSubMessages.pulled(body, "results", 1_000_000));
      Path file = folder.getRoot().toPath().resolve("key.json");
      PubSubClient asAccount =
          new PubSubClient(
              new PubSubServer(
                  "http://" + server.host(), false, Secret.parse("file:" + file).orElseThrow()));
      Leases leases = new Leases(bus, asAccount, Duration.ofMinutes(1));
      leases.start();
      leases.took(pulled);
      leases.handOut(pulled);

      leases.upTo(leases.mark());
      await(() -> leases.takeFailures() > 0);
      // What can't be parsed is no end either.
      Files.writeString(file, "{\"type\":\"service_account\"}");
      await(() -> leases.takeFailures() > 0);
      Files.writeString(file, tokens.key("writer@tailrace"));

      await(() -> server.unacknowledged(bus.subscriptionPath()) == 0);
      leases.close();
    }
  }

  @Test
  public void leasesAreExtendedWhateverFailsBesideThem() throws Exception {
    try (FakePubSub server = FakePubSub.start()) {
      PubSubBus bus =
          PubSubBus.at(EndpointUri.parse(PubSubTopics.at(server.host()).create("results")));
      AtomicInteger times = new AtomicInteger();
      HeldMessages held =
          new HeldMessages(
              bus,
              new PubSubClient(bus.server()),
              () -> {
                times.incrementAndGet();
                throw new IllegalStateException("no label");
              },
              Duration.ofMillis(1));
      try {
        await(() -> times.get() > 1);
      } finally {
        held.close();
      }
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
