package io.tailrace.bus.pubsub;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Looks through a subscription, which gives each message once: what it brings is held, so that
 * nobody else gets it, and kept in a file until the end. Then it is given back, but for what was
 * settled, which is acknowledged. How much waits no subscription tells, nor in which order it
 * comes: it is looked through when nothing has come for a while.
 */
final class PubSubLog implements BusLog {
  /** Who settles must not miss that another has done so. */
  private static final Duration QUIET = Duration.ofSeconds(3);

  /** Who looks sees the rest the next time. */
  private static final Duration QUIET_TO_LOOK = Duration.ofSeconds(1);

  private final PubSubBus bus;
  private final PubSubBus topic;
  private final PubSubClient client;
  private final BusFacts facts;
  private final Use use;
  private final SubscriptionTurn turn;
  private final HeldMessages held;
  private final MessageSpool spool;
  private final List<String> noted = new ArrayList<>();
  private MessageSpool.Mark opened = MessageSpool.Mark.BEGIN;
  private MessageSpool.Mark shown = MessageSpool.Mark.BEGIN;
  private @Nullable BusPublisher notes;

  private PubSubLog(PubSubBus bus, PubSubClient client, PubSubBus topic, BusFacts facts, Use use)
      throws UnavailableException {
    this.bus = bus;
    this.topic = topic;
    this.client = client;
    this.facts = facts;
    this.use = use;
    this.turn = SubscriptionTurn.take(bus, client);
    try {
      this.spool = MessageSpool.create();
    } catch (IOException e) {
      turn.close();
      throw spooling(e);
    }
    this.held = new HeldMessages(bus, client, turn::renew);
  }

  /** Opens a subscription's. */
  static PubSubLog open(PubSubBus bus, Use use) throws UnavailableException {
    // One for all: each asks anew who it is, and makes a connection of its own.
    PubSubClient client = new PubSubClient(bus.server());
    Optional<PubSubResource> seen = PubSubCheck.subscription(bus, client);
    BusFacts facts = PubSubCheck.readable(bus, client, seen);
    String topic = seen.map(it -> it.text("topic")).orElse("");
    PubSubLog log =
        new PubSubLog(
            bus, client, bus.ofPath(topic.isEmpty() ? bus.topicPath() : topic), facts, use);
    try {
      log.pull();
      log.opened = log.spool.end();
      log.shown = log.opened;
      return log;
    } catch (UnavailableException | RuntimeException e) {
      log.close();
      throw e;
    }
  }

  @Override
  public BusFacts facts() {
    return facts;
  }

  /** Another subscription may keep them for longer. */
  @Override
  public Optional<Duration> keeps() throws UnavailableException {
    Optional<Duration> ofTopic = topic.checkWritable().retention();
    return ofTopic.flatMap(
        longest -> facts.retention().map(own -> own.compareTo(longest) > 0 ? own : longest));
  }

  @Override
  public boolean showsAll() {
    return false;
  }

  @Override
  public void read(Visitor visitor) throws UnavailableException {
    show(MessageSpool.Mark.BEGIN, opened, visitor);
  }

  @Override
  public Predicate<Place> extent() throws UnavailableException {
    Set<String> ids = new HashSet<>();
    read(
        message -> {
          ids.add(message.messageId());
          return true;
        });
    return place -> ids.contains(place.messageId());
  }

  @Override
  public void readNews(Visitor visitor) throws UnavailableException {
    pull();
    MessageSpool.Mark from = shown;
    shown = spool.end();
    show(from, shown, visitor);
  }

  private void show(MessageSpool.Mark from, MessageSpool.Mark to, Visitor visitor)
      throws UnavailableException {
    UnavailableException[] theirs = {null};
    try {
      spool.read(
          from,
          to,
          message -> {
            try {
              return visitor.visit(message);
            } catch (UnavailableException e) {
              theirs[0] = e;
              return false;
            }
          });
    } catch (IOException e) {
      throw spooling(e);
    }
    if (theirs[0] != null) {
      throw theirs[0];
    }
  }

  private void pull() throws UnavailableException {
    BacklogPulls.Quiet quiet =
        bus.server().isEmulator()
            ? BacklogPulls.Quiet.NONE
            : new BacklogPulls.Quiet(QUIET, use == Use.SETTLE ? QUIET : QUIET_TO_LOOK);
    new BacklogPulls(bus, client, held, quiet, this::keep).pullAll();
  }

  private void keep(BusMessage message) throws UnavailableException {
    try {
      spool.add(message);
    } catch (IOException e) {
      throw spooling(e);
    }
  }

  private UnavailableException spooling(IOException e) {
    return new UnavailableException(
        bus.name()
            + ": its messages can't be kept in a file of "
            + System.getProperty("java.io.tmpdir")
            + ": "
            + e.getMessage(),
        e);
  }

  private void checkSettles() {
    if (use != Use.SETTLE) {
      throw new IllegalStateException(bus.name() + " was opened to look");
    }
  }

  @Override
  public BusPublisher publisher(Bus to) {
    checkSettles();
    return to.publisher();
  }

  @Override
  public void note(Place about, Headers note) throws UnavailableException {
    checkSettles();
    if (notes == null) {
      notes = topic.publisher();
    }
    notes.publish(new OutgoingMessage(null, new byte[0], note));
    noted.add(about.messageId());
  }

  /** Acknowledges what there are notes about, after the notes: in between it is settled twice. */
  @Override
  public void flush() throws UnavailableException {
    if (notes != null) {
      notes.flush();
    }
    held.acknowledge(noted);
    noted.clear();
  }

  @Override
  public void close() {
    held.close();
    turn.close();
    if (notes != null) {
      notes.close();
    }
    try {
      spool.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("a temporary file can't be closed", e);
    }
  }
}
