package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.BusMessage;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.servers.Redis7;
import io.tailrace.testing.InstalledServer;
import io.tailrace.testing.OnlineStoreContract;
import io.tailrace.testing.OnlineWriters;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;
import redis.clients.jedis.Jedis;

/**
 * Redis is an online store, in every version and in its documented layout; so is Valkey, where one
 * is installed.
 */
@RunWith(Parameterized.class)
public class RedisContractTest extends OnlineStoreContract {
  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static final String VALKEY = "valkey-server";

  private static LocalRedis redis;
  private static String running = "";

  private final String version;

  public RedisContractTest(String version) {
    this.version = version;
  }

  @Parameters(name = "{0}")
  public static List<String> versions() {
    return List.of("6.2", "7.0", VALKEY);
  }

  @Before
  @Override
  public void startEmpty() throws Exception {
    if (!running.equals(version)) {
      stop();
      LocalRedis.Builder builder = LocalRedis.in(temporary.newFolder().toPath()).appendOnly();
      redis =
          switch (version) {
            case "7.0" -> builder.executable(Redis7.executable()).start();
            case VALKEY -> builder.executable(valkey()).start();
            default -> builder.start();
          };
      running = version;
      // Valkey calls itself a Redis 7.2, to those who ask for that.
      assertThat(redis.version()).startsWith(version.equals(VALKEY) ? "7." : version);
    }
    super.startEmpty();
  }

  private static Path valkey() {
    Optional<Path> valkey = InstalledServer.executable(VALKEY);
    assumeTrue(VALKEY + " is not installed: only Redis is tried", valkey.isPresent());
    return valkey.orElseThrow();
  }

  @AfterClass
  public static void stop() {
    if (!running.isEmpty()) {
      redis.close();
      running = "";
    }
  }

  @Test
  public void whateverTheSizeOfACallTheHashesAreThoseOfTheDocumentedLayout() throws Exception {
    try (Jedis jedis = redis.connect()) {
      for (int seed = 100; seed < 107; seed++) {
        jedis.flushAll();
        Random random = new Random(seed);
        List<BusMessage> messages = OnlineWriters.messages(seed, 40);
        String uri = uri() + "?entitiesPerCall=" + (1 + random.nextInt(40));

        OnlineWriters.write(
            OnlineWriters.to(uri), OnlineWriters.shares(messages, 3, random), random);

        assertWithMessage("seed %s", seed).that(Hashes.in(jedis)).isEqualTo(Hashes.after(messages));
      }
    }
  }

  @Override
  protected String uri() {
    return redis.uri();
  }

  @Override
  protected String uri(String retryFor) {
    return redis.uri() + "?retryFor=" + retryFor;
  }

  @Override
  protected String unreachable() throws Exception {
    try (ServerSocket closed = new ServerSocket(0)) {
      return "redis://127.0.0.1:" + closed.getLocalPort() + "?retryFor=1s";
    }
  }

  @Override
  protected void removeAll() {
    try (Jedis jedis = redis.connect()) {
      jedis.flushAll();
    }
  }

  @Override
  protected void stopStore() {
    redis.stop();
  }

  @Override
  protected void restartStore() {
    redis.restart();
  }
}
