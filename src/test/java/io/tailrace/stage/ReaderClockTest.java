package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.bus.Replayed;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.time.Instant;
import org.junit.Test;

/** A clock that is behind condemns nothing, and one broker's clock does not make it so. */
public class ReaderClockTest {
  private static final long T = Micros.of(Instant.parse("2026-03-01T12:00:00Z"));
  private static final long MINUTE = 60_000_000;

  private long now = T;
  private long nanos;
  private final ReaderClock clock =
      new ReaderClock(() -> Micros.instant(now), Duration.ofMinutes(5), () -> nanos);

  @Test
  public void aClockThatIsBehindTheStoresIsSaidAndWhoseItIs() {
    UnavailableException e =
        assertThrows(
            UnavailableException.class,
            () -> clock.check("redis://cache", () -> Micros.instant(T + 5 * MINUTE + 1)));

    assertThat(e)
        .hasMessageThat()
        .isEqualTo(
            "this worker's clock is behind: it says 2026-03-01T12:00:00Z, and that of redis://cache"
                + " is 2026-03-01T12:05:00.000001Z, more than the 300 s later by which clocks may"
                + " differ (maxClockSkew). Set the worker's clock (NTP); until then nothing is"
                + " judged by it");
  }

  @Test
  public void aClockThatDiffersByTheLimitOrIsAheadIsGood() throws Exception {
    clock.check("store", () -> Micros.instant(T + 5 * MINUTE));
    nanos += Duration.ofMinutes(2).toNanos();
    clock.check("store", () -> Micros.instant(T - 60 * MINUTE));
  }

  @Test
  public void theStoreIsAskedAtFirstAndEveryMinute() throws Exception {
    int[] asked = {0};
    ReaderClock.StoreClock store =
        () -> {
          asked[0]++;
          return Micros.instant(now);
        };
    clock.check("store", store);
    clock.check("store", store);
    nanos += Duration.ofSeconds(59).toNanos();
    clock.check("store", store);
    assertThat(asked[0]).isEqualTo(1);

    nanos += Duration.ofSeconds(1).toNanos();
    clock.check("store", store);
    assertThat(asked[0]).isEqualTo(2);
  }

  @Test
  public void aClockThatFallsBehindIsFoundOutAndAskedAboutAgainAtOnce() throws Exception {
    clock.check("store", () -> Micros.instant(T));
    nanos += Duration.ofMinutes(1).toNanos();

    assertThrows(
        UnavailableException.class,
        () -> clock.check("store", () -> Micros.instant(T + 1_000 * MINUTE)));
    assertThrows(
        UnavailableException.class,
        () -> clock.check("store", () -> Micros.instant(T + 1_000 * MINUTE)));
    now = T + 999 * MINUTE;
    clock.check("store", () -> Micros.instant(T + 1_000 * MINUTE));
  }

  @Test
  public void theBusSaysWhenAMessageWasPublished() throws Exception {
    assertThat(clock.publishTime(appended(0, T - 100 * MINUTE))).isEqualTo(T - 100 * MINUTE);
    assertThat(clock.publishTime(appended(0, T + 5 * MINUTE))).isEqualTo(T + 5 * MINUTE);
  }

  @Test
  public void whatAPublisherSaysCondemnsNothing() throws Exception {
    for (long said : new long[] {Long.MIN_VALUE, -1, 0, 1, T - 60 * MINUTE, T + 60 * MINUTE}) {
      assertThat(
              clock.publishTime(
                  BusMessage.of(
                      new byte[1], Place.numbered("t", 0, 1), MessageTime.ofPublisher(said))))
          .isEqualTo(T);
    }
  }

  @Test
  public void withoutAStoreABrokerThatIsAheadSaysThatThisClockIsBehind() {
    UnavailableException e =
        assertThrows(
            UnavailableException.class, () -> clock.publishTime(appended(0, T + 5 * MINUTE + 1)));

    assertThat(e).hasMessageThat().contains("this worker's clock is behind");
    assertThat(e).hasMessageThat().contains("the time at which the broker appended t[0]@1");
  }

  @Test
  public void oneBrokerThatIsAheadOfTheStoreTooIsNotBelieved() throws Exception {
    clock.check("store", () -> Micros.instant(T));

    assertThat(clock.publishTime(appended(0, T + 6 * MINUTE))).isEqualTo(T);
    assertThat(clock.publishTime(appended(0, T + 6 * MINUTE))).isEqualTo(T);
  }

  @Test
  public void twoThatAreAheadOfTheStoreTooAre() throws Exception {
    clock.check("store", () -> Micros.instant(T));
    assertThat(clock.publishTime(appended(0, T + 6 * MINUTE))).isEqualTo(T);

    assertThrows(UnavailableException.class, () -> clock.publishTime(appended(1, T + 6 * MINUTE)));
  }

  @Test
  public void twoThatAreAheadAreNotBelievedWhereAnotherAgreesWithThisClock() throws Exception {
    clock.check("store", () -> Micros.instant(T));
    assertThat(clock.publishTime(appended(0, T + 6 * MINUTE))).isEqualTo(T);
    assertThat(clock.publishTime(appended(2, T - 1))).isEqualTo(T - 1);

    assertThat(clock.publishTime(appended(1, T + 6 * MINUTE))).isEqualTo(T);
  }

  @Test
  public void whatWasSeenAMinuteAgoCountsNoMore() throws Exception {
    clock.check("store", () -> Micros.instant(T));
    clock.publishTime(appended(0, T + 6 * MINUTE));
    nanos += Duration.ofSeconds(61).toNanos();

    assertThat(clock.publishTime(appended(1, T + 6 * MINUTE))).isEqualTo(T);
  }

  @Test
  public void aReplayedMessageHasItsOriginalsTimeAndBlamesNobody() throws Exception {
    BusMessage replayed =
        BusMessage.of(
            new byte[1],
            null,
            Place.numbered("t", 0, 1),
            MessageTime.ofBus(T),
            Headers.of(
                Header.of(Replayed.WRITER, "online-writer"),
                Header.of(Replayed.FAILED_AT, "2026-01-31T12:00:00Z"),
                Header.of(Replayed.PUBLISHED_AT, "2027-01-31T12:00:00Z")));

    assertThat(clock.publishTime(replayed)).isEqualTo(T);
  }

  private static BusMessage appended(int partition, long at) {
    return BusMessage.of(new byte[1], Place.numbered("t", partition, 1), MessageTime.ofBus(at));
  }
}
