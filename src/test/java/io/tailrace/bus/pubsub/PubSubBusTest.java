package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.Buses;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.fakes.FakePubSub;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** What a subscription and a topic are asked before a writer starts. */
public class PubSubBusTest {
  private FakePubSub server;
  private PubSubTopics topics;
  private Bus bus;

  @Before
  public void start() throws Exception {
    server = FakePubSub.start();
    topics = PubSubTopics.at(server.host());
    bus = Buses.at(topics.create("results"));
  }

  @After
  public void stop() {
    server.close();
  }

  @Test
  public void aUriNamesAProjectAndASubscriptionOrATopic() {
    PubSubBus named =
        bus(
            "pubsub://my-project/results-online?endpoint=europe-west1-pubsub.googleapis.com&credentials=env:KEY");

    assertThat(named.name()).isEqualTo("pubsub://my-project/results-online");
    assertThat(named.subscriptionPath())
        .isEqualTo("projects/my-project/subscriptions/results-online");
    assertThat(named.topicPath()).isEqualTo("projects/my-project/topics/results-online");
    assertThat(named.group("a-writer")).isEqualTo("results-online");
    assertThat(named.server().root()).isEqualTo("https://europe-west1-pubsub.googleapis.com");
  }

  @Test
  public void everyMistakeIsNamedAtOnce() {
    for (Map.Entry<String, String> each :
        Map.of(
                "pubsub://my-project/", "the subscription or topic is missing",
                "pubsub://p/results", "'p' can't be a project",
                "pubsub://my-project:80/results", "without a port",
                "pubsub://my-project/ab", "'ab' can't be a subscription or topic",
                "pubsub://my-project/google", "'google' can't be a subscription or topic",
                "pubsub://my-project/a/b", "'a/b' can't be a subscription or topic",
                "pubsub://my-project/results?emulator=http://x", "is not a host and a port",
                "pubsub://my-project/results?group=mine", "parameter 'group' is unknown",
                "pubsub://my-project/results?credentials=secret", "credentials must say where",
                "pubsub://my-project/results?emulator=h:1&endpoint=e", "neither endpoint nor")
            .entrySet()) {
      assertThat(assertThrows(IllegalArgumentException.class, () -> Buses.at(each.getKey())))
          .hasMessageThat()
          .contains(each.getValue());
    }
  }

  @Test
  public void anEmulatorIsThatOfTheUriOrOfTheEnvironment() {
    for (List<String> each :
        List.of(
            List.of("pubsub://p/t", "http://env:1"),
            List.of("pubsub://p/t?emulator=uri:2", "http://uri:2"),
            List.of("pubsub://p/t?endpoint=eu", "https://eu"))) {
      assertThat(PubSubServer.of(EndpointUri.parse(each.get(0)), Optional.of("env:1")).root())
          .isEqualTo(each.get(1));
    }
    assertThat(PubSubServer.of(EndpointUri.parse("pubsub://p/t"), Optional.empty()).root())
        .isEqualTo("https://pubsub.googleapis.com");
  }

  @Test
  public void itTellsForHowLongAMessageMayBeThere() throws Exception {
    assertThat(bus.checkReadable("g").retention()).hasValue(Duration.ofDays(7));
    assertThat(bus.checkReadable("g").times()).isEqualTo(BusFacts.Times.BUS);

    server.set(subscription(), "{\"topicMessageRetentionDuration\":\"864000s\"}");
    assertThat(bus.checkReadable("g").retention()).hasValue(Duration.ofDays(10));

    topics.subscribe("another", "results");
    server.set(PubSubTopics.subscription("another"), "{\"messageRetentionDuration\":\"1209600s\"}");
    assertThat(bus.checkWritable().retention()).hasValue(Duration.ofDays(14));
    server.set(topic(), "{\"messageRetentionDuration\":\"2592000s\"}");
    assertThat(bus.checkWritable().retention()).hasValue(Duration.ofDays(30));
  }

  @Test
  public void whatTakesMessagesAwayIsRefused() throws Exception {
    for (Map.Entry<String, String> each :
        Map.of(
                "{\"deadLetterPolicy\":{\"deadLetterTopic\":\"t\"}}", "--clear-dead-letter-policy",
                "{\"filter\":\"attributes.a = 'b'\"}", "has a filter (attributes.a = 'b')",
                "{\"pushConfig\":{\"pushEndpoint\":\"https://x\"}}", "(pushConfig)",
                "{\"bigqueryConfig\":{\"table\":\"t\"}}", "(bigqueryConfig)",
                "{\"detached\":true}", "detached from its topic",
                "{\"topic\":\"_deleted-topic_\"}", "was deleted")
            .entrySet()) {
      String name = "subscription-" + Integer.toHexString(each.getKey().hashCode());
      Bus refused = Buses.at(topics.subscribe(name, "results"));
      server.set(PubSubTopics.subscription(name), each.getKey());

      assertThat(assertThrows(UnavailableException.class, () -> refused.checkReadable("g")))
          .hasMessageThat()
          .contains(each.getValue());
    }
  }

  @Test
  public void whatIsToBeKnownOfASubscriptionIsNamed() throws Exception {
    server.set(
        subscription(),
        "{\"expirationPolicy\":{\"ttl\":\"2678400s\"},\"enableMessageOrdering\":true}");
    PubSubResource subscription = new PubSubClient(bus(bus.uri()).server()).get(subscription());

    List<String> findings = PubSubCheck.findings(subscription);

    assertThat(findings).hasSize(2);
    assertThat(findings.get(0)).contains("when nobody reads it for 31 days (expirationPolicy)");
    assertThat(findings.get(1)).contains("enableMessageOrdering");
    assertThat(bus.checkReadable("g").partitions()).isEqualTo(1);
  }

  @Test
  public void aTopicThatKeepsNothingOrRefusesMessagesIsRefused() throws Exception {
    topics.create("schema");
    server.set(PubSubTopics.topic("schema"), "{\"schemaSettings\":{\"schema\":\"s\"}}");
    assertThat(
            assertThrows(
                UnavailableException.class, () -> Buses.at(topics.uri("schema")).checkWritable()))
        .hasMessageThat()
        .contains("has a schema");

    Bus lonely = Buses.at(topics.createTopic("lonely"));
    assertThat(assertThrows(UnavailableException.class, lonely::checkWritable))
        .hasMessageThat()
        .contains("has no subscription, so what is published there is lost");
    // A subscription that is made later can go back.
    server.set(PubSubTopics.topic("lonely"), "{\"messageRetentionDuration\":\"600s\"}");
    assertThat(lonely.checkWritable().retention()).hasValue(Duration.ofMinutes(10));
  }

  @Test
  public void aRightThatIsMissingIsNamed() throws Exception {
    server.deny("pubsub.subscriptions.consume");
    server.deny("pubsub.topics.publish");

    assertThat(assertThrows(UnavailableException.class, () -> bus.checkReadable("g")))
        .hasMessageThat()
        .contains("give it the role roles/pubsub.subscriber");
    assertThat(assertThrows(UnavailableException.class, bus::checkWritable))
        .hasMessageThat()
        .contains("give it the role roles/pubsub.publisher");
  }

  @Test
  public void whereTheRightToLookIsMissingNothingIsKnownAndItGoesOn() throws Exception {
    server.deny("pubsub.subscriptions.get");
    server.deny("pubsub.topics.get");

    for (BusFacts facts : List.of(bus.checkReadable("g"), bus.checkWritable())) {
      assertThat(facts.retention()).isEmpty();
      assertThat(facts.times()).isEqualTo(BusFacts.Times.UNKNOWN);
    }
    assertThat(bus.found(reader("online-writer", "s")).publishesTo()).isEqualTo(bus.name());
  }

  @Test
  public void twoLabelsSayWhoseASubscriptionIs() throws Exception {
    server.set(subscription(), "{\"labels\":{\"team\":\"ranking\"}}");

    Bus found = bus.found(reader("online-writer", "store-1"));

    assertThat(server.get(subscription()).path("labels").toString())
        .matches(
            "\\{\"tailrace-store\":\"[0-9a-f]{32}\",\"tailrace-writer\":\"online-writer\","
                + "\"team\":\"ranking\"}");
    assertThat(found.publishesTo()).isEqualTo("pubsub://tailrace-test/results");
    int patches = server.calls("patch");
    // Its own are left as they are.
    assertThat(bus.found(reader("online-writer", "store-1")).name()).isEqualTo(bus.name());
    assertThat(bus.found(reader("online-writer", "")).name()).isEqualTo(bus.name());
    assertThat(server.calls("patch")).isEqualTo(patches);
  }

  @Test
  public void anotherWriterOrStoreIsRefusedUnlessItIsTold() throws Exception {
    Bus unused = bus.found(reader("online-writer", "store-1"));

    assertThat(
            assertThrows(
                UnavailableException.class, () -> bus.found(reader("offline-writer", "store-1"))))
        .hasMessageThat()
        .contains(
            "the subscription 'results' is that of online-writer, and this is offline-writer");
    assertThat(
            assertThrows(
                UnavailableException.class, () -> bus.found(reader("online-writer", "store-2"))))
        .hasMessageThat()
        .contains("is of a writer to another store");

    Bus adopted = bus.found(new BusReader("g", "offline-writer", "store-2", true, false));
    assertWithMessage(adopted.name())
        .that(server.get(subscription()).path("labels").path("tailrace-writer").asText())
        .isEqualTo("offline-writer");
  }

  @Test
  public void whereLabelsCannotBeWrittenItGoesOn() throws Exception {
    server.deny("pubsub.subscriptions.update");

    assertThat(bus.found(reader("online-writer", "store-1")).publishesTo())
        .isEqualTo("pubsub://tailrace-test/results");
    assertThat(server.get(subscription()).has("labels")).isFalse();
  }

  private static BusReader reader(String writer, String store) {
    return new BusReader(writer, writer, store, false, false);
  }

  private static PubSubBus bus(String uri) {
    return PubSubBus.at(EndpointUri.parse(uri));
  }

  private static String subscription() {
    return PubSubTopics.subscription("results");
  }

  private static String topic() {
    return PubSubTopics.topic("results");
  }
}
