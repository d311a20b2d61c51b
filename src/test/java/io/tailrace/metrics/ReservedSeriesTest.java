package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.Test;

/** When a store is looked through for rows of reserved namespaces, and for which. */
public class ReservedSeriesTest {
  private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

  @Test
  public void eachHourWhatHasBecomeADayOldSinceTheLastTime() {
    ReservedSeries series = new ReservedSeries();

    assertThat(series.due(NOON).orElseThrow())
        .isEqualTo(
            "feature LIKE 'tailrace.%.%' AND minute >= TIMESTAMPTZ '2026-11-16T12:00:00Z'"
                + " AND minute < TIMESTAMPTZ '2026-11-23T12:00:00Z'");
    assertThat(series.due(NOON.plus(Duration.ofMinutes(59)))).isEmpty();
    assertThat(series.due(NOON.plus(Duration.ofMinutes(90))).orElseThrow())
        .endsWith(
            " AND minute >= TIMESTAMPTZ '2026-11-23T12:00:00Z'"
                + " AND minute < TIMESTAMPTZ '2026-11-23T13:30:00Z'");
    assertThat(series.due(NOON.plus(Duration.ofHours(2)))).isEmpty();
  }
}
