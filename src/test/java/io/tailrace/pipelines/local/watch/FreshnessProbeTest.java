package io.tailrace.pipelines.local.watch;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.online.EntityKey;
import io.tailrace.pipelines.local.servers.LocalRedis;
import java.nio.ByteBuffer;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import redis.clients.jedis.Jedis;

@RunWith(JUnit4.class)
public class FreshnessProbeTest {
  private static final EntityKey USER = new EntityKey("prod", "user", "7");
  private static final long OBSERVED_AT = 1_790_000_000_000_000L;

  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @Test
  public void measuresUntilACellOfThatTimeOrLaterIsReadable() throws Exception {
    try (LocalRedis redis = LocalRedis.start(temporary.getRoot().toPath());
        FreshnessProbe probe = FreshnessProbe.start(redis.uri(), 10)) {
      long published = System.nanoTime() - 50_000_000;
      store(redis, OBSERVED_AT - 1);
      probe.published(USER, "age", OBSERVED_AT, published);
      while (probe.percentiles().overdueMillis() < 100) {
        Thread.sleep(1);
      }
      assertThat(probe.percentiles().samples()).isEqualTo(0);

      double least = (System.nanoTime() - published) / 1e6;
      store(redis, OBSERVED_AT + 1);
      while (probe.percentiles().samples() == 0) {
        Thread.sleep(1);
      }
      double most = (System.nanoTime() - published) / 1e6;

      FreshnessProbe.Percentiles percentiles = probe.percentiles();
      assertThat(percentiles.p50Millis()).isAtLeast(least);
      assertThat(percentiles.p50Millis()).isAtMost(most);
      assertThat(percentiles.p99Millis()).isEqualTo(percentiles.maxMillis());

      probe.reset();
      assertThat(probe.percentiles().samples()).isEqualTo(0);
    }
  }

  private static void store(LocalRedis redis, long observedAt) {
    byte[] cell =
        ByteBuffer.allocate(26)
            .putLong(observedAt ^ Long.MIN_VALUE)
            .put((byte) 0)
            .putLong(-1)
            .put((byte) 1)
            .putLong(35)
            .array();
    try (Jedis jedis = redis.connect()) {
      // What says that the hash is ours.
      jedis.hset("prod:user:7".getBytes(UTF_8), new byte[0], new byte[28]);
      jedis.hset("prod:user:7".getBytes(UTF_8), "age".getBytes(UTF_8), cell);
    }
  }
}
