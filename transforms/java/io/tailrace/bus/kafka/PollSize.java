package io.tailrace.bus.kafka;

import org.apache.kafka.clients.consumer.Consumer;

/**
 * How many records a poll may hand out: many while they are small, as each poll costs something,
 * and few when they are large, so that little of what a poll unpacks is in vain. A consumer is told
 * when it is made, so another number needs another one. Used by one thread.
 */
final class PollSize {
  /** What one poll brings at most, decompressed, if it is more than one record. */
  private static final long POLL_BYTES = 4L << 20;

  /** From small records to large ones. */
  private static final int[] RECORDS = {KafkaConsumers.POLL_RECORDS, 100, 8, 1};

  /** How long large records are still expected: making a consumer costs a moment. */
  private static final long CALM_NANOS = 30_000_000_000L;

  private final BoundedPoll bounded = new BoundedPoll(POLL_BYTES);
  private boolean tooMuch;
  private int step;
  private long changedAt = System.nanoTime() - CALM_NANOS;

  /** Makes a consumer of the present size. */
  Consumer<byte[], byte[]> open(KafkaBus bus, String group) {
    return KafkaConsumers.open(bus, group, RECORDS[step], bounded);
  }

  /** Begins a poll. */
  void begin() {
    bounded.begin();
    tooMuch = false;
  }

  /** Returns whether a poll that has brought so many records may have left some. */
  boolean isFull(int records) {
    return records > 0 && (bounded.hasDropped() || records >= RECORDS[step]);
  }

  /**
   * Looks at what a poll has brought: records with neither key nor value come past the bound, and
   * their headers may be as large as any value.
   */
  void took(Assignment.Taken taken) {
    tooMuch = taken.records() > 1 && taken.bytes() > POLL_BYTES;
  }

  /**
   * Decides whether another number is better from now on.
   *
   * @param bytes that the last polls brought
   * @param count of records that they were
   * @return whether a new consumer has to be made
   */
  boolean hasChanged(long bytes, int count) {
    if (bounded.hasDropped() || tooMuch) {
      step = Math.min(step + 1, RECORDS.length - 1);
      changedAt = System.nanoTime();
      return true;
    }
    if (step > 0
        && count >= RECORDS[step]
        && bytes / count * RECORDS[step - 1] < POLL_BYTES / 2
        && System.nanoTime() - changedAt > CALM_NANOS) {
      step--;
      changedAt = System.nanoTime();
      return true;
    }
    return false;
  }
}
