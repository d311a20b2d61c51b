package io.tailrace.bus;

import static com.google.common.truth.Truth.assertThat;

import java.time.Duration;
import org.junit.Test;

/** That each rule goes by the time that it may go by. */
public class MessageTimeTest {
  private static final long NOW = 1_700_000_000_000_000L;
  private static final long SECOND = 1_000_000;
  private static final long DAY = Duration.ofDays(1).toSeconds() * SECOND;

  @Test
  public void theTimeOfTheBusIsTheTimeOfEveryRule() {
    for (long micros : new long[] {Long.MIN_VALUE, -1, 0, NOW - 9 * DAY, NOW, Long.MAX_VALUE}) {
      MessageTime time = MessageTime.ofBus(micros);

      assertThat(time.publishTime(NOW)).isEqualTo(micros);
      assertThat(time.eventTime(DAY, NOW)).isEqualTo(micros);
      assertThat(time.recent(NOW)).isEqualTo(micros);
      assertThat(time.earliest(NOW)).isEqualTo(Math.min(micros, NOW));
    }
  }

  @Test
  public void aPublishersTimeCondemnsNothing() {
    for (long micros : new long[] {1, NOW - 9 * DAY, NOW, NOW + 9 * DAY, Long.MAX_VALUE}) {
      assertThat(MessageTime.ofPublisher(micros).publishTime(NOW)).isEqualTo(NOW);
    }
  }

  @Test
  public void aPublishersTimeIsThatOfTheEventWhileTheTopicCanHoldItsMessage() {
    assertThat(MessageTime.ofPublisher(NOW).eventTime(2 * DAY, NOW)).isEqualTo(NOW);
    assertThat(MessageTime.ofPublisher(NOW + 1).eventTime(2 * DAY, NOW)).isEqualTo(NOW);
    assertThat(MessageTime.ofPublisher(NOW - 2 * DAY).eventTime(2 * DAY, NOW))
        .isEqualTo(NOW - 2 * DAY);
    assertThat(MessageTime.ofPublisher(NOW - 2 * DAY - 1).eventTime(2 * DAY, NOW)).isEqualTo(NOW);
    assertThat(MessageTime.ofPublisher(1).eventTime(Long.MAX_VALUE, NOW)).isEqualTo(1);
  }

  @Test
  public void aPublishersTimeWithinADayIsGoodEnoughForWhatCondemnsNothing() {
    assertThat(MessageTime.ofPublisher(NOW - DAY).recent(NOW)).isEqualTo(NOW - DAY);
    assertThat(MessageTime.ofPublisher(NOW - DAY - 1).recent(NOW)).isEqualTo(NOW);
    assertThat(MessageTime.ofPublisher(NOW + 1).recent(NOW)).isEqualTo(NOW);
  }

  @Test
  public void aMessageIsAsOldAsAnybodySays() {
    assertThat(MessageTime.ofPublisher(1).earliest(NOW)).isEqualTo(1);
    assertThat(MessageTime.ofPublisher(NOW + DAY).earliest(NOW)).isEqualTo(NOW);
    assertThat(MessageTime.ABSENT.earliest(NOW)).isEqualTo(NOW);
  }

  @Test
  public void zeroAndWhatIsBeforeIsNoTimeOfAPublisher() {
    for (long micros : new long[] {0, -1, Long.MIN_VALUE}) {
      MessageTime time = MessageTime.ofPublisher(micros);

      assertThat(time).isEqualTo(MessageTime.ABSENT);
      assertThat(time.publishTime(NOW)).isEqualTo(NOW);
      assertThat(time.eventTime(DAY, NOW)).isEqualTo(NOW);
      assertThat(time.recent(NOW)).isEqualTo(NOW);
    }
  }
}
