package io.tailrace.online.redis;

import io.tailrace.online.redis.RedisAddress.Node;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * A Redis whose master is the one that its sentinels name: they are asked when a connection is
 * needed, and again when the master that they named breaks, or says that it is none. Not
 * thread-safe.
 */
final class SentinelNodes extends RedisNodes {
  private final String master;
  private @Nullable Node known;

  SentinelNodes(RedisAddress address, String master) {
    super(address);
    this.master = master;
  }

  @Override
  Node nodeOf(byte[] key) {
    Node node = known;
    if (node == null) {
      node = ask();
      known = node;
    }
    return node;
  }

  private Node ask() {
    JedisException last = new JedisException("the URI names no sentinel");
    for (Node sentinel : address.hosts()) {
      try (Connection connection =
          new Connection(new HostAndPort(sentinel.host(), sentinel.port()), sentinelConfig())) {
        connection.sendCommand(Protocol.Command.SENTINEL, "GET-MASTER-ADDR-BY-NAME", master);
        Object reply = RedisReplies.read(connection);
        if (reply instanceof JedisDataException error) {
          throw error;
        }
        if (reply instanceof List<?> place && place.size() == 2) {
          return new Node(text(place.get(0)), Integer.parseInt(text(place.get(1))));
        }
        last = new JedisException("the sentinel " + sentinel + " knows no master '" + master + "'");
      } catch (JedisException e) {
        last = e;
      }
    }
    throw last;
  }

  private static String text(Object bytes) {
    return new String((byte[]) bytes, StandardCharsets.US_ASCII);
  }

  @Override
  Set<Node> masters() {
    return Set.of(nodeOf(RedisKeys.RESERVED_FIELD));
  }

  @Override
  boolean mixesSlots() {
    return true;
  }

  @Override
  void refresh() {
    known = null;
  }

  @Override
  public void close() {
    super.close();
    known = null;
  }
}
