package io.tailrace.online;

import static com.google.common.truth.Truth.assertThat;

import java.time.Duration;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** No more entities are written in a second than are allowed. */
@RunWith(JUnit4.class)
public class WriteRateTest {
  private long now = -5_000_000_000L;

  private final WriteRate.Time time =
      new WriteRate.Time() {
        @Override
        public long nanos() {
          return now;
        }

        @Override
        public void sleep(Duration wait) {
          now += wait.toNanos();
        }
      };

  @Test
  public void whatIsWrittenIsSpreadEvenly() {
    WriteRate rate = WriteRate.of(1_000, time);

    assertThat(rate.portion()).isEqualTo(50);
    assertThat(rate.reserve(50)).isEqualTo(Duration.ZERO);
    assertThat(rate.reserve(50)).isEqualTo(Duration.ofMillis(50));
    now += Duration.ofMillis(60).toNanos();
    assertThat(rate.reserve(100)).isEqualTo(Duration.ofMillis(40));
    assertThat(rate.reserve(1)).isEqualTo(Duration.ofMillis(140));
  }

  @Test
  public void whatIsNotUsedIsNotSavedUp() {
    WriteRate rate = WriteRate.of(10, time);
    now += Duration.ofHours(1).toNanos();

    assertThat(rate.portion()).isEqualTo(1);
    assertThat(rate.reserve(1)).isEqualTo(Duration.ZERO);
    assertThat(rate.reserve(1)).isEqualTo(Duration.ofMillis(100));
  }

  @Test
  public void withoutALimitNobodyWaits() {
    WriteRate rate = WriteRate.of(0, time);

    assertThat(rate.portion()).isEqualTo(Integer.MAX_VALUE);
    assertThat(rate.reserve(1_000_000)).isEqualTo(Duration.ZERO);
    assertThat(rate.reserve(1_000_000)).isEqualTo(Duration.ZERO);
  }
}
