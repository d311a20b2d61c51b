package io.tailrace.pipelines.local.servers;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisCluster;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisAskDataException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisMovedDataException;
import redis.clients.jedis.util.JedisClusterCRC16;

@RunWith(JUnit4.class)
public class LocalRedisTest {
  @ClassRule public static final TemporaryFolder shared = new TemporaryFolder();

  private static TestCertificates certificates;

  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @BeforeClass
  public static void generateCertificates() throws Exception {
    certificates = TestCertificates.generate(shared.getRoot().toPath());
  }

  @Test
  public void answersAtItsUri() {
    try (LocalRedis redis = LocalRedis.start(directory());
        Jedis jedis = new Jedis(redis.uri())) {
      jedis.set("key", "value");
      assertThat(jedis.get("key")).isEqualTo("value");
      assertThat(redis.version()).startsWith("6.2.");
    }
  }

  @Test
  public void listensOnTheLoopbackAddressOnly() {
    try (LocalRedis redis = LocalRedis.start(directory());
        Jedis jedis = redis.connect()) {
      assertThat(jedis.configGet("bind")).containsEntry("bind", "127.0.0.1");
    }
  }

  @Test
  public void restartForgetsDataByDefault() {
    try (LocalRedis redis = LocalRedis.start(directory())) {
      set(redis, "key", "value");
      redis.restart();
      try (Jedis jedis = redis.connect()) {
        assertThat(jedis.dbSize()).isEqualTo(0);
      }
    }
  }

  @Test
  public void restartKeepsPortAndAppendOnlyData() {
    try (LocalRedis redis = LocalRedis.in(directory()).appendOnly().start()) {
      String uri = redis.uri();
      set(redis, "key", "value");
      redis.restart();
      assertThat(redis.uri()).isEqualTo(uri);
      try (Jedis jedis = redis.connect()) {
        assertThat(jedis.get("key")).isEqualTo("value");
      }
    }
  }

  @Test
  public void startsAgainOnTheDirectoryOfAClosedServer() {
    try (LocalRedis first = LocalRedis.in(directory()).appendOnly().start()) {
      set(first, "key", "value");
    }
    try (LocalRedis second = LocalRedis.in(directory()).appendOnly().start();
        Jedis jedis = second.connect()) {
      assertThat(jedis.get("key")).isEqualTo("value");
    }
  }

  @Test
  public void answersNobodyWhileStopped() {
    try (LocalRedis redis = LocalRedis.start(directory())) {
      redis.stop();
      assertThat(redis.isRunning()).isFalse();
      assertThrows(JedisConnectionException.class, () -> set(redis, "key", "value"));
    }
  }

  @Test
  public void endsWithAJvmThatIsKilled() throws Exception {
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                StartAndDie.class.getName(),
                directory().toString())
            .start();
    String output = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String port = output.strip().lines().reduce("", (before, last) -> last);
    assertThat(jvm.waitFor()).isEqualTo(StartAndDie.STATUS);

    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!FreePorts.isFree(Integer.parseInt(port))) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(10);
    }
  }

  /** Starts a server, prints its port and ends like a JVM that is killed: without its hooks. */
  static final class StartAndDie {
    static final int STATUS = 137;

    public static void main(String[] arguments) {
      LocalRedis redis = LocalRedis.start(Path.of(arguments[0]));
      System.out.println(redis.port());
      System.out.flush();
      Runtime.getRuntime().halt(STATUS);
    }
  }

  @Test
  public void refusesToGrowAboveItsMemory() {
    try (LocalRedis redis = LocalRedis.in(directory()).maxMemory(2 << 20).start()) {
      JedisDataException e =
          assertThrows(
              JedisDataException.class,
              () -> {
                for (int i = 0; i < 100; i++) {
                  set(redis, "key-" + i, "x".repeat(100_000));
                }
              });
      assertThat(e).hasMessageThat().startsWith("OOM");
    }
  }

  @Test
  public void asksForThePassword() throws Exception {
    try (LocalRedis redis = LocalRedis.in(directory()).password("se\"cret \\1").start()) {
      set(redis, "key", "value");
      assertThat(redis.uri()).doesNotContain("cret");
      try (Jedis stranger = new Jedis(redis.uri())) {
        assertThat(assertThrows(JedisDataException.class, () -> stranger.get("key")))
            .hasMessageThat()
            .startsWith("NOAUTH");
      }
    }
  }

  @Test
  public void aUserMayDoWhatItsRulesSay() {
    try (LocalRedis redis =
            LocalRedis.in(directory())
                .user("writer", "se cret", "~features:*", "+hset", "+hget")
                .start();
        Jedis jedis = redis.connect()) {
      jedis.hset("features:1", "field", "value");
      assertThat(jedis.hget("features:1", "field")).isEqualTo("value");
      assertThrows(JedisAccessControlException.class, () -> jedis.hset("other", "field", "value"));
      assertThrows(JedisAccessControlException.class, () -> jedis.flushAll());
    }
  }

  @Test
  public void speaksTlsAndChecksUsersThere() throws Exception {
    try (LocalRedis redis =
            LocalRedis.in(directory())
                .tls(certificates.certificate(), certificates.key(), certificates.authority())
                .user("writer", "secret", "~*", "+@all")
                .start();
        Jedis jedis = redis.connect()) {
      assertThat(redis.uri()).startsWith("rediss://127.0.0.1:");
      assertThat(jedis.aclWhoAmI()).isEqualTo("writer");
      redis.restart();
      set(redis, "key", "value");
    }
  }

  @Test
  public void tlsIsRefusedByAClientThatDoesNotTrustTheAuthority() throws Exception {
    try (LocalRedis redis =
        LocalRedis.in(directory())
            .tls(certificates.certificate(), certificates.key(), certificates.authority())
            .start()) {
      assertThrows(JedisConnectionException.class, () -> new Jedis(redis.uri()));
    }
  }

  @Test
  public void passesTheEnvironmentOn() throws Exception {
    // Redis overwrites its environment with its title, so a script in front of it looks.
    Path seen = temporary.newFile().toPath();
    Path bundled = LocalRedis.extractExecutable(temporary.newFolder().toPath());
    Path script = temporary.newFile().toPath();
    Files.writeString(
        script, "#!/bin/sh\necho $LC_ALL >" + seen + "\nexec " + bundled + " \"$@\"\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    try (LocalRedis redis =
        LocalRedis.in(directory())
            .executable(script)
            .environment("LC_ALL", "en_US.UTF-8")
            .start()) {
      assertThat(Files.readString(seen).trim()).isEqualTo("en_US.UTF-8");
      assertThat(redis.isRunning()).isTrue();
    }
  }

  @Test
  public void aTakenPortIsAnError() throws Exception {
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      assertThrows(
          IllegalStateException.class,
          () -> LocalRedis.in(directory()).port(taken.getLocalPort()).start());
    }
  }

  @Test
  public void aWrongSettingIsAnErrorThatNamesIt() {
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> LocalRedis.in(directory()).setting("no-such-setting", "1").start());
    assertThat(e).hasMessageThat().contains("no-such-setting");
  }

  @Test
  public void runsAnotherExecutable() {
    try (LocalRedis redis = LocalRedis.in(directory()).executable(Redis7.executable()).start()) {
      assertThat(redis.version()).startsWith("7.");
    }
  }

  @Test
  public void aClusterServesAllSlots() {
    try (LocalRedisCluster cluster = LocalRedisCluster.start(directory(), 3)) {
      assertServesAllSlots(cluster);
    }
  }

  @Test
  public void aClusterOfAnotherExecutableServesAllSlots() {
    try (LocalRedisCluster cluster = LocalRedisCluster.start(directory(), 3, Redis7.executable())) {
      assertServesAllSlots(cluster);
    }
  }

  @Test
  public void aMigratedSlotIsAskedForAndThenMoved() {
    String moved = "{user}:moved";
    String fresh = "{user}:fresh";
    int slot = JedisClusterCRC16.getSlot(moved);
    try (LocalRedisCluster cluster = LocalRedisCluster.start(directory(), 3)) {
      int from = cluster.owner(slot);
      int to = (from + 1) % 3;
      try (Jedis old = cluster.nodes().get(from).connect()) {
        old.set(moved, "value");
        cluster.beginMigration(slot, from, to);
        assertThat(old.get(moved)).isEqualTo("value");
        assertThat(assertThrows(JedisAskDataException.class, () -> old.get(fresh)).getTargetNode())
            .isEqualTo(new HostAndPort("127.0.0.1", cluster.nodes().get(to).port()));

        assertThat(cluster.moveKeys(slot, from, to)).isEqualTo(1);
        assertThrows(JedisAskDataException.class, () -> old.get(moved));

        cluster.endMigration(slot, from, to);
        assertThat(
                assertThrows(JedisMovedDataException.class, () -> old.get(moved)).getTargetNode())
            .isEqualTo(new HostAndPort("127.0.0.1", cluster.nodes().get(to).port()));
        assertThat(cluster.owner(slot)).isEqualTo(to);
      }
      try (Jedis now = cluster.nodes().get(to).connect()) {
        assertThat(now.get(moved)).isEqualTo("value");
      }
    }
  }

  @Test
  public void aClusterNodeComesBackAfterARestart() {
    try (LocalRedisCluster cluster = LocalRedisCluster.start(directory(), 3)) {
      cluster.nodes().get(1).restart();
      cluster.awaitOk();
      assertServesAllSlots(cluster);
    }
  }

  private static void assertServesAllSlots(LocalRedisCluster cluster) {
    HostAndPort first = HostAndPort.from(cluster.uri().replaceAll("redis.cluster://|,.*", ""));
    int keys = 1_000;
    try (JedisCluster client = new JedisCluster(first)) {
      for (int i = 0; i < keys; i++) {
        client.set("key-" + i, "value");
      }
    }
    long found = 0;
    for (LocalRedis node : cluster.nodes()) {
      try (Jedis jedis = node.connect()) {
        assertThat(jedis.dbSize()).isGreaterThan(0L);
        found += jedis.dbSize();
      }
    }
    assertThat(found).isEqualTo(keys);
    assertThat(cluster.owner(0)).isEqualTo(0);
    assertThat(cluster.owner(LocalRedisCluster.SLOTS - 1)).isEqualTo(cluster.nodes().size() - 1);
  }

  private static void set(LocalRedis redis, String key, String value) {
    try (Jedis jedis = redis.connect()) {
      jedis.set(key, value);
    }
  }

  private Path directory() {
    return temporary.getRoot().toPath().resolve("redis");
  }
}
