package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;

import com.google.common.collect.Range;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.WriteOnline;
import io.tailrace.online.WriteOutcome;
import io.tailrace.result.ResultDecoder;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;

/** Keys are kept for as long as something in them is. */
public class RedisExpiryTest {
  private static final EntityKey ANN = new EntityKey(Results.ENVIRONMENT, "user", "ann");
  private static final String KEY = "production:user:ann";
  private static final long MINUTE = 60_000_000;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  /** Times until which keys are kept are rounded up to a multiple of this. */
  private static final long ROUNDING = 1L << 30;

  private static final long NOW = Instant.now().getEpochSecond() * 1_000_000;

  @ClassRule @Rule public static final EmptyRedis redis = new EmptyRedis();

  @Test
  public void aKeyIsKeptForTheGraceAfterItsLastCell() throws Exception {
    write(
        Results.of(
            Results.user(
                "ann",
                Results.expiring("age", NOW, HOUR, 42),
                Results.expiring("height", NOW, 5 * HOUR, 180))));

    assertKeptUntil(NOW + 6 * HOUR);
  }

  @Test
  public void theGraceIsAnOption() throws Exception {
    write(redis.uri() + "?grace=10d", age(NOW, HOUR));

    assertKeptUntil(NOW + HOUR + 10 * DAY);
  }

  @Test
  public void theTtlGrowsAndIsNeverShortened() throws Exception {
    write(age(NOW - 3, HOUR));
    assertKeptUntil(NOW + 2 * HOUR);

    write(age(NOW - 2, 9 * HOUR));
    assertKeptUntil(NOW + 10 * HOUR);

    write(age(NOW - 1, HOUR));
    assertKeptUntil(NOW + 10 * HOUR);

    // Not above the high water, so compared cell by cell.
    write(Results.of(Results.user("ann", Results.expiring("height", NOW - 2, HOUR, 180))));
    assertKeptUntil(NOW + 10 * HOUR);

    write(Results.of(Results.user("ann", Results.expiring("weight", NOW - 2, 20 * HOUR, 70))));
    assertKeptUntil(NOW + 21 * HOUR);
  }

  @Test
  public void whatNeverExpiresHasNoTtlAsLongAsItIsThere() throws Exception {
    write(age(NOW - 3, HOUR));
    write(age(NOW - 2, Long.MAX_VALUE));
    assertThat(redis.client().pttl(KEY)).isEqualTo(-1);

    write(Results.of(Results.user("ann", Results.expiring("height", NOW - 1, HOUR, 180))));
    assertThat(redis.client().pttl(KEY)).isEqualTo(-1);

    write(age(NOW, 3 * HOUR));
    assertKeptUntil(NOW + 4 * HOUR);
  }

  @Test
  public void aFenceOverWhatNeverExpiresGivesTheKeyAnEnd() throws Exception {
    write(age(NOW - 2, Long.MAX_VALUE));

    write(Results.of(Results.deletion("ann", NOW)));

    assertKeptUntil(NOW + 14 * DAY + HOUR);
  }

  @Test
  public void aTombstoneOverWhatNeverExpiresGivesTheKeyAnEnd() throws Exception {
    write(age(NOW - 2, Long.MAX_VALUE));

    write(Results.of(Results.deletion("ann", NOW, "age")));

    assertKeptUntil(NOW + 14 * DAY + HOUR);
  }

  @Test
  public void aStaleCellDoesNotKeepAKeyForEver() throws Exception {
    write(age(NOW, HOUR));

    assertThat(write(age(NOW - 1, Long.MAX_VALUE)).stale()).isEqualTo(1);

    assertKeptUntil(NOW + 2 * HOUR);
  }

  @Test
  public void whatNeverExpiresRemovesTheTtlAlsoWhenItIsComparedCellByCell() throws Exception {
    write(age(NOW, HOUR));
    write(Results.of(Results.user("ann", Results.int64("height", NOW - 1, 180))));

    assertThat(redis.client().pttl(KEY)).isEqualTo(-1);
  }

  @Test
  public void aMaxStalenessThatGoesBeyondAllTimesIsForEver() throws Exception {
    write(age(NOW, Long.MAX_VALUE - 1));

    assertThat(redis.client().pttl(KEY)).isEqualTo(-1);
    assertThat(redis.client().hkeys(KEY)).containsExactly("", "age");
  }

  @Test
  public void aTtlNearTheEndOfAllTimesIsAccepted() throws Exception {
    long year200000 = 6_249_222_000_000_000_000L;
    write(age(NOW, year200000 - NOW));

    assertKeptUntil(year200000 + HOUR);
  }

  @Test
  public void yearOneAndYear9999AreStored() throws Exception {
    WriteOutcome first = write(age(ResultDecoder.MIN_TIME, Long.MAX_VALUE));
    assertThat(first.written()).isEqualTo(1);
    try (BundleWriter inYear9999 =
        BundleWriter.of(
            WriteOnline.to(redis.uri()).withClock(() -> Instant.parse("9999-12-31T23:59:59Z")))) {
      long last = ResultDecoder.MAX_TIME;
      WriteOutcome second = inYear9999.write(last, age(last, DAY)).outcomes().get(0);
      WriteOutcome third = inYear9999.write(last, age(last - 1, DAY)).outcomes().get(0);

      assertThat(second.written()).isEqualTo(1);
      assertThat(third.stale()).isEqualTo(1);
    }
    try (OnlineReader reader = OnlineReader.open(redis.uri())) {
      assertThat(reader.readCells(List.of(ANN)).get(0).get("age").observedAt())
          .isEqualTo(ResultDecoder.MAX_TIME);
    }
  }

  @Test
  public void anObservationOfYearOneThatExpiredLongAgoIsDropped() throws Exception {
    assertThat(write(age(ResultDecoder.MIN_TIME, DAY)).expired()).isEqualTo(1);
    assertThat(redis.client().dbSize()).isEqualTo(0);

    write(age(NOW, DAY));
    assertThat(write(age(ResultDecoder.MIN_TIME, DAY)).stale()).isEqualTo(1);
    assertKeptUntil(NOW + DAY + HOUR);
  }

  @Test
  public void deletionsAreKeptForTheirRetention() throws Exception {
    write(Results.of(Results.deletion("ann", NOW - DAY)));
    assertKeptUntil(NOW + 14 * DAY + HOUR);

    redis.client().flushAll();
    write(Results.of(Results.deletion("ann", NOW - DAY, "age")));
    assertKeptUntil(NOW + 14 * DAY + HOUR);
  }

  private static void assertKeptUntil(long micros) {
    long until = (System.currentTimeMillis() + redis.client().pttl(KEY)) * 1_000;
    // The two clocks are read a moment apart.
    long moment = 5_000_000;
    assertThat(until).isIn(Range.closed(micros - moment, micros + ROUNDING + moment));
  }

  private static WriteOutcome write(QueryResult result) throws Exception {
    return write(redis.uri(), result);
  }

  private static WriteOutcome write(String uri, QueryResult result) throws Exception {
    Instant now = clock().instant();
    try (BundleWriter writer = BundleWriter.of(WriteOnline.to(uri).withClock(() -> now))) {
      return writer.write(NOW, result).outcomes().get(0);
    }
  }

  private static Clock clock() {
    return Clock.fixed(Instant.ofEpochSecond(NOW / 1_000_000), java.time.ZoneOffset.UTC);
  }

  private static QueryResult age(long observedAt, long maxStaleness) {
    return Results.of(Results.user("ann", Results.expiring("age", observedAt, maxStaleness, 42)));
  }
}
