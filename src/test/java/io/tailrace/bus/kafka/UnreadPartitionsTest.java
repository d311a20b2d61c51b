package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;

import java.util.Map;
import org.junit.Test;

/** Which partitions nobody reads. */
public class UnreadPartitionsTest {
  private static final long MINUTE = 60_000;

  private final UnreadPartitions unread = new UnreadPartitions(0);

  @Test
  public void onesWithoutACommitForFiveMinutesAndTenIntervalsAreNotRead() {
    Map<Integer, CommitMetadata> commits =
        Map.of(0, commit(10_000, 9 * MINUTE), 1, commit(10_000, 0), 2, commit(2 * MINUTE, 0));

    assertThat(unread.count(commits, 3, 10 * MINUTE)).isEqualTo(1);
    assertThat(unread.count(commits, 3, 30 * MINUTE)).isEqualTo(3);
    assertThat(unread.count(commits, 4, 10 * MINUTE)).isEqualTo(2);
  }

  @Test
  public void nobodyIsBlamedBeforeThereWasTime() {
    assertThat(unread.count(Map.of(), 4, 4 * MINUTE)).isEqualTo(0);
    assertThat(new UnreadPartitions(20 * MINUTE).count(Map.of(0, commit(1, 0)), 1, 24 * MINUTE))
        .isEqualTo(0);
  }

  @Test
  public void itIsLookedOnceAMinute() {
    assertThat(unread.isDue(MINUTE - 1)).isFalse();
    assertThat(unread.isDue(MINUTE)).isTrue();
    assertThat(unread.isDue(MINUTE + 1)).isFalse();
    assertThat(unread.isDue(2 * MINUTE)).isTrue();
  }

  private static CommitMetadata commit(long every, long at) {
    return new CommitMetadata("w", "s", "t", "j", every, at);
  }
}
