package io.tailrace.bus.pubsub;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.BusReading;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.PublishMessages;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.EndpointUri.Host;
import io.tailrace.endpoint.UnavailableException;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.jspecify.annotations.Nullable;

/**
 * A subscription of Google Pub/Sub to read, or a topic of it to write: which of the two a name
 * means is decided by what is done with it. Immutable and serializable; holds no secret, only where
 * one is.
 *
 * <p>A subscription is its own consumer group: each message goes to one of its readers. What has
 * been read is acknowledged when the runner has made it durable, and comes again otherwise, in any
 * order and perhaps twice.
 */
public final class PubSubBus implements Bus {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  public static final String EXAMPLE =
      "pubsub://my-project/result-bus-online (a subscription to read, a topic to write), or with an"
          + " emulator pubsub://my-project/result-bus-online?emulator=localhost:8085";

  /** A host without a port gets it, and no project may have another. */
  private static final int NO_PORT = 65_535;

  private static final String PROJECT = "[a-z][a-z0-9-]{4,28}[a-z0-9]";
  private static final String NAME = "[A-Za-z][A-Za-z0-9._~+%-]{2,254}";

  /** What was found before the job was started, and for whom. */
  private record Found(String topic, int leaseSeconds, BusReader reader) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  private final String uri;
  private final String project;
  private final String id;
  private final PubSubServer server;
  private final @Nullable Found found;

  private PubSubBus(
      String uri, String project, String id, PubSubServer server, @Nullable Found found) {
    this.uri = uri;
    this.project = project;
    this.id = id;
    this.server = server;
    this.found = found;
  }

  /**
   * Returns what a {@code pubsub} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static PubSubBus at(EndpointUri uri) {
    List<Host> hosts = uri.hosts(NO_PORT);
    String project = hosts.isEmpty() ? "" : hosts.get(0).name();
    if (hosts.size() > 1 || (!hosts.isEmpty() && hosts.get(0).port() != NO_PORT)) {
      uri.problem("one project follows the slashes, without a port; emulator=host:port names one");
    } else if (!project.matches(PROJECT)) {
      uri.problem(
          "'"
              + project
              + "' can't be a project: use its id, of 6 to 30 small letters, digits and '-'");
    }
    String id = uri.path();
    if (id.isEmpty()) {
      uri.problem("the subscription or topic is missing");
    } else if (!id.matches(NAME) || id.startsWith("goog")) {
      uri.problem(
          "'"
              + id
              + "' can't be a subscription or topic: use 3 to 255 letters, digits and any of"
              + " '-_.~+%', the first a letter, not beginning with goog");
    }
    PubSubServer server = PubSubServer.of(uri);
    uri.finish(EXAMPLE);
    return new PubSubBus(uri.withoutSecrets(), project, id, server, null);
  }

  @Override
  public String uri() {
    return uri;
  }

  @Override
  public String name() {
    return "pubsub://" + project + "/" + id;
  }

  @Override
  public String topic() {
    return id;
  }

  /** Returns the subscription: whoever shares it takes a part of its messages. */
  @Override
  public String group(String fallback) {
    return id;
  }

  /** Returns the topic of the subscription, if it was asked for and told. */
  @Override
  public String publishesTo() {
    String topic = found == null ? "" : found.topic;
    String[] parts = topic.split("/", -1);
    return parts.length == 4 ? "pubsub://" + parts[1] + "/" + parts[3] : name();
  }

  String project() {
    return project;
  }

  PubSubServer server() {
    return server;
  }

  /** Returns the name that Pub/Sub gives what is read. */
  String subscriptionPath() {
    return "projects/" + project + "/subscriptions/" + id;
  }

  /** Returns the name that Pub/Sub gives what is written to. */
  String topicPath() {
    return "projects/" + project + "/topics/" + id;
  }

  /** Returns for whom it was asked about, if it was. */
  Optional<BusReader> reader() {
    return Optional.ofNullable(found).map(Found::reader);
  }

  /** Returns for how long a message is leased at first. */
  int leaseSeconds() {
    return found == null ? Leases.LEAST_SECONDS : found.leaseSeconds;
  }

  @Override
  public PubSubBus found(BusReader reader) throws UnavailableException {
    PubSubResource subscription = PubSubCheck.take(this, reader);
    return new PubSubBus(
        uri,
        project,
        id,
        server,
        new Found(
            subscription.text("topic"),
            Math.max(
                Leases.LEAST_SECONDS,
                subscription.number("ackDeadlineSeconds").orElse(Leases.LEAST_SECONDS)),
            reader));
  }

  @Override
  public PTransform<PBegin, PCollection<BusMessage>> read(String fallbackGroup) {
    return new ReadPubSub(this, fallbackGroup);
  }

  /**
   * {@inheritDoc}
   *
   * <p>{@code PubsubIO.write} gathers messages in keyed state first: one that its bundle has
   * settled, and whose origin is acknowledged, is then nowhere but in that state, and a start
   * without state, or a cancelled job on Dataflow, loses it.
   */
  @Override
  public Optional<String> refusal(BusReading reading) {
    return reading == BusReading.KAFKA_IO && server.credentials() != null
        ? Optional.of(
            "PubsubIO, which reads on this runner, takes the credentials of the runner's workers"
                + " alone. Leave credentials out of the URI and give those the right, or say"
                + " --busReader=batching")
        : Optional.empty();
  }

  @Override
  public PTransform<PCollection<OutgoingMessage>, PDone> write() {
    return new PublishMessages(this);
  }

  @Override
  public BusPublisher publisher() {
    return new PubSubPublisher(this);
  }

  @Override
  public BusLog log(BusLog.Use use) throws UnavailableException {
    return PubSubLog.open(this, use);
  }

  /** Only in the same project: elsewhere one of the same name may be anybody's. */
  @Override
  public Optional<Bus> beside(String name) {
    try {
      PubSubBus other = at(EndpointUri.parse(name));
      return name.equals(other.name()) && other.project.equals(project)
          ? Optional.of(ofPath(other.topicPath()))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      // It names nothing of Pub/Sub.
      return Optional.empty();
    }
  }

  /** Returns the topic that Pub/Sub gives a name, asked as this one is. */
  PubSubBus ofPath(String topicPath) {
    String[] parts = topicPath.split("/", -1);
    String name = "pubsub://" + parts[1] + "/" + parts[3];
    return new PubSubBus(name, parts[1], parts[3], server, null);
  }

  @Override
  public boolean takes(OutgoingMessage message) {
    return Attributes.fit(message);
  }

  /** Returns the topic's full name: Pub/Sub gives topics no other id. */
  @Override
  public String identity() {
    return topicPath();
  }

  @Override
  public BusFacts checkReadable(String fallbackGroup) throws UnavailableException {
    return PubSubCheck.readable(this);
  }

  @Override
  public BusFacts checkWritable() throws UnavailableException {
    return PubSubCheck.writable(this);
  }

  @Override
  public String toString() {
    return name();
  }
}
