package io.tailrace.bus;

import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes of the heap that what is on its way may take in this process: what polls brought, what
 * was decoded of it, and what is gathered until it is written. One for all writers of a process,
 * whichever class loaders they come from: two jobs in one worker share its heap, too.
 *
 * <p>Only a poll waits for room, and it waits holding nothing: what it brought before has gone on.
 * Every later stage takes what it needs at once, also beyond the budget, and when that is overdrawn
 * writes what it has before it takes more. So whoever holds never waits, all that is held is given
 * back, and polls go on: there is no way to stand still. Beyond the budget is at most one message
 * or file of each thread, and none of those alone may take more than {@link #largest}.
 *
 * <p>What something takes is said through a {@link Share}, of which each holder has one:
 *
 * <pre>{@code
 * // A reader                                          // A stage
 * Share share = MemoryBudget.ofProcess().share();      share = MemoryBudget.ofProcess().share();  // @Setup
 *
 * share.hold(0);                                       share.hold(0);             // @StartBundle
 * if (!share.await(POLL_BYTES, POLL_WAIT)) {           share.hold(gathered);      // @ProcessElement
 *   return false;                                      if (full || share.isOverdrawn()) {
 * }                                                      write();
 * share.hold(bytes of what the poll brought);            share.hold(0);
 *                                                      }
 * share.close();                                       share.close();             // @Teardown
 * }</pre>
 *
 * <p>A share says how much it holds, not how much more or less, so that nothing adds up wrongly
 * when a bundle fails: the next one begins with nothing. One that nobody closed is given back when
 * it is collected. A stage that gathers leaves most of it to {@code Gathered}.
 *
 * <p>Thread-safe.
 */
public final class MemoryBudget {
  /** What is left of the heap has to do for the program, its buffers and what is in its hands. */
  private static final int PART_OF_HEAP = 4;

  /** Shares take and give back so many bytes at a time: threads seldom meet. */
  private static final long STEP = 64 << 10;

  private static final long PAUSE_MILLIS = 5;

  /**
   * After so long without room, it may be held by shares that are garbage: where everything waits,
   * nothing is allocated, and so nothing collected.
   */
  private static final long COLLECTION_AFTER_NANOS = 10_000_000_000L;

  /** Names the count of what is taken among the system's properties: all class loaders see them. */
  private static final String TAKEN = "tailrace.memory.taken";

  private static final Cleaner CLEANER = Cleaner.create();

  private static final MemoryBudget OF_PROCESS =
      new MemoryBudget(Runtime.getRuntime().maxMemory() / PART_OF_HEAP, taken());

  private final long bytes;
  private final AtomicLong taken;

  /** For tests: a budget of its own. */
  MemoryBudget(long bytes, AtomicLong taken) {
    this.bytes = bytes;
    this.taken = taken;
  }

  private static AtomicLong taken() {
    Properties shared = System.getProperties();
    return (AtomicLong) shared.computeIfAbsent(TAKEN, unused -> new AtomicLong());
  }

  /** Returns the budget of this process: a quarter of its heap. */
  public static MemoryBudget ofProcess() {
    return OF_PROCESS;
  }

  /** Returns how many bytes may be held. */
  public long bytes() {
    return bytes;
  }

  /**
   * Returns the most that one message or file may take, decoded: half of the budget. What takes
   * more is {@code TOO_LARGE}, which is decided before it is decoded.
   */
  public long largest() {
    return bytes / 2;
  }

  /** Returns how many bytes are held by all shares together, to a few kilobytes each. */
  public long held() {
    return taken.get();
  }

  /** Returns a share that holds nothing yet. */
  public Share share() {
    return new Share(this);
  }

  /** What one holder has of a budget. Not thread-safe; close it. */
  public static final class Share implements AutoCloseable {
    private final MemoryBudget budget;
    // What this share has taken of the budget: also known to whoever collects it.
    private final AtomicLong mine;
    private final Cleaner.Cleanable cleanable;
    // When it was refused first, or a collection was asked for; zero: not refused.
    private long refusedSince;

    private Share(MemoryBudget budget) {
      this.budget = budget;
      this.mine = new AtomicLong();
      AtomicLong taken = budget.taken;
      AtomicLong own = mine;
      // Without a reference to the share itself, which would never be collected.
      this.cleanable = CLEANER.register(this, () -> taken.addAndGet(-own.getAndSet(0)));
    }

    /**
     * Says how many bytes this holder has now. Takes what it lacks at once, also beyond the budget.
     */
    public void hold(long held) {
      long now = mine.get();
      if (held == 0 ? now != 0 : held > now || held < now - 2 * STEP) {
        long wanted = held == 0 ? 0 : (held / STEP + 1) * STEP;
        mine.set(wanted);
        budget.taken.addAndGet(wanted - now);
      }
    }

    /**
     * Waits until there is room, and takes it. For polls, which hold nothing meanwhile.
     *
     * @param room how many bytes may come
     * @param atMost how long to wait
     * @return whether there was room; if not, nothing is held
     */
    public boolean await(long room, Duration atMost) {
      hold(0);
      long start = System.nanoTime();
      while (!tryTake(room)) {
        long now = System.nanoTime();
        if (refusedSince == 0) {
          refusedSince = now;
        } else if (now - refusedSince > COLLECTION_AFTER_NANOS) {
          refusedSince = now;
          System.gc();
        }
        if (now - start >= atMost.toNanos() || !pause()) {
          return false;
        }
      }
      refusedSince = 0;
      return true;
    }

    private boolean tryTake(long room) {
      while (true) {
        long before = budget.taken.get();
        // Where nothing is held, even the smallest heap has to go on.
        if (before > 0 && before + room > budget.bytes) {
          return false;
        }
        if (budget.taken.compareAndSet(before, before + room)) {
          mine.set(room);
          return true;
        }
      }
    }

    private static boolean pause() {
      try {
        Thread.sleep(PAUSE_MILLIS);
        return true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }

    /** Returns whether more is held than the budget has, so that what is held should be written. */
    public boolean isOverdrawn() {
      return budget.taken.get() > budget.bytes;
    }

    /** Returns how many bytes are held, rounded up. */
    public long held() {
      return mine.get();
    }

    /** Gives back what is held, for good. */
    @Override
    public void close() {
      cleanable.clean();
    }
  }
}
