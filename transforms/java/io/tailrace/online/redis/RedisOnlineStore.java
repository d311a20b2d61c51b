package io.tailrace.online.redis;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.OnlineStore;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Redis 6.2 or later, or what speaks its protocol (ElastiCache, Valkey), standalone or as a
 * cluster. An entity is a hash: see {@link RedisKeys} for its key, {@link io.tailrace.online.Cell}
 * for its fields' values. Immutable.
 */
public final class RedisOnlineStore implements OnlineStore {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(RedisOnlineStore.class);

  /** The schemes of its URIs. */
  public static final List<String> SCHEMES =
      List.of(
          "redis",
          "rediss",
          "redis+cluster",
          "rediss+cluster",
          "redis+sentinel",
          "rediss+sentinel",
          "valkey",
          "valkeys",
          "valkey+cluster",
          "valkeys+cluster",
          "valkey+sentinel",
          "valkeys+sentinel");

  /** A correct URI of each way to run it. */
  public static final String EXAMPLE = RedisAddress.EXAMPLE;

  private final RedisAddress address;

  private RedisOnlineStore(RedisAddress address) {
    this.address = address;
  }

  /**
   * Returns the store that a URI with one of {@link #SCHEMES} names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static RedisOnlineStore at(EndpointUri uri) {
    return new RedisOnlineStore(RedisAddress.of(uri));
  }

  @Override
  public String uri() {
    return address.text();
  }

  @Override
  public void check() throws UnavailableException {
    try (RedisNodes nodes = RedisNodes.of(address)) {
      for (String finding : RedisCheck.check(address, nodes)) {
        LOG.warn("{}: {}", address.text(), finding);
      }
    }
  }

  @Override
  public String identity() throws UnavailableException {
    try (RedisNodes nodes = RedisNodes.of(address)) {
      return RedisIdentity.of(address, nodes);
    }
  }

  @Override
  public RedisConnection connect() {
    return new RedisConnection(address, RedisNodes.of(address));
  }

  @Override
  public String toString() {
    return uri();
  }
}
