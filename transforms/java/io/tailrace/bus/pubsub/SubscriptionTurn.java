package io.tailrace.bus.pubsub;

import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Keeps a subscription to one command at a time: two would each get a part of its messages, and
 * neither would know. A label says that one reads it, and until when what it holds is held; what a
 * command was holding that was killed is waited for. Where labels can't be read, written or kept,
 * nobody waits. Thread-safe.
 */
final class SubscriptionTurn implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SubscriptionTurn.class);

  /** The time, in seconds since the epoch, and which command it is. */
  static final String LABEL = "tailrace-command";

  private static final Pattern VALUE = Pattern.compile("(\\d{1,12})-[0-9a-z]+");
  private static final Duration LOOK_EVERY = Duration.ofMillis(500);

  private final PubSubBus bus;
  private final PubSubClient client;
  private final String own = Long.toString(ThreadLocalRandom.current().nextLong(1L << 50), 36);
  private volatile boolean isTaken;

  private SubscriptionTurn(PubSubBus bus, PubSubClient client) {
    this.bus = bus;
    this.client = client;
  }

  /**
   * Takes a subscription; waits for what a command holds that was killed.
   *
   * @throws UnavailableException if another command reads it, or a writer does
   */
  static SubscriptionTurn take(PubSubBus bus, PubSubClient client) throws UnavailableException {
    SubscriptionTurn turn = new SubscriptionTurn(bus, client);
    turn.take();
    return turn;
  }

  private void take() throws UnavailableException {
    long begun = System.nanoTime();
    String first = "";
    while (true) {
      Optional<PubSubResource> seen = PubSubCheck.subscription(bus, client);
      if (seen.isEmpty()) {
        // Said by the check before.
        return;
      }
      SubscriptionOwner owner = SubscriptionOwner.of(seen.get());
      if (!owner.writer().isEmpty()) {
        throw new UnavailableException(
            bus.name()
                + ": the subscription '"
                + bus.topic()
                + "' is that of "
                + owner.writer()
                + ", and a command that reads it would take its messages. Name one that no writer"
                + " reads");
      }
      String other = seen.get().in("labels").text(LABEL);
      boolean isOver = System.nanoTime() - begun > HeldMessages.LEASE.toNanos();
      if (isOld(other) || isOver) {
        write(seen.get().in("labels").texts(), value());
        if (!isTaken) {
          return;
        }
        String now =
            PubSubCheck.subscription(bus, client).map(it -> it.in("labels").text(LABEL)).orElse("");
        // None: nothing keeps labels here.
        if (now.isEmpty() || now.endsWith("-" + own)) {
          return;
        }
        other = now;
      }
      if (first.isEmpty()) {
        first = other;
        LOG.warn(
            "{}: a command has read the subscription '{}' within the last {} s: what it may hold is"
                + " waited for",
            bus.name(),
            bus.topic(),
            HeldMessages.LEASE.toSeconds());
      } else if (!first.equals(other)) {
        throw new UnavailableException(
            bus.name()
                + ": another command reads the subscription '"
                + bus.topic()
                + "'. Wait until it has ended, or give this one a subscription of its own: gcloud"
                + " pubsub subscriptions create NAME --topic=TOPIC --expiration-period=never"
                + " --project="
                + bus.project());
      }
      pause();
    }
  }

  private void pause() throws UnavailableException {
    try {
      Thread.sleep(LOOK_EVERY.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(bus.name() + ": interrupted while waiting", e);
    }
  }

  private static boolean isOld(String value) {
    Matcher matcher = VALUE.matcher(value);
    return !matcher.matches()
        || Instant.now()
            .minus(HeldMessages.LEASE)
            .isAfter(Instant.ofEpochSecond(Long.parseLong(matcher.group(1))));
  }

  private String value() {
    return Instant.now().getEpochSecond() + "-" + own;
  }

  private void write(Map<String, String> labels, String value) {
    Map<String, String> all = new TreeMap<>(labels);
    if (value.isEmpty()) {
      all.remove(LABEL);
    } else {
      all.put(LABEL, value);
    }
    try {
      PubSubCheck.setLabels(client, bus, all);
      isTaken = true;
    } catch (PubSubException e) {
      // An emulator has no labels.
      LOG.atLevel(bus.server().isEmulator() ? Level.DEBUG : Level.WARN)
          .log(
              "{}: the label {} of the subscription can't be written ({}), so two commands at once"
                  + " would each see a part of its letters. Give the account the right"
                  + " pubsub.subscriptions.update, as in roles/pubsub.editor",
              bus.name(),
              LABEL,
              e.getMessage());
    }
  }

  /** Says that it is still read. */
  void renew() {
    if (isTaken) {
      change(value());
    }
  }

  private void change(String value) {
    try {
      Optional<PubSubResource> seen = PubSubCheck.subscription(bus, client);
      if (seen.isPresent()) {
        write(seen.get().in("labels").texts(), value);
      }
    } catch (UnavailableException e) {
      LOG.debug("{}: the label {} was not changed: {}", bus.name(), LABEL, e.getMessage());
    }
  }

  /** Leaves it to the next one. */
  @Override
  public void close() {
    if (isTaken) {
      change("");
      isTaken = false;
    }
  }
}
