package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.online.BundleWriter;
import io.tailrace.online.WriteOnline;
import io.tailrace.online.WriteOutcome;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.QueryResult;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.IntStream;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;

/** What is over goes from a hash when the hash is written, and no sooner. */
public class RedisHousekeepingTest {
  private static final String KEY = "production:user:ann";
  private static final long T = OnlineWriters.START;
  private static final long MINUTE = 60_000_000;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;
  private static final long GRACE = HOUR;

  /** What is over is looked for at multiples of this. */
  private static final long ROUNDING = 1L << 30;

  private static final long RETENTION = 2 * DAY;

  @ClassRule @Rule public static final EmptyRedis redis = new EmptyRedis();

  @Test
  public void anExpiredCellGoesWhenItsEntityIsWrittenLongerThanTheGraceAfter() throws Exception {
    write(T, Results.of(Results.user("ann", age(T, HOUR), Results.int64("height", T, 180))));

    write(T + HOUR + GRACE - 1, height(T + HOUR));
    assertThat(redis.client().hkeys(KEY)).containsExactly("", "age", "height");

    write(T + HOUR + GRACE + ROUNDING, height(T + 2 * HOUR));
    assertThat(redis.client().hkeys(KEY)).containsExactly("", "height");
  }

  @Test
  public void alsoWhereItCameLaterThanTheOthers() throws Exception {
    write(T, height(T));
    write(T + 1, Results.of(Results.user("ann", age(T + 1, HOUR))));

    write(T + HOUR + GRACE + ROUNDING + 1, height(T + 2 * HOUR));

    assertThat(redis.client().hkeys(KEY)).containsExactly("", "height");
  }

  @Test
  public void alsoWhereAWriteChangesNothing() throws Exception {
    write(T, Results.of(Results.user("ann", age(T, HOUR), Results.int64("height", T, 180))));

    assertThat(write(T + HOUR + GRACE + ROUNDING, height(T)).duplicate()).isEqualTo(1);

    assertThat(redis.client().hkeys(KEY)).containsExactly("", "height");
  }

  @Test
  public void thousandsOfThemGoAtOnce() throws Exception {
    write(
        T,
        Results.of(
            Results.user(
                "ann",
                IntStream.range(0, 2_500)
                    .mapToObj(i -> Results.expiring("f" + i, T, HOUR, i))
                    .toArray(Column[]::new))));

    write(T + HOUR + GRACE + ROUNDING, height(T + HOUR));

    assertThat(redis.client().hkeys(KEY)).containsExactly("", "height");
  }

  @Test
  public void aKeyWithNothingLeftGoes() throws Exception {
    write(T, Results.of(Results.user("ann", age(T, HOUR))));

    WriteOutcome outcome =
        write(T + HOUR + GRACE + ROUNDING, Results.of(Results.user("ann", age(T + 1, HOUR))));

    assertThat(outcome.rejected()).isEqualTo(0);
    assertThat(redis.client().exists(KEY)).isFalse();
  }

  @Test
  public void aFenceHoldsBackOlderValuesUntilItsTimeIsOverAndGoesThen() throws Exception {
    write(T, Results.of(Results.deletion("ann", T)));

    assertThat(write(T + RETENTION - 1, height(T - 1)).stale()).isEqualTo(1);
    assertThat(write(T + RETENTION, height(T - 1)).written()).isEqualTo(1);

    assertThat(redis.client().hkeys(KEY)).containsExactly("", "height");
    assertThat(redis.client().pttl(KEY)).isEqualTo(-1);
  }

  @Test
  public void aTombstoneHoldsBackOlderValuesUntilItsTimeIsOverAndGoesThen() throws Exception {
    write(T, Results.of(Results.user("ann", Results.int64("height", T, 1), age(T, 9 * DAY))));
    write(T + 1, Results.of(Results.deletion("ann", T + 1, "age")));

    assertThat(write(T + RETENTION, Results.of(Results.user("ann", age(T, 9 * DAY)))).stale())
        .isEqualTo(1);
    assertThat(redis.client().hkeys(KEY)).containsExactly("", "age", "height");
    write(T + RETENTION + ROUNDING, height(T + 2));

    assertThat(redis.client().hkeys(KEY)).containsExactly("", "height");
  }

  @Test
  public void deletionsOfAnEntityAreRememberedForTheLongestOfTheirTimes() throws Exception {
    write(T, Results.of(Results.deletion("ann", T)));
    write(T + DAY, Results.of(Results.deletion("ann", T - 1, "age")));

    assertThat(write(T + RETENTION + DAY - 1, height(T - 1)).stale()).isEqualTo(1);
    assertThat(write(T + RETENTION + DAY, height(T - 1)).written()).isEqualTo(1);
  }

  @Test
  public void aDeletionIsRememberedFromItsReadingOnIfThatIsLater() throws Exception {
    // Published at T and read a day later, among others of its time that are still to come.
    writeAt(T + DAY, T, Results.of(Results.deletion("ann", T)));

    assertThat(writeAt(T + RETENTION + DAY - 1, T, height(T)).stale()).isEqualTo(1);
    assertThat(writeAt(T + RETENTION + DAY, T, height(T)).written()).isEqualTo(1);
  }

  @Test
  public void anEntityThatIsWrittenAndDeletedAgainAndAgainHasAnEnd() throws Exception {
    for (int i = 0; i < 5; i++) {
      write(T + i * DAY, height(T + i * DAY));
      write(T + i * DAY + 1, Results.of(Results.deletion("ann", T + i * DAY + 1)));
    }

    assertThat(redis.client().pttl(KEY)).isGreaterThan(0);
    assertThat(redis.client().hkeys(KEY)).containsExactly("");
  }

  @Test
  public void aRetentionBeyondAllTimesIsForEver() throws Exception {
    WriteOnline endless =
        OnlineWriters.to(redis.uri()).withDeletionRetention(Duration.ofSeconds(Long.MAX_VALUE));
    try (BundleWriter writer = BundleWriter.of(endless)) {
      writer.write(T, Results.of(Results.deletion("ann", T)));
    }

    assertThat(write(T + 200 * 365 * DAY, height(T)).stale()).isEqualTo(1);
    assertThat(redis.client().pttl(KEY)).isEqualTo(-1);
  }

  @Test
  public void aHashOfAnEarlierVersionIsReadAndGoesOn() throws Exception {
    // High water, fence and until when it is kept: 24 bytes.
    byte[] reserved =
        ByteBuffer.allocate(24)
            .putLong((T + 5) ^ Long.MIN_VALUE)
            .putLong((T - 5) ^ Long.MIN_VALUE)
            .putLong((T + 14 * DAY) ^ Long.MIN_VALUE)
            .array();
    redis.client().hset(KEY.getBytes(UTF_8), new byte[0], reserved);

    assertThat(write(T, height(T - 5)).stale()).isEqualTo(1);
    assertThat(write(T, height(T - 4)).written()).isEqualTo(1);
    assertThat(write(T, height(T + 6)).written()).isEqualTo(1);

    assertThat(redis.client().hkeys(KEY)).containsExactly("", "height");
  }

  private static WriteOutcome write(long now, QueryResult result) throws Exception {
    return writeAt(now, now, result);
  }

  private static WriteOutcome writeAt(long now, long publishedAt, QueryResult result)
      throws Exception {
    WriteOnline write =
        WriteOnline.to(redis.uri() + "?grace=1h")
            .withDeletionRetention(Duration.ofDays(2))
            .withClock(
                () ->
                    Instant.ofEpochSecond(
                        Math.floorDiv(now, 1_000_000), Math.floorMod(now, 1_000_000) * 1_000L));
    try (BundleWriter writer = BundleWriter.of(write)) {
      return writer.write(publishedAt, result).outcomes().get(0);
    }
  }

  private static Column age(long observedAt, long maxStaleness) {
    return Results.expiring("age", observedAt, maxStaleness, 42);
  }

  private static QueryResult height(long observedAt) {
    return Results.of(Results.user("ann", Results.int64("height", observedAt, 180)));
  }
}
