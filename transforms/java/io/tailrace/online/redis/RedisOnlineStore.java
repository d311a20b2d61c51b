package io.tailrace.online.redis;

import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStoreException;
import io.tailrace.endpoint.ResourceUri;

/**
 * Redis 6.2 or later, or what speaks its protocol (ElastiCache, Valkey), standalone or as a
 * cluster. An entity is a hash: see {@link RedisKeys} for its key, {@link io.tailrace.online.Cell}
 * for its fields' values. Immutable.
 */
public final class RedisOnlineStore implements OnlineStore {
  private static final long serialVersionUID = 1;

  private final String uri;

  private RedisOnlineStore(String uri) {
    this.uri = uri;
  }

  /**
   * Returns the store that a {@code redis}, {@code rediss}, {@code redis+cluster} or {@code
   * rediss+cluster} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static RedisOnlineStore at(ResourceUri uri) {
    return new RedisOnlineStore(RedisAddress.of(uri).text());
  }

  @Override
  public String uri() {
    return uri;
  }

  private RedisAddress address() {
    return RedisAddress.of(ResourceUri.parse(uri));
  }

  @Override
  public void check() throws OnlineStoreException {
    try (RedisNodes nodes = RedisNodes.of(address())) {
      RedisCheck.check(address(), nodes);
    }
  }

  @Override
  public RedisConnection connect() {
    RedisAddress address = address();
    return new RedisConnection(address, RedisNodes.of(address));
  }

  @Override
  public String toString() {
    return uri;
  }
}
