package io.tailrace.bus.pubsub;

import java.time.Duration;
import java.util.Arrays;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;

/**
 * Guesses which publish time everything has reached: a subscription is in no order, and does not
 * tell how old the oldest message is that waits. What it brought during the last minute is taken
 * for what it brings next, as {@code PubsubIO} does; a subscription that brought nothing for that
 * long is a minute behind the clock at most. Not thread-safe.
 */
final class SubscriptionTimes {
  /** How far back is looked. */
  private static final Duration SAMPLE = Duration.ofMinutes(1);

  private static final int PARTS = 12;
  private static final long PART_MILLIS = SAMPLE.toMillis() / PARTS;
  private static final long NOTHING = Long.MAX_VALUE;

  private final long[] least = new long[PARTS];
  private final long begunMillis;
  private long part;
  private long watermarkMillis;
  private long answeredMillis = -1;

  /**
   * Creates one.
   *
   * @param restoredMillis the watermark before, which is never gone behind
   * @param nowMillis the reader's clock
   */
  SubscriptionTimes(long restoredMillis, long nowMillis) {
    this.watermarkMillis = Math.max(restoredMillis, BoundedWindow.TIMESTAMP_MIN_VALUE.getMillis());
    this.begunMillis = nowMillis;
    this.part = nowMillis / PART_MILLIS;
    Arrays.fill(least, NOTHING);
  }

  /** Notes that Pub/Sub has answered, with messages or without. */
  void answered(long nowMillis) {
    answeredMillis = nowMillis;
  }

  /** Notes the least publish time of a batch. */
  void saw(long leastMillis, long nowMillis) {
    move(nowMillis);
    int index = (int) (part % PARTS);
    least[index] = Math.min(least[index], leastMillis);
  }

  private void move(long nowMillis) {
    long now = nowMillis / PART_MILLIS;
    for (long passed = part + 1; passed <= now && passed <= part + PARTS; passed++) {
      least[(int) (passed % PARTS)] = NOTHING;
    }
    part = Math.max(part, now);
  }

  /** Returns the watermark, in milliseconds since the epoch. */
  long watermark(long nowMillis) {
    move(nowMillis);
    // Whoever has just begun has seen nothing of the disorder, and who gets no answer knows
    // nothing.
    boolean isKnown =
        nowMillis - begunMillis >= SAMPLE.toMillis() && nowMillis - answeredMillis < PART_MILLIS;
    if (isKnown) {
      long seen = Arrays.stream(least).min().orElse(NOTHING);
      watermarkMillis = Math.max(watermarkMillis, Math.min(seen, nowMillis - SAMPLE.toMillis()));
    }
    return watermarkMillis;
  }
}
