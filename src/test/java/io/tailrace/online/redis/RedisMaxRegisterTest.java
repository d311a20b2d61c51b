package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusMessage;
import io.tailrace.online.BundleWriter;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.servers.Redis7;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;
import redis.clients.jedis.Jedis;

/**
 * The greatest cell ever written stands: after any order, any batching, any repetition, and
 * whatever number of writers.
 */
@RunWith(Parameterized.class)
public class RedisMaxRegisterTest {
  private static final int ROUNDS = 15;
  private static final int WRITERS = 3;
  private static final long T1 = Writers.START;
  private static final long T2 = T1 + 1;
  private static final long T3 = T1 + 2;

  @Parameters(name = "Redis {0}")
  public static List<String> versions() {
    return List.of("6.2", "7.0");
  }

  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @Parameter public String version = "";

  private LocalRedis redis;
  private Jedis jedis;

  @Before
  public void start() {
    LocalRedis.Builder builder = LocalRedis.in(temporary.getRoot().toPath());
    redis = (version.equals("7.0") ? builder.executable(Redis7.executable()) : builder).start();
    jedis = redis.connect();
    assertThat(redis.version()).startsWith(version);
  }

  @After
  public void stop() {
    if (redis != null) {
      jedis.close();
      redis.close();
    }
  }

  @Test
  public void anyOrderBatchingAndNumberOfWritersEndsInTheGreatestCells() throws Exception {
    for (int seed = 0; seed < ROUNDS; seed++) {
      jedis.flushAll();
      Random random = new Random(seed);
      List<BusMessage> messages = Writers.messages(seed, 40);
      String uri = redis.uri() + "?entitiesPerCall=" + (1 + random.nextInt(40));

      Writers.write(Writers.to(uri), Writers.shares(messages, WRITERS, random), random);

      assertWithMessage("seed %s", seed).that(Hashes.in(jedis)).isEqualTo(Hashes.after(messages));
    }
  }

  @Test
  public void writingEverythingOnceMoreChangesNothing() throws Exception {
    Random random = new Random(1);
    List<BusMessage> messages = Writers.messages(1, 40);
    Writers.write(Writers.to(redis.uri()), List.of(messages), random);
    Map<String, Map<String, String>> before = Hashes.in(jedis);

    Writers.write(Writers.to(redis.uri()), Writers.shares(messages, WRITERS, random), random);

    assertThat(Hashes.in(jedis)).isEqualTo(before);
  }

  @Test
  public void ofThreeTimesTheLatestStandsInOneBundle() throws Exception {
    try (BundleWriter writer = BundleWriter.of(Writers.to(redis.uri()))) {
      writer.write(T1, at(T3), at(T2), at(T1));
    }

    assertStands(at(T3));
  }

  @Test
  public void ofThreeTimesTheLatestStandsInBundlesOfAnyOrder() throws Exception {
    List<QueryResult> results = new ArrayList<>(List.of(at(T3), at(T2), at(T1)));
    for (int order = 0; order < 6; order++) {
      jedis.flushAll();
      try (BundleWriter writer = BundleWriter.of(Writers.to(redis.uri()))) {
        for (QueryResult result : results) {
          writer.write(T1, result);
        }
      }

      assertStands(at(T3));
      Collections.swap(results, order % 2, order % 2 + 1);
    }
  }

  @Test
  public void ofThreeTimesTheLatestStandsByThreeWriters() throws Exception {
    for (int round = 0; round < 20; round++) {
      jedis.flushAll();
      List<List<BusMessage>> shares =
          List.of(
              Writers.published(T1, at(T3)),
              Writers.published(T1, at(T2)),
              Writers.published(T1, at(T1)));

      Writers.write(Writers.to(redis.uri()), shares, new Random(round));

      assertStands(at(T3));
    }
  }

  @Test
  public void atTheSameTimeATombstoneBeatsANullAndANullAValue() throws Exception {
    QueryResult value = at(T1);
    QueryResult nothing =
        Results.of(Results.user("ann", Results.nothing("age", T1, CacheNulls.WRITE_NULLS)));
    QueryResult deletion = Results.of(Results.deletion("ann", T1, "age"));
    for (QueryResult[] order :
        new QueryResult[][] {
          {value, nothing, deletion},
          {value, deletion, nothing},
          {nothing, value, deletion},
          {nothing, deletion, value},
          {deletion, value, nothing},
          {deletion, nothing, value}
        }) {
      jedis.flushAll();
      write(order);
      assertCellStands(deletion);
    }
    for (QueryResult[] order : new QueryResult[][] {{value, nothing}, {nothing, value}}) {
      jedis.flushAll();
      write(order);
      assertCellStands(nothing);
    }
  }

  @Test
  public void atTheSameTimeTheGreaterBytesStand() throws Exception {
    // The bytes differ in the sign of a byte, in length, and far behind the first difference of a
    // chunk's length.
    String common = "x".repeat(600);
    String[][] pairs = {
      {"a", "b"},
      {"a", "aa"},
      {"", "\u0000"},
      {"B", "a"},
      {"z", "é"},
      {common + "a", common + "b"},
      {common + "\u0000", common + "\u0001"},
      {common.substring(0, 238), common.substring(0, 239)},
      {common, common + "é"}
    };
    for (String[] pair : pairs) {
      QueryResult less = Results.of(Results.user("ann", Results.string("name", T1, pair[0])));
      QueryResult greater = Results.of(Results.user("ann", Results.string("name", T1, pair[1])));
      for (QueryResult[] order : new QueryResult[][] {{less, greater}, {greater, less}}) {
        jedis.flushAll();
        write(order);
        assertStands(greater);
      }
    }
  }

  @Test
  public void aWriteThatHoldsNothingToStoreLeavesTheEntityAsItIs() throws Exception {
    long future = T1 + 365L * 24 * 3_600_000_000L;
    try (BundleWriter writer = BundleWriter.of(Writers.to(redis.uri()))) {
      writer.write(T1, at(T3));

      BundleWriter.Written refused =
          writer.write(T1, at(future), Results.of(Results.deletion("bea", future)));
      writer.write(T1, at(T2));

      assertThat(refused.failures()).hasSize(2);
    }
    assertStands(at(T3));
  }

  private void write(QueryResult... bundles) throws Exception {
    try (BundleWriter writer = BundleWriter.of(Writers.to(redis.uri()))) {
      for (QueryResult bundle : bundles) {
        writer.write(T1, bundle);
      }
    }
  }

  private void assertStands(QueryResult result) {
    assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(Writers.published(T1, result)));
  }

  /** As {@link #assertStands}, where what lost has left something in the reserved field. */
  private void assertCellStands(QueryResult result) {
    String key = "production:user:ann";
    assertThat(Hashes.in(jedis).get(key).get("age"))
        .isEqualTo(Hashes.after(Writers.published(T1, result)).get(key).get("age"));
  }

  private static QueryResult at(long time) {
    return Results.of(Results.user("ann", Results.int64("age", time, time - T1)));
  }
}
