package io.tailrace.bus.pubsub;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages that a command has pulled and neither acknowledged nor given back: nobody else gets them
 * meanwhile. Their leases are extended in a thread of its own. Takes some 300 bytes for each.
 * Thread-safe.
 */
final class HeldMessages implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HeldMessages.class);

  /** For so long nobody gets what a command holds that was killed. */
  static final Duration LEASE = Duration.ofSeconds(60);

  /** Two in a row may fail. */
  private static final Duration EXTEND_EVERY = LEASE.dividedBy(3);

  private static final int TRIES = 3;

  /** Requests at once, where there are many. */
  private static final int AT_ONCE = 8;

  private final PubSubBus bus;
  private final PubSubClient client;
  private final Runnable besides;
  private final Duration every;
  // By the ids of messages those to acknowledge them with: one that came more than once has
  // several, of which the last counts, and nobody knows which that is.
  private final Map<String, List<String>> ackIds = new HashMap<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread thread;

  /**
   * Begins to hold.
   *
   * @param besides what else is to be done as often as leases are extended
   */
  HeldMessages(PubSubBus bus, PubSubClient client, Runnable besides) {
    this(bus, client, besides, EXTEND_EVERY);
  }

  /** Extends leases so often. */
  HeldMessages(PubSubBus bus, PubSubClient client, Runnable besides, Duration every) {
    this.bus = bus;
    this.client = client;
    this.besides = besides;
    this.every = every;
    this.thread = new Thread(this::run, "pubsub holds " + bus.topic());
    this.thread.setDaemon(true);
    this.thread.start();
  }

  /**
   * Holds what a pull has brought.
   *
   * @return of each message whether it is new
   */
  List<Boolean> add(PubSubMessages.Pulled pulled) {
    List<Boolean> isNew = new ArrayList<>();
    synchronized (this) {
      for (int i = 0; i < pulled.messages().size(); i++) {
        String id = pulled.messages().get(i).messageId();
        List<String> before = ackIds.put(id, List.of(pulled.ackIds().get(i)));
        if (before != null) {
          List<String> all = new ArrayList<>(before);
          all.add(pulled.ackIds().get(i));
          ackIds.put(id, all);
        }
        isNew.add(before == null);
      }
    }
    // The subscription's own lease may be shorter than what is to come.
    modify(pulled.ackIds(), (int) LEASE.toSeconds());
    modify(pulled.dropped(), 0);
    return isNew;
  }

  /** Acknowledges messages, by their ids. */
  void acknowledge(Collection<String> messageIds) {
    List<String> ids;
    synchronized (this) {
      ids =
          messageIds.stream()
              .map(ackIds::remove)
              .filter(Objects::nonNull)
              .flatMap(List::stream)
              .toList();
    }
    for (List<String> some : Leases.chunks(ids)) {
      acknowledge(some);
    }
  }

  private void acknowledge(List<String> some) {
    for (int i = 1; ; i++) {
      try {
        var unused =
            client.post(bus.subscriptionPath() + ":acknowledge", PubSubMessages.acknowledge(some));
        return;
      } catch (PubSubException e) {
        if (i == TRIES || !e.isPassing()) {
          // They come again, and the notes about them say that they are settled.
          LOG.warn("{}: settled messages were not acknowledged: {}", bus.name(), e.getMessage());
          return;
        }
      }
    }
  }

  private synchronized List<String> all() {
    return ackIds.values().stream().flatMap(List::stream).toList();
  }

  private void run() {
    while (!isEnded()) {
      modify(all(), (int) LEASE.toSeconds());
      try {
        besides.run();
      } catch (RuntimeException e) {
        // The leases must be extended, whatever is wrong beside them.
        LOG.warn("{}: what is done beside its leases has failed", bus.name(), e);
      }
    }
  }

  private boolean isEnded() {
    try {
      return ended.await(every.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      return true;
    }
  }

  private void modify(List<String> ids, int seconds) {
    Deque<List<String>> todo = new ConcurrentLinkedDeque<>(Leases.chunks(ids));
    List<CompletableFuture<Void>> besideThis = new ArrayList<>();
    for (int i = 1; i < Math.min(AT_ONCE, todo.size()); i++) {
      besideThis.add(CompletableFuture.runAsync(() -> modifyAll(todo, seconds), client.threads()));
    }
    modifyAll(todo, seconds);
    besideThis.forEach(CompletableFuture::join);
  }

  private void modifyAll(Deque<List<String>> todo, int seconds) {
    for (List<String> some = todo.poll(); some != null; some = todo.poll()) {
      try {
        var unused =
            client.post(
                bus.subscriptionPath() + ":modifyAckDeadline",
                PubSubMessages.modifyAckDeadline(some, seconds));
      } catch (PubSubException e) {
        // They come again, a little earlier or later.
        LOG.debug("{}: leases were not changed: {}", bus.name(), e.getMessage());
      }
    }
  }

  /** Gives back what is held: whoever reads next gets it at once. */
  @Override
  public void close() {
    ended.countDown();
    try {
      thread.join(LEASE.toMillis());
    } catch (InterruptedException e) {
      // What is held is given back in any case.
      Thread.currentThread().interrupt();
    }
    modify(all(), 0);
  }
}
