package io.tailrace.online.redis;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Login;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.Secrets;
import io.tailrace.endpoint.Timeouts;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a Redis URI says. Immutable.
 *
 * @param text the URI, without secrets
 * @param servers where they are
 * @param access how to come in
 * @param timeouts for how long to wait
 * @param writing how entities are written
 */
record RedisAddress(String text, Servers servers, Access access, Timeouts timeouts, Writing writing)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /**
   * Where the servers are.
   *
   * @param hosts of the server, of some nodes of the cluster, or of the sentinels
   * @param cluster whether it is a Redis Cluster
   * @param database number of the database; 0 in a cluster
   * @param sentinels what the hosts are asked for; null: they are no sentinels
   */
  record Servers(List<Node> hosts, boolean cluster, int database, @Nullable Sentinels sentinels)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /**
   * What sentinels are asked for.
   *
   * @param master the name of the master
   * @param password where their password is; null: they have none
   */
  record Sentinels(String master, @Nullable Secret password) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /**
   * How to come in.
   *
   * @param login who logs in
   * @param tls how connections are encrypted; null: not
   */
  record Access(Login login, @Nullable Tls tls) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  List<Node> hosts() {
    return servers.hosts;
  }

  boolean cluster() {
    return servers.cluster;
  }

  int database() {
    return servers.database;
  }

  /** Returns the name of the master that sentinels are asked for; empty: there are none. */
  Optional<String> master() {
    return Optional.ofNullable(servers.sentinels).map(Sentinels::master);
  }

  /** Returns the place of the sentinels' password; empty: they have none. */
  Optional<Secret> sentinelPassword() {
    return Optional.ofNullable(servers.sentinels).map(Sentinels::password);
  }

  Login login() {
    return access.login;
  }

  @Nullable Tls tls() {
    return access.tls;
  }

  /** Whether connections are encrypted. */
  boolean encrypted() {
    return access.tls != null;
  }

  /**
   * How connections are encrypted.
   *
   * @param caFile a PEM file with the certificates to trust; null: the JVM's
   * @param keyFile a PKCS#12 file with a client certificate; null: none
   * @param keySecret where the key store's password is; null: it has none
   */
  record Tls(@Nullable String caFile, @Nullable String keyFile, @Nullable Secret keySecret)
      implements Serializable {
    private static final long serialVersionUID = 1;

    Optional<String> trustStore() {
      return Optional.ofNullable(caFile);
    }

    Optional<String> keyStore() {
      return Optional.ofNullable(keyFile);
    }

    Optional<Secret> keyStorePassword() {
      return Optional.ofNullable(keySecret);
    }
  }

  /**
   * How entities are written.
   *
   * @param waitReplicas how many replicas must have a write before it counts
   * @param waitTimeout for how long to wait for them
   * @param grace how long a key outlives its last cell
   * @param entitiesPerCall how many entities one script call writes
   * @param maxPerSecond how many entities a connection writes in a second; 0: without a limit
   */
  record Writing(
      int waitReplicas, Duration waitTimeout, Duration grace, int entitiesPerCall, int maxPerSecond)
      implements Serializable {
    private static final long serialVersionUID = 1;

    long graceMicros() {
      return Micros.of(grace);
    }
  }

  /** A server's place. */
  record Node(String host, int port) implements Serializable {
    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  static final String EXAMPLE =
      "redis://localhost:6379/0,"
          + " rediss://cache.example.com:6379?user=writer&password=env:REDIS_PASSWORD,"
          + " redis+cluster://n1:6379,n2:6379?waitReplicas=1";

  private static final int DEFAULT_PORT = 6379;
  private static final int DEFAULT_SENTINEL_PORT = 26379;
  private static final Duration REPLY_TIMEOUT = Duration.ofSeconds(10);

  /** Measured: fewer cost more calls, more make the server's Lua tables outgrow its cache. */
  private static final int DEFAULT_ENTITIES_PER_CALL = 32;

  static RedisAddress of(EndpointUri uri) {
    boolean cluster = uri.scheme().endsWith("+cluster");
    boolean hasSentinels = uri.scheme().endsWith("+sentinel");
    List<Node> hosts =
        uri.hosts(hasSentinels ? DEFAULT_SENTINEL_PORT : DEFAULT_PORT).stream()
            .map(h -> new Node(h.name(), h.port()))
            .toList();
    if (!cluster && !hasSentinels && hosts.size() > 1) {
      uri.problem("several hosts are for redis+cluster:// only, or sentinels'");
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
    Optional<String> master = uri.take("master");
    Optional<Secret> sentinelPassword = uri.takeSecret("sentinelPassword");
    if (hasSentinels && master.isEmpty()) {
      uri.problem("sentinels know masters by their names: say which with master=NAME");
    } else if (!hasSentinels && (master.isPresent() || sentinelPassword.isPresent())) {
      uri.problem("master and sentinelPassword are for redis+sentinel://");
    }
    boolean encrypted = uri.scheme().matches("(rediss|valkeys)(\\+.*)?");
    Tls tls =
        new Tls(
            uri.take("caFile").orElse(null),
            uri.take("keyStore").orElse(null),
            uri.takeSecret("keyStorePassword").orElse(null));
    if (!encrypted && (tls.trustStore().isPresent() || tls.keyStore().isPresent())) {
      uri.problem("caFile and keyStore need TLS: rediss://");
    }
    Login login = Login.of(uri);
    if (login.user().isPresent() && login.password().isEmpty()) {
      uri.problem("user=" + login.user().get() + " needs " + Secrets.examples("password="));
    }
    Timeouts timeouts = Timeouts.of(uri, REPLY_TIMEOUT);
    Writing writing =
        new Writing(
            uri.takeInt("waitReplicas", 0, 100).orElse(0),
            uri.takeDuration("waitTimeout").orElse(Duration.ofSeconds(1)),
            uri.takeDurationOrZero("grace").orElse(Duration.ofHours(1)),
            uri.takeInt("entitiesPerCall", 1, 1_000).orElse(DEFAULT_ENTITIES_PER_CALL),
            uri.takeInt("maxWritesPerSecond", 1, 10_000_000).orElse(0));
    if (writing.waitReplicas > 0 && writing.waitTimeout.compareTo(timeouts.reply()) >= 0) {
      uri.problem(
          "waitTimeout="
              + writing.waitTimeout.toMillis()
              + "ms must be shorter than timeout="
              + timeouts.reply().toMillis()
              + "ms, after which an answer is given up");
    }
    uri.finish(EXAMPLE);
    return new RedisAddress(
        uri.withoutSecrets(),
        new Servers(
            hosts,
            cluster,
            database,
            hasSentinels ? new Sentinels(master.orElse(""), sentinelPassword.orElse(null)) : null),
        new Access(login, encrypted ? tls : null),
        timeouts,
        writing);
  }
}
