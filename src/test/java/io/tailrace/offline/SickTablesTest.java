package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import java.time.Duration;
import org.junit.Test;

/** For how long a table that refuses its rows is left alone. */
public class SickTablesTest {
  private long now;
  private final SickTables tables = new SickTables(() -> now);

  private boolean isLeftAlone() {
    return tables.isLeftAlone("prod", "t");
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  @Test
  public void aTableIsTriedAgainAtIntervalsThatGrowToALimit() {
    Duration pause = SickTables.FIRST_PAUSE;
    for (int i = 0; i < 20; i++) {
      tables.refuses("prod", "t", "why");
      pass(pause.minusNanos(1));
      assertThat(isLeftAlone()).isTrue();
      pass(Duration.ofNanos(1));
      assertThat(isLeftAlone()).isFalse();
      assertThat(tables.isSick("prod", "t")).isTrue();
      pause = pause.multipliedBy(2);
      if (pause.compareTo(SickTables.LONGEST_PAUSE) > 0) {
        pause = SickTables.LONGEST_PAUSE;
      }
    }
  }

  @Test
  public void aTableThatTakesItsRowsIsWell() {
    tables.refuses("prod", "t", "why");
    tables.refuses("prod", "other", "why");
    tables.takes("prod", "t");

    assertThat(tables.isSick("prod", "t")).isFalse();
    assertThat(tables.isSick("prod", "other")).isTrue();
    assertThat(tables.isSick("test", "other")).isFalse();
    tables.refuses("prod", "t", "again");
    pass(SickTables.FIRST_PAUSE);
    assertThat(isLeftAlone()).isFalse();
    assertThat(tables.why("prod", "t")).isEqualTo("again");
  }
}
