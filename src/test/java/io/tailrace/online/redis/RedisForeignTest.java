package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.online.BundleWriter;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.WriteOutcome;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;

/** What another application keeps under a key that would be an entity's stays as it is. */
public class RedisForeignTest {
  private static final byte[] KEY = "production:user:bea".getBytes(UTF_8);
  private static final long T = OnlineWriters.START;
  private static final byte[] BINARY = {(byte) 0x80, 0, (byte) 0xFF, 0, 1, 2, 3, 4};

  /** What a key may hold, by name. */
  private static final Map<String, BiConsumer<Jedis, byte[]>> THINGS = new LinkedHashMap<>();

  static {
    THINGS.put("a string", (jedis, key) -> jedis.set(key, BINARY));
    THINGS.put("JSON as a string", (jedis, key) -> jedis.set(key, "{\"age\": 1}".getBytes(UTF_8)));
    THINGS.put("a list", (jedis, key) -> jedis.rpush(key, BINARY, BINARY));
    THINGS.put("a set", (jedis, key) -> jedis.sadd(key, BINARY));
    THINGS.put("a sorted set", (jedis, key) -> jedis.zadd(key, 1, BINARY));
    THINGS.put("a stream", RedisForeignTest::stream);
    THINGS.put("a hash", (jedis, key) -> jedis.hset(key, "age".getBytes(UTF_8), BINARY));
    THINGS.put("a hash of texts", (jedis, key) -> jedis.hset(key, "n".getBytes(UTF_8), key));
    THINGS.put(
        "a hash with binary names", (jedis, key) -> jedis.hset(key, BINARY, new byte[1_000]));
    THINGS.put("a hash with an empty name", (jedis, key) -> jedis.hset(key, new byte[0], BINARY));
    THINGS.put(
        "a hash with a cell, and nothing that says whose it is",
        (jedis, key) -> jedis.hset(key, "age".getBytes(UTF_8), new byte[26]));
    THINGS.put(
        "a hash of 2,000 fields",
        (jedis, key) -> {
          for (int i = 0; i < 2_000; i++) {
            jedis.hset(key, ("f" + i).getBytes(UTF_8), BINARY);
          }
        });
  }

  @ClassRule @Rule public static final EmptyRedis redis = new EmptyRedis();

  private static void stream(Jedis jedis, byte[] key) {
    jedis.xadd(new String(key, UTF_8), StreamEntryID.NEW_ENTRY, Map.of("field", "value"));
  }

  @Test
  public void isNeverTouchedAndRejectsOnlyItsOwnCells() throws Exception {
    for (Map.Entry<String, BiConsumer<Jedis, byte[]>> thing : THINGS.entrySet()) {
      redis.client().flushAll();
      thing.getValue().accept(redis.client(), KEY);
      byte[] before = redis.client().dump(KEY);
      BundleWriter.Written written =
          write(
              ages(T, "ann", "bea", "cid"),
              Results.of(Results.deletion("bea", T + 1)),
              Results.of(Results.deletion("bea", T + 1, "age")),
              ages(T + 2, "bea"));

      assertWithMessage(thing.getKey()).that(redis.client().dump(KEY)).isEqualTo(before);
      assertWithMessage(thing.getKey()).that(redis.client().pttl(KEY)).isEqualTo(-1);
      assertWithMessage(thing.getKey())
          .that(written.outcomes().stream().mapToInt(WriteOutcome::rejected).sum())
          .isEqualTo(2);
      assertWithMessage(thing.getKey()).that(written.outcomes().get(0).written()).isEqualTo(2);
      written
          .failures()
          .forEach(
              failure -> {
                assertWithMessage(thing.getKey())
                    .that(failure.reason())
                    .isEqualTo(Reason.REJECTED_BY_STORE);
                assertWithMessage(thing.getKey())
                    .that(failure.message())
                    .contains("the key 'production:user:bea' holds");
              });
    }
  }

  @Test
  public void itsTimeToLiveStaysToo() throws Exception {
    redis.client().hset(KEY, "age".getBytes(UTF_8), BINARY);
    redis.client().pexpireAt(KEY, 4_102_444_800_000L);

    write(ages(T, "bea"), Results.of(Results.deletion("bea", T + 1)));

    assertThat(redis.client().hgetAll(KEY)).hasSize(1);
    assertThat(redis.client().pttl(KEY)).isGreaterThan(0);
  }

  @Test
  public void aKeyThatHasExpiredIsFree() throws Exception {
    redis.client().set(KEY, BINARY);
    redis.client().pexpireAt(KEY, System.currentTimeMillis() + 1);
    Thread.sleep(5);

    assertThat(write(ages(T, "bea")).failures()).isEmpty();
  }

  @Test
  public void aReadPassesOverIt() throws Exception {
    write(ages(T, "ann", "cid"));
    for (Map.Entry<String, BiConsumer<Jedis, byte[]>> thing : THINGS.entrySet()) {
      redis.client().del(KEY);
      thing.getValue().accept(redis.client(), KEY);

      List<Map<String, OnlineReader.Value>> read = read("ann", "bea", "cid");

      assertWithMessage(thing.getKey()).that(read.get(0).keySet()).containsExactly("age");
      assertWithMessage(thing.getKey()).that(read.get(1)).isEmpty();
      assertWithMessage(thing.getKey()).that(read.get(2).keySet()).containsExactly("age");
    }
  }

  @Test
  public void aFieldThatIsNoCellFailsNothingAndIsLeftAlone() throws Exception {
    for (byte[] strange : new byte[][] {{}, BINARY, new byte[17], filled(26, 3)}) {
      redis.client().flushAll();
      write(ages(T, "bea"));
      redis.client().hset(KEY, "strange".getBytes(UTF_8), strange);

      assertThat(read("bea").get(0).keySet()).containsExactly("age");
      write(Results.of(Results.deletion("bea", T + 1)));

      assertThat(redis.client().hget(KEY, "strange".getBytes(UTF_8))).isEqualTo(strange);
      assertThat(read("bea").get(0)).isEmpty();
    }
  }

  @Test
  public void aCellReplacesAFieldThatIsNone() throws Exception {
    for (byte[] strange : new byte[][] {{}, filled(100, 255)}) {
      redis.client().flushAll();
      write(Results.of(Results.user("bea", Results.int64("height", T + 5, 1))));
      redis.client().hset(KEY, "age".getBytes(UTF_8), strange);

      // Below the high water, so compared with what is there.
      assertThat(write(ages(T, "bea")).outcomes().get(0).written()).isEqualTo(1);

      assertThat(read("bea").get(0).keySet()).containsExactly("age", "height");
    }
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static List<Map<String, OnlineReader.Value>> read(String... keys) throws Exception {
    try (OnlineReader reader = OnlineReader.open(redis.uri())) {
      return reader.read(
          List.of(keys).stream()
              .map(key -> new EntityKey(Results.ENVIRONMENT, "user", key))
              .toList());
    }
  }

  private static BundleWriter.Written write(QueryResult... results) throws Exception {
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri()))) {
      return writer.write(T, results);
    }
  }

  private static QueryResult ages(long time, String... keys) {
    return Results.of(
        Results.users(List.of(keys), Results.int64("age", time, new long[keys.length])));
  }
}
