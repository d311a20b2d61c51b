package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.Test;

/** That what is tried again ends, whatever the time went on, and says why. */
public class RetryTest {
  /** Only tries take time by it; pauses are short, as are the first ones. */
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);

  @Test
  public void triesCountAgainstTheDeadline() throws Exception {
    Retry retry = new Retry("redis://a:1", Duration.ofSeconds(30), nanos::get);
    // The first failure, from which on it counts, and two more within the time.
    for (int i = 0; i < 3; i++) {
      nanos.addAndGet(Duration.ofSeconds(10).toNanos());
      retry.pause("it is frozen");
    }
    nanos.addAndGet(Duration.ofSeconds(10).toNanos());

    UnavailableException e =
        assertThrows(UnavailableException.class, () -> retry.pause("it is still frozen"));

    assertThat(e)
        .hasMessageThat()
        .isEqualTo("redis://a:1 can't be used for 30 s: it is still frozen");
    assertThat(e).hasCauseThat().isNull();
  }

  @Test
  public void pausesCountAgainstTheDeadline() {
    Retry retry = Retry.of("a", Duration.ofMillis(100));
    Exception cause = new Exception("down");

    UnavailableException e =
        assertThrows(
            UnavailableException.class,
            () -> {
              while (true) {
                retry.pause("it is down", cause);
              }
            });

    assertThat(e).hasMessageThat().isEqualTo("a can't be used for 100 ms: it is down");
    assertThat(e).hasCauseThat().isSameInstanceAs(cause);
  }

  @Test
  public void aFirstTryThatTookLongerThanTheTimeIsFollowedByAnother() throws Exception {
    Retry retry = new Retry("a", Duration.ofSeconds(30), nanos::get);
    nanos.addAndGet(Duration.ofMinutes(1).toNanos());

    retry.pause("the connection broke");
  }

  @Test
  public void withoutTimeNothingIsTriedAgain() {
    Retry retry = Retry.of("a", Duration.ZERO);

    assertThat(assertThrows(UnavailableException.class, () -> retry.pause("it is down")))
        .hasMessageThat()
        .isEqualTo("a can't be used for 0 ms: it is down");
  }

  @Test
  public void answersThatSayWhatToDoAreFollowedAtOnceButNotForEver() throws Exception {
    Retry atOnce = Retry.of("a", Duration.ZERO);
    for (int i = 0; i < 5; i++) {
      atOnce.atOnce("ASK");
    }
    Retry retry = Retry.of("a", Duration.ofMillis(100));

    UnavailableException e =
        assertThrows(
            UnavailableException.class,
            () -> {
              while (true) {
                retry.atOnce("ASK 1 b:2");
              }
            });

    assertThat(e).hasMessageThat().isEqualTo("a can't be used for 100 ms: ASK 1 b:2");
  }

  @Test
  public void anInterruptEndsItAndIsKept() {
    Retry retry = Retry.of("a", Duration.ofDays(1));
    Thread.currentThread().interrupt();

    UnavailableException e =
        assertThrows(UnavailableException.class, () -> retry.pause("it is down"));

    assertThat(Thread.interrupted()).isTrue();
    assertThat(e).hasMessageThat().isEqualTo("a: interrupted while waiting: it is down");
  }
}
