package io.tailrace.online.dynamodb;

import static com.google.common.truth.Truth.assertThat;

import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** How many requests are on their way at once while DynamoDB throttles, and after. */
@RunWith(JUnit4.class)
public class PaceTest {
  private final Pace pace = new Pace(8);

  @Test
  public void requestsThatAreThrottledTogetherHalveItOnce() throws Exception {
    enter(8);

    leave(3, true);

    assertThat(pace.allowed()).isEqualTo(4);
  }

  @Test
  public void itGrowsByOneForAsManyAnswersAsItAllowsUpToWhatItWas() throws Exception {
    enter(1);
    leave(1, true);
    assertThat(pace.allowed()).isEqualTo(4);

    for (int i = 0; i < 4; i++) {
      enter(1);
      leave(1, false);
    }
    assertThat(pace.allowed()).isEqualTo(5);

    for (int i = 0; i < 100; i++) {
      enter(1);
      leave(1, false);
    }
    assertThat(pace.allowed()).isEqualTo(8);
  }

  @Test
  public void oneRequestIsAlwaysAllowed() throws Exception {
    for (int i = 0; i < 10; i++) {
      enter(1);
      leave(1, false);
      enter(1);
      leave(1, true);
    }

    assertThat(pace.allowed()).isEqualTo(1);
    Pace ofOne = new Pace(1);
    ofOne.enter();
    ofOne.leave(true);
    assertThat(ofOne.allowed()).isEqualTo(1);
  }

  @Test
  public void whoIsTooManyWaitsUntilAnotherHasItsAnswer() throws Exception {
    enter(8);
    Thread ninth =
        new Thread(
            () -> {
              try {
                pace.enter();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    ninth.start();
    while (ninth.getState() != Thread.State.WAITING) {
      assertThat(ninth.isAlive()).isTrue();
      Thread.sleep(1);
    }

    leave(1, false);

    ninth.join();
  }

  private void enter(int requests) throws InterruptedException {
    for (int i = 0; i < requests; i++) {
      pace.enter();
    }
  }

  private void leave(int requests, boolean throttled) {
    for (int i = 0; i < requests; i++) {
      pace.leave(throttled);
    }
  }
}
