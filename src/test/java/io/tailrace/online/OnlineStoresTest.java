package io.tailrace.online;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.online.dynamodb.DynamoDbOnlineStore;
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
            "rediss+cluster://n1?connectTimeout=1s&timeout=2s&retryFor=1m&entitiesPerCall=8",
            "redis+sentinel://s1,s2:26380/1?master=cache&maxWritesPerSecond=20000",
            "valkey://cache",
            "valkeys+sentinel://s1?master=cache&sentinelPassword=env:SENTINELS",
            "valkeys+cluster://n1?caFile=/etc/ca.pem")) {
      OnlineStore store = OnlineStores.at(uri);

      assertThat(store).isInstanceOf(RedisOnlineStore.class);
      assertThat(store.uri()).isEqualTo(uri);
    }
  }

  @Test
  public void dynamodbUrisNameTables() {
    for (String uri :
        List.of(
            "dynamodb://eu-west-1/features",
            "dynamodb://us-gov-west-1/tailrace-{environment}?create=true&grace=1d",
            "dynamodb:///features?endpoint=http://localhost:8000",
            "dynamodb://eu-west-1/f.e-a_t?accessKey=env:A&secretKey=file:/run/secret",
            "dynamodb://eu-west-1/features?connections=64&timeout=2s&retryFor=1m")) {
      OnlineStore store = OnlineStores.at(uri);

      assertThat(store).isInstanceOf(DynamoDbOnlineStore.class);
      assertThat(store.uri()).isEqualTo(uri);
      assertThat(store.separatesEnvironments()).isEqualTo(uri.contains("{environment}"));
    }
  }

  @Test
  public void everythingThatIsWrongWithATableIsSaidAtOnce() {
    String message =
        refused(
            "dynamodb://localhost:8000/fe ature?endpoint=localhost&accessKey=env:A&create=yes"
                + "&connections=0&table=x");

    assertThat(message).contains("'localhost:8000' is not a region such as eu-west-1");
    assertThat(message).contains("another server is named with endpoint=http://HOST:PORT");
    assertThat(message).contains("'fe ature' is not the name of a table");
    assertThat(message).contains("endpoint=localhost is no address such as http://localhost:8000");
    assertThat(message).contains("accessKey and secretKey are given together");
    assertThat(message).contains("create=yes is neither true nor false");
    assertThat(message).contains("connections=0 is not a whole number between 1 and 1000");
    assertThat(message).contains("parameter 'table' is unknown");
    assertThat(refused("dynamodb://eu-west-1")).contains("the table is missing");
    assertThat(refused("dynamodb://eu-west-1,eu-west-2/features"))
        .contains("one region holds all tables");
    assertThat(refused("dynamodb://eu-west-1/features?secretKey=hunter2&accessKey=env:A"))
        .doesNotContain("hunter2");
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
                  + "' names no online store. Examples: redis://localhost:6379/0,"
                  + " rediss://cache.example.com:6379?user=writer&password=env:REDIS_PASSWORD,"
                  + " redis+cluster://n1:6379,n2:6379?waitReplicas=1,"
                  + " dynamodb://eu-west-1/tailrace-{environment}?create=true");
    }
  }

  @Test
  public void everythingThatIsWrongIsSaidAtOnce() {
    String message =
        refused("redis://a:1,b:x/db?caFile=/ca.pem&user=w&grace=soon&entitiesPerCall=0&color=red");

    assertThat(message).contains("'b:x' has no port between 1 and 65535");
    assertThat(message).contains("several hosts are for redis+cluster:// only, or sentinels'");
    assertThat(refused("redis+sentinel://s1,s2"))
        .contains("sentinels know masters by their names: say which with master=NAME");
    assertThat(refused("redis://s1?master=cache"))
        .contains("master and sentinelPassword are for redis+sentinel://");
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
