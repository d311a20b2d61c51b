package io.tailrace.online.redis;

import io.tailrace.endpoint.Durations;
import io.tailrace.endpoint.Secret;
import io.tailrace.online.EntityKey;
import io.tailrace.online.redis.RedisAddress.Node;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultRedisCredentials;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.providers.ClusterConnectionProvider;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * The servers behind an address, with a connection to each that is opened when it is first used.
 * Not thread-safe.
 */
abstract class RedisNodes implements AutoCloseable {
  /** Among so many keys one is on a node that has but a small share of the slots. */
  private static final int MAX_TRIAL_KEYS = 10_000;

  private final Map<Node, Connection> connections = new HashMap<>();
  final RedisAddress address;

  RedisNodes(RedisAddress address) {
    this.address = address;
  }

  static RedisNodes of(RedisAddress address) {
    if (address.cluster()) {
      return new Cluster(address);
    }
    return address
        .master()
        .<RedisNodes>map(master -> new SentinelNodes(address, master))
        .orElseGet(() -> new Standalone(address));
  }

  /**
   * Returns the node that holds a key.
   *
   * @throws JedisException if the cluster can't be asked
   */
  abstract Node nodeOf(byte[] key);

  /**
   * Returns every node that is written to.
   *
   * @throws JedisException if the cluster can't be asked, or a slot has no node
   */
  abstract Set<Node> masters();

  /**
   * Returns the key of a trial that a node holds: in the namespace of an entity, and none's.
   *
   * @throws JedisException if the cluster can't be asked, or the node holds none
   */
  byte[] trialKey(EntityKey entity, Node node) {
    for (int i = 0; i < MAX_TRIAL_KEYS; i++) {
      byte[] key = RedisKeys.trial(entity, i);
      if (nodeOf(key).equals(node)) {
        return key;
      }
    }
    throw new JedisException(node + " serves no slot");
  }

  /** Returns whether keys with different hash slots may be in one call. */
  abstract boolean mixesSlots();

  /** Forgets which node holds what. */
  abstract void refresh();

  /**
   * Returns an open connection.
   *
   * @throws JedisException if there is none and none can be opened
   */
  Connection connection(Node node) {
    Connection connection = connections.get(node);
    if (connection == null) {
      connection = new Connection(new HostAndPort(node.host(), node.port()), config());
      connections.put(node, connection);
    }
    return connection;
  }

  /**
   * Returns what time it is by the clock of a node.
   *
   * @throws JedisException if it can't be asked, or answers with something else
   */
  Instant now(Node node) {
    Connection connection = connection(node);
    connection.sendCommand(Protocol.Command.TIME);
    Object reply = connection.getOne();
    try {
      List<?> time = (List<?>) reply;
      return Instant.ofEpochSecond(number(time.get(0)), 1_000 * number(time.get(1)));
    } catch (ClassCastException | IndexOutOfBoundsException | NumberFormatException e) {
      throw new JedisException("TIME is answered with something that is no time", e);
    }
  }

  private static long number(Object text) {
    return Long.parseLong(new String((byte[]) text, StandardCharsets.US_ASCII));
  }

  /** Closes a connection that broke; the next use opens another one. */
  void discard(Node node) {
    Connection connection = connections.remove(node);
    if (connection != null) {
      closeQuietly(connection);
    }
  }

  @Override
  public void close() {
    connections.values().forEach(RedisNodes::closeQuietly);
    connections.clear();
  }

  private static void closeQuietly(Connection connection) {
    try {
      connection.close();
    } catch (JedisException e) {
      // It is given up anyway: what it was to confirm is sent again over another one.
    }
  }

  /**
   * Makes the configuration of connections; the password is read anew for each of them, the
   * certificates once.
   */
  JedisClientConfig config() {
    DefaultJedisClientConfig.Builder builder = builder().database(address.database());
    String user = address.login().user().orElse(null);
    address
        .login()
        .password()
        .ifPresent(
            secret ->
                builder.credentialsProvider(
                    () -> new DefaultRedisCredentials(user, secret.read())));
    return builder.build();
  }

  /** Makes the configuration of a connection to a sentinel, which has passwords of its own. */
  JedisClientConfig sentinelConfig() {
    DefaultJedisClientConfig.Builder builder = builder();
    address.sentinelPassword().map(Secret::read).ifPresent(builder::password);
    return builder.build();
  }

  private DefaultJedisClientConfig.Builder builder() {
    DefaultJedisClientConfig.Builder builder =
        DefaultJedisClientConfig.builder()
            .connectionTimeoutMillis(Durations.intMillis(address.timeouts().connect()))
            .socketTimeoutMillis(Durations.intMillis(address.timeouts().reply()))
            .clientName("tailrace");
    RedisAddress.Tls tls = address.tls();
    if (tls != null) {
      SSLParameters parameters = new SSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      builder.ssl(true).sslParameters(parameters).sslSocketFactory(socketFactory(tls));
    }
    return builder;
  }

  private SSLSocketFactory socketFactory(RedisAddress.Tls tls) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      KeyStore trusted = null;
      if (tls.trustStore().isPresent()) {
        trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream in = Files.newInputStream(Path.of(tls.trustStore().get()))) {
          int i = 0;
          for (Certificate each :
              CertificateFactory.getInstance("X.509").generateCertificates(in)) {
            trusted.setCertificateEntry("ca" + i++, each);
          }
        }
      }
      trust.init(trusted);
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      KeyStore own = null;
      char[] password = tls.keyStorePassword().map(Secret::read).orElse("").toCharArray();
      if (tls.keyStore().isPresent()) {
        own = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(tls.keyStore().get()))) {
          own.load(in, password);
        }
      }
      keys.init(own, password);
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context.getSocketFactory();
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException(
          address.text() + ": caFile or keyStore can't be used: " + e.getMessage(), e);
    }
  }

  private static final class Standalone extends RedisNodes {
    private final Node node;

    Standalone(RedisAddress address) {
      super(address);
      this.node = address.hosts().get(0);
    }

    @Override
    Node nodeOf(byte[] key) {
      return node;
    }

    @Override
    Set<Node> masters() {
      return Set.of(node);
    }

    @Override
    boolean mixesSlots() {
      return true;
    }

    @Override
    void refresh() {}
  }

  private static final class Cluster extends RedisNodes {
    private static final int SLOTS = 16_384;

    private @Nullable ClusterConnectionProvider slots;

    Cluster(RedisAddress address) {
      super(address);
    }

    @Override
    Node nodeOf(byte[] key) {
      return nodeOf(JedisClusterCRC16.getSlot(key));
    }

    @Override
    Set<Node> masters() {
      Set<Node> masters = new LinkedHashSet<>();
      for (int slot = 0; slot < SLOTS; slot++) {
        masters.add(nodeOf(slot));
      }
      return masters;
    }

    private Node nodeOf(int slot) {
      if (slots == null) {
        Set<HostAndPort> seeds = new HashSet<>();
        address.hosts().forEach(host -> seeds.add(new HostAndPort(host.host(), host.port())));
        slots = new ClusterConnectionProvider(seeds, config());
      }
      HostAndPort place = slots.getNode(slot);
      if (place == null) {
        slots.renewSlotCache();
        place = slots.getNode(slot);
      }
      if (place == null) {
        throw new JedisException("no node of the cluster serves slot " + slot);
      }
      return new Node(place.getHost(), place.getPort());
    }

    @Override
    boolean mixesSlots() {
      return false;
    }

    @Override
    void refresh() {
      if (slots != null) {
        try {
          slots.renewSlotCache();
        } catch (JedisException e) {
          // Every known node is gone, perhaps: begin anew with those of the address.
          slots.close();
          slots = null;
        }
      }
    }

    @Override
    public void close() {
      super.close();
      if (slots != null) {
        slots.close();
        slots = null;
      }
    }
  }
}
