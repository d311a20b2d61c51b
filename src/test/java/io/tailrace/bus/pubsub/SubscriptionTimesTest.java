package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;

import org.junit.Test;

/** Which event time a subscription, which is in no order, is said to have reached. */
public class SubscriptionTimesTest {
  private static final long START = 1_795_514_400_000L;
  private static final long SECOND = 1_000;

  private final SubscriptionTimes times = new SubscriptionTimes(Long.MIN_VALUE, START);

  @Test
  public void nothingIsSaidBeforeAMinuteWasSeen() {
    times.answered(START);
    long first = times.watermark(START);
    times.saw(START, START + 59 * SECOND);
    times.answered(START + 59 * SECOND);

    assertThat(times.watermark(START + 59 * SECOND)).isEqualTo(first);
    times.answered(START + 60 * SECOND);
    assertThat(times.watermark(START + 60 * SECOND)).isEqualTo(START);
  }

  @Test
  public void itIsTheLeastOfTheLastMinute() {
    long now = START + 100 * SECOND;
    times.saw(START - 500 * SECOND, now);
    times.saw(START - 900 * SECOND, now + SECOND);
    times.saw(START - 300 * SECOND, now + 2 * SECOND);
    times.answered(now + 2 * SECOND);
    assertThat(times.watermark(now + 2 * SECOND)).isEqualTo(START - 900 * SECOND);

    long later = now + 65 * SECOND;
    times.saw(START - 200 * SECOND, later);
    times.answered(later);
    assertThat(times.watermark(later)).isEqualTo(START - 200 * SECOND);
  }

  @Test
  public void itNeverGoesBack() {
    long now = START + 100 * SECOND;
    times.answered(now);
    assertThat(times.watermark(now)).isEqualTo(now - 60 * SECOND);
    times.saw(START - 900 * SECOND, now);
    assertThat(times.watermark(now)).isEqualTo(now - 60 * SECOND);
    assertThat(new SubscriptionTimes(START, START).watermark(START)).isEqualTo(START);
  }

  @Test
  public void withoutAnAnswerItStands() {
    long now = START + 100 * SECOND;
    times.answered(now);
    long before = times.watermark(now);

    assertThat(times.watermark(now + 300 * SECOND)).isEqualTo(before);
    times.answered(now + 300 * SECOND);
    assertThat(times.watermark(now + 300 * SECOND)).isEqualTo(now + 240 * SECOND);
  }
}
