package io.tailrace.bus.pubsub;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Looks through a subscription, which gives each message once: what it brings is held, so that
 * nobody else gets it, and kept in a file until the end. Then it is given back, but for what was
 * settled, which is acknowledged. How much waits no subscription tells, nor in which order it
 * comes: it is looked through when nothing has come for a while.
 */
final class PubSubLog implements BusLog {
  /** Pulls at once: an answer may take long, and bring little of what there is. */
  private static final int AT_ONCE = 4;

  private static final int MAX_MESSAGES = 1_000;

  /** What a pull may bring. */
  private static final long PULL_BYTES = 4L << 20;

  /** Pub/Sub answers now and then that it has nothing when it has. */
  private static final int EMPTY_ROUNDS = 3;

  private static final Duration QUIET = Duration.ofSeconds(3);
  private static final Duration PAUSE = Duration.ofMillis(200);

  /** An emulator has what it has at hand. */
  private static final Duration EMULATOR_PAUSE = Duration.ofMillis(5);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

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

  private PubSubLog(PubSubBus bus, PubSubBus topic, BusFacts facts, Use use, SubscriptionTurn turn)
      throws UnavailableException {
    this.bus = bus;
    this.topic = topic;
    this.client = new PubSubClient(bus.server());
    this.facts = facts;
    this.use = use;
    this.turn = turn;
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
    BusFacts facts = bus.checkReadable("");
    String topic = PubSubCheck.subscription(bus).map(it -> it.text("topic")).orElse("");
    SubscriptionTurn turn = SubscriptionTurn.take(bus, new PubSubClient(bus.server()));
    PubSubLog log =
        new PubSubLog(bus, bus.ofPath(topic.isEmpty() ? bus.topicPath() : topic), facts, use, turn);
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

  /** Brings everything that is there, as far as that can be known. */
  private void pull() throws UnavailableException {
    long begun = Micros.now();
    boolean isEmulator = bus.server().isEmulator();
    long quietNanos = isEmulator ? 0 : QUIET.toNanos();
    long quietSince = System.nanoTime();
    int emptyRounds = 0;
    while (emptyRounds < EMPTY_ROUNDS || System.nanoTime() - quietSince < quietNanos) {
      boolean hasOld = false;
      for (PubSubMessages.Pulled pulled : pullSome(emptyRounds == 0 ? AT_ONCE : 1)) {
        List<Boolean> isNew = held.add(pulled);
        for (int i = 0; i < isNew.size(); i++) {
          if (isNew.get(i)) {
            BusMessage message = pulled.messages().get(i);
            keep(message);
            // What is published meanwhile must not go on for ever.
            hasOld |= message.ownTime().micros() <= begun;
          }
        }
        hasOld |= !pulled.dropped().isEmpty();
      }
      if (hasOld) {
        emptyRounds = 0;
        quietSince = System.nanoTime();
      } else {
        emptyRounds++;
        pause(isEmulator ? EMULATOR_PAUSE : PAUSE);
      }
    }
  }

  private void keep(BusMessage message) throws UnavailableException {
    try {
      spool.add(message);
    } catch (IOException e) {
      throw spooling(e);
    }
  }

  private List<PubSubMessages.Pulled> pullSome(int atOnce) throws UnavailableException {
    List<CompletableFuture<PubSubMessages.Pulled>> answers = new ArrayList<>();
    for (int i = 0; i < atOnce; i++) {
      answers.add(CompletableFuture.supplyAsync(this::pullOnce, client.threads()));
    }
    List<PubSubMessages.Pulled> all = new ArrayList<>();
    try {
      for (CompletableFuture<PubSubMessages.Pulled> each : answers) {
        all.add(each.join());
      }
      return all;
    } catch (CompletionException e) {
      if (e.getCause() instanceof Failed failed) {
        throw failed.why;
      }
      throw e;
    }
  }

  /** Carries what went wrong out of another thread. */
  private static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final UnavailableException why;

    Failed(UnavailableException why) {
      super(why);
      this.why = why;
    }
  }

  private PubSubMessages.Pulled pullOnce() {
    Retry retry = Retry.of(bus.name(), PATIENCE);
    try {
      while (true) {
        try {
          return client.send(
              "POST",
              bus.subscriptionPath() + ":pull",
              PubSubMessages.pull(MAX_MESSAGES),
              body -> PubSubMessages.pulled(body, bus.topic(), PULL_BYTES));
        } catch (PubSubException e) {
          if (!e.isPassing()) {
            throw new UnavailableException(
                e.isMissing()
                    ? PubSubCheck.missingSubscription(bus)
                    : bus.name() + " can't be read: " + e.getMessage(),
                e);
          }
          retry.pause(e.getMessage(), e);
        }
      }
    } catch (UnavailableException e) {
      throw new Failed(e);
    }
  }

  private void pause(Duration time) throws UnavailableException {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(bus.name() + ": interrupted while reading", e);
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
