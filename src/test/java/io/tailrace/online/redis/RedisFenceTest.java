package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.online.BundleWriter;
import io.tailrace.online.WriteOutcome;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.util.Map;
import org.junit.After;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;

/** How the deletion of a whole entity stands in a hash. */
public class RedisFenceTest {
  private static final String KEY = "production:user:ann";
  private static final long T = OnlineWriters.START;
  private static final QueryResult FENCE = Results.of(Results.deletion("ann", T + 10));

  @ClassRule @Rule public static final EmptyRedis redis = new EmptyRedis();

  private BundleWriter writer;

  @Before
  public void open() {
    writer = BundleWriter.of(OnlineWriters.to(redis.uri()));
  }

  @After
  public void close() {
    writer.close();
  }

  @Test
  public void existsWithoutAnyFeature() throws Exception {
    write(FENCE);

    assertThat(redis.client().hkeys(KEY)).containsExactly("");
    assertThat(Hashes.in(redis.client()))
        .isEqualTo(Hashes.after(OnlineWriters.published(T, FENCE)));
  }

  @Test
  public void removesThousandsOfFeatures() throws Exception {
    QueryResult wide = RedisContentTest.wide(T, 2_500);
    write(wide);
    assertThat(redis.client().hlen(KEY)).isEqualTo(2_501);

    write(FENCE);

    Map<String, Map<String, String>> expected =
        Hashes.after(OnlineWriters.published(T, wide, FENCE));
    assertThat(Hashes.in(redis.client())).isEqualTo(expected);
  }

  private WriteOutcome write(QueryResult result) throws Exception {
    return writer.write(T, result).outcomes().get(0);
  }
}
