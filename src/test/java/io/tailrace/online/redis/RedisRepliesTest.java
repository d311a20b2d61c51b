package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.WriteOutcome;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.servers.Redis7;
import io.tailrace.pipelines.local.servers.TestCertificates;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.ClientKillParams;

/** What a server refuses for now is tried again, and what it refuses for good is said in words. */
@RunWith(Parameterized.class)
public class RedisRepliesTest {
  private static final String PASSWORD = "p@ss word/%";
  private static final long T = OnlineWriters.START;

  @Parameters(name = "Redis {0}")
  public static List<String> versions() {
    return List.of("6.2", "7.0");
  }

  @ClassRule public static final TemporaryFolder shared = new TemporaryFolder();

  private static TestCertificates certificates;

  @BeforeClass
  public static void generateCertificates() throws Exception {
    certificates = TestCertificates.generate(shared.getRoot().toPath());
  }

  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @Parameter public String version = "";

  private int servers;

  @Test
  public void aServerThatForgotTheScriptIsToldAgain() throws Exception {
    try (LocalRedis redis = server().start();
        Jedis jedis = redis.connect();
        BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri()))) {
      for (int i = 0; i < 3; i++) {
        jedis.scriptFlush();
        assertThat(write(writer, T + i).written()).isEqualTo(1);
      }
      assertStands(jedis, age(T + 2));
    }
  }

  @Test
  public void aServerThatWasRestartedBetweenTwoWritesIsConnectedAgain() throws Exception {
    try (LocalRedis redis = server().appendOnly().start();
        BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri()))) {
      write(writer, T + 1);
      redis.restart();

      assertThat(write(writer, T).stale()).isEqualTo(1);
      assertThat(write(writer, T + 2).written()).isEqualTo(1);

      try (Jedis jedis = redis.connect()) {
        assertStands(jedis, age(T + 2));
      }
    }
  }

  @Test
  public void nothingThatWasConfirmedIsLostWhenAServerIsRestartedUnderTraffic() throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (LocalRedis redis = server().appendOnly().setting("appendfsync", "always").start()) {
      AtomicBoolean end = new AtomicBoolean();
      Future<List<BusMessage>> writing =
          thread.submit(
              () -> {
                List<BusMessage> written = new ArrayList<>();
                try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri()))) {
                  for (int i = 0; i < 10 || !end.get(); i++) {
                    List<BusMessage> bundle =
                        OnlineWriters.published(
                            T, Results.of(Results.user("k" + i, Results.int64("age", T + i, i))));
                    writer.write(bundle);
                    written.addAll(bundle);
                  }
                }
                return written;
              });
      Thread.sleep(100);
      redis.restart();
      Thread.sleep(200);
      end.set(true);

      List<BusMessage> written = writing.get();
      try (Jedis jedis = redis.connect()) {
        assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(written));
      }
    } finally {
      thread.shutdownNow();
    }
  }

  @Test
  public void aServerThatIsLoadingIsWaitedFor() throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    // A key takes 50 milliseconds to load, and every two megabytes a server says that it loads.
    try (LocalRedis redis =
            server()
                .appendOnly()
                .setting("rdbcompression", "no")
                .setting("key-load-delay", "50000")
                .start();
        BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri()));
        BundleWriter impatient = BundleWriter.of(OnlineWriters.to(redis.uri() + "?retryFor=1ms"))) {
      write(writer, T + 1);
      try (Jedis jedis = redis.connect()) {
        jedis.eval(
            "for i = 1, 60 do redis.call('SET', 'filler' .. i, string.rep('x', 200000)) end");
        // Only from a snapshot keys are loaded one by one.
        jedis.bgrewriteaof();
        do {
          Thread.sleep(20);
        } while (jedis.info("persistence").contains("aof_rewrite_in_progress:1"));
      }
      redis.stop();
      Future<?> starting = thread.submit(redis::restart);
      String refusal = "";
      while (!starting.isDone() && !refusal.contains("LOADING")) {
        try {
          write(impatient, T);
        } catch (UnavailableException e) {
          refusal = e.getMessage();
        }
      }
      assertThat(refusal).contains("LOADING");

      assertThat(write(writer, T).stale()).isEqualTo(1);
      starting.get();
    } finally {
      thread.shutdownNow();
    }
  }

  @Test
  public void aReplicaThatBecomesTheMasterIsWaitedFor() throws Exception {
    try (LocalRedis master = server().start();
        LocalRedis redis = server().start();
        Jedis jedis = redis.connect();
        BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri()));
        BundleWriter impatient =
            BundleWriter.of(OnlineWriters.to(redis.uri() + "?retryFor=300ms"))) {
      write(writer, T);
      jedis.replicaof("127.0.0.1", master.port());
      awaitReplica(master);

      UnavailableException e =
          assertThrows(UnavailableException.class, () -> write(impatient, T + 1));
      assertThat(e).hasMessageThat().contains("READONLY");
      assertThat(
              assertThrows(UnavailableException.class, () -> OnlineStores.at(redis.uri()).check()))
          .hasMessageThat()
          .contains("is a replica, which can't be written to; its master is 127.0.0.1:");

      ExecutorService thread = Executors.newSingleThreadExecutor();
      try {
        Future<WriteOutcome> waiting = thread.submit(() -> write(writer, T + 2));
        Thread.sleep(100);
        assertThat(waiting.isDone()).isFalse();
        jedis.replicaofNoOne();
        assertThat(waiting.get().written()).isEqualTo(1);
      } finally {
        thread.shutdownNow();
      }
      assertStands(jedis, age(T + 2));
    }
  }

  @Test
  public void aServerWithoutMemoryIsWaitedForAndNothingIsDropped() throws Exception {
    try (LocalRedis redis = server().start();
        Jedis jedis = redis.connect();
        BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri() + "?retryFor=1s"))) {
      jedis.configSet("maxmemory-policy", "noeviction");
      jedis.configSet("maxmemory", "1");

      UnavailableException e = assertThrows(UnavailableException.class, () -> write(writer, T + 1));

      assertThat(e).hasMessageThat().startsWith(redis.uri());
      assertThat(e).hasMessageThat().contains("can't be used for 1 s: ");
      assertThat(e).hasMessageThat().contains("OOM");
      assertThat(jedis.dbSize()).isEqualTo(0);

      jedis.configSet("maxmemory", "0");
      assertThat(write(writer, T + 1).written()).isEqualTo(1);
      assertStands(jedis, age(T + 1));
    }
  }

  @Test
  public void aServerThatIsDownIsTriedAgainForAWhile() throws Exception {
    try (LocalRedis redis = server().start();
        BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri() + "?retryFor=300ms"))) {
      redis.stop();

      assertThat(assertThrows(UnavailableException.class, () -> write(writer, T)))
          .hasMessageThat()
          .contains("127.0.0.1:" + redis.port() + ": Connection refused");
      assertThat(
              assertThrows(UnavailableException.class, () -> OnlineStores.at(redis.uri()).check()))
          .hasMessageThat()
          .contains("can't be reached: Connection refused; check host and port");

      redis.restart();
      assertThat(write(writer, T).written()).isEqualTo(1);
    }
  }

  @Test
  public void aWrongOrMissingPasswordIsSaidAtOnce() throws Exception {
    Path secret = secret("wrong");
    try (LocalRedis redis = server().password(PASSWORD).start()) {
      for (String uri : List.of(redis.uri(), redis.uri() + "?password=file:" + secret)) {
        try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri))) {
          assertThat(assertThrows(UnavailableException.class, () -> OnlineStores.at(uri).check()))
              .hasMessageThat()
              .contains("the server refuses the user or the password");
          assertThat(assertThrows(UnavailableException.class, () -> write(writer, T)))
              .hasMessageThat()
              .contains("the user or the password is refused, or lacks a permission");
        }
      }
    }
  }

  @Test
  public void aPasswordIsReadAnewAtEachConnection() throws Exception {
    Path secret = secret(PASSWORD);
    try (LocalRedis redis =
            server()
                .user("admin", "admin", "~*", "+@all")
                .user("writer", PASSWORD, "~*", "+@all")
                .start();
        Jedis jedis = redis.connect();
        BundleWriter writer =
            BundleWriter.of(
                OnlineWriters.to(redis.uri() + "?user=writer&password=file:" + secret))) {
      write(writer, T);
      jedis.aclSetUser("writer", "resetpass", ">another");
      Files.writeString(secret, "another\n");
      jedis.clientKill(new ClientKillParams().user("writer"));

      assertThat(write(writer, T + 1).written()).isEqualTo(1);
    }
  }

  @Test
  public void aMissingPermissionIsSaidAtOnce() throws Exception {
    Path secret = secret(PASSWORD);
    try (LocalRedis redis =
        server()
            .user("admin", "admin", "~*", "+@all")
            .user("reader", PASSWORD, "~*", "+@connection", "+@read", "+info")
            .user("elsewhere", PASSWORD, "~other:*", "+@all")
            .start()) {
      // A user who may write elsewhere passes the check: nobody knows yet what is to be written.
      OnlineStores.at(redis.uri() + "?user=elsewhere&password=file:" + secret).check();
      String reader = redis.uri() + "?user=reader&password=file:" + secret;
      String elsewhere = redis.uri() + "?user=elsewhere&password=file:" + secret;

      assertThat(assertThrows(UnavailableException.class, () -> OnlineStores.at(reader).check()))
          .hasMessageThat()
          .contains("the user lacks a permission (NOPERM");
      for (String uri : List.of(reader, elsewhere)) {
        try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri))) {
          assertThat(assertThrows(UnavailableException.class, () -> write(writer, T)))
              .hasMessageThat()
              .contains("the user or the password is refused, or lacks a permission: NOPERM");
        }
      }
    }
  }

  @Test
  public void theNamedPermissionsAreEnough() throws Exception {
    Path secret = secret(PASSWORD);
    try (LocalRedis redis =
        server()
            .user("admin", "admin", "~*", "+@all")
            .user("writer", PASSWORD, RedisCheck.NEEDED_PERMISSIONS.split(" "))
            .start()) {
      String uri = redis.uri() + "?user=writer&password=file:" + secret;
      OnlineStores.at(uri).check();
      try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri))) {
        writer.write(T, age(T), Results.of(Results.deletion("ann", T + 1)));
        writer.write(
            T, Results.of(Results.user("ann", Results.expiring("age", T + 3, 3_600_000_000L, 1))));
        assertThat(write(writer, T + 2).stale()).isEqualTo(1);
      }
    }
  }

  @Test
  public void speaksTlsAsAUserWithAPasswordFromAFile() throws Exception {
    Path secret = secret(PASSWORD);
    try (LocalRedis redis =
        server()
            .tls(certificates.certificate(), certificates.key(), certificates.authority())
            .user("writer", PASSWORD, "~*", "+@all")
            .start()) {
      String uri =
          redis.uri()
              + "?caFile="
              + certificates.authority()
              + "&user=writer&password=file:"
              + secret;
      OnlineStores.at(uri).check();
      try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri));
          Jedis jedis = redis.connect()) {
        assertThat(write(writer, T).written()).isEqualTo(1);
        assertStands(jedis, age(T));
      }
      assertThat(OnlineStores.at(uri).toString()).doesNotContain(PASSWORD);

      String untrusted = redis.uri() + "?user=writer&password=file:" + secret;
      assertThat(assertThrows(UnavailableException.class, () -> OnlineStores.at(untrusted).check()))
          .hasMessageThat()
          .contains("speaks TLS with a certificate that is trusted");
    }
  }

  @Test
  public void waitsForReplicas() throws Exception {
    try (LocalRedis redis = server().start();
        LocalRedis replica =
            server().setting("replicaof", "127.0.0.1", Integer.toString(redis.port())).start();
        Jedis jedis = replica.connect();
        BundleWriter patient =
            BundleWriter.of(OnlineWriters.to(redis.uri() + "?waitReplicas=1&retryFor=60s"));
        BundleWriter impatient =
            BundleWriter.of(
                OnlineWriters.to(redis.uri() + "?waitReplicas=1&waitTimeout=200ms&retryFor=1s"))) {
      awaitReplica(redis);

      WriteOutcome outcome = write(patient, T);

      assertThat(outcome.written() + outcome.duplicate()).isEqualTo(1);
      assertStands(jedis, age(T));

      replica.stop();
      UnavailableException e =
          assertThrows(UnavailableException.class, () -> write(impatient, T + 1));
      assertThat(e).hasMessageThat().contains("has the write on 0 of 1 replicas");
    }
  }

  @Test
  public void aWaitThatIsRefusedIsNoConfirmation() throws Exception {
    Path secret = secret(PASSWORD);
    try (LocalRedis redis = server().user("writer", PASSWORD, "~*", "+@all", "-wait").start();
        BundleWriter writer =
            BundleWriter.of(
                OnlineWriters.to(
                    redis.uri() + "?waitReplicas=1&user=writer&password=file:" + secret))) {
      UnavailableException e = assertThrows(UnavailableException.class, () -> write(writer, T));

      assertThat(e).hasMessageThat().contains("NOPERM");
    }
  }

  @Test
  public void aCommandThatTheUserMayNotRunIsNamedAtStart() throws Exception {
    Path secret = secret(PASSWORD);
    try (LocalRedis redis =
            server()
                .user("admin", "admin", "~*", "+@all")
                .user("writer", PASSWORD, RedisCheck.NEEDED_PERMISSIONS.split(" "))
                .start();
        Jedis jedis = redis.connect()) {
      String uri = redis.uri() + "?waitReplicas=1&user=writer&password=file:" + secret;
      for (String command :
          List.of(
              "hget",
              "hset",
              "hmget",
              "hgetall",
              "hdel",
              "hlen",
              "persist",
              "pexpireat",
              "time",
              "wait",
              "evalsha",
              "script|load")) {
        jedis.aclSetUser("writer", "reset", "on", ">" + PASSWORD);
        jedis.aclSetUser("writer", RedisCheck.NEEDED_PERMISSIONS.split(" ", -1));
        OnlineStores.at(uri).check();
        jedis.aclSetUser("writer", "-" + command.split("\\|", -1)[0]);

        UnavailableException e =
            assertThrows(UnavailableException.class, () -> OnlineStores.at(uri).check());

        assertThat(e).hasMessageThat().contains("the user lacks a permission (NOPERM");
        assertThat(e).hasMessageThat().contains(command.split("\\|", -1)[0]);
        assertThat(e).hasMessageThat().contains("it needs " + RedisCheck.NEEDED_PERMISSIONS);
      }
      assertThat(jedis.dbSize()).isEqualTo(0);
    }
  }

  @Test
  public void aPatternOfEntitiesIsEnoughWithTheKeyOfTheStoresId() throws Exception {
    Path secret = secret(PASSWORD);
    String others = RedisCheck.NEEDED_PERMISSIONS.replace("~* ", "~production:* ");
    try (LocalRedis redis =
        server()
            .user("admin", "admin", "~*", "+@all")
            .user("writer", PASSWORD, others.split(" ", -1))
            .user("started", PASSWORD, (others + " ~tailrace:store").split(" ", -1))
            .start()) {
      String uri = redis.uri() + "?password=file:" + secret + "&user=";
      OnlineStore started = OnlineStores.at(uri + "started");
      started.check();
      assertThat(started.identity()).isNotEmpty();

      UnavailableException e =
          assertThrows(UnavailableException.class, OnlineStores.at(uri + "writer")::identity);

      assertThat(e).hasMessageThat().contains("the ACL user needs ~tailrace:store");
    }
  }

  @Test
  public void withoutInfoTheCheckSaysWhatItDoesNotKnow() throws Exception {
    Path secret = secret(PASSWORD);
    try (LocalRedis redis =
        server()
            .user("admin", "admin", "~*", "+@all")
            .user(
                "writer", PASSWORD, RedisCheck.NEEDED_PERMISSIONS.replace(" +info", "").split(" "))
            .start()) {
      assertThat(findings(redis.uri() + "?user=writer&password=file:" + secret))
          .containsExactly(
              "the user may not run INFO: whether its maxmemory-policy is noeviction, and its"
                  + " version 6.2 or later, is not known");
    }
  }

  @Test
  public void everyPolicyButNoevictionIsNamed() throws Exception {
    try (LocalRedis redis = server().start();
        Jedis jedis = redis.connect()) {
      jedis.configSet("maxmemory-policy", "noeviction");
      assertThat(findings(redis.uri())).isEmpty();
      for (String policy :
          List.of(
              "allkeys-lru",
              "allkeys-lfu",
              "allkeys-random",
              "volatile-lru",
              "volatile-lfu",
              "volatile-random",
              "volatile-ttl")) {
        jedis.configSet("maxmemory-policy", policy);

        assertThat(findings(redis.uri()))
            .containsExactly(
                "127.0.0.1:"
                    + redis.port()
                    + " has maxmemory-policy "
                    + policy
                    + ": when its memory is full it drops values and deletions that have not"
                    + " expired, and older values can come back. Set maxmemory-policy noeviction");
      }
    }
  }

  private static List<String> findings(String uri) throws Exception {
    RedisAddress address = RedisAddress.of(EndpointUri.parse(uri));
    try (RedisNodes nodes = RedisNodes.of(address)) {
      return RedisCheck.check(address, nodes);
    }
  }

  @Test
  public void aKeyThatTheUserMayNotTouchRejectsOnlyItsEntity() throws Exception {
    Path secret = secret(PASSWORD);
    try (LocalRedis redis =
            server()
                .user("admin", "admin", "~*", "+@all")
                .user("writer", PASSWORD, "~production:user:*", "+@all")
                .start();
        BundleWriter writer =
            BundleWriter.of(
                OnlineWriters.to(
                    redis.uri() + "?retryFor=60s&user=writer&password=file:" + secret))) {
      QueryResult allowed =
          Results.of(
              Results.users(List.of("ann", "bea", "cid"), Results.int64("age", T + 1, 1, 2, 3)));
      QueryResult forbidden = allowed.toBuilder().setEnvironmentId("other").build();

      BundleWriter.Written written = writer.write(T, forbidden, allowed);

      assertThat(written.outcomes().get(1).written()).isEqualTo(3);
      assertThat(written.outcomes().get(0).status()).isEqualTo(WriteOutcome.Status.FAILED);
      assertThat(written.failures()).hasSize(1);
      assertThat(written.failures().get(0).reason()).isEqualTo(Reason.REJECTED_BY_STORE);
      assertThat(written.failures().get(0).message()).contains("NOPERM");
      assertThat(write(writer, T).stale()).isEqualTo(1);
      assertThat(write(writer, T + 2).written()).isEqualTo(1);
    }
  }

  private LocalRedis.Builder server() {
    LocalRedis.Builder builder =
        LocalRedis.in(temporary.getRoot().toPath().resolve("server-" + servers++))
            .setting("repl-diskless-sync-delay", "0");
    return version.equals("7.0") ? builder.executable(Redis7.executable()) : builder;
  }

  private Path secret(String text) throws Exception {
    return Files.writeString(temporary.newFile().toPath(), text + "\n");
  }

  private static void awaitReplica(LocalRedis master) throws InterruptedException {
    try (Jedis jedis = master.connect()) {
      while (!jedis.info("replication").contains("state=online")) {
        Thread.sleep(20);
      }
    }
  }

  private static void assertStands(Jedis jedis, QueryResult result) {
    assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(OnlineWriters.published(T, result)));
  }

  private static WriteOutcome write(BundleWriter writer, long time) throws Exception {
    return writer.write(T, age(time)).outcomes().get(0);
  }

  private static QueryResult age(long time) {
    return Results.of(Results.user("ann", Results.int64("age", time, 42)));
  }
}
