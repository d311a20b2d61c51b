package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.online.BundleWriter;
import io.tailrace.online.WriteOutcome;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.util.Map;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import redis.clients.jedis.Jedis;

/** The deletion of a whole entity holds back what was observed before it, stored or on its way. */
public class RedisFenceTest {
  private static final String KEY = "production:user:ann";
  private static final long T = Writers.START;
  private static final QueryResult FENCE = Results.of(Results.deletion("ann", T + 10));

  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static LocalRedis redis;
  private static Jedis jedis;

  private BundleWriter writer;

  @BeforeClass
  public static void start() {
    redis = LocalRedis.start(temporary.getRoot().toPath());
    jedis = redis.connect();
  }

  @AfterClass
  public static void stop() {
    jedis.close();
    redis.close();
  }

  @Before
  public void open() {
    jedis.flushAll();
    writer = BundleWriter.of(Writers.to(redis.uri()));
  }

  @After
  public void close() {
    writer.close();
  }

  @Test
  public void removesWhatIsOlderAndKeepsWhatIsNewer() throws Exception {
    write(
        Results.of(
            Results.user(
                "ann",
                Results.int64("older", T + 9, 1),
                Results.int64("equal", T + 10, 2),
                Results.int64("newer", T + 11, 3))));

    assertThat(write(FENCE).written()).isEqualTo(1);

    assertThat(jedis.hkeys(KEY)).containsExactly("", "newer");
  }

  @Test
  public void holdsBackOlderValuesThatComeLater() throws Exception {
    write(FENCE);

    WriteOutcome outcome =
        write(
            Results.of(
                Results.user(
                    "ann",
                    Results.int64("older", T + 9, 1),
                    Results.int64("equal", T + 10, 2),
                    Results.int64("newer", T + 11, 3))));

    assertThat(outcome.stale()).isEqualTo(2);
    assertThat(outcome.written()).isEqualTo(1);
    assertThat(jedis.hkeys(KEY)).containsExactly("", "newer");
  }

  @Test
  public void existsWithoutAnyFeature() throws Exception {
    write(FENCE);

    assertThat(jedis.hkeys(KEY)).containsExactly("");
    assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(Writers.published(T, FENCE)));
  }

  @Test
  public void outlivesNewerValues() throws Exception {
    write(FENCE);
    write(age(T + 20));

    assertThat(write(Results.of(Results.user("ann", Results.int64("height", T + 9, 1)))).stale())
        .isEqualTo(1);
    assertThat(jedis.hkeys(KEY)).containsExactly("", "age");
  }

  @Test
  public void comesTogetherWithCells() throws Exception {
    QueryResult before = age(T + 9);
    QueryResult both =
        Results.named("both")
            .addFrames(
                Results.user(
                    "ann", Results.int64("age", T + 8, 8), Results.int64("height", T + 12, 12)))
            .addDeletions(Results.deletion("ann", T + 10))
            .build();
    write(before);

    WriteOutcome outcome = write(both);

    assertThat(outcome.written()).isEqualTo(2);
    assertThat(outcome.stale()).isEqualTo(1);
    assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(Writers.published(T, before, both)));
  }

  @Test
  public void theLatestOfSeveralStands() throws Exception {
    QueryResult earlier = Results.of(Results.deletion("ann", T + 5));
    write(FENCE);

    assertThat(write(earlier).stale()).isEqualTo(1);
    assertThat(write(FENCE).duplicate()).isEqualTo(1);
    assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(Writers.published(T, FENCE, earlier)));
  }

  @Test
  public void removesThousandsOfFeatures() throws Exception {
    QueryResult wide = RedisContentTest.wide(T, 2_500);
    write(wide);
    assertThat(jedis.hlen(KEY)).isEqualTo(2_501);

    write(FENCE);

    Map<String, Map<String, String>> expected = Hashes.after(Writers.published(T, wide, FENCE));
    assertThat(Hashes.in(jedis)).isEqualTo(expected);
  }

  private WriteOutcome write(QueryResult result) throws Exception {
    return writer.write(T, result).outcomes().get(0);
  }

  private static QueryResult age(long time) {
    return Results.of(Results.user("ann", Results.int64("age", time, 42)));
  }
}
