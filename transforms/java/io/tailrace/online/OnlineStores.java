package io.tailrace.online;

import io.tailrace.online.redis.RedisOnlineStore;
import io.tailrace.endpoint.ResourceUri;

/** Maps URIs to online stores: the one place that knows every kind. */
public final class OnlineStores {
  private OnlineStores() {}

  /**
   * Returns the store that a URI names: {@code redis://host:6379/0}, {@code rediss://…} for TLS,
   * {@code redis+cluster://host:6379,host:6379}, {@code rediss+cluster://…}.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI, and a correct
   *     one
   */
  public static OnlineStore at(String uri) {
    ResourceUri parsed = ResourceUri.parse(uri);
    return switch (parsed.scheme()) {
      case "redis", "rediss", "redis+cluster", "rediss+cluster" -> RedisOnlineStore.at(parsed);
      default ->
          throw new IllegalArgumentException(
              "'"
                  + parsed
                  + "' names no online store. Examples: redis://localhost:6379/0,"
                  + " rediss://cache.example.com:6379?user=writer&password=env:REDIS_PASSWORD,"
                  + " redis+cluster://n1:6379,n2:6379");
    };
  }
}
