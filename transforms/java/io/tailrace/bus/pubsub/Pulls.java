package io.tailrace.bus.pubsub;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.bus.pubsub.PubSubMessages.Pulled;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pulls messages, a few times at once while there are some, and with pauses while there are none:
 * an answer takes tens of milliseconds, and the runner's thread has to do something else meanwhile.
 * A pull has room in the process's budget before it is sent, and what it brought holds that until
 * it was handed out. Used by one thread, which its answers are handed to.
 */
final class Pulls {
  private static final Logger LOG = LoggerFactory.getLogger(Pulls.class);

  /** Pulls on their way, or not handed out, while there are messages. */
  private static final int AT_ONCE = 3;

  /** What a pull may bring: more than the processor's cache holds is slower. */
  private static final long PULL_BYTES = 2L << 20;

  /** What Pub/Sub gives at most. */
  private static final int MAX_MESSAGES = 1_000;

  /** As long as nothing is known of how large messages are. */
  private static final int FIRST_MESSAGES = 100;

  /** Fewer are a trickle: nothing waits behind them. Pub/Sub gives less than it has, too. */
  private static final int TRICKLE = 10;

  /** How long is waited for an answer; see the same of Kafka's reader. */
  private static final Duration POLL_WAIT = Duration.ofMillis(100);

  private static final long PAUSE_NANOS = Duration.ofMillis(100).toNanos();
  private static final long FAILURE_PAUSE_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long SAY_EVERY_NANOS = Duration.ofSeconds(30).toNanos();

  /**
   * The answer to a pull.
   *
   * @param failure null where there was none
   */
  private record Answer(
      MemoryBudget.Share memory, Pulled pulled, @Nullable PubSubException failure) {}

  private final PubSubBus bus;
  private final PubSubClient client;
  private final Leases leases;
  private final Deque<MemoryBudget.Share> free = new ArrayDeque<>();
  private final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
  private int onTheirWay;
  private boolean isBusy;
  private long notBeforeNanos = System.nanoTime();
  private long saidNanos = System.nanoTime() - SAY_EVERY_NANOS;
  private double averageBytes = (double) PULL_BYTES / FIRST_MESSAGES;
  private MemoryBudget.@Nullable Share current;

  @GuardedBy("this")
  private boolean closed;

  Pulls(PubSubBus bus, PubSubClient client, Leases leases) {
    this.bus = bus;
    this.client = client;
    this.leases = leases;
    for (int i = 0; i < AT_ONCE; i++) {
      free.add(MemoryBudget.ofProcess().share());
    }
  }

  /**
   * Returns what a pull has brought, of no messages where there are none; empty where there is no
   * answer yet. What was returned before has gone on.
   *
   * @throws IOException if the subscription can't be read
   */
  Optional<Pulled> next() throws IOException {
    release();
    begin();
    Answer answer = await();
    if (answer == null) {
      return Optional.empty();
    }
    onTheirWay--;
    PubSubException failure = answer.failure;
    if (failure != null) {
      answer.memory.hold(0);
      free.add(answer.memory);
      failed(failure);
      return Optional.empty();
    }
    Pulled pulled = answer.pulled;
    isBusy = !pulled.messages().isEmpty();
    if (isBusy) {
      averageBytes += ((double) pulled.bytes() / pulled.messages().size() - averageBytes) / 4;
      current = answer.memory;
      // The next ones are on their way while these are worked off.
      begin();
    } else {
      answer.memory.hold(0);
      free.add(answer.memory);
      notBeforeNanos = System.nanoTime() + PAUSE_NANOS;
    }
    return Optional.of(pulled);
  }

  /** Returns whether nothing was known to wait behind a pull. */
  boolean endsBacklog(Pulled pulled) {
    return pulled.messages().size() < TRICKLE
        && pulled.dropped().isEmpty()
        && averageBytes * TRICKLE < PULL_BYTES
        && answers.isEmpty();
  }

  private void release() {
    if (current != null) {
      current.hold(0);
      free.add(current);
      current = null;
    }
  }

  private void begin() {
    while (!free.isEmpty()
        && onTheirWay < (isBusy ? AT_ONCE : 1)
        && System.nanoTime() - notBeforeNanos >= 0) {
      MemoryBudget.Share memory = free.remove();
      boolean mayWait = onTheirWay == 0 && current == null;
      if (!memory.await(PULL_BYTES, mayWait ? POLL_WAIT : Duration.ZERO)) {
        // What was read has to be written first.
        free.add(memory);
        return;
      }
      onTheirWay++;
      int most = (int) Math.max(1, Math.min(MAX_MESSAGES, PULL_BYTES / averageBytes));
      client.threads().execute(() -> pull(memory, most));
    }
  }

  private void pull(MemoryBudget.Share memory, int most) {
    Pulled nothing = new Pulled(List.of(), List.of(), List.of(), 0);
    Answer answer;
    try {
      Pulled pulled =
          client.send(
              "POST",
              bus.subscriptionPath() + ":pull",
              PubSubMessages.pull(most),
              body -> PubSubMessages.pulled(body, bus.topic(), PULL_BYTES));
      leases.took(pulled);
      memory.hold(pulled.bytes());
      answer = new Answer(memory, pulled, null);
    } catch (PubSubException e) {
      answer = new Answer(memory, nothing, e);
    } catch (RuntimeException | Error e) {
      // Whoever waits must hear of it.
      answer = new Answer(memory, nothing, new PubSubException(e.toString(), e));
    }
    give(answer);
  }

  /** What comes when nobody reads any more must not keep its room until it is collected. */
  private synchronized void give(Answer answer) {
    if (closed) {
      answer.memory.close();
    } else {
      answers.add(answer);
    }
  }

  private @Nullable Answer await() throws IOException {
    try {
      return answers.poll(POLL_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(bus.name() + ": interrupted while waiting for messages", e);
    }
  }

  private void failed(PubSubException e) throws IOException {
    if (e.isMissing()) {
      throw new IOException(PubSubCheck.missingSubscription(bus), e);
    }
    if (!e.isPassing()) {
      throw new IOException(bus.name() + " can't be read: " + e.getMessage(), e);
    }
    long now = System.nanoTime();
    isBusy = false;
    notBeforeNanos = now + FAILURE_PAUSE_NANOS;
    if (now - saidNanos >= SAY_EVERY_NANOS) {
      saidNanos = now;
      LOG.warn("{} can't be read now, and is tried again: {}", bus.name(), e.getMessage());
    }
  }

  /** Gives back the room; what is on its way goes back to Pub/Sub when it comes. */
  synchronized void close() {
    closed = true;
    release();
    answers.forEach(answer -> answer.memory.close());
    answers.clear();
    free.forEach(MemoryBudget.Share::close);
    free.clear();
  }
}
