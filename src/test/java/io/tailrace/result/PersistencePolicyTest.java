package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.result.ColumnSpec.DefaultHandling;
import io.tailrace.result.ColumnSpec.NullHandling;
import io.tailrace.result.ColumnSpec.Origin;
import io.tailrace.result.PersistencePolicy.Decision;
import org.junit.Test;

/** What is persisted where, decision by decision. */
public class PersistencePolicyTest {
  private static final long STALENESS = 60_000_000;

  @Test
  public void aComputedValueWithAMaxStalenessIsWrittenOnline() {
    assertThat(PersistencePolicy.online(online(Origin.COMPUTED, STALENESS, false)))
        .isEqualTo(Decision.WRITE);
    assertThat(PersistencePolicy.online(online(Origin.COMPUTED, 1, false)))
        .isEqualTo(Decision.WRITE);
    assertThat(PersistencePolicy.online(online(Origin.COMPUTED, ColumnSpec.NEVER_STALE, false)))
        .isEqualTo(Decision.WRITE);
  }

  @Test
  public void withoutAMaxStalenessNothingIsWrittenOnline() {
    assertThat(PersistencePolicy.online(online(Origin.COMPUTED, 0, false)))
        .isEqualTo(Decision.NO_MAX_STALENESS);
  }

  @Test
  public void aFeatureThatSkipsOnlineIsNotWrittenOnline() {
    assertThat(PersistencePolicy.online(online(Origin.COMPUTED, STALENESS, true)))
        .isEqualTo(Decision.SKIPPED_BY_FEATURE);
  }

  @Test
  public void whatAStoreServedOrTheCallerGaveIsWrittenToNoneAndADefaultUnlessItSaysSo() {
    for (Origin origin :
        new Origin[] {Origin.ONLINE_STORE, Origin.OFFLINE_STORE, Origin.GIVEN, Origin.DEFAULT}) {
      assertThat(PersistencePolicy.online(online(origin, STALENESS, false)))
          .isEqualTo(Decision.NOT_COMPUTED);
      assertThat(PersistencePolicy.offline(offline(origin, false)))
          .isEqualTo(Decision.NOT_COMPUTED);
      for (NullHandling nulls : NullHandling.values()) {
        assertThat(PersistencePolicy.onlineNull(spec(origin, STALENESS, false, false, nulls)))
            .isEqualTo(Decision.NOT_COMPUTED);
      }
    }
  }

  @Test
  public void aDefaultIsWrittenSkippedOrEvictsAsItsFeatureSays() {
    ColumnSpec spec = spec(Origin.DEFAULT, STALENESS, false, false, NullHandling.SKIP);
    ColumnSpec written = spec.with(DefaultHandling.WRITE);
    ColumnSpec evicting = spec.with(DefaultHandling.EVICT);

    assertThat(PersistencePolicy.online(written)).isEqualTo(Decision.WRITE);
    assertThat(PersistencePolicy.onlineNull(written)).isEqualTo(Decision.NULL_SKIPPED);
    assertThat(PersistencePolicy.offline(written)).isEqualTo(Decision.WRITE);
    assertThat(PersistencePolicy.online(evicting)).isEqualTo(Decision.EVICT);
    assertThat(PersistencePolicy.onlineNull(evicting)).isEqualTo(Decision.EVICT);
    assertThat(PersistencePolicy.offline(evicting)).isEqualTo(Decision.NOT_COMPUTED);
  }

  @Test
  public void whatBecomesOfDefaultsIsNothingToOtherValues() {
    for (DefaultHandling defaults : DefaultHandling.values()) {
      ColumnSpec computed =
          spec(Origin.COMPUTED, STALENESS, false, false, NullHandling.WRITE).with(defaults);
      ColumnSpec given =
          spec(Origin.GIVEN, STALENESS, false, false, NullHandling.WRITE).with(defaults);

      assertThat(PersistencePolicy.online(computed)).isEqualTo(Decision.WRITE);
      assertThat(PersistencePolicy.offline(computed)).isEqualTo(Decision.WRITE);
      assertThat(PersistencePolicy.online(given)).isEqualTo(Decision.NOT_COMPUTED);
      assertThat(PersistencePolicy.offline(given)).isEqualTo(Decision.NOT_COMPUTED);
    }
  }

  @Test
  public void aDefaultOfAFeatureThatIsNotKeptLeavesItsStoreAlone() {
    for (DefaultHandling defaults :
        new DefaultHandling[] {DefaultHandling.WRITE, DefaultHandling.EVICT}) {
      ColumnSpec skips =
          spec(Origin.DEFAULT, STALENESS, true, true, NullHandling.WRITE).with(defaults);

      assertThat(PersistencePolicy.online(skips)).isEqualTo(Decision.SKIPPED_BY_FEATURE);
      assertThat(
              PersistencePolicy.online(
                  spec(Origin.DEFAULT, 0, false, false, NullHandling.WRITE).with(defaults)))
          .isEqualTo(Decision.NO_MAX_STALENESS);
      assertThat(PersistencePolicy.offline(skips)).isNotEqualTo(Decision.WRITE);
    }
  }

  @Test
  public void aNullIsWrittenSkippedOrEvictsAsItsFeatureSays() {
    assertThat(onlineNull(STALENESS, false, NullHandling.WRITE)).isEqualTo(Decision.WRITE);
    assertThat(onlineNull(STALENESS, false, NullHandling.SKIP)).isEqualTo(Decision.NULL_SKIPPED);
    assertThat(onlineNull(STALENESS, false, NullHandling.EVICT)).isEqualTo(Decision.EVICT);
  }

  @Test
  public void aNullOfAFeatureThatIsNotKeptOnlineLeavesTheOnlineStoreAlone() {
    for (NullHandling nulls : NullHandling.values()) {
      assertThat(onlineNull(STALENESS, true, nulls)).isEqualTo(Decision.SKIPPED_BY_FEATURE);
      assertThat(onlineNull(0, false, nulls)).isEqualTo(Decision.NO_MAX_STALENESS);
    }
  }

  @Test
  public void offlineKeepsEveryComputedValueWhateverTheOnlineSettings() {
    for (NullHandling nulls : NullHandling.values()) {
      assertThat(PersistencePolicy.offline(spec(Origin.COMPUTED, 0, true, false, nulls)))
          .isEqualTo(Decision.WRITE);
    }
    assertThat(PersistencePolicy.offline(offline(Origin.COMPUTED, true)))
        .isEqualTo(Decision.SKIPPED_BY_FEATURE);
  }

  @Test
  public void skippingOfflineDoesNotSkipOnline() {
    assertThat(
            PersistencePolicy.online(
                spec(Origin.COMPUTED, STALENESS, false, true, NullHandling.WRITE)))
        .isEqualTo(Decision.WRITE);
  }

  @Test
  public void expiryCountsFromTheObservation() {
    assertThat(PersistencePolicy.expiresAt(1_000, 5)).isEqualTo(1_005);
    assertThat(PersistencePolicy.expiresAt(-1_000, 5)).isEqualTo(-995);
    assertThat(PersistencePolicy.expiresAt(ResultDecoder.MIN_TIME, STALENESS))
        .isEqualTo(ResultDecoder.MIN_TIME + STALENESS);
  }

  @Test
  public void expiryNeverOverflows() {
    long[] times = {
      ResultDecoder.MIN_TIME, -1, 0, 1, 1_767_225_600_000_000L, ResultDecoder.MAX_TIME
    };
    for (long time : times) {
      assertWithMessage("for ever, from %s", time)
          .that(PersistencePolicy.expiresAt(time, ColumnSpec.NEVER_STALE))
          .isEqualTo(ColumnSpec.NEVER_STALE);
      assertWithMessage("almost for ever, from %s", time)
          .that(PersistencePolicy.expiresAt(time, ColumnSpec.NEVER_STALE - 1))
          .isEqualTo(
              time > 0 ? ColumnSpec.NEVER_STALE : Math.addExact(time, ColumnSpec.NEVER_STALE - 1));
    }
  }

  private static Decision onlineNull(long maxStaleness, boolean skipOnline, NullHandling nulls) {
    return PersistencePolicy.onlineNull(
        spec(Origin.COMPUTED, maxStaleness, skipOnline, false, nulls));
  }

  private static ColumnSpec online(Origin origin, long maxStaleness, boolean skipOnline) {
    return spec(origin, maxStaleness, skipOnline, false, NullHandling.WRITE);
  }

  private static ColumnSpec offline(Origin origin, boolean skipOffline) {
    return spec(origin, STALENESS, false, skipOffline, NullHandling.WRITE);
  }

  private static ColumnSpec spec(
      Origin origin,
      long maxStaleness,
      boolean skipOnline,
      boolean skipOffline,
      NullHandling nulls) {
    return new ColumnSpec(
        "user.age",
        "age",
        ValueType.INT64,
        new ColumnSpec.Source("resolver", origin),
        new ColumnSpec.Persistence(
            maxStaleness, skipOnline, skipOffline, nulls, DefaultHandling.SKIP));
  }
}
