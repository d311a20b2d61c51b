package io.tailrace.online.dynamodb;

/**
 * How many requests are on their way at once: half as many after a request that was throttled, and
 * one more after as many that were not. Thread-safe.
 */
final class Pace {
  private final int most;
  private int allowed;
  private int underWay;
  private int sinceGrown;
  private boolean halvedLast;

  Pace(int most) {
    this.most = most;
    this.allowed = most;
  }

  /** Waits until another request may be sent. */
  synchronized void enter() throws InterruptedException {
    while (underWay >= allowed) {
      wait();
    }
    underWay++;
  }

  /** Ends a request. */
  synchronized void leave(boolean throttled) {
    underWay--;
    if (throttled) {
      // Those that are under way were sent at the old pace: together they are throttled once.
      if (!halvedLast) {
        allowed = Math.max(1, allowed / 2);
        sinceGrown = 0;
        halvedLast = true;
      }
    } else {
      halvedLast = false;
      sinceGrown++;
      if (sinceGrown >= allowed && allowed < most) {
        allowed++;
        sinceGrown = 0;
      }
    }
    notifyAll();
  }

  /** Returns how many requests may be on their way now. */
  synchronized int allowed() {
    return allowed;
  }
}
