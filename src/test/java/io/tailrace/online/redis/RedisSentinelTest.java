package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.OnlineStores;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/** A real Redis with a replica and a real sentinel, which makes the replica the master. */
@RunWith(JUnit4.class)
public class RedisSentinelTest {
  private static final long T = OnlineWriters.START;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private LocalRedis first;
  private LocalRedis second;
  private Process sentinel;
  private int port;

  @Before
  public void start() throws Exception {
    first = LocalRedis.start(folder.newFolder().toPath());
    second =
        LocalRedis.in(folder.newFolder().toPath())
            .setting("replicaof", "127.0.0.1", Integer.toString(first.port()))
            .start();
    try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = any.getLocalPort();
    }
    Path home = folder.newFolder().toPath();
    Path config = home.resolve("sentinel.conf");
    Files.writeString(
        config,
        "port "
            + port
            + "\nbind 127.0.0.1\ndir "
            + home
            + "\nsentinel monitor features 127.0.0.1 "
            + first.port()
            + " 1\nsentinel down-after-milliseconds features 60000"
            + "\nsentinel failover-timeout features 60000\n");
    sentinel =
        new ProcessBuilder(
                LocalRedis.extractExecutable(home).toString(), config.toString(), "--sentinel")
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("log").toFile())
            .start();
    awaitReplica();
  }

  @After
  public void stop() throws Exception {
    int unused = sentinel.destroyForcibly().waitFor();
    second.close();
    first.close();
  }

  /** Until the sentinel knows the replica, and that has what the master has. */
  private void awaitReplica() throws Exception {
    while (true) {
      try (Jedis jedis = new Jedis("127.0.0.1", port);
          Jedis replica = second.connect()) {
        boolean isUp = replica.info("replication").contains("master_link_status:up");
        if (isUp && !jedis.sentinelReplicas("features").isEmpty()) {
          return;
        }
      } catch (JedisConnectionException e) {
        assertThat(sentinel.isAlive()).isTrue();
      }
      Thread.sleep(10);
    }
  }

  private String uri(String master) {
    return "redis+sentinel://127.0.0.1:" + port + "/0?master=" + master;
  }

  @Test
  public void theMasterThatTheSentinelNamesIsWrittenTo() throws Exception {
    OnlineStores.at(uri("features")).check();
    try (BundleWriter writer =
        BundleWriter.of(OnlineWriters.to(uri("features") + "&retryFor=60s"))) {
      var unused = writer.write(T, Results.of(Results.user("ann", Results.int64("age", T, 1))));

      try (Jedis jedis = new Jedis("127.0.0.1", port)) {
        failOver(jedis);
      }
      awaitMaster(second.port());
      first.stop();
      var after = writer.write(T, Results.of(Results.user("bea", Results.int64("age", T + 1, 2))));
      assertThat(after.outcomes().get(0).written()).isEqualTo(1);
    }

    try (Jedis jedis = second.connect();
        OnlineReader reader = OnlineReader.open(uri("features"))) {
      assertThat(jedis.exists("production:user:bea")).isTrue();
      assertThat(reader.readCells(List.of(new EntityKey("production", "user", "bea"))))
          .isNotEmpty();
    }
  }

  /** A sentinel that has just met a replica holds it for unfit until it has asked it something. */
  private static void failOver(Jedis jedis) throws InterruptedException {
    while (true) {
      try {
        Object unused = jedis.sendCommand(Protocol.Command.SENTINEL, "FAILOVER", "features");
        return;
      } catch (JedisDataException e) {
        assertThat(e).hasMessageThat().startsWith("NOGOODSLAVE");
        Thread.sleep(10);
      }
    }
  }

  private void awaitMaster(int of) throws Exception {
    while (true) {
      try (Jedis jedis = new Jedis("127.0.0.1", port)) {
        if (jedis.sentinelGetMasterAddrByName("features").get(1).equals(Integer.toString(of))) {
          return;
        }
      }
      Thread.sleep(10);
    }
  }

  @Test
  public void aMasterThatNoSentinelKnowsIsNamed() {
    assertThat(assertThrows(UnavailableException.class, OnlineStores.at(uri("others"))::check))
        .hasMessageThat()
        .contains("knows no master 'others'");
  }
}
