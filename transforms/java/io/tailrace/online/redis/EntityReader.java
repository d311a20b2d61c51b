package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.redis.RedisAddress.Node;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisAskDataException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/** Reads entities from the nodes that hold them. Not thread-safe. */
final class EntityReader {
  private static final Logger LOG = LoggerFactory.getLogger(EntityReader.class);

  private final RedisAddress address;
  private final RedisNodes nodes;

  EntityReader(RedisAddress address, RedisNodes nodes) {
    this.address = address;
    this.nodes = nodes;
  }

  /**
   * Reads every cell of entities. A key that is no hash of ours has none, and a field that is no
   * cell is passed over: somebody else's affairs fail no read.
   *
   * @throws JedisException if a server can't be reached, or does not answer with them
   */
  List<Map<String, Cell>> read(List<EntityKey> keys) throws UnavailableException {
    List<byte[]> redisKeys = keys.stream().map(RedisKeys::of).toList();
    Map<Node, List<Integer>> byNode = new LinkedHashMap<>();
    for (int i = 0; i < redisKeys.size(); i++) {
      byNode.computeIfAbsent(nodes.nodeOf(redisKeys.get(i)), any -> new ArrayList<>()).add(i);
    }
    Map<Integer, Map<String, Cell>> entities = new TreeMap<>();
    for (Map.Entry<Node, List<Integer>> each : byNode.entrySet()) {
      Connection connection = nodes.connection(each.getKey());
      for (int i : each.getValue()) {
        connection.sendCommand(Protocol.Command.HGETALL, redisKeys.get(i));
      }
      List<Object> replies = new ArrayList<>();
      for (int ignored : each.getValue()) {
        replies.add(RedisReplies.read(connection));
      }
      for (int r = 0; r < replies.size(); r++) {
        Object reply = replies.get(r);
        if (reply instanceof JedisAskDataException ask) {
          reply = readElsewhere(ask, redisKeys.get(each.getValue().get(r)));
        }
        if (reply instanceof JedisDataException error) {
          if (!String.valueOf(error.getMessage()).startsWith("WRONGTYPE")) {
            throw error;
          }
          reply = List.of();
        }
        entities.put(each.getValue().get(r), cells(keys.get(each.getValue().get(r)), reply));
      }
    }
    return List.copyOf(entities.values());
  }

  private Object readElsewhere(JedisAskDataException ask, byte[] key) {
    HostAndPort target = ask.getTargetNode();
    Connection connection = nodes.connection(new Node(target.getHost(), target.getPort()));
    connection.sendCommand(Protocol.Command.ASKING);
    connection.sendCommand(Protocol.Command.HGETALL, key);
    RedisReplies.read(connection);
    return RedisReplies.read(connection);
  }

  private Map<String, Cell> cells(EntityKey key, Object reply) throws UnavailableException {
    if (!(reply instanceof List<?> fields)) {
      throw new UnavailableException(address.text() + " answers HGETALL with " + reply);
    }
    Map<String, Cell> cells = new TreeMap<>();
    boolean ours = false;
    for (int i = 0; i < fields.size(); i += 2) {
      byte[] name = (byte[]) fields.get(i);
      if (name.length == RedisKeys.RESERVED_FIELD.length) {
        ours = true;
        continue;
      }
      String text = new String(name, UTF_8);
      try {
        cells.put(text, Cell.of((byte[]) fields.get(i + 1)));
      } catch (IllegalArgumentException e) {
        LOG.debug("field '{}' of {} was not written by Tailrace: {}", text, key, e.getMessage());
      }
    }
    return ours ? cells : Map.of();
  }
}
