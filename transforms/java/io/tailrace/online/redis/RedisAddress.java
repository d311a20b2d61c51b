package io.tailrace.online.redis;

import io.tailrace.endpoint.ResourceUri;
import io.tailrace.endpoint.Secret;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a Redis URI says. Immutable.
 *
 * @param text the URI, without secrets
 * @param hosts {@code host:port} of the server, or of some nodes of the cluster
 * @param cluster whether it is a Redis Cluster
 * @param tls whether connections are encrypted
 * @param database number of the database; 0 in a cluster
 * @param user ACL user; empty: the default one
 * @param password where the password is
 * @param trustStore a PEM file with the certificates to trust; empty: the JVM's
 * @param keyStore a PKCS#12 file with a client certificate
 * @param keyStorePassword where the key store's password is
 * @param connectTimeout for opening a connection
 * @param timeout for a reply
 * @param retryFor for how long a store that is down is tried again before the bundle fails
 * @param waitReplicas how many replicas must have a write before it counts
 * @param waitTimeout for how long to wait for them
 * @param grace how long a key outlives its last cell
 * @param entitiesPerCall how many entities one script call writes
 */
record RedisAddress(
    String text,
    List<Node> hosts,
    boolean cluster,
    boolean tls,
    int database,
    Optional<String> user,
    Optional<Secret> password,
    Optional<String> trustStore,
    Optional<String> keyStore,
    Optional<Secret> keyStorePassword,
    Duration connectTimeout,
    Duration timeout,
    Duration retryFor,
    int waitReplicas,
    Duration waitTimeout,
    Duration grace,
    int entitiesPerCall) {

  /** A server's place. */
  record Node(String host, int port) implements Serializable {
    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  private static final String EXAMPLE =
      "redis://localhost:6379/0,"
          + " rediss://cache.example.com:6379?user=writer&password=env:REDIS_PASSWORD,"
          + " redis+cluster://n1:6379,n2:6379?waitReplicas=1";

  private static final int DEFAULT_PORT = 6379;

  /** Measured: fewer cost more calls, more make the server's Lua tables outgrow its cache. */
  private static final int DEFAULT_ENTITIES_PER_CALL = 32;

  static RedisAddress of(ResourceUri uri) {
    boolean cluster = uri.scheme().endsWith("+cluster");
    List<Node> hosts =
        uri.hosts(DEFAULT_PORT).stream().map(h -> new Node(h.name(), h.port())).toList();
    if (!cluster && hosts.size() > 1) {
      uri.problem("several hosts are for redis+cluster:// only");
    }
    int database = 0;
    if (!uri.path().isEmpty()) {
      if (cluster) {
        uri.problem("a cluster has no databases: '/" + uri.path() + "' must go");
      } else if (!uri.path().matches("\\d{1,4}")) {
        uri.problem("'/" + uri.path() + "' is not the number of a database");
      } else {
        database = Integer.parseInt(uri.path());
      }
    }
    boolean tls = uri.scheme().startsWith("rediss");
    Optional<String> trustStore = uri.take("caFile");
    Optional<String> keyStore = uri.take("keyStore");
    Optional<Secret> keyStorePassword = uri.takeSecret("keyStorePassword");
    if (!tls && (trustStore.isPresent() || keyStore.isPresent())) {
      uri.problem("caFile and keyStore need TLS: rediss://");
    }
    Optional<String> user = uri.take("user");
    Optional<Secret> password = uri.takeSecret("password");
    if (user.isPresent() && password.isEmpty()) {
      uri.problem("user=" + user.get() + " needs password=env:VARIABLE or password=file:PATH");
    }
    RedisAddress address =
        new RedisAddress(
            uri.withoutSecrets(),
            hosts,
            cluster,
            tls,
            database,
            user,
            password,
            trustStore,
            keyStore,
            keyStorePassword,
            uri.takeDuration("connectTimeout").orElse(Duration.ofSeconds(5)),
            uri.takeDuration("timeout").orElse(Duration.ofSeconds(10)),
            uri.takeDuration("retryFor").orElse(Duration.ofSeconds(30)),
            uri.takeInt("waitReplicas", 0, 100).orElse(0),
            uri.takeDuration("waitTimeout").orElse(Duration.ofSeconds(1)),
            uri.takeDuration("grace").orElse(Duration.ofHours(1)),
            uri.takeInt("entitiesPerCall", 1, 1_000).orElse(DEFAULT_ENTITIES_PER_CALL));
    if (address.waitReplicas() > 0 && address.waitTimeout().compareTo(address.timeout()) >= 0) {
      uri.problem(
          "waitTimeout="
              + address.waitTimeout().toMillis()
              + "ms must be shorter than timeout="
              + address.timeout().toMillis()
              + "ms, after which an answer is given up");
    }
    uri.finish(EXAMPLE);
    return address;
  }
}
