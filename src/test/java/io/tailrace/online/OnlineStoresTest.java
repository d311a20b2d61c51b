package io.tailrace.online;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.online.redis.RedisOnlineStore;
import java.util.List;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.Test;

/** Which URIs name an online store, and what is said of those that don't. */
public class OnlineStoresTest {
  @Test
  public void redisUrisNameARedis() {
    for (String uri :
        List.of(
            "redis://localhost",
            "redis://localhost:6379/0",
            "REDIS://localhost:6379/15",
            "rediss://cache.example.com:6379?user=writer&password=env:REDIS_PASSWORD",
            "rediss://[::1]:6379?caFile=/etc/ca.pem&password=file:/run/secret",
            "rediss://c:6379?keyStore=/etc/client.p12&keyStorePassword=env:STORE_PASSWORD",
            "redis+cluster://n1:6379,n2:6379?waitReplicas=1&waitTimeout=500ms&grace=1d",
            "rediss+cluster://n1?connectTimeout=1s&timeout=2s&retryFor=1m&entitiesPerCall=8")) {
      OnlineStore store = OnlineStores.at(uri);

      assertThat(store).isInstanceOf(RedisOnlineStore.class);
      assertThat(store.uri()).isEqualTo(uri);
    }
  }

  @Test
  public void aStoreKeepsItsSettingsWhereverItTravels() {
    OnlineStore store =
        OnlineStores.at("rediss://c:6379/3?user=w&password=env%3AREDIS_PASSWORD&grace=2h");

    OnlineStore travelled = SerializableUtils.clone(store);

    assertThat(travelled.uri()).isEqualTo(store.uri());
    assertThat(OnlineStores.at(travelled.uri()).uri()).isEqualTo(store.uri());
  }

  @Test
  public void anotherSchemeIsRefusedWithExamples() {
    for (String uri :
        List.of("", "localhost:6379", "kafka://localhost:9092/topic", "memcached://h")) {
      assertThat(refused(uri))
          .isEqualTo(
              "'"
                  + uri
                  + "' names no online store. Example: redis://localhost:6379/0,"
                  + " rediss://cache.example.com:6379?user=writer&password=env:REDIS_PASSWORD,"
                  + " redis+cluster://n1:6379,n2:6379?waitReplicas=1");
    }
  }

  @Test
  public void everythingThatIsWrongIsSaidAtOnce() {
    String message =
        refused("redis://a:1,b:x/db?caFile=/ca.pem&user=w&grace=soon&entitiesPerCall=0&color=red");

    assertThat(message).contains("'b:x' has no port between 1 and 65535");
    assertThat(message).contains("several hosts are for redis+cluster:// only");
    assertThat(message).contains("'/db' is not the number of a database");
    assertThat(message).contains("caFile and keyStore need TLS: rediss://");
    assertThat(message).contains("user=w needs password=env:VARIABLE or password=file:PATH");
    assertThat(message).contains("grace=soon is not a duration such as 500ms, 30s, 10m, 1h or 14d");
    assertThat(message).contains("entitiesPerCall=0 is not a whole number between 1 and 1000");
    assertThat(message).contains("parameter 'color' is unknown");
    assertThat(message).contains("Example: redis://localhost:6379/0");
  }

  @Test
  public void aWaitMustEndBeforeItsAnswerIsGivenUp() {
    assertThat(refused("redis://c?waitReplicas=1&waitTimeout=20s&timeout=10s"))
        .contains("waitTimeout=20000ms must be shorter than timeout=10000ms");
  }

  @Test
  public void aClusterHasNoDatabase() {
    assertThat(refused("redis+cluster://n1:6379/1"))
        .contains("a cluster has no databases: '/1' must go");
  }

  @Test
  public void aPasswordIsNeverRepeated() {
    for (String uri :
        List.of(
            "redis://writer:hunter2@cache:6379",
            "redis://:hunter2@cache:6379/0?grace=soon",
            "redis://cache:6379?password=hunter2",
            "redis://cache:6379?password=hunter2%",
            "redis://cache:6379?keyStorePassword=hunter2",
            "redis://cache:6379?pass=hunter2",
            "memcached://writer:hunter2@cache:6379")) {
      assertWithMessage(uri).that(refused(uri)).doesNotContain("hunter2");
    }
  }

  private static String refused(String uri) {
    return assertThrows(uri, IllegalArgumentException.class, () -> OnlineStores.at(uri))
        .getMessage();
  }
}
