package io.tailrace.online;

import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.online.dynamodb.DynamoDbOnlineStore;
import io.tailrace.online.redis.RedisOnlineStore;
import java.util.List;

/** Maps URIs to online stores: the one place that knows every kind. */
public final class OnlineStores {
  /** Every kind of online store. */
  public static final Kinds<OnlineStore> KINDS =
      Kinds.of(
          "online store",
          OnlineStore.class,
          List.of(
              new Kind<>(RedisOnlineStore.SCHEMES, RedisOnlineStore.EXAMPLE, RedisOnlineStore::at),
              Kind.<OnlineStore>of(
                      DynamoDbOnlineStore.SCHEME,
                      DynamoDbOnlineStore.EXAMPLE,
                      DynamoDbOnlineStore::at)
                  .needing(
                      "software.amazon.awssdk:dynamodb",
                      "software.amazon.awssdk.services.dynamodb.DynamoDbClient")));

  private OnlineStores() {}

  /**
   * Returns the store that a URI names: {@code redis://host:6379/0}, {@code rediss://…} for TLS,
   * {@code redis+cluster://host:6379,host:6379}, {@code rediss+cluster://…}; {@code
   * dynamodb://region/table}.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI, and a correct
   *     one
   */
  public static OnlineStore at(String uri) {
    return KINDS.at(uri);
  }
}
