package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.longs;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import org.junit.Test;

/** That {@link Micros} are exact where a long has room, and at its bounds elsewhere. */
public class MicrosTest {
  private static final BigInteger LEAST = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger GREATEST = BigInteger.valueOf(Long.MAX_VALUE);

  @Test
  public void anyTimeIsExactOrAtABound() {
    qt().forAll(
            longs().between(Instant.MIN.getEpochSecond(), Instant.MAX.getEpochSecond()),
            integers().between(0, 999_999_999))
        .checkAssert(
            (seconds, nanos) ->
                assertThat(Micros.of(Instant.ofEpochSecond(seconds, nanos)))
                    .isEqualTo(expected(seconds, nanos)));
  }

  @Test
  public void anyLengthIsExactOrAtABound() {
    qt().forAll(longs().all(), integers().between(0, 999_999_999))
        .checkAssert(
            (seconds, nanos) ->
                assertThat(Micros.of(Duration.ofSeconds(seconds, nanos)))
                    .isEqualTo(expected(seconds, nanos)));
  }

  @Test
  public void timesAtTheBoundsAreExact() {
    long last = Long.MAX_VALUE / 1_000_000;
    long first = Math.floorDiv(Long.MIN_VALUE, 1_000_000);
    for (long seconds : new long[] {last, last + 1, first - 1, first, first + 1, -1, 0}) {
      for (int nanos : new int[] {0, 224_191_999, 224_192_000, 775_807_999, 775_808_000}) {
        assertThat(Micros.of(Instant.ofEpochSecond(seconds, nanos)))
            .isEqualTo(expected(seconds, nanos));
      }
    }
    assertThat(Micros.of(Instant.MIN)).isEqualTo(Long.MIN_VALUE);
    assertThat(Micros.of(Instant.MAX)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  public void anyMicrosecondsAreATimeAndBack() {
    qt().forAll(longs().all())
        .checkAssert(micros -> assertThat(Micros.of(Micros.instant(micros))).isEqualTo(micros));
    for (long micros : new long[] {Long.MIN_VALUE, -1, 0, 1, Long.MAX_VALUE}) {
      assertThat(Micros.of(Micros.instant(micros))).isEqualTo(micros);
    }
  }

  @Test
  public void anyMillisecondsAreExactOrAtABound() {
    qt().forAll(longs().all())
        .checkAssert(
            millis ->
                assertThat(Micros.ofMillis(millis))
                    .isEqualTo(
                        BigInteger.valueOf(millis)
                            .multiply(BigInteger.valueOf(1_000))
                            .max(LEAST)
                            .min(GREATEST)
                            .longValueExact()));
    for (long millis : new long[] {Long.MAX_VALUE / 1_000, Long.MIN_VALUE / 1_000, -1, 0, 1}) {
      assertThat(Micros.toMillis(Micros.ofMillis(millis))).isEqualTo(millis);
    }
  }

  @Test
  public void whatIsSmallerIsCutOffTowardsThePast() {
    assertThat(Micros.of(Instant.ofEpochSecond(0, 1_999))).isEqualTo(1);
    assertThat(Micros.of(Instant.ofEpochSecond(0, -1))).isEqualTo(-1);
    assertThat(Micros.toMillis(1_999)).isEqualTo(1);
    assertThat(Micros.toMillis(-1)).isEqualTo(-1);
  }

  @Test
  public void nowIsTheTimeOfTheClock() {
    Instant before = Instant.now();
    Instant now = Micros.instant(Micros.now());
    assertThat(now).isAtLeast(before.minusNanos(1_000));
    assertThat(now).isAtMost(Instant.now());
  }

  private static long expected(long seconds, int nanos) {
    return BigInteger.valueOf(seconds)
        .multiply(BigInteger.valueOf(1_000_000))
        .add(BigInteger.valueOf(nanos / 1_000))
        .max(LEAST)
        .min(GREATEST)
        .longValueExact();
  }
}
