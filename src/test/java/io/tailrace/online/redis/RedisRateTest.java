package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Micros;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.WriteOnline;
import io.tailrace.online.WriteRate;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import redis.clients.jedis.Jedis;

/** A backlog leaves the store to those who read, on a real server and by a clock of the test. */
@RunWith(JUnit4.class)
public class RedisRateTest {
  private static final int PER_SECOND = 100;
  private static final int BACKLOG = 500;

  /** What is sent at once, before anybody waits. */
  private static final int PER_CALL = 5;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  /** What was stored at a moment, in nanoseconds. */
  private record Seen(long at, long stored) {}

  @Test
  public void inNoSecondMoreIsWrittenThanIsAllowed() throws Exception {
    try (LocalRedis redis = LocalRedis.start(folder.getRoot().toPath());
        Jedis jedis = redis.connect()) {
      Watch watch = new Watch(jedis);
      RedisAddress address =
          RedisAddress.of(EndpointUri.parse(redis.uri() + "?entitiesPerCall=" + PER_CALL));
      WriteRate rate = WriteRate.of(PER_SECOND, watch);
      long now = Micros.now();
      QueryResult[] backlog =
          IntStream.range(0, BACKLOG)
              .mapToObj(i -> Results.of(Results.user("u" + i, Results.int64("age", now, i))))
              .toArray(QueryResult[]::new);

      try (BundleWriter writer = BundleWriter.of(WriteOnline.to(new Limited(address, rate)))) {
        assertThat(writer.write(now, backlog).outcomes()).hasSize(BACKLOG);
      }

      assertThat(jedis.dbSize()).isEqualTo(BACKLOG);
      assertThat(watch.now)
          .isAtLeast(Duration.ofSeconds(BACKLOG / PER_SECOND).minusMillis(50).toNanos());
      for (Seen from : watch.seen) {
        for (Seen to : watch.seen) {
          if (to.at >= from.at && to.at - from.at <= Duration.ofSeconds(1).toNanos()) {
            assertWithMessage("from %s", from)
                .that(to.stored - from.stored)
                .isAtMost(PER_SECOND + PER_CALL);
          }
        }
      }
    }
  }

  /** A clock that moves when somebody waits by it, and looks what is stored whenever one does. */
  private static final class Watch implements WriteRate.Time {
    private final Jedis jedis;
    private final List<Seen> seen = new ArrayList<>();
    private long now;

    Watch(Jedis jedis) {
      this.jedis = jedis;
    }

    @Override
    public long nanos() {
      return now;
    }

    @Override
    public void sleep(Duration wait) {
      seen.add(new Seen(now, jedis.dbSize()));
      now += wait.toNanos();
    }
  }

  /** A store whose connections share a limit. */
  private static final class Limited implements OnlineStore {
    private static final long serialVersionUID = 1;

    private final transient RedisAddress address;
    private final transient WriteRate rate;

    Limited(RedisAddress address, WriteRate rate) {
      this.address = address;
      this.rate = rate;
    }

    @Override
    public String uri() {
      return address.text();
    }

    @Override
    public void check() {}

    @Override
    public RedisConnection connect() {
      return new RedisConnection(address, RedisNodes.of(address), rate);
    }
  }
}
