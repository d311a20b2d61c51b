package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.WriteOutcome;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.servers.LocalRedisCluster;
import io.tailrace.testing.OnlineStoreContract;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.util.JedisClusterCRC16;

/** A cluster is an online store, also while its slots move. */
public class RedisClusterTest extends OnlineStoreContract {
  private static final long T = OnlineWriters.START;

  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static LocalRedisCluster cluster;

  @BeforeClass
  public static void start() {
    cluster = LocalRedisCluster.start(temporary.getRoot().toPath(), 3);
  }

  @AfterClass
  public static void stop() {
    cluster.close();
  }

  @Override
  protected String uri() {
    return cluster.uri();
  }

  @Override
  protected String uri(String retryFor) {
    return cluster.uri() + "?retryFor=" + retryFor;
  }

  @Override
  protected String unreachable() throws Exception {
    try (ServerSocket closed = new ServerSocket(0)) {
      return "redis+cluster://127.0.0.1:" + closed.getLocalPort() + "?retryFor=1s";
    }
  }

  @Override
  protected void removeAll() {
    for (LocalRedis node : cluster.nodes()) {
      try (Jedis jedis = node.connect()) {
        jedis.flushAll();
      }
    }
  }

  @Override
  protected void stopStore() {
    cluster.nodes().get(1).stop();
  }

  @Override
  protected void restartStore() {
    cluster.nodes().get(1).restart();
    cluster.awaitOk();
  }

  @Test
  public void nothingIsLostWhileASlotMovesUnderTraffic() throws Exception {
    List<String> keys = ofOneSlot("moving", 40);
    int slot = slot(keys.get(0));
    int from = cluster.owner(slot);
    int to = (from + 1) % 3;
    AtomicBoolean moved = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<List<BusMessage>>> writers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        int writer = i;
        writers.add(threads.submit(() -> writeUntil(moved, writer, keys)));
      }
      Thread.sleep(100);
      cluster.beginMigration(slot, from, to);
      Thread.sleep(100);
      cluster.moveKeys(slot, from, to);
      Thread.sleep(100);
      // Some of the entities were made meanwhile.
      cluster.moveKeys(slot, from, to);
      cluster.endMigration(slot, from, to);
      Thread.sleep(200);
      moved.set(true);
      List<BusMessage> messages = new ArrayList<>();
      for (Future<List<BusMessage>> writer : writers) {
        messages.addAll(writer.get());
      }

      assertThat(hashes()).isEqualTo(Hashes.after(messages));
      try (Jedis jedis = cluster.nodes().get(to).connect()) {
        assertThat(jedis.clusterCountKeysInSlot(slot)).isGreaterThan(0);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static int slot(String key) {
    return JedisClusterCRC16.getSlot(RedisKeys.of(entity(key)));
  }

  /** Returns keys of entities whose hashes are in one slot, which is found by trying. */
  private static List<String> ofOneSlot(String name, int count) {
    List<String> keys = new ArrayList<>(List.of(name));
    for (int i = 0; keys.size() < count; i++) {
      if (slot(name + i) == slot(name)) {
        keys.add(name + i);
      }
    }
    return keys;
  }

  private static List<BusMessage> writeUntil(AtomicBoolean end, int seed, List<String> keys)
      throws Exception {
    List<BusMessage> written = new ArrayList<>();
    Random random = new Random(seed);
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(cluster.uri() + "?retryFor=10s"))) {
      for (int bundle = 0; bundle < 5 || !end.get(); bundle++) {
        List<BusMessage> messages = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
          // New entities come while others are already known.
          String key = keys.get(random.nextInt(Math.min(keys.size(), 10 + bundle)));
          long time = T + random.nextInt(1_000);
          messages.addAll(
              OnlineWriters.published(
                  T,
                  Results.of(
                      Results.user(key, Results.int64("f" + random.nextInt(4), time, bundle)))));
        }
        BundleWriter.Written outcome = writer.write(messages);
        assertThat(outcome.failures()).isEmpty();
        for (WriteOutcome each : outcome.outcomes()) {
          assertThat(each.written() + each.stale() + each.duplicate()).isEqualTo(1);
        }
        written.addAll(messages);
        Thread.sleep(2);
      }
    }
    return written;
  }

  @Test
  public void aCallOfSeveralNewEntitiesGoesOnWhileTheirSlotMoves() throws Exception {
    List<String> keys = ofOneSlot("half", 6);
    int slot = slot(keys.get(0));
    int from = cluster.owner(slot);
    int to = (from + 1) % 3;
    QueryResult first = ages(T, keys.subList(0, 4));
    QueryResult second = ages(T + 1, keys);
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(cluster.uri()));
        OnlineReader reader = OnlineReader.open(cluster.uri())) {
      writer.write(T, first);
      cluster.beginMigration(slot, from, to);
      try {
        cluster.moveKeys(slot, from, to);

        WriteOutcome outcome = writer.write(T, second).outcomes().get(0);

        assertThat(outcome.written()).isEqualTo(6);
        assertThat(ages(reader, keys)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L).inOrder();
      } finally {
        cluster.moveKeys(slot, from, to);
        cluster.endMigration(slot, from, to);
      }

      assertThat(writer.write(T, ages(T + 2, keys)).outcomes().get(0).written()).isEqualTo(6);
      assertThat(ages(reader, keys)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L).inOrder();
    }
  }

  @Test
  public void readsAndWritesGoOnAfterANodeWasRestarted() throws Exception {
    List<String> keys = IntStream.range(0, 30).mapToObj(i -> "k" + i).toList();
    // Two of the nodes are not named.
    String uri = "redis+cluster://127.0.0.1:" + cluster.nodes().get(0).port();
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri));
        OnlineReader reader = OnlineReader.open(uri)) {
      writer.write(T, ages(T, keys));
      assertThat(ages(reader, keys)).hasSize(30);
      cluster.nodes().get(1).restart();
      cluster.awaitOk();

      // It has forgotten everything, its script among it.
      assertThat(reader.read(keys.stream().map(RedisClusterTest::entity).toList())).hasSize(30);
      writer.write(T, ages(T, keys));

      assertThat(ages(reader, keys)).hasSize(30);
    }
  }

  @Test
  public void bracesInNamesAndKeysDoNotGatherEntitiesInASlot() {
    Set<Integer> slots = new TreeSet<>();
    for (int i = 0; i < 100; i++) {
      slots.add(JedisClusterCRC16.getSlot(RedisKeys.of(new EntityKey("{prod}", "user", "k" + i))));
      slots.add(JedisClusterCRC16.getSlot(RedisKeys.of(new EntityKey("prod", "{u}", "k" + i))));
      slots.add(slot("{tag}" + i));
    }

    assertThat(slots.size()).isGreaterThan(250);
  }

  @Test
  public void theNamedPermissionsAreEnoughAndEachOfThemIsNeeded() throws Exception {
    String needed = RedisCheck.NEEDED_PERMISSIONS + " " + RedisCheck.NEEDED_IN_A_CLUSTER;
    Path secret = Files.writeString(temporary.newFile().toPath(), "secret\n");
    String uri = cluster.uri() + "?user=writer&password=file:" + secret;
    allow("reset", "on", ">secret");
    allow(needed.split(" "));
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri))) {
      OnlineStores.at(uri).check();
      List<String> keys = IntStream.range(0, 30).mapToObj(i -> "k" + i).toList();
      assertThat(writer.write(T, ages(T, keys)).outcomes().get(0).written()).isEqualTo(30);
      assertThat(writer.write(T, Results.of(Results.deletion("k1", T + 1))).failures()).isEmpty();
    }
    for (String command : List.of("cluster", "asking")) {
      allow("-" + command);

      UnavailableException e =
          assertThrows(UnavailableException.class, () -> OnlineStores.at(uri).check());

      assertThat(e).hasMessageThat().contains("the user lacks a permission (NOPERM");
      assertThat(e).hasMessageThat().contains(command);
      assertThat(e).hasMessageThat().contains("it needs " + needed);
      allow(needed.split(" "));
    }
  }

  @Test
  public void aKeyThatTheUserMayNotTouchRejectsOnlyItsEntity() throws Exception {
    Path secret = Files.writeString(temporary.newFile().toPath(), "secret\n");
    allow("reset", "on", ">secret", "~production:user:*", "+@all");
    try (BundleWriter writer =
        BundleWriter.of(OnlineWriters.to(cluster.uri() + "?user=writer&password=file:" + secret))) {
      List<String> keys = IntStream.range(0, 30).mapToObj(i -> "k" + i).toList();
      QueryResult forbidden = ages(T, keys).toBuilder().setEnvironmentId("other").build();

      BundleWriter.Written written = writer.write(T, forbidden, ages(T, keys));

      assertThat(written.outcomes().get(0).rejected()).isEqualTo(30);
      assertThat(written.outcomes().get(1).written()).isEqualTo(30);
    }
  }

  private static void allow(String... rules) {
    for (LocalRedis node : cluster.nodes()) {
      try (Jedis jedis = node.connect()) {
        jedis.aclSetUser("writer", rules);
      }
    }
  }

  private static List<Object> ages(OnlineReader reader, List<String> keys) throws Exception {
    List<Object> ages = new ArrayList<>();
    for (Map<String, OnlineReader.Value> each :
        reader.read(keys.stream().map(RedisClusterTest::entity).toList())) {
      ages.add(each.get("age").value().orElseThrow());
    }
    return ages;
  }

  private static EntityKey entity(String key) {
    return new EntityKey(Results.ENVIRONMENT, "user", key);
  }

  private static QueryResult ages(long time, List<String> keys) {
    long[] ages = IntStream.range(0, keys.size()).mapToLong(i -> i).toArray();
    return Results.of(Results.users(keys, Results.int64("age", time, ages)));
  }

  private static Map<String, Map<String, String>> hashes() {
    Map<String, Map<String, String>> hashes = new TreeMap<>();
    for (LocalRedis node : cluster.nodes()) {
      try (Jedis jedis = node.connect()) {
        Hashes.in(jedis)
            .forEach(
                (key, fields) -> assertWithMessage(key).that(hashes.put(key, fields)).isNull());
      }
    }
    return hashes;
  }
}
