package io.tailrace.bus.pubsub;

import io.tailrace.bus.MemoryBudget;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The messages that a reader has got and not acknowledged. Pub/Sub gives them to another reader
 * when their time is over, so it is extended, in a thread of its own, for as long as somebody asks
 * the reader for more. They are acknowledged when a checkpoint that they are before is durable, and
 * given back when the reader ends before there is one.
 *
 * <p>What their ids take of the heap is held of the process's budget: no more is read before a
 * checkpoint has let go of them. Thread-safe.
 */
final class Leases implements PubSubMark.Acknowledges {
  private static final Logger LOG = LoggerFactory.getLogger(Leases.class);

  /** How long a lease is made: after the end of a process so long nobody gets its messages. */
  private static final int LEASE_SECONDS = 60;

  /** What a subscription has at least, and unless it says otherwise. */
  static final int LEAST_SECONDS = 10;

  /** A reader that was not asked for so long does not go on, or another goes on before it. */
  private static final long ALIVE_NANOS = Duration.ofMinutes(5).toNanos();

  /** How often is looked what is due. */
  private static final long TICK_MILLIS = 250;

  /** A request may have 512 KB, and an id some 200 characters. */
  private static final int MAX_IDS = 1_000;

  private static final int MAX_IDS_CHARS = 400_000;

  /** What an id takes beside its characters. */
  private static final int ID_OVERHEAD = 60;

  private static final long CLOSE_MILLIS = 2_000;

  /** Messages of one pull. */
  private static final class Batch {
    private final List<String> ackIds;
    private final long bytes;
    private long extendAtNanos;
    // Zero: not handed out yet.
    private long number;

    Batch(List<String> ackIds, long extendAtNanos) {
      this.ackIds = ackIds;
      this.extendAtNanos = extendAtNanos;
      this.bytes = ackIds.stream().mapToLong(id -> id.length() + ID_OVERHEAD).sum();
    }
  }

  private final PubSubBus bus;
  private final PubSubClient client;
  private final long firstNanos;
  private final MemoryBudget.Share memory = MemoryBudget.ofProcess().share();
  private final Deque<Batch> batches = new ArrayDeque<>();
  private final List<String> toAcknowledge = new ArrayList<>();
  private final List<String> toGiveBack = new ArrayList<>();
  private final Thread thread;
  private long bytes;
  private long handedOut;
  private long marked;
  private long aliveNanos = System.nanoTime();
  private long failures;
  private boolean closed;

  /**
   * Creates it; {@link #start} begins.
   *
   * @param first after how long a lease is extended first: before the subscription's own is over
   */
  Leases(PubSubBus bus, PubSubClient client, Duration first) {
    this.bus = bus;
    this.client = client;
    this.firstNanos = first.toNanos();
    this.thread = new Thread(this::run, "pubsub leases of " + bus.topic());
    this.thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Takes what a pull has brought; once the reader has ended, it is given back. */
  synchronized void took(PubSubMessages.Pulled pulled) {
    toGiveBack.addAll(pulled.dropped());
    if (closed) {
      toGiveBack.addAll(pulled.ackIds());
      client.threads().execute(this::giveBack);
    } else if (!pulled.ackIds().isEmpty()) {
      Batch batch = new Batch(pulled.ackIds(), System.nanoTime() + firstNanos);
      batches.add(batch);
      bytes += batch.bytes;
      memory.hold(bytes);
    }
    notifyAll();
  }

  /** Notes that a pull is handed out, and that the reader is asked. */
  synchronized void handOut(PubSubMessages.Pulled pulled) {
    for (Batch batch : batches) {
      if (batch.ackIds.get(0).equals(pulled.ackIds().get(0))) {
        batch.number = ++handedOut;
      }
    }
  }

  /** Notes that somebody asks the reader for more. */
  synchronized void alive() {
    aliveNanos = System.nanoTime();
  }

  /** Returns the number of the last batch that was handed out, for a mark. */
  synchronized long mark() {
    marked = handedOut;
    return marked;
  }

  @Override
  public synchronized void upTo(long number) {
    Iterator<Batch> all = batches.iterator();
    while (all.hasNext()) {
      Batch batch = all.next();
      if (batch.number > 0 && batch.number <= number) {
        toAcknowledge.addAll(batch.ackIds);
        bytes -= batch.bytes;
        all.remove();
      }
    }
    if (closed) {
      client.threads().execute(this::acknowledge);
    } else {
      memory.hold(bytes);
      notifyAll();
    }
  }

  /** Returns how many acknowledgements have failed since this was asked. */
  synchronized long takeFailures() {
    long count = failures;
    failures = 0;
    return count;
  }

  /** Ends: what no mark has is given back at once, the rest when its time is over. */
  void close() {
    synchronized (this) {
      closed = true;
      batches.removeIf(
          batch -> {
            boolean isOfNoMark = batch.number == 0 || batch.number > marked;
            if (isOfNoMark) {
              toGiveBack.addAll(batch.ackIds);
            }
            return isOfNoMark;
          });
      memory.close();
      notifyAll();
    }
    try {
      thread.join(CLOSE_MILLIS);
    } catch (InterruptedException e) {
      // The thread goes on: it is not the one that was interrupted.
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    while (true) {
      List<Batch> due = List.of();
      boolean ends;
      synchronized (this) {
        if (!closed && toAcknowledge.isEmpty() && toGiveBack.isEmpty()) {
          try {
            wait(TICK_MILLIS);
          } catch (InterruptedException e) {
            return;
          }
        }
        ends = closed;
        long now = System.nanoTime();
        if (!closed && now - aliveNanos < ALIVE_NANOS) {
          due = batches.stream().filter(batch -> batch.extendAtNanos - now <= 0).toList();
          long next = now + Duration.ofSeconds(LEASE_SECONDS).toNanos() / 2;
          due.forEach(batch -> batch.extendAtNanos = next);
        }
      }
      acknowledge();
      giveBack();
      if (ends) {
        return;
      }
      List<String> ids = new ArrayList<>();
      due.forEach(batch -> ids.addAll(batch.ackIds));
      modify(ids, LEASE_SECONDS);
    }
  }

  private void acknowledge() {
    List<String> ids = take(toAcknowledge);
    Set<String> failed = new HashSet<>();
    for (List<String> some : chunks(ids)) {
      try {
        var unused =
            client.post(bus.subscriptionPath() + ":acknowledge", PubSubMessages.acknowledge(some));
      } catch (PubSubException e) {
        // Not lost: what is not acknowledged comes again.
        LOG.warn("{}: messages were not acknowledged: {}", bus.name(), e.getMessage());
        failed.addAll(e.isPassing() ? some : List.of());
        synchronized (this) {
          failures++;
        }
      }
    }
    if (!failed.isEmpty()) {
      synchronized (this) {
        toAcknowledge.addAll(failed);
      }
      pause();
    }
  }

  private void pause() {
    try {
      Thread.sleep(TICK_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void giveBack() {
    modify(take(toGiveBack), 0);
  }

  private void modify(List<String> ids, int seconds) {
    for (List<String> some : chunks(ids)) {
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

  private synchronized List<String> take(List<String> from) {
    List<String> taken = List.copyOf(from);
    from.clear();
    return taken;
  }

  /** Divides ids into as many as a request may have. */
  static List<List<String>> chunks(List<String> ids) {
    List<List<String>> chunks = new ArrayList<>();
    int from = 0;
    int chars = 0;
    for (int i = 0; i < ids.size(); i++) {
      chars += ids.get(i).length() + 3;
      if (i - from == MAX_IDS || (chars > MAX_IDS_CHARS && i > from)) {
        chunks.add(ids.subList(from, i));
        from = i;
        chars = ids.get(i).length() + 3;
      }
    }
    if (from < ids.size()) {
      chunks.add(ids.subList(from, ids.size()));
    }
    return chunks;
  }
}
