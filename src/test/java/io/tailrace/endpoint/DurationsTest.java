package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.time.Duration;
import java.util.List;
import org.junit.Test;

/** Which texts are {@link Durations}, and what is said of those that are none. */
public class DurationsTest {
  @Test
  public void durationsHaveAUnit() {
    assertThat(Durations.parse("500ms")).isEqualTo(Duration.ofMillis(500));
    assertThat(Durations.parse("30s")).isEqualTo(Duration.ofSeconds(30));
    assertThat(Durations.parse("10m")).isEqualTo(Duration.ofMinutes(10));
    assertThat(Durations.parse("1H")).isEqualTo(Duration.ofHours(1));
    assertThat(Durations.parse("14d")).isEqualTo(Duration.ofDays(14));
    assertThat(Durations.parse("PT1M30S")).isEqualTo(Duration.ofSeconds(90));
  }

  @Test
  public void whatIsNoDurationIsRefused() {
    for (String wrong :
        List.of("", "5", "ms", "s", "-5s", "-5ms", "5 s", "1.5h", "5w", "5MS", "soon")) {
      assertThat(refusal(wrong))
          .isEqualTo(wrong + " is not a duration such as 500ms, 30s, 10m, 1h or 14d");
    }
  }

  @Test
  public void theyAreBetweenAMillisecondAndAHundredYears() {
    assertThat(Durations.parse("1ms")).isEqualTo(Duration.ofMillis(1));
    assertThat(Durations.parse("36500d")).isEqualTo(Duration.ofDays(36_500));
    for (String wrong :
        List.of(
            "0s",
            "PT0.000999999S",
            "PT-5S",
            "36501d",
            "110000000d",
            "9223372036854775ms",
            "999999999999999999d",
            "PT876000H0.000000001S")) {
      assertThat(refusal(wrong)).isEqualTo(wrong + " is not between 1ms and 36500d (100 years)");
    }
    assertThrows(IllegalArgumentException.class, () -> Durations.parse("9223372036854775807ms"));
  }

  @Test
  public void zeroIsTakenWhereItMeansOff() {
    assertThat(Durations.parseOrZero("0s")).isEqualTo(Duration.ZERO);
    assertThat(Durations.parseOrZero("0ms")).isEqualTo(Duration.ZERO);
    assertThat(Durations.parseOrZero("PT0S")).isEqualTo(Duration.ZERO);
    assertThat(Durations.parseOrZero("30s")).isEqualTo(Duration.ofSeconds(30));
    for (String wrong : List.of("PT0.0001S", "PT-5S", "36501d", "soon")) {
      assertThrows(wrong, IllegalArgumentException.class, () -> Durations.parseOrZero(wrong));
    }
  }

  @Test
  public void millisecondsInAnIntEndAtItsGreatest() {
    assertThat(Durations.intMillis(Duration.ofSeconds(5))).isEqualTo(5_000);
    assertThat(Durations.intMillis(Duration.ofDays(30))).isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  public void aSentenceSaysSecondsOrMilliseconds() {
    assertThat(Durations.text(Duration.ofMillis(999))).isEqualTo("999 ms");
    assertThat(Durations.text(Duration.ofMillis(1_500))).isEqualTo("1 s");
    assertThat(Durations.text(Duration.ofMinutes(2))).isEqualTo("120 s");
  }

  private static String refusal(String text) {
    return assertThrows(text, IllegalArgumentException.class, () -> Durations.parse(text))
        .getMessage();
  }
}
