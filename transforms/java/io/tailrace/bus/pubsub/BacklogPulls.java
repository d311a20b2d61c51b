package io.tailrace.bus.pubsub;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Pulls what a subscription has, and holds it. How much that is Pub/Sub does not tell, and it
 * answers now and then that it has nothing when it has: it is all when nothing has come for a
 * while, whoever of several asks. To be used once; thread-safe.
 */
final class BacklogPulls {
  /** Pulls at once: an answer may take long, and bring little of what there is. */
  private static final int AT_ONCE = 8;

  private static final int MAX_MESSAGES = 1_000;

  /** What a pull may bring. */
  private static final long PULL_BYTES = 4L << 20;

  /** Answers that there is nothing, at least. */
  private static final int EMPTY = 3 * AT_ONCE;

  private static final Duration PAUSE = Duration.ofMillis(200);

  /** An emulator has what it has at hand. */
  private static final Duration EMULATOR_PAUSE = Duration.ofMillis(5);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** For how long nothing has to come, before anything has, and after. */
  record Quiet(Duration atFirst, Duration afterMessages) {
    static final Quiet NONE = new Quiet(Duration.ZERO, Duration.ZERO);
  }

  /** Takes messages, each once. */
  @FunctionalInterface
  interface Taker {
    /** Takes one; nobody else calls meanwhile. */
    void take(BusMessage message) throws UnavailableException;
  }

  private final PubSubBus bus;
  private final PubSubClient client;
  private final HeldMessages held;
  private final Quiet quiet;
  private final Taker taker;
  private final Duration pause;
  private final long begun = Micros.now();
  private boolean hasCome;
  private long quietSince = System.nanoTime();
  private int empty;
  private @Nullable Exception failure;

  BacklogPulls(PubSubBus bus, PubSubClient client, HeldMessages held, Quiet quiet, Taker taker) {
    this.bus = bus;
    this.client = client;
    this.held = held;
    this.quiet = quiet;
    this.taker = taker;
    this.pause = bus.server().isEmulator() ? EMULATOR_PAUSE : PAUSE;
  }

  /**
   * Pulls everything that is there, as far as that can be known.
   *
   * @throws UnavailableException if Pub/Sub refuses, or does not answer for a minute, or as the
   *     taker says
   */
  void pullAll() throws UnavailableException {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < AT_ONCE; i++) {
      all.add(CompletableFuture.runAsync(this::pull, client.threads()));
    }
    all.forEach(CompletableFuture::join);
    synchronized (this) {
      if (failure instanceof UnavailableException e) {
        throw e;
      }
      if (failure != null) {
        throw new IllegalStateException(bus.name() + " can't be read: " + failure, failure);
      }
    }
  }

  private void pull() {
    try {
      while (!isOver()) {
        PubSubMessages.Pulled pulled = pullOnce();
        if (!take(pulled, held.add(pulled))) {
          pause();
        }
      }
    } catch (UnavailableException | RuntimeException e) {
      synchronized (this) {
        failure = failure == null ? e : failure;
      }
    }
  }

  private synchronized boolean isOver() {
    Duration enough = hasCome ? quiet.afterMessages : quiet.atFirst;
    return failure != null
        || (empty >= EMPTY && System.nanoTime() - quietSince >= enough.toNanos());
  }

  /** Returns whether there was something that was there when this began. */
  private synchronized boolean take(PubSubMessages.Pulled pulled, List<Boolean> isNew)
      throws UnavailableException {
    boolean hasOld = !pulled.dropped().isEmpty();
    for (int i = 0; i < isNew.size(); i++) {
      if (isNew.get(i)) {
        BusMessage message = pulled.messages().get(i);
        taker.take(message);
        // What is published meanwhile must not go on for ever.
        hasOld |= message.ownTime().micros() <= begun;
      }
    }
    if (hasOld) {
      hasCome = true;
      empty = 0;
      quietSince = System.nanoTime();
    } else {
      empty++;
    }
    return hasOld;
  }

  private PubSubMessages.Pulled pullOnce() throws UnavailableException {
    Retry retry = Retry.of(bus.name(), PATIENCE);
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
  }

  private void pause() throws UnavailableException {
    try {
      Thread.sleep(pause.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(bus.name() + ": interrupted while reading", e);
    }
  }
}
