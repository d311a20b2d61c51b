package io.tailrace.bus.pubsub;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusReader;
import io.tailrace.endpoint.UnavailableException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at a subscription or a topic before a pipeline starts: what takes messages away, or has
 * none to give, would be found late or never. Where the right to look is missing, that is said, and
 * the right to read or publish decides.
 */
final class PubSubCheck {
  private static final Logger LOG = LoggerFactory.getLogger(PubSubCheck.class);

  private static final String CONSUME = "pubsub.subscriptions.consume";
  private static final String PUBLISH = "pubsub.topics.publish";

  /** What Pub/Sub shows for the topic of a subscription after that was deleted. */
  private static final String DELETED_TOPIC = "_deleted-topic_";

  /** What a subscription keeps unless it says otherwise. */
  private static final Duration SUBSCRIPTION_RETENTION = Duration.ofDays(7);

  /** Where messages go by themselves, so that nobody can pull them. */
  private static final List<String> PUSHES =
      List.of("pushConfig", "bigqueryConfig", "cloudStorageConfig", "bigtableConfig");

  /** A topic with more is looked at no further. */
  private static final int MAX_SUBSCRIPTIONS = 20;

  private final PubSubBus bus;
  private final PubSubClient client;

  private PubSubCheck(PubSubBus bus) {
    this(bus, new PubSubClient(bus.server()));
  }

  private PubSubCheck(PubSubBus bus, PubSubClient client) {
    this.bus = bus;
    this.client = client;
  }

  static BusFacts readable(PubSubBus bus) throws UnavailableException {
    PubSubCheck check = new PubSubCheck(bus);
    return check.readable(check.subscription());
  }

  /** Says the same of a subscription that was looked at. */
  static BusFacts readable(PubSubBus bus, PubSubClient client, Optional<PubSubResource> seen)
      throws UnavailableException {
    return new PubSubCheck(bus, client).readable(seen);
  }

  /** Returns a subscription, if it may be looked at. */
  static Optional<PubSubResource> subscription(PubSubBus bus, PubSubClient client)
      throws UnavailableException {
    return new PubSubCheck(bus, client).subscription();
  }

  static BusFacts writable(PubSubBus bus) throws UnavailableException {
    return new PubSubCheck(bus).writable();
  }

  /**
   * Takes a subscription for a reader: its labels say whose it is from then on.
   *
   * @return the subscription, of which nothing is known where nobody may look
   * @throws UnavailableException if it is another's
   */
  static PubSubResource take(PubSubBus bus, BusReader reader) throws UnavailableException {
    return new PubSubCheck(bus).take(reader);
  }

  static String missingSubscription(PubSubBus bus) {
    return bus.name()
        + ": the subscription '"
        + bus.topic()
        + "' does not exist. Create it: gcloud pubsub subscriptions create "
        + bus.topic()
        + " --topic=TOPIC --expiration-period=never --ack-deadline=60 --project="
        + bus.project();
  }

  static String missingTopic(PubSubBus bus) {
    return bus.name()
        + ": the topic '"
        + bus.topic()
        + "' does not exist. Create it: gcloud pubsub topics create "
        + bus.topic()
        + " --project="
        + bus.project();
  }

  private Optional<PubSubResource> subscription() throws UnavailableException {
    return look(bus.subscriptionPath(), missingSubscription(bus));
  }

  private BusFacts readable(Optional<PubSubResource> seen) throws UnavailableException {
    checkRight(bus.subscriptionPath(), CONSUME, "read the subscription", "subscriber");
    if (seen.isEmpty()) {
      LOG.warn(
          "{}: the subscription may not be looked at (the right pubsub.subscriptions.get): whether"
              + " a dead-letter policy or a filter takes messages away, for how long it keeps"
              + " messages and when it expires is not known",
          bus.name());
      return unknown();
    }
    PubSubResource subscription = seen.get();
    List<String> faults = faults(subscription);
    if (!faults.isEmpty()) {
      throw new UnavailableException(bus.name() + ": " + String.join("; ", faults));
    }
    findings(subscription).forEach(finding -> LOG.warn("{}: {}", bus.name(), finding));
    Duration longest =
        subscription.duration("messageRetentionDuration").orElse(SUBSCRIPTION_RETENTION);
    // The subscription tells how long its topic keeps messages, where it does.
    Duration ofTopic = subscription.duration("topicMessageRetentionDuration").orElse(Duration.ZERO);
    return facts(Optional.of(longest.compareTo(ofTopic) > 0 ? longest : ofTopic));
  }

  /** Returns what a subscription must not have, in sentences. */
  static List<String> faults(PubSubResource subscription) {
    List<String> faults = new ArrayList<>();
    if (subscription.text("topic").equals(DELETED_TOPIC)) {
      faults.add(
          "the topic of the subscription was deleted, and no message comes any more: create both"
              + " anew, or name another subscription");
    }
    if (subscription.isTrue("detached")) {
      faults.add("the subscription is detached from its topic: create it anew");
    }
    PubSubResource policy = subscription.in("deadLetterPolicy");
    if (!policy.isEmpty()) {
      faults.add(
          "the subscription has a dead-letter policy, which takes messages away that were delivered"
              + " a few times, as they are while a store is down. Remove it: gcloud pubsub"
              + " subscriptions update NAME --clear-dead-letter-policy");
    }
    String filter = subscription.text("filter");
    if (!filter.isEmpty()) {
      faults.add(
          "the subscription has a filter ("
              + filter
              + "), so it never gets the other messages. A filter can't be removed: create a"
              + " subscription without one");
    }
    for (String push : PUSHES) {
      if (!subscription.in(push).isEmpty()) {
        faults.add(
            "the subscription delivers by itself ("
                + push
                + "), so nobody can pull from it: create one of the type pull");
      }
    }
    return faults;
  }

  /** Returns what should be known of a subscription, in sentences. */
  static List<String> findings(PubSubResource subscription) {
    List<String> findings = new ArrayList<>();
    Optional<Duration> expires = subscription.in("expirationPolicy").duration("ttl");
    expires.ifPresent(
        ttl ->
            findings.add(
                "the subscription is deleted, with all that waits, when nobody reads it for "
                    + ttl.toDays()
                    + " days (expirationPolicy). Better: gcloud pubsub subscriptions update NAME"
                    + " --expiration-period=never"));
    if (subscription.isTrue("enableMessageOrdering")) {
      findings.add(
          "the subscription keeps the order of messages with an ordering key"
              + " (enableMessageOrdering), so each waits until the one before is acknowledged,"
              + " which is at a checkpoint. Nothing here needs the order: use a subscription"
              + " without it");
    }
    return findings;
  }

  private BusFacts writable() throws UnavailableException {
    Optional<PubSubResource> seen = look(bus.topicPath(), missingTopic(bus));
    checkRight(bus.topicPath(), PUBLISH, "publish to the topic", "publisher");
    if (seen.isEmpty()) {
      LOG.warn(
          "{}: the topic may not be looked at (the right pubsub.topics.get): whether it has a"
              + " subscription that keeps what is published, and for how long, is not known",
          bus.name());
      return unknown();
    }
    PubSubResource topic = seen.get();
    if (!topic.in("schemaSettings").isEmpty()) {
      throw new UnavailableException(
          bus.name()
              + ": the topic has a schema, which refuses what is published here. Remove it: gcloud"
              + " pubsub topics update "
              + bus.topic()
              + " --clear-schema-settings");
    }
    Optional<Duration> ofTopic = topic.duration("messageRetentionDuration");
    Optional<List<String>> subscriptions =
        look(bus.topicPath() + "/subscriptions", missingTopic(bus))
            .map(list -> list.texts("subscriptions"));
    if (subscriptions.isPresent() && subscriptions.get().isEmpty() && ofTopic.isEmpty()) {
      throw new UnavailableException(
          bus.name()
              + ": the topic has no subscription, so what is published there is lost. Create one:"
              + " gcloud pubsub subscriptions create NAME --topic="
              + bus.topic()
              + " --expiration-period=never --ack-deadline=60 --project="
              + bus.project());
    }
    return facts(longest(ofTopic, subscriptions));
  }

  /** Returns for how long a message may be there; empty where somebody does not tell. */
  private Optional<Duration> longest(
      Optional<Duration> ofTopic, Optional<List<String>> subscriptions)
      throws UnavailableException {
    if (subscriptions.isEmpty() || subscriptions.get().size() > MAX_SUBSCRIPTIONS) {
      return Optional.empty();
    }
    Duration longest = ofTopic.orElse(Duration.ZERO);
    for (String each : subscriptions.get()) {
      // One that is deleted meanwhile keeps nothing.
      Optional<PubSubResource> seen = look(each, missingTopic(bus));
      if (seen.isEmpty()) {
        return Optional.empty();
      }
      Duration its = seen.get().duration("messageRetentionDuration").orElse(SUBSCRIPTION_RETENTION);
      longest = its.compareTo(longest) > 0 ? its : longest;
    }
    return Optional.of(longest);
  }

  private static BusFacts facts(Optional<Duration> retention) {
    return new BusFacts(
        1,
        Optional.of(PubSubPublisher.MAX_MESSAGE_BYTES),
        retention,
        retention.isEmpty() ? BusFacts.Times.UNKNOWN : BusFacts.Times.BUS);
  }

  private static BusFacts unknown() {
    return facts(Optional.empty());
  }

  /** Returns what is there; empty where nobody may look. */
  private Optional<PubSubResource> look(String path, String missing) throws UnavailableException {
    try {
      return Optional.of(client.get(path));
    } catch (PubSubException e) {
      if (e.isMissing()) {
        throw new UnavailableException(missing, e);
      }
      if (e.isDenied()) {
        return Optional.empty();
      }
      throw problem(e);
    }
  }

  private UnavailableException problem(PubSubException e) {
    return new UnavailableException(
        bus.name()
            + (e.isUnreachable() ? " can't be reached: " : ": ")
            + e.getMessage()
            + (e.isUnreachable() && bus.server().isEmulator()
                ? "; is the emulator running? Without one, leave out emulator=… and"
                    + " PUBSUB_EMULATOR_HOST"
                : ""),
        e);
  }

  /** Whoever may be asked tells which rights the asker has; an emulator does not. */
  private void checkRight(String path, String right, String todo, String role)
      throws UnavailableException {
    byte[] body = "{\"permissions\":[\"%s\"]}".formatted(right).getBytes(StandardCharsets.UTF_8);
    try {
      PubSubResource answer = client.post(path + ":testIamPermissions", body);
      if (!answer.texts("permissions").contains(right)) {
        throw new UnavailableException(
            bus.name()
                + ": the account may not "
                + todo
                + " (the right "
                + right
                + "): give it the role roles/pubsub."
                + role);
      }
    } catch (PubSubException e) {
      LOG.debug("{}: rights are not told: {}", bus.name(), e.getMessage());
    }
  }

  private PubSubResource take(BusReader reader) throws UnavailableException {
    SubscriptionOwner own = SubscriptionOwner.of(reader);
    Optional<PubSubResource> seen = subscription();
    if (seen.isEmpty()) {
      // Said by the check before.
      return new PubSubResource(Struct.getDefaultInstance());
    }
    refuse(seen.get(), own, reader.adoptsGroup());
    SubscriptionOwner before = SubscriptionOwner.of(seen.get());
    if (before.equals(own.or(before))) {
      return seen.get();
    }
    if (before.isNobody()) {
      LOG.info(
          "{}: the labels of the subscription say not whose it is: {} takes it",
          bus.name(),
          reader.writer());
    }
    try {
      setLabels(client, bus, own.among(seen.get().in("labels").texts()));
    } catch (PubSubException e) {
      LOG.warn(
          "{}: the labels {} and {} of the subscription can't be written ({}), so nobody refuses a"
              + " second writer or store that reads it. Give the account the right"
              + " pubsub.subscriptions.update, as in roles/pubsub.editor",
          bus.name(),
          SubscriptionOwner.WRITER,
          SubscriptionOwner.STORE,
          e.getMessage());
      return seen.get();
    }
    // Another that has started at the same time may have written last.
    PubSubResource now = subscription().orElse(seen.get());
    refuse(now, own, false);
    return now;
  }

  private void refuse(PubSubResource subscription, SubscriptionOwner own, boolean adopts)
      throws UnavailableException {
    Optional<String> conflict =
        SubscriptionOwner.of(subscription)
            .conflict(bus.name() + ": the subscription '" + bus.topic() + "'", own);
    if (conflict.isPresent() && !adopts) {
      throw new UnavailableException(conflict.get());
    }
  }

  /** Gives a subscription these labels and no others. */
  static void setLabels(PubSubClient client, PubSubBus bus, Map<String, String> labels)
      throws PubSubException {
    Struct.Builder values = Struct.newBuilder();
    labels.forEach((name, value) -> values.putFields(name, text(value)));
    Struct subscription =
        Struct.newBuilder()
            .putFields("name", text(bus.subscriptionPath()))
            .putFields("labels", Value.newBuilder().setStructValue(values).build())
            .build();
    Struct body =
        Struct.newBuilder()
            .putFields("subscription", Value.newBuilder().setStructValue(subscription).build())
            .putFields("updateMask", text("labels"))
            .build();
    try {
      var unused =
          client.patch(
              bus.subscriptionPath(),
              JsonFormat.printer().print(body).getBytes(StandardCharsets.UTF_8));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("texts can be printed", e);
    }
  }

  private static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }
}
