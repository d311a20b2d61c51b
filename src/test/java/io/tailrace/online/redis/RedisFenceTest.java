package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.online.BundleWriter;
import io.tailrace.online.WriteOutcome;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.OnlineWriters;
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

/** How the deletion of a whole entity stands in a hash. */
public class RedisFenceTest {
  private static final String KEY = "production:user:ann";
  private static final long T = OnlineWriters.START;
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
    writer = BundleWriter.of(OnlineWriters.to(redis.uri()));
  }

  @After
  public void close() {
    writer.close();
  }

  @Test
  public void existsWithoutAnyFeature() throws Exception {
    write(FENCE);

    assertThat(jedis.hkeys(KEY)).containsExactly("");
    assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(OnlineWriters.published(T, FENCE)));
  }

  @Test
  public void removesThousandsOfFeatures() throws Exception {
    QueryResult wide = RedisContentTest.wide(T, 2_500);
    write(wide);
    assertThat(jedis.hlen(KEY)).isEqualTo(2_501);

    write(FENCE);

    Map<String, Map<String, String>> expected =
        Hashes.after(OnlineWriters.published(T, wide, FENCE));
    assertThat(Hashes.in(jedis)).isEqualTo(expected);
  }

  private WriteOutcome write(QueryResult result) throws Exception {
    return writer.write(T, result).outcomes().get(0);
  }
}
